//! From what a model said about redacted text to an enrichment of the real one.
//!
//! 1. Language, intents, sentiment, urgency, topics, summary and suggested reply are the model's.
//! 2. The lead is the baseline's, and so is every entity that it found: it read the real text. The
//!    model's others are added where they overlap none and can be found in the real text.
//! 3. Every text that a model wrote freely, summary, topics and suggested reply, is put through
//!    `chatly_understand::clean_reply` with the real conversation, and is left out where it does not pass.
//!    Cards, accounts, national ids and keys are put back into none of them; a reply that names one is
//!    left out.

use serde_json::{Map, Value};

use crate::place::{find, restore, withholds};

/// What an answer is finished with.
#[derive(Debug, Clone, Copy)]
pub struct Finish<'a> {
    /// Placeholders and values.
    pub map: &'a [(String, String)],
    /// The last turn without personal data.
    pub redacted: &'a str,
    /// The texts of the window, the last turn last.
    pub texts: &'a [&'a str],
    /// What the model was told.
    pub prompt: &'a str,
    /// The baseline's enrichment, where there is one.
    pub baseline: Option<&'a str>,
}

/// An answer or a baseline that is no JSON object.
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
#[error("an enrichment is no JSON object")]
pub struct NoForm;

/// The enrichment, as canonical JSON, of what a model said, as the same JSON of the redacted text.
///
/// # Errors
/// For what is no JSON object.
pub fn finish(answer: &str, with: &Finish) -> Result<String, NoForm> {
    let object = |json: &str| serde_json::from_str::<Map<String, Value>>(json).map_err(|_| NoForm);
    let mut whole = object(answer)?;
    let baseline = with.baseline.map(object).transpose()?.unwrap_or_default();
    let shown = |text: &str| {
        let text = restore(text, with.map);
        chatly_understand::clean_reply(&text, with.prompt, with.texts).ok()
    };
    for field in ["summary", "suggested_reply"] {
        let text = whole.get(field).and_then(Value::as_str);
        let kept = text.filter(|text| field == "summary" || !withholds(text));
        match kept.and_then(shown) {
            Some(clean) => whole.insert(field.to_owned(), clean.into()),
            None => whole.shift_remove(field),
        };
    }
    if let Some(Value::Array(topics)) = whole.get_mut("topics") {
        let clean = |topic: &Value| topic.as_str().and_then(shown).map(Value::from);
        *topics = topics.iter().filter_map(clean).collect();
    }
    let entities = entities(&whole, &baseline, with);
    whole.insert("entities".to_owned(), entities.into());
    whole.shift_remove("lead");
    if let Some(lead) = baseline.get("lead") {
        whole.insert("lead".to_owned(), lead.clone());
    }
    serde_json::to_string(&whole).map_err(|_| NoForm)
}

fn entities(
    model: &Map<String, Value>,
    baseline: &Map<String, Value>,
    with: &Finish,
) -> Vec<Value> {
    let list = |of: &Map<String, Value>| match of.get("entities") {
        Some(Value::Array(list)) => list.clone(),
        _ => vec![],
    };
    let mut all = list(baseline);
    for entity in list(model) {
        if let Some(entity) = placed(entity, with) {
            let overlaps = |other: &Value| {
                let ((start, end), (s, e)) = (span(&entity), span(other));
                start < e && s < end
            };
            if !all.iter().any(overlaps) {
                all.push(entity);
            }
        }
    }
    all.sort_by_key(span);
    all
}

/// An entity of the redacted text as one of the real text; none when it is not there.
fn placed(mut entity: Value, with: &Finish) -> Option<Value> {
    let real = with.texts.last()?;
    let said = entity.get("value")?.as_str()?;
    if withholds(said) {
        return None;
    }
    let (start, _) = span(&entity);
    let value = restore(said, with.map);
    let place = find((with.redacted, start, said), (real, &value));
    let (start, end) = place?;
    let normalized = entity.get("normalized").and_then(Value::as_str);
    let normalized = normalized.map(|text| restore(text, with.map));
    let fields = entity.as_object_mut()?;
    fields.insert("value".to_owned(), value.into());
    fields.insert("normalized".to_owned(), normalized.into());
    fields.insert("start".to_owned(), start.into());
    fields.insert("end".to_owned(), end.into());
    Some(entity)
}

fn span(entity: &Value) -> (usize, usize) {
    let place = |name: &str| {
        let at = entity.get(name).and_then(Value::as_u64).unwrap_or_default();
        usize::try_from(at).unwrap_or(usize::MAX)
    };
    (place("start"), place("end"))
}

#[cfg(test)]
mod tests {
    use serde_json::json;

    use super::*;

    const REAL: &str = "Blue mugs, 12 please, to ana@example.com";
    const REDACTED: &str = "Blue mugs, 12 please, to [EMAIL_1]";

    fn finished(answer: &Value, baseline: Option<&Value>) -> Value {
        let map = [("[EMAIL_1]".to_owned(), "ana@example.com".to_owned())];
        let baseline = baseline.map(Value::to_string);
        let with = Finish {
            map: &map,
            redacted: REDACTED,
            texts: &["hello", REAL],
            prompt: "You read conversations and fill in a form, and nothing else at all.",
            baseline: baseline.as_deref(),
        };
        serde_json::from_str(&finish(&answer.to_string(), &with).unwrap()).unwrap()
    }

    fn entity(kind: &str, value: &str, start: usize) -> Value {
        json!({"kind": kind, "value": value, "normalized": null, "start": start, "end": start + value.len()})
    }

    #[test]
    fn texts_are_the_models_and_the_lead_is_the_baselines() {
        let answer = json!({"source": "llm:m", "language": "en", "topics": ["mugs for [EMAIL_1]"],
            "summary": "Wants mugs sent to [EMAIL_1].", "suggested_reply": "We will write to [EMAIL_1].",
            "entities": [], "lead": {"score": 100}});
        let lead = json!({"score": 7});
        let got = finished(
            &answer,
            Some(&json!({"source": "baseline:offline", "lead": lead})),
        );
        assert_eq!(got["source"], "llm:m");
        assert_eq!(got["summary"], "Wants mugs sent to ana@example.com.");
        assert_eq!(got["suggested_reply"], "We will write to ana@example.com.");
        assert_eq!(got["topics"], json!(["mugs for ana@example.com"]));
        assert_eq!(got["lead"], lead);
        assert_eq!(finished(&answer, None).get("lead"), None, "never a model's");
    }

    #[test]
    fn a_reply_with_what_nobody_wrote_is_dropped() {
        for (reply, stays) in [
            ("Thank you, ana@example.com", true),
            ("Thank you, [EMAIL_9]", true),
            ("Write to eve@example.org", false),
            ("Pay at https://evil.example", false),
            (
                "You read conversations and fill in a form, and nothing else",
                false,
            ),
        ] {
            let got = finished(&json!({"suggested_reply": reply}), None);
            assert_eq!(got.get("suggested_reply").is_some(), stays, "{reply}");
        }
    }

    #[test]
    fn a_summary_and_topics_hold_what_somebody_wrote_or_nothing() {
        for (text, stays) in [
            ("Wants mugs; writes from [EMAIL_1]", true),
            ("Approved, see https://evil.example", false),
            ("Call +1 650 555 1234 first", false),
            (
                "You read conversations and fill in a form, and nothing else",
                false,
            ),
        ] {
            let got = finished(&json!({"summary": text, "topics": [text, "mugs"]}), None);
            assert_eq!(got.get("summary").is_some(), stays, "{text}");
            assert_eq!(
                got["topics"].as_array().unwrap().len(),
                1 + usize::from(stays)
            );
        }
    }

    #[test]
    fn cards_and_keys_are_put_back_nowhere() {
        let text = "charge [CARD_1], account [IBAN_1], [ID_1], [SECRET_1]";
        let answer = json!({"summary": text, "topics": [text], "suggested_reply": text,
            "entities": [entity("quantity", "[CARD_1]", 0)]});
        let names = ["[CARD_1]", "[IBAN_1]", "[ID_1]", "[SECRET_1]"];
        let map = names.map(|name| (name.to_owned(), "4111".to_owned()));
        let with = Finish {
            map: &map,
            redacted: text,
            texts: &["charge 4111, account 4111, 4111, 4111"],
            prompt: "You fill in a form.",
            baseline: None,
        };
        let got = finish(&answer.to_string(), &with).unwrap();
        let shown = "charge [card], account [iban], [id], [secret]";
        let want = json!({"summary": shown, "topics": [shown], "entities": []});
        assert_eq!(got, want.to_string());
    }

    #[test]
    fn entities_stand_in_the_real_text() {
        let mail = json!({"kind": "email", "value": "ana@example.com",
            "normalized": "ana@example.com", "start": 25, "end": 40});
        let answer = json!({"entities": [
            entity("email", "[EMAIL_1]", 25), entity("product", "Blue mugs", 0),
            entity("quantity", "12", 11), entity("name", "nobody", 3)]});
        let got = finished(&answer, Some(&json!({"entities": [mail]})));
        assert_eq!(
            got["entities"],
            json!([
                entity("product", "Blue mugs", 0),
                entity("quantity", "12", 11),
                mail
            ])
        );
        let got = finished(&answer, None);
        assert_eq!(got["entities"][2]["value"], "ana@example.com");
        assert_eq!(got["entities"][2]["end"], 40);
        for entity in got["entities"].as_array().unwrap() {
            let (start, end) = span(entity);
            assert_eq!(REAL.get(start..end), entity["value"].as_str());
        }
    }

    #[test]
    fn what_is_no_object_is_refused() {
        let with = Finish {
            map: &[],
            redacted: "",
            texts: &[],
            prompt: "",
            baseline: None,
        };
        for (answer, baseline) in [("[]", None), ("", None), ("{}", Some("1"))] {
            let with = Finish { baseline, ..with };
            assert_eq!(finish(answer, &with), Err(NoForm), "{answer}");
        }
    }
}
