//! Blocks: pictures, buttons and menus. Limits: Slack's Block Kit reference.

use chatly_channel::check::{Result, at_most, count, invalid, not_empty, unique};
use chatly_channel::outbound::{Button, MediaLocation, MediaSource, Menu, Row};
use serde_json::{Value, json};

use super::{escaped, unsupported};

/// Most elements of an actions block.
pub(crate) const MAX_BUTTONS: u32 = 25;
/// Most characters of a button's, an option's or a group's label, and of an option's description.
pub(crate) const MAX_LABEL_CHARS: u32 = 75;
/// Most options of a select menu, and of each group in it.
pub(crate) const MAX_ROWS: u32 = 100;
/// Most characters of an image's title.
pub(crate) const MAX_TITLE_CHARS: u32 = 2000;
/// Most characters of a section's text, escapes included.
const MAX_SECTION_CHARS: u32 = 3000;
/// Most characters of a button's value, and of an option's.
const MAX_BUTTON_VALUE_CHARS: u32 = 2000;
const MAX_ROW_VALUE_CHARS: u32 = 150;
/// Most characters of an image's URL.
const MAX_URL_CHARS: u32 = 3000;

/// A picture with its caption as a title, and what notifications show.
pub(super) fn image(source: &MediaSource) -> Result<(String, Value)> {
    if source.kind != "image" {
        return Err(unsupported(&format!(
            "media of kind {:?}, which must be uploaded first,",
            source.kind
        )));
    }
    let caption = source.caption.as_deref().filter(|it| !it.trim().is_empty());
    at_most("caption", MAX_TITLE_CHARS, caption.unwrap_or_default())?;
    let name = caption.or(source.filename.as_deref()).unwrap_or("image");
    let mut block = json!({ "type": "image" });
    let (member, place) = match &source.location {
        MediaLocation::Url(url) if url.starts_with("https://") || url.starts_with("http://") => {
            at_most("media URL", MAX_URL_CHARS, url)?;
            ("image_url", Value::from(url.as_str()))
        }
        MediaLocation::Url(_) => {
            return Err(invalid("the link to the media is no http or https URL"));
        }
        MediaLocation::Id(id) => {
            not_empty("media", id)?;
            ("slack_file", json!({ "id": id }))
        }
    };
    if let Some(block) = block.as_object_mut() {
        block.insert(member.to_owned(), place);
        let alt: String = name.chars().take(MAX_TITLE_CHARS as usize).collect();
        block.insert("alt_text".to_owned(), alt.into());
        if let Some(caption) = caption {
            block.insert("title".to_owned(), plain(caption));
        }
    }
    Ok((escaped(name), json!([block])))
}

/// Text with buttons below it.
pub(super) fn buttons(text: &str, buttons: &[Button]) -> Result<Value> {
    if buttons.is_empty() {
        return Err(invalid("there is no button"));
    }
    count("buttons", MAX_BUTTONS, buttons.len())?;
    unique("button ids", buttons.iter().map(|it| it.id.as_str()))?;
    let elements: Result<Vec<Value>> = buttons
        .iter()
        .enumerate()
        .map(|(at, button)| {
            not_empty("button id", &button.id)?;
            not_empty("button title", &button.title)?;
            at_most("button title", MAX_LABEL_CHARS, &button.title)?;
            at_most("button id", MAX_BUTTON_VALUE_CHARS, &button.id)?;
            Ok(
                json!({ "type": "button", "action_id": format!("button-{at}"),
                "text": plain(&button.title), "value": button.id }),
            )
        })
        .collect();
    Ok(json!([section(text)?, { "type": "actions", "elements": elements? }]))
}

/// Text with a select menu below it.
pub(super) fn menu(text: &str, menu: &Menu) -> Result<Value> {
    let rows = || menu.sections.iter().flat_map(|it| &it.rows);
    if rows().next().is_none() {
        return Err(invalid("there is no row"));
    }
    count("list rows", MAX_ROWS, rows().count())?;
    unique("row ids", rows().map(|it| it.id.as_str()))?;
    not_empty("label of the list", &menu.button)?;
    at_most("list label", 150, &menu.button)?;
    let mut select =
        json!({ "type": "static_select", "action_id": "menu", "placeholder": plain(&menu.button) });
    let (member, options) = match menu.sections.as_slice() {
        [only] if only.title.is_none() => ("options", options(&only.rows)?),
        sections => {
            let groups: Result<Vec<Value>> = sections
                .iter()
                .filter(|section| !section.rows.is_empty())
                .map(|section| {
                    let title = section.title.as_deref().unwrap_or_default();
                    not_empty("title of a section", title)?;
                    at_most("section title", MAX_LABEL_CHARS, title)?;
                    Ok(json!({ "label": plain(title), "options": options(&section.rows)? }))
                })
                .collect();
            ("option_groups", groups?)
        }
    };
    if let Some(select) = select.as_object_mut() {
        select.insert(member.to_owned(), options.into());
    }
    Ok(json!([section(text)?, { "type": "actions", "elements": [select] }]))
}

fn options(rows: &[Row]) -> Result<Vec<Value>> {
    rows.iter()
        .map(|row| {
            not_empty("row id", &row.id)?;
            not_empty("row title", &row.title)?;
            at_most("row title", MAX_LABEL_CHARS, &row.title)?;
            at_most("row id", MAX_ROW_VALUE_CHARS, &row.id)?;
            let mut option = json!({ "text": plain(&row.title), "value": row.id });
            let description = row.description.as_deref().filter(|it| !it.is_empty());
            if let (Some(description), Some(option)) = (description, option.as_object_mut()) {
                at_most("row description", MAX_LABEL_CHARS, description)?;
                option.insert("description".to_owned(), plain(description));
            }
            Ok(option)
        })
        .collect()
}

fn section(text: &str) -> Result<Value> {
    not_empty("text", text)?;
    let text = escaped(text);
    at_most("interactive text", MAX_SECTION_CHARS, &text)?;
    Ok(json!({ "type": "section", "text": { "type": "mrkdwn", "text": text } }))
}

fn plain(text: &str) -> Value {
    json!({ "type": "plain_text", "text": text })
}
