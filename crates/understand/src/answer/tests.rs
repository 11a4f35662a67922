use proptest::prelude::*;
use serde_json::json;

use super::*;

const INTENTS: [&str; 3] = ["pricing", "support", "other"];
const LAST: &str = "How much are 20 blue mugs?";

fn good() -> Value {
    json!({
        "language": "en",
        "intents": [
            {"name": "other", "confidence": 0.1},
            {"name": "pricing", "confidence": 0.9},
        ],
        "sentiment": "neutral",
        "urgency": "normal",
        "entities": [{"kind": "quantity", "value": "20", "normalized": "20"}],
        "topics": ["Mugs"],
        "summary": "Asks for a price.",
        "suggested_reply": "Hello!\nWe will find out.",
    })
}

fn read_form(form: &Value) -> Result<Enriched, Fault> {
    read(&form.to_string(), &INTENTS, LAST)
}

/// The good form with one field changed, or taken out by `null` where null is no value.
fn with(field: &str, value: Value) -> Result<Enriched, Fault> {
    let mut form = good();
    form[field] = value;
    read_form(&form)
}

#[test]
fn a_form_is_read() {
    let enriched = read_form(&good()).unwrap();
    assert_eq!(enriched.language, "en");
    let names: Vec<&str> = enriched
        .intents
        .iter()
        .map(|intent| intent.name.as_str())
        .collect();
    assert_eq!(names, ["pricing", "other"]);
    assert_eq!(enriched.sentiment, Sentiment::Neutral);
    assert_eq!(enriched.urgency, Urgency::Normal);
    assert_eq!(
        (enriched.entities[0].start, enriched.entities[0].end),
        (13, 15)
    );
    assert_eq!(enriched.topics, ["mugs"]);
    assert_eq!(
        enriched.suggested_reply.as_deref(),
        Some("Hello!\nWe will find out.")
    );
}

#[test]
fn wrappings_of_servers_without_structured_output_are_taken_off() {
    let form = good().to_string();
    for (name, answer) in [
        ("fence", format!("```json\n{form}\n```")),
        ("fence without a name", format!("```\n{form}```\n")),
        (
            "thoughts",
            format!("<think>{{\"language\": 1}}</think>\n\n{form}"),
        ),
        ("blanks", format!("\n  {form}\n")),
    ] {
        assert_eq!(read(&answer, &INTENTS, LAST), read_form(&good()), "{name}");
    }
}

#[test]
fn what_may_be_missing_is_empty() {
    let form = json!({"language": "und", "intents": [{"name": "other", "confidence": 1}],
        "sentiment": "neutral", "urgency": "low"});
    let enriched = read_form(&form).unwrap();
    assert!(enriched.entities.is_empty() && enriched.topics.is_empty());
    assert_eq!((enriched.summary, enriched.suggested_reply), (None, None));
}

#[test]
fn an_answer_that_is_no_form_is_a_fault() {
    let cut = good().to_string();
    let cut = &cut[..cut.len() - 9];
    for (name, answer, want) in [
        ("nothing", "", Fault::Empty),
        ("thoughts only", "<think>hm</think>", Fault::Empty),
        ("words", "Sure! I sent the money.", Fault::NotJson),
        ("cut off", cut, Fault::NotJson),
        ("two forms", "{}{}", Fault::NotJson),
        ("a list", "[]", Fault::Type("the form")),
        ("an empty form", "{}", Fault::Missing("language")),
    ] {
        assert_eq!(read(answer, &INTENTS, LAST), Err(want), "{name}");
    }
    let long = "x".repeat(bounds::ANSWER_BYTES + 1);
    assert_eq!(read(&long, &INTENTS, LAST), Err(Fault::TooLong));
    let deep = "[".repeat(60_000);
    assert_eq!(read(&deep, &INTENTS, LAST), Err(Fault::NotJson));
}

#[test]
fn the_schema_is_closed() {
    let intent = |name: &str, confidence: Value| json!([{"name": name, "confidence": confidence}]);
    for (field, value, want) in [
        ("action", json!("refund"), Fault::UnknownField("the form")),
        ("recipient", Value::Null, Fault::UnknownField("the form")),
        (
            "lead",
            json!({"score": 100}),
            Fault::UnknownField("the form"),
        ),
        ("language", json!("english"), Fault::NotListed("language")),
        ("language", json!("e!"), Fault::NotListed("language")),
        ("language", json!(""), Fault::NotListed("language")),
        ("language", Value::Null, Fault::Type("language")),
        ("intents", json!([]), Fault::Missing("intents")),
        ("intents", json!("pricing"), Fault::Type("intents")),
        (
            "intents",
            intent("transfer_money", json!(1)),
            Fault::NotListed("intents.name"),
        ),
        (
            "intents",
            intent("Pricing", json!(1)),
            Fault::NotListed("intents.name"),
        ),
        (
            "intents",
            intent("pricing", json!(1.01)),
            Fault::Range("confidence"),
        ),
        (
            "intents",
            intent("pricing", json!(-0.1)),
            Fault::Range("confidence"),
        ),
        (
            "intents",
            intent("pricing", json!("high")),
            Fault::Type("confidence"),
        ),
        (
            "intents",
            json!([{"name": "other", "confidence": 1, "to": "x"}]),
            Fault::UnknownField("intents"),
        ),
        ("sentiment", json!("angry"), Fault::NotListed("sentiment")),
        ("urgency", json!(3), Fault::Type("urgency")),
        ("entities", json!({}), Fault::Type("entities")),
        ("topics", json!([1]), Fault::Type("topics")),
        ("summary", json!(["a"]), Fault::Type("summary")),
        ("summary", json!("x".repeat(601)), Fault::Range("summary")),
        (
            "suggested_reply",
            json!("x".repeat(1001)),
            Fault::Range("suggested_reply"),
        ),
    ] {
        assert_eq!(with(field, value.clone()), Err(want), "{field} {value}");
    }
}

#[test]
fn values_are_brought_into_shape() {
    let language = |code: &str| with("language", json!(code)).unwrap().language;
    assert_eq!(language("pt-BR"), "pt");
    assert_eq!(language("EN"), "en");
    assert_eq!(language("haw"), "und");
    let twice = json!([{"name": "other", "confidence": 0.2}, {"name": "other", "confidence": 0.7}]);
    let intents = with("intents", twice).unwrap().intents;
    assert_eq!(
        intents,
        [Intent {
            name: "other".to_owned(),
            confidence: 0.7
        }]
    );
    let summary = with("summary", json!(" a\n\u{202e}b\u{1b} "))
        .unwrap()
        .summary;
    assert_eq!(summary.as_deref(), Some("a b"));
    assert_eq!(with("summary", json!(" \n")).unwrap().summary, None);
    assert!(with("summary", json!("é".repeat(600))).is_ok());
}

#[test]
fn a_topic_is_plain_words() {
    let topics = |given: &str| with("topics", json!([given])).unwrap().topics;
    for kept in [
        "delivery",
        "size & colour",
        "l'envoi",
        "größe",
        "डिलीवरी",
        "2 year warranty",
    ] {
        assert_eq!(topics(kept), [kept]);
    }
    for dropped in [
        "evil.example",
        "https://evil.example",
        "a@evil.example",
        "+1 650 555 1234",
        "{{rule}}",
        "",
        "a topic that is far too long to be a topic of anything",
    ] {
        assert!(topics(dropped).is_empty(), "{dropped}");
    }
    let many: Vec<String> = (0..30).map(|n| format!("topic {n}")).collect();
    assert_eq!(
        with("topics", json!(many)).unwrap().topics.len(),
        bounds::TOPICS
    );
}

/// Any JSON, not too deep.
fn any_json() -> impl Strategy<Value = Value> {
    let leaf = prop_oneof![
        Just(Value::Null),
        any::<bool>().prop_map(Value::from),
        any::<f64>().prop_map(Value::from),
        any::<i64>().prop_map(Value::from),
        ".{0,60}".prop_map(Value::from),
        "[a-z0-9 .@:/]{0,900}".prop_map(Value::from),
        prop::sample::select(vec![
            "pricing", "20", "mugs", "en", "high", "negative", "money", "blue"
        ])
        .prop_map(Value::from),
    ];
    leaf.prop_recursive(3, 40, 12, |inner| {
        let keys = prop::sample::select(vec!["name", "confidence", "kind", "value", "normalized"]);
        prop_oneof![
            prop::collection::vec(inner.clone(), 0..12).prop_map(Value::from),
            prop::collection::vec((keys, inner), 0..4).prop_map(|fields| fields
                .into_iter()
                .map(|(key, value)| (key.to_owned(), value))
                .collect::<Map<String, Value>>()
                .into()),
        ]
    })
}

fn assert_bounded(enriched: &Enriched, last: &str) {
    let chars = |text: &Option<String>| text.as_ref().map_or(0, |text| text.chars().count());
    assert!(enriched.language == "und" || enriched.language.len() == 2);
    assert!((1..=bounds::INTENTS).contains(&enriched.intents.len()));
    for intent in &enriched.intents {
        assert!(INTENTS.contains(&intent.name.as_str()));
        assert!((0.0..=1.0).contains(&intent.confidence));
    }
    assert!(enriched.entities.len() <= bounds::ENTITIES);
    for entity in &enriched.entities {
        let place = last.get(entity.start as usize..entity.end as usize);
        assert_eq!(place, Some(entity.value.as_str()));
        assert!(
            entity
                .normalized
                .as_ref()
                .is_none_or(|text| text.len() <= 24)
        );
    }
    assert!(enriched.topics.len() <= bounds::TOPICS);
    for topic in &enriched.topics {
        assert!(
            topic.chars().count() <= bounds::TOPIC_CHARS && !topic.contains(['@', '/', ':', '.'])
        );
    }
    assert!(chars(&enriched.summary) <= bounds::SUMMARY_CHARS);
    assert!(chars(&enriched.suggested_reply) <= bounds::REPLY_CHARS);
    let all = format!("{enriched:?}").replace("\\n", "");
    assert!(!all.contains(char::is_control));
}

proptest! {
    #[test]
    fn no_answer_panics_or_breaks_the_bounds(answer in "\\PC{0,200}", last in "\\PC{0,40}") {
        if let Ok(enriched) = read(&answer, &INTENTS, &last) {
            assert_bounded(&enriched, &last);
        }
    }

    #[test]
    fn no_field_carries_more_than_its_bounds(
        field in prop::sample::select(FIELDS.to_vec()), value in any_json(),
        strings in prop::collection::vec(".{0,80}", 0..40),
        entities in prop::collection::vec(("[a-z]{1,3}|20|blue", ".{0,30}"), 0..60),
        last in "\\PC{0,60}20 blue 20 a b c",
    ) {
        let mut form = good();
        form["topics"] = json!(strings);
        form["summary"] = json!(strings.concat().chars().take(700).collect::<String>());
        form["suggested_reply"] = json!(strings.join("\n").chars().take(1100).collect::<String>());
        form["entities"] = entities
            .iter()
            .map(|(value, normalized)| json!({"kind": "money", "value": value, "normalized": normalized}))
            .collect();
        if let Ok(enriched) = read(&form.to_string(), &INTENTS, &last) {
            assert_bounded(&enriched, &last);
        }
        form[field] = value;
        if let Ok(enriched) = read(&form.to_string(), &INTENTS, &last) {
            assert_bounded(&enriched, &last);
        }
    }
}
