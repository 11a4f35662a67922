//! Texts with something to choose from. Lengths of what is shown are counted in graphemes, by LINE's
//! page "Character counting in a text".

use chatly_channel::TextUnit;
use chatly_channel::check::{Result, at_most_units, count, invalid, not_empty, unique};
use chatly_channel::outbound::{Button, Menu};
use serde_json::{Value, json};
use unicode_segmentation::UnicodeSegmentation as _;

use super::MAX_TEXT_UNITS;

/// Most buttons of a buttons template.
pub(crate) const MAX_BUTTONS: u32 = 4;
/// Most graphemes of a button's label.
pub(crate) const MAX_LABEL_GRAPHEMES: u32 = 20;
/// Most quick replies below a message.
pub(crate) const MAX_QUICK_REPLIES: u32 = 13;
/// Most columns of a carousel.
pub(crate) const MAX_COLUMNS: u32 = 10;
/// Most graphemes of a column's title.
pub(crate) const MAX_COLUMN_TITLE_GRAPHEMES: u32 = 40;
/// Most graphemes of the text of a column with a title.
pub(crate) const MAX_COLUMN_TEXT_GRAPHEMES: u32 = 60;
/// Most graphemes of the text of a buttons template without image and title.
const MAX_BUTTONS_TEXT_GRAPHEMES: u32 = 160;
/// Most UTF-16 units of what a button sends back.
const MAX_DATA_UNITS: u32 = 300;
/// Most UTF-16 units of the text that stands for a template where it cannot be shown.
const MAX_ALT_TEXT_UNITS: usize = 400;

fn at_most(limit: &str, max: u32, text: &str) -> Result<()> {
    count(limit, max, text.graphemes(true).count())
}

/// A button that sends its id back, and shows its title as what the person said.
fn postback(id: &str, title: &str) -> Result<Value> {
    not_empty("button id", id)?;
    at_most_units("button id", MAX_DATA_UNITS, TextUnit::Utf16Units, id)?;
    not_empty("button title", title)?;
    at_most("button title", MAX_LABEL_GRAPHEMES, title)?;
    Ok(json!({ "type": "postback", "label": title, "data": id, "displayText": title }))
}

fn actions(buttons: &[Button]) -> Result<Vec<Value>> {
    if buttons.is_empty() {
        return Err(invalid("there is no button"));
    }
    let ids = buttons.iter().map(|button| button.id.as_str());
    unique("button ids", ids)?;
    let actions = buttons.iter();
    actions
        .map(|button| postback(&button.id, &button.title))
        .collect()
}

/// As much of a text as the short one of a template may have.
fn alt_text(text: &str) -> String {
    let mut left = MAX_ALT_TEXT_UNITS;
    let fits = |character: &char| match left.checked_sub(character.len_utf16()) {
        Some(less) => {
            left = less;
            true
        }
        None => false,
    };
    text.chars().take_while(fits).collect()
}

/// A text with buttons below it.
pub(super) fn buttons(text: &str, buttons: &[Button]) -> Result<Value> {
    not_empty("text", text)?;
    at_most("text above buttons", MAX_BUTTONS_TEXT_GRAPHEMES, text)?;
    count("buttons", MAX_BUTTONS, buttons.len())?;
    let template = json!({ "type": "buttons", "text": text, "actions": actions(buttons)? });
    Ok(json!({ "type": "template", "altText": alt_text(text), "template": template }))
}

/// A text with quick replies below it.
pub(super) fn quick_replies(text: &str, replies: &[Button]) -> Result<Value> {
    not_empty("text", text)?;
    at_most_units("text", MAX_TEXT_UNITS, TextUnit::Utf16Units, text)?;
    count("quick replies", MAX_QUICK_REPLIES, replies.len())?;
    let items: Vec<Value> = actions(replies)?
        .into_iter()
        .map(|action| json!({ "type": "action", "action": action }))
        .collect();
    Ok(json!({ "type": "text", "text": text, "quickReply": { "items": items } }))
}

/// LINE has no lists: the text, and behind it a carousel with a column for each row, whose button is
/// the one that would open the list.
pub(super) fn menu(text: &str, menu: &Menu) -> Result<Vec<Value>> {
    not_empty("text", text)?;
    at_most_units("text", MAX_TEXT_UNITS, TextUnit::Utf16Units, text)?;
    let rows: Vec<_> = menu.sections.iter().flat_map(|it| &it.rows).collect();
    if rows.is_empty() {
        return Err(invalid("there is no row in the list"));
    }
    count("list rows", MAX_COLUMNS, rows.len())?;
    unique("row ids", rows.iter().map(|row| row.id.as_str()))?;
    let mut columns = Vec::new();
    for row in rows {
        not_empty("row title", &row.title)?;
        at_most("row title", MAX_COLUMN_TITLE_GRAPHEMES, &row.title)?;
        let description = row
            .description
            .as_deref()
            .filter(|it| !it.trim().is_empty());
        let description = description.unwrap_or(&row.title);
        at_most("row description", MAX_COLUMN_TEXT_GRAPHEMES, description)?;
        let mut action = postback(&row.id, &menu.button)?;
        if let Some(action) = action.as_object_mut() {
            action.insert("displayText".to_owned(), row.title.as_str().into());
        }
        columns.push(json!({ "title": row.title, "text": description, "actions": [action] }));
    }
    let template = json!({ "type": "carousel", "columns": columns });
    Ok(vec![
        json!({ "type": "text", "text": text }),
        json!({ "type": "template", "altText": alt_text(text), "template": template }),
    ])
}
