//! Texts with something to choose from.

use chatly_channel::check::{Result, at_most, count, invalid, not_empty, object, unique};
use chatly_channel::outbound::{Button, Menu};
use serde_json::{Value, json};

use super::one_text;
use crate::Platform;

/// Most buttons of a button template.
pub const MAX_BUTTONS: u32 = 3;
/// Most quick replies of a message.
pub const MAX_QUICK_REPLIES: u32 = 13;
/// Most characters of the title of a button or quick reply.
pub const MAX_TITLE_CHARS: u32 = 20;
/// Most elements of a generic template.
pub const MAX_ELEMENTS: u32 = 10;
/// Most characters of an element's title, and of what stands below it.
pub const MAX_ELEMENT_CHARS: u32 = 80;
/// Most characters of the text of a button template.
const MAX_TEMPLATE_TEXT_CHARS: u32 = 640;
/// Most characters of what a choice sends back.
const MAX_PAYLOAD_CHARS: u32 = 1_000;

/// A text with buttons below it.
pub(super) fn buttons(platform: Platform, text: &str, buttons: &[Button]) -> Result<Value> {
    one_text(platform, text)?;
    at_most("text above buttons", MAX_TEMPLATE_TEXT_CHARS, text)?;
    check("buttons", "button", MAX_BUTTONS, buttons)?;
    let all: Vec<Value> = buttons
        .iter()
        .map(|it| postback(&it.title, &it.id))
        .collect();
    Ok(template(
        json!({ "template_type": "button", "text": text, "buttons": all }),
    ))
}

/// A text with quick replies.
pub(super) fn quick_replies(platform: Platform, text: &str, replies: &[Button]) -> Result<Value> {
    one_text(platform, text)?;
    check("quick replies", "quick reply", MAX_QUICK_REPLIES, replies)?;
    let reply =
        |it: &Button| json!({ "content_type": "text", "title": it.title, "payload": it.id });
    let all: Vec<Value> = replies.iter().map(reply).collect();
    Ok(json!({ "text": text, "quick_replies": all }))
}

/// A list as a generic template: an element for each row, with the one button that chooses it. The
/// title of a section stands where a row has no description.
pub(super) fn carousel(menu: &Menu) -> Result<Value> {
    not_empty("list button", &menu.button)?;
    at_most("list button", MAX_TITLE_CHARS, &menu.button)?;
    let rows = || {
        let sections = menu.sections.iter();
        sections.flat_map(|section| section.rows.iter().map(move |row| (section, row)))
    };
    if rows().next().is_none() {
        return Err(invalid("there is no row in the list"));
    }
    count("list rows", MAX_ELEMENTS, rows().count())?;
    unique("row ids", rows().map(|(_, row)| row.id.as_str()))?;
    let mut elements = Vec::new();
    for (section, row) in rows() {
        not_empty("row id", &row.id)?;
        at_most("row id", MAX_PAYLOAD_CHARS, &row.id)?;
        not_empty("row title", &row.title)?;
        at_most("row title", MAX_ELEMENT_CHARS, &row.title)?;
        let below = row.description.as_deref().or(section.title.as_deref());
        let below = below.filter(|text| !text.is_empty());
        at_most(
            "row description",
            MAX_ELEMENT_CHARS,
            below.unwrap_or_default(),
        )?;
        elements.push(object([
            ("title", Some(row.title.as_str().into())),
            ("subtitle", below.map(Value::from)),
            ("buttons", Some(json!([postback(&menu.button, &row.id)]))),
        ]));
    }
    Ok(template(
        json!({ "template_type": "generic", "elements": elements }),
    ))
}

fn check(all: &str, one: &str, max: u32, choices: &[Button]) -> Result<()> {
    if choices.is_empty() {
        return Err(invalid("there is nothing to choose from"));
    }
    count(all, max, choices.len())?;
    for choice in choices {
        not_empty(&format!("{one} id"), &choice.id)?;
        at_most(&format!("{one} id"), MAX_PAYLOAD_CHARS, &choice.id)?;
        not_empty(&format!("{one} title"), &choice.title)?;
        at_most(&format!("{one} title"), MAX_TITLE_CHARS, &choice.title)?;
    }
    unique(
        &format!("{one} ids"),
        choices.iter().map(|choice| choice.id.as_str()),
    )
}

fn postback(title: &str, payload: &str) -> Value {
    json!({ "type": "postback", "title": title, "payload": payload })
}

fn template(payload: Value) -> Value {
    json!({ "attachment": { "type": "template", "payload": payload } })
}
