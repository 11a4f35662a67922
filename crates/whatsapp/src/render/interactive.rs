//! Texts with something to choose from.

use chatly_channel::outbound::{Button, Menu, Section};
use serde_json::{Value, json};

use chatly_channel::check::{Result, at_most, count, invalid, not_empty, object, unique};

/// Most buttons of an interactive message.
pub(crate) const MAX_BUTTONS: u32 = 3;
/// Most characters of a button, also of the one that opens a list.
pub(crate) const MAX_BUTTON_TITLE_CHARS: u32 = 20;
/// Most rows of a list, in all its sections.
pub(crate) const MAX_ROWS: u32 = 10;
/// Most characters of a row's or a section's title.
pub(crate) const MAX_ROW_TITLE_CHARS: u32 = 24;
/// Most characters of a row's description.
pub(crate) const MAX_ROW_DESCRIPTION_CHARS: u32 = 72;
/// Most characters of the text above buttons or a list.
const MAX_BODY_CHARS: u32 = 1024;
/// Most characters of a button's id.
const MAX_BUTTON_ID_CHARS: u32 = 256;
/// Most characters of a row's id.
const MAX_ROW_ID_CHARS: u32 = 200;

/// A text with buttons below it.
pub(super) fn buttons(text: &str, buttons: &[Button]) -> Result<Value> {
    if buttons.is_empty() {
        return Err(invalid("there is no button"));
    }
    count("buttons", MAX_BUTTONS, buttons.len())?;
    for button in buttons {
        not_empty("button id", &button.id)?;
        at_most("button id", MAX_BUTTON_ID_CHARS, &button.id)?;
        not_empty("button title", &button.title)?;
        at_most("button title", MAX_BUTTON_TITLE_CHARS, &button.title)?;
    }
    unique(
        "button ids",
        buttons.iter().map(|button| button.id.as_str()),
    )?;
    unique(
        "button titles",
        buttons.iter().map(|button| button.title.as_str()),
    )?;
    let reply = |button: &Button| json!({ "type": "reply", "reply": { "id": button.id, "title": button.title } });
    let action = json!({ "buttons": buttons.iter().map(reply).collect::<Vec<_>>() });
    interactive("button", text, action)
}

/// A text with a list to choose from.
pub(super) fn menu(text: &str, menu: &Menu) -> Result<Value> {
    not_empty("list button", &menu.button)?;
    at_most("list button", MAX_BUTTON_TITLE_CHARS, &menu.button)?;
    let rows = || menu.sections.iter().flat_map(|section| &section.rows);
    if menu.sections.iter().any(|section| section.rows.is_empty()) || rows().next().is_none() {
        return Err(invalid(
            "there is no row in the list, or in one of its sections",
        ));
    }
    count("list rows", MAX_ROWS, rows().count())?;
    unique("row ids", rows().map(|row| row.id.as_str()))?;
    let sections = menu
        .sections
        .iter()
        .map(|it| section(it, menu.sections.len() > 1))
        .collect::<Result<Vec<_>>>()?;
    interactive(
        "list",
        text,
        json!({ "button": menu.button, "sections": sections }),
    )
}

fn section(section: &Section, needs_title: bool) -> Result<Value> {
    let title = section.title.as_deref().filter(|title| !title.is_empty());
    if needs_title && title.is_none() {
        return Err(invalid("a section of several has no title"));
    }
    at_most(
        "section title",
        MAX_ROW_TITLE_CHARS,
        title.unwrap_or_default(),
    )?;
    let mut rows = Vec::new();
    for row in &section.rows {
        not_empty("row id", &row.id)?;
        at_most("row id", MAX_ROW_ID_CHARS, &row.id)?;
        not_empty("row title", &row.title)?;
        at_most("row title", MAX_ROW_TITLE_CHARS, &row.title)?;
        let description = row.description.as_deref().filter(|text| !text.is_empty());
        at_most(
            "row description",
            MAX_ROW_DESCRIPTION_CHARS,
            description.unwrap_or_default(),
        )?;
        let (id, title) = (
            Some(row.id.as_str().into()),
            Some(row.title.as_str().into()),
        );
        rows.push(object([
            ("id", id),
            ("title", title),
            ("description", description.map(Value::from)),
        ]));
    }
    Ok(object([
        ("title", title.map(Value::from)),
        ("rows", Some(rows.into())),
    ]))
}

fn interactive(kind: &str, text: &str, action: Value) -> Result<Value> {
    not_empty("text", text)?;
    at_most("interactive text", MAX_BODY_CHARS, text)?;
    Ok(json!({ "type": kind, "body": { "text": text }, "action": action }))
}
