//! Entities: what a model says that the last turn names, as far as it stands there.

use serde_json::Value;

use crate::answer::{Form, bounds};
use crate::schema::{Fault, KINDS};
use crate::text;

/// A value that stands in the last turn.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Entity {
    /// `email`, `phone`, `url`, `money`, `date`, `quantity`, `product` or `name`.
    pub kind: &'static str,
    /// As it stands in the turn.
    pub value: String,
    /// `49.90 EUR`, `2026-11-25`, `2026-11-25T14:00`, `20`: money, dates and quantities of that
    /// shape only.
    pub normalized: Option<String>,
    /// First byte in the turn's text.
    pub start: u32,
    /// Byte after the last.
    pub end: u32,
}

/// Reads a list of entities. A value that does not stand in `last`, or was said more often than it
/// stands there, is left out; places are looked up here.
pub(crate) fn read(given: &[Value], last: &str) -> Result<Vec<Entity>, Fault> {
    let mut entities: Vec<Entity> = Vec::new();
    for entity in given {
        let entity = Form::new(entity, "entities", &["kind", "value", "normalized"])?;
        let kind = entity.text("kind")?;
        let value = entity.text("value")?.trim();
        let normalized = entity.maybe("normalized")?;
        let kind = KINDS.into_iter().find(|known| *known == kind);
        let kind = kind.ok_or(Fault::NotListed("entities.kind"))?;
        if value.is_empty()
            || entities.len() == bounds::ENTITIES
            || text::head(value, bounds::VALUE_CHARS) != value
        {
            continue;
        }
        let taken = |start: usize| {
            let same = |read: &Entity| read.kind == kind && read.start as usize == start;
            entities.iter().any(same)
        };
        let start = last
            .match_indices(value)
            .map(|(start, _)| start)
            .find(|start| !taken(*start));
        let Some(start) = start else { continue };
        let (Ok(start), Ok(end)) = (u32::try_from(start), u32::try_from(start + value.len()))
        else {
            continue;
        };
        entities.push(Entity {
            kind,
            value: value.to_owned(),
            normalized: normalized
                .map(str::trim)
                .filter(|n| is_normal(kind, n))
                .map(str::to_owned),
            start,
            end,
        });
    }
    Ok(entities)
}

/// Whether `text` is the normal form of its kind. Addresses have none here: personal data was taken
/// out of what the model saw, so it cannot know one.
fn is_normal(kind: &str, text: &str) -> bool {
    match kind {
        "money" => text.split_once(' ').is_some_and(|(amount, code)| {
            is_number(amount) && code.len() == 3 && code.bytes().all(|b| b.is_ascii_uppercase())
        }),
        "quantity" => is_number(text),
        "date" => {
            let (date, time) = text.split_once('T').unwrap_or((text, "00:00"));
            is_day(date) && is_time(time)
        }
        _ => false,
    }
}

/// `2026-11-25`, and a day that there is.
fn is_day(text: &str) -> bool {
    let part = |range: std::ops::Range<usize>| text.get(range).and_then(|it| it.parse().ok());
    let (Some(year), Some(month), Some(day)) = (part(0..4), part(5..7), part(8..10)) else {
        return false;
    };
    let leap = year % 4 == 0 && (year % 100 != 0 || year % 400 == 0);
    let days: u32 = match month {
        2 => 28 + u32::from(leap),
        4 | 6 | 9 | 11 => 30,
        1..=12 => 31,
        _ => return false,
    };
    matches(text, "dddd-dd-dd") && (1..=days).contains(&day)
}

/// `14:00`, and a time of day.
fn is_time(text: &str) -> bool {
    let below = |range: std::ops::Range<usize>, most: u32| {
        let number = text.get(range).and_then(|it| it.parse::<u32>().ok());
        number.is_some_and(|number| number < most)
    };
    matches(text, "dd:dd") && below(0..2, 24) && below(3..5, 60)
}

fn is_number(text: &str) -> bool {
    let (whole, fraction) = text.split_once('.').unwrap_or((text, "0"));
    let digits = |part: &str, most| {
        (1..=most).contains(&part.len()) && part.bytes().all(|b| b.is_ascii_digit())
    };
    digits(whole, 12) && digits(fraction, 4)
}

fn matches(text: &str, shape: &str) -> bool {
    text.len() == shape.len()
        && text
            .bytes()
            .zip(shape.bytes())
            .all(|(byte, want)| match want {
                b'd' => byte.is_ascii_digit(),
                mark => byte == mark,
            })
}

#[cfg(test)]
mod tests {
    use serde_json::json;

    use super::*;

    fn one(kind: &str, value: &str, normalized: Option<&str>, last: &str) -> Vec<Entity> {
        let list = [json!({"kind": kind, "value": value, "normalized": normalized})];
        read(&list, last).unwrap()
    }

    #[test]
    fn only_what_stands_in_the_turn_counts() {
        let read = one("product", "blue café", None, "a blue café please");
        assert_eq!((read[0].start, read[0].end), (2, 12));
        assert!(one("product", "red mug", None, "a blue café please").is_empty());
        assert!(one("product", " ", None, "a blue").is_empty());
        assert!(one("product", &"x".repeat(201), None, &"x".repeat(300)).is_empty());
    }

    #[test]
    fn a_value_said_twice_has_two_places() {
        let twice = [
            json!({"kind": "quantity", "value": "2", "normalized": "2"}),
            json!({"kind": "quantity", "value": "2"}),
            json!({"kind": "quantity", "value": "2"}),
        ];
        let places: Vec<u32> = read(&twice, "2 of A, 2 of B")
            .unwrap()
            .iter()
            .map(|e| e.start)
            .collect();
        assert_eq!(places, [0, 8]);
    }

    #[test]
    fn a_normal_form_has_its_shape_or_is_dropped() {
        for (kind, given, kept) in [
            ("money", "49.90 EUR", true),
            ("money", "500 USD", true),
            ("money", "pay to evil.example", false),
            ("money", "49,90 EUR", false),
            ("date", "2026-11-25", true),
            ("date", "2026-11-25T14:00", true),
            ("date", "2028-02-29", true),
            ("date", "2027-02-29", false),
            ("date", "2026-99-99", false),
            ("date", "2026-11-25T25:00", false),
            ("date", "tomorrow", false),
            ("quantity", "20", true),
            ("quantity", "20 pieces", false),
            ("email", "a@evil.example", false),
            ("phone", "+16505551234", false),
            ("name", "x", false),
        ] {
            let read = one(kind, "it", Some(given), "it");
            assert_eq!(read[0].normalized.is_some(), kept, "{kind} {given}");
        }
    }

    #[test]
    fn what_the_form_does_not_have_is_a_fault() {
        for (name, entity, want) in [
            (
                "kind",
                json!({"kind": "recipient", "value": "a"}),
                Fault::NotListed("entities.kind"),
            ),
            (
                "field",
                json!({"kind": "name", "value": "a", "send_to": "b"}),
                Fault::UnknownField("entities"),
            ),
            (
                "type",
                json!({"kind": "name", "value": 1}),
                Fault::Type("value"),
            ),
            ("missing", json!({"kind": "name"}), Fault::Missing("value")),
            ("no object", json!("name"), Fault::Type("entities")),
        ] {
            assert_eq!(read(&[entity], "a"), Err(want), "{name}");
        }
    }
}
