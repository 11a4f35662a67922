//! Buttons and menus. Limits: Discord's component reference.

use chatly_channel::check::{Result, at_most, count, invalid, not_empty, unique};
use chatly_channel::outbound::{Button, Menu};
use serde_json::{Value, json};

use super::unsupported;

/// Most buttons: five rows of five.
pub(crate) const MAX_BUTTONS: u32 = 25;
const BUTTONS_OF_A_ROW: usize = 5;
/// Most characters of a button's label.
pub(crate) const MAX_BUTTON_LABEL_CHARS: u32 = 80;
/// Most characters of a component's id.
const MAX_ID_CHARS: u32 = 100;
/// Most options of a menu.
pub(crate) const MAX_ROWS: u32 = 25;
/// Most characters of an option's label, value and description.
pub(crate) const MAX_ROW_CHARS: u32 = 100;
/// Most characters of what an empty menu shows.
const MAX_PLACEHOLDER_CHARS: u32 = 150;

/// Rows of buttons.
pub(super) fn buttons(buttons: &[Button]) -> Result<Value> {
    if buttons.is_empty() {
        return Err(invalid("there is no button"));
    }
    count("buttons", MAX_BUTTONS, buttons.len())?;
    unique("button ids", buttons.iter().map(|it| it.id.as_str()))?;
    let elements: Result<Vec<Value>> = buttons
        .iter()
        .map(|button| {
            not_empty("button id", &button.id)?;
            not_empty("button title", &button.title)?;
            at_most("button title", MAX_BUTTON_LABEL_CHARS, &button.title)?;
            at_most("button id", MAX_ID_CHARS, &button.id)?;
            Ok(json!({ "type": 2, "style": 1, "label": button.title, "custom_id": button.id }))
        })
        .collect();
    let rows = elements?;
    let rows = rows.chunks(BUTTONS_OF_A_ROW);
    Ok(rows
        .map(|row| json!({ "type": 1, "components": row }))
        .collect())
}

/// One menu. Discord's have no groups.
pub(super) fn menu(menu: &Menu) -> Result<Value> {
    if menu.sections.len() > 1 {
        return Err(unsupported("a list of several sections"));
    }
    let rows = || menu.sections.iter().flat_map(|section| &section.rows);
    if rows().next().is_none() {
        return Err(invalid("there is no row"));
    }
    count("list rows", MAX_ROWS, rows().count())?;
    unique("row ids", rows().map(|row| row.id.as_str()))?;
    at_most("list label", MAX_PLACEHOLDER_CHARS, &menu.button)?;
    let options: Result<Vec<Value>> = rows()
        .map(|row| {
            not_empty("row id", &row.id)?;
            not_empty("row title", &row.title)?;
            at_most("row title", MAX_ROW_CHARS, &row.title)?;
            at_most("row id", MAX_ROW_CHARS, &row.id)?;
            let mut option = json!({ "label": row.title, "value": row.id });
            let description = row.description.as_deref().filter(|it| !it.is_empty());
            if let (Some(description), Some(option)) = (description, option.as_object_mut()) {
                at_most("row description", MAX_ROW_CHARS, description)?;
                option.insert("description".to_owned(), description.into());
            }
            Ok(option)
        })
        .collect();
    let select =
        json!({ "type": 3, "custom_id": "menu", "placeholder": menu.button, "options": options? });
    Ok(json!([{ "type": 1, "components": [select] }]))
}
