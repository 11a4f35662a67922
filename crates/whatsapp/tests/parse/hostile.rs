//! Whatever a body holds, nothing is lost and nothing panics.

use super::*;

#[test]
fn text_survives_whatever_it_holds() {
    for (name, escaped, want) in [
        (
            "escapes",
            r#"Gr\u00f6\u00dfe 1\/2? \ud83d\ude00 \u0040"#,
            "Größe 1/2? 😀 @",
        ),
        ("raw UTF-8", "Größe 😀", "Größe 😀"),
        ("a lone surrogate", r#"a\ud83db"#, "a\u{fffd}b"),
        ("a zero", r#"a\u0000b"#, "a\0b"),
        ("markup", "<script>", "<script>"),
    ] {
        let value =
            format!(r#"{{"messages":[{{"id":"1","type":"text","text":{{"body":"{escaped}"}}}}]}}"#);
        let Body::Message(message) = parse_value("messages", &value).remove(0).body else {
            panic!("{name}")
        };
        assert_eq!(
            (message.kind, message.text.as_deref()),
            (MessageType::Text, Some(want)),
            "{name}"
        );
    }
}

#[test]
fn numbers_may_be_strings_and_big_ones_stay_whole() {
    let event = parse_message(
        json!({ "id": 12345678901234567890u64, "timestamp": 1749416383, "type": "location", "location": { "latitude": "38.9", "longitude": -77 } }),
    );
    let Body::Message(message) = event.body else {
        panic!("no message")
    };
    assert_eq!(message.id, "12345678901234567890");
    assert_eq!(event.at, Some(1_749_416_383_000));
    let location = message.location.unwrap();
    assert_eq!((location.latitude, location.longitude), (38.9, -77.0));
}

#[test]
fn nesting_and_size_are_no_danger() {
    let nested = format!("{}1{}", "[".repeat(700_000), "]".repeat(700_000));
    let deep = format!(
        r#"{{"messages":[{{"id":"1","type":"new","new":{nested}}},{{"id":"2","type":"text","text":{{"body":"a"}}}}]}}"#
    );
    assert_eq!(
        kinds(&parse_value("messages", &deep)),
        ["message", "message"]
    );
    let keys: String = (0..200_000).map(|at| format!(r#""k{at}":1,"#)).collect();
    assert_eq!(
        parse_value("messages", &format!("{{{keys}\"messages\":[{{}}]}}")).len(),
        1
    );
}

#[test]
fn a_body_of_too_many_items_is_kept_whole() {
    let most = |count: usize| format!(r#"{{"messages":[{}1]}}"#, "{},".repeat(count - 1));
    for (name, field, count, want) in [
        ("most", "messages", 10_000, 10_000),
        ("one more", "messages", 10_001, 1),
        ("hostile", "messages", 1_000_000, 1),
    ] {
        let events = parse_value(field, &most(count));
        assert_eq!(
            (events.len(), events[0].body.kind()),
            (want, "unknown"),
            "{name}"
        );
    }
    let body = format!(
        r#"{{"entry":[{{"changes":[{}1]}}]}}"#,
        "{},".repeat(1_000_000)
    );
    let events = parse(body.as_bytes());
    assert_eq!(events[0].raw.as_ref().unwrap().get(), body);
    assert_eq!(events.len(), 1);
}

#[test]
fn a_batch_of_a_thousand_messages_and_three_megabytes_is_one_call() {
    let of = |length: usize| {
        let texts = (0..1_000).map(|seed| {
            let text = whatsapp::text(&"a".repeat(length)).seed(seed);
            text.from_phone(&format!("1650555{seed:04}"))
        });
        batch(vec![vec![texts.collect()]]).body()
    };
    let most = usize::try_from(chatly_meta::MAX_BODY_BYTES).unwrap();
    let length = (most - of(0).len()) / 1_000;
    let body = of(length);
    assert!((most - 1_000..=most).contains(&body.len()));
    let events = parse(&body);
    assert_eq!(events.len(), 1_000);
    let mut keys = std::collections::HashSet::new();
    for (at, event) in events.iter().enumerate() {
        let Body::Message(message) = &event.body else {
            panic!("{at} is no message")
        };
        assert_eq!(message.text.as_deref().map(str::len), Some(length), "{at}");
        assert_eq!(
            ids(&event.sender),
            [Identity::new("phone", format!("1650555{at:04}"))]
        );
        assert!(keys.insert(&event.key), "{at}");
    }
}

/// Replaces one value somewhere in a payload, or takes it away.
fn mutate(value: &mut Value, at: usize, with: &Value) {
    let mut paths = Vec::new();
    fn walk(value: &Value, path: String, paths: &mut Vec<String>) {
        paths.push(path.clone());
        match value {
            Value::Object(map) => map
                .iter()
                .for_each(|(key, value)| walk(value, format!("{path}/{key}"), paths)),
            Value::Array(list) => list
                .iter()
                .enumerate()
                .for_each(|(at, value)| walk(value, format!("{path}/{at}"), paths)),
            _ => {}
        }
    }
    walk(value, String::new(), &mut paths);
    if let Some(found) = paths
        .get(at % paths.len())
        .and_then(|path| value.pointer_mut(path))
    {
        *found = with.clone();
    }
}

fn any_json() -> impl Strategy<Value = Value> {
    prop_oneof![
        Just(Value::Null),
        Just(json!(true)),
        Just(json!(7)),
        Just(json!(-1.5e300)),
        Just(json!("")),
        Just(json!("text")),
        Just(json!([])),
        Just(json!({})),
        Just(json!([null, 1, "a", {}])),
        Just(json!({ "id": 1, "type": "text", "text": { "body": "x" } })),
    ]
}

/// The items that a body has for certain, by a count that knows nothing of the parser.
fn least(body: &Value) -> usize {
    let list = |value: &Value, name: &str| {
        value
            .get(name)
            .and_then(Value::as_array)
            .cloned()
            .unwrap_or_default()
    };
    list(body, "entry")
        .iter()
        .map(|entry| {
            let changes = list(entry, "changes");
            changes
                .iter()
                .map(|change| {
                    let value = change.get("value").cloned().unwrap_or_default();
                    let is_walked = change
                        .get("field")
                        .is_some_and(|field| field.as_str().is_some_and(|field| !field.is_empty()));
                    let items = ["messages", "statuses", "errors", "message_echoes", "calls"]
                        .map(|name| list(&value, name).len());
                    if is_walked {
                        items.iter().sum::<usize>().max(1)
                    } else {
                        1
                    }
                })
                .sum::<usize>()
                .max(1)
        })
        .sum::<usize>()
        .max(1)
}

proptest! {
    #![proptest_config(ProptestConfig { cases: 2_000, failure_persistence: None, ..ProptestConfig::default() })]

    #[test]
    fn no_bytes_make_it_panic(body: Vec<u8>) {
        prop_assert_eq!(parse(&body).len(), 1);
    }

    #[test]
    fn no_mutation_makes_it_panic_or_lose_an_item(
        kinds in proptest::collection::vec(0usize..1000, 1..6),
        changes in proptest::collection::vec((any::<usize>(), any_json()), 0..4),
    ) {
        let names = whatsapp::kinds();
        let items = kinds.iter().enumerate().map(|(seed, at)| whatsapp::kind(names[at % names.len()]).unwrap().seed(seed as u64));
        let body = batch(vec![items.map(|item| vec![item]).collect()]).body();
        let mut body: Value = serde_json::from_slice(&body).unwrap();
        for (at, with) in &changes {
            mutate(&mut body, *at, with);
        }
        let events = parse(body.to_string().as_bytes());
        prop_assert!(events.len() >= least(&body), "{} < {}: {body}", events.len(), least(&body));
        for event in &events {
            let json = serde_json::to_string(event).unwrap();
            let read: Event = serde_json::from_str(&json).unwrap();
            // A raw `null` is read back as absent.
            prop_assert_eq!(serde_json::to_string(&read).unwrap(), json.replace(",\"raw\":null", ""));
        }
    }

    #[test]
    fn no_cut_and_no_flipped_bit_makes_it_panic(at in 0usize..1000, cut: usize, place: usize, bit in 0u8..8) {
        let names = whatsapp::kinds();
        let mut body = whatsapp::kind(names[at % names.len()]).unwrap().text("ä😀").unsigned().body;
        let place = place % body.len();
        body[place] ^= 1 << bit;
        prop_assert!(!parse(&body).is_empty());
        body.truncate(cut % body.len());
        prop_assert_eq!(parse(&body).len(), 1);
    }
}
