//! What becomes of deliveries that are mixed, malformed, odd or hostile.

use chatly_canonical::{AccountScope, Body, Event, Identity, MessageType, Party};
use chatly_channel::{Channel as _, Delivery};
use chatly_simulator::whatsapp::{self, Item, batch, raw_message};
use chatly_whatsapp::WhatsApp;
use proptest::prelude::*;
use serde_json::{Value, json};

fn parse(body: &[u8]) -> Vec<Event> {
    WhatsApp::parse(
        &Delivery {
            method: "POST".into(),
            body: body.to_vec(),
            ..Delivery::default()
        },
        None,
    )
}

fn parse_items(items: Vec<Item>) -> Vec<Event> {
    parse(&batch(vec![vec![items]]).body())
}

/// The one event of a message.
fn parse_message(message: Value) -> Event {
    let mut events = parse_items(vec![raw_message(message)]);
    assert_eq!(events.len(), 1);
    events.remove(0)
}

/// A value of `field` with nothing around it.
fn parse_value(field: &str, value: &str) -> Vec<Event> {
    parse(
        format!(
            r#"{{"entry":[{{"id":"WABA","changes":[{{"field":"{field}","value":{value}}}]}}]}}"#
        )
        .as_bytes(),
    )
}

fn kinds(events: &[Event]) -> Vec<&'static str> {
    events.iter().map(|event| event.body.kind()).collect()
}

fn ids(party: &Option<Party>) -> Vec<Identity> {
    party
        .as_ref()
        .map(|party| party.identities.clone())
        .unwrap_or_default()
}

#[test]
fn a_mixed_batch_loses_no_sibling() {
    let text = |seed| whatsapp::text("a").seed(seed);
    let sent = |id| whatsapp::status(id, "sent").unwrap();
    let broken = raw_message(json!({ "type": "text", "text": { "body": "no id" } }));
    let body = batch(vec![
        vec![
            vec![sent("wamid.1"), text(1)],
            vec![text(2), broken, text(3)],
            vec![whatsapp::kind("unknown_field").unwrap()],
        ],
        vec![
            vec![raw_message(json!("a string")), text(4)],
            vec![sent("wamid.2")],
            vec![text(5).account("2"), sent("wamid.3")],
        ],
    ]);
    let events = parse(&body.body());
    assert_eq!(
        kinds(&events),
        [
            "message", "status", "message", "unknown", "message", "unknown", "unknown", "message",
            "status", "message", "status"
        ]
    );
    let raws: Vec<&str> = events
        .iter()
        .filter_map(|event| Some(event.raw.as_ref()?.get()))
        .collect();
    assert!(
        raws.contains(&r#"{"type":"text","text":{"body":"no id"}}"#)
            && raws.contains(&r#""a string""#),
        "{raws:?}"
    );
    assert_eq!(events.last().unwrap().account, "2");
    let keys: std::collections::HashSet<_> = events.iter().map(|event| &event.key).collect();
    assert_eq!(keys.len(), events.len());
}

#[test]
fn what_is_malformed_is_unknown_and_what_is_new_is_unsupported() {
    for (name, message, want) in [
        (
            "no id",
            json!({ "type": "text", "text": { "body": "a" } }),
            "unknown",
        ),
        (
            "empty id",
            json!({ "id": "", "type": "text", "text": { "body": "a" } }),
            "unknown",
        ),
        (
            "a string for a content",
            json!({ "id": "1", "type": "text", "text": "a" }),
            "unknown",
        ),
        (
            "a text without a body",
            json!({ "id": "1", "type": "text", "text": {} }),
            "unknown",
        ),
        (
            "a place without a place",
            json!({ "id": "1", "type": "location", "location": { "latitude": 1 } }),
            "unknown",
        ),
        (
            "a reaction to nothing",
            json!({ "id": "1", "type": "reaction", "reaction": {} }),
            "unknown",
        ),
        (
            "an edit of nothing",
            json!({ "id": "1", "type": "edit", "edit": { "message": {} } }),
            "unknown",
        ),
        (
            "a deletion of nothing",
            json!({ "id": "1", "type": "revoke" }),
            "unknown",
        ),
        (
            "contacts that are none",
            json!({ "id": "1", "type": "contacts", "contacts": [7] }),
            "unknown",
        ),
        ("null", Value::Null, "unknown"),
        ("a list", json!([]), "unknown"),
        (
            "no content",
            json!({ "id": "1", "type": "interactive" }),
            "message",
        ),
        (
            "null for a content",
            json!({ "id": "1", "type": "image", "image": null }),
            "message",
        ),
        (
            "no type",
            json!({ "id": "1", "text": { "body": "a" } }),
            "message",
        ),
        (
            "a type like a field",
            json!({ "id": "1", "type": "id" }),
            "message",
        ),
        (
            "an interactive of a new kind",
            json!({ "id": "1", "type": "interactive", "interactive": { "type": "new" } }),
            "message",
        ),
    ] {
        let event = parse_message(message.clone());
        assert_eq!(event.body.kind(), want, "{name}");
        let raw = match event.body {
            Body::Message(message) => {
                assert_eq!(message.kind, MessageType::Unsupported, "{name}");
                message.raw
            }
            _ => event.raw,
        };
        assert_eq!(
            raw.unwrap().get().replace("\\/", "/"),
            message.to_string(),
            "{name}"
        );
    }
}

#[test]
fn an_unknown_message_still_says_whose_it_is() {
    let event =
        parse_message(json!({ "from": "16505551234", "timestamp": "1749416383", "type": "text" }));
    assert_eq!(
        (event.body.kind(), event.at),
        ("unknown", Some(1_749_416_383_000))
    );
    assert_eq!(ids(&event.sender), [Identity::new("phone", "16505551234")]);
}

#[test]
fn the_sender_is_every_id_that_is_given() {
    let phone = || Identity::new("phone", "1650");
    let bsuid = || Identity::new("bsuid", "US.1");
    let parent = || Identity::new("parent_bsuid", "US.ENT.2");
    for (name, message, contact, want, profile) in [
        (
            "phone only",
            json!({ "from": "1650" }),
            json!({ "wa_id": "1650", "profile": { "name": "A" } }),
            vec![phone()],
            Some("A"),
        ),
        (
            "BSUID only",
            json!({ "from_user_id": "US.1" }),
            json!({ "user_id": "US.1", "profile": { "name": "A" } }),
            vec![bsuid()],
            Some("A"),
        ),
        (
            "BSUID in from",
            json!({ "from": "US.1" }),
            json!({ "wa_id": "US.1", "profile": { "name": "A" } }),
            vec![bsuid()],
            Some("A"),
        ),
        (
            "phone in from_user_id",
            json!({ "from_user_id": "1650" }),
            json!({}),
            vec![phone()],
            None,
        ),
        (
            "joined by one, given two",
            json!({ "from_user_id": "US.1" }),
            json!({ "wa_id": "1650", "user_id": "US.1" }),
            vec![phone(), bsuid()],
            None,
        ),
        (
            "all",
            json!({ "from": "1650", "from_user_id": "US.1", "from_parent_user_id": "US.ENT.2" }),
            json!({}),
            vec![phone(), bsuid(), parent()],
            None,
        ),
        (
            "another's contact",
            json!({ "from": "1650" }),
            json!({ "wa_id": "1651", "profile": { "name": "B" } }),
            vec![phone()],
            None,
        ),
        (
            "nobody",
            json!({}),
            json!({ "wa_id": "1651" }),
            vec![],
            None,
        ),
    ] {
        let mut message = message;
        message["id"] = "wamid.A".into();
        let value = json!({ "metadata": { "phone_number_id": "1" }, "contacts": [contact], "messages": [message] });
        let events = parse_value("messages", &value.to_string());
        assert_eq!(ids(&events[0].sender), want, "{name}");
        assert_eq!(
            events[0]
                .sender
                .as_ref()
                .and_then(|sender| sender.name.as_deref()),
            profile,
            "{name}"
        );
    }
}

#[test]
fn groups_are_chats_and_their_statuses_have_a_key_per_participant() {
    let event = parse_items(vec![whatsapp::text("a").in_group("group-1")]).remove(0);
    assert_eq!(event.chat.as_deref(), Some("group-1"));
    let read_by = |phone: &str| {
        whatsapp::status("wamid.A", "read")
            .unwrap()
            .in_group("group-1")
            .from_phone(phone)
    };
    let events = parse_items(vec![read_by("1650"), read_by("1651")]);
    assert_eq!(events[0].key, "whatsapp:106540352242922:wamid.A:read:1650");
    assert_eq!(events[1].key, "whatsapp:106540352242922:wamid.A:read:1651");
    assert_eq!(events[0].chat.as_deref(), Some("group-1"));
    assert_eq!(ids(&events[0].recipient), [Identity::new("phone", "1650")]);
}

#[test]
fn the_account_is_the_phone_number_and_else_the_business() {
    let value = r#"{"statuses":[{"id":"a","status":"sent"}],"metadata":{"phone_number_id":123456789012345678901}}"#;
    for (name, value, account, scope) in [
        (
            "named, as a number",
            value,
            "123456789012345678901",
            AccountScope::Account,
        ),
        (
            "not named",
            r#"{"event":"a"}"#,
            "WABA",
            AccountScope::Business,
        ),
        (
            "named badly",
            r#"{"event":"a","metadata":[]}"#,
            "WABA",
            AccountScope::Business,
        ),
    ] {
        let event = parse_value("account_update", value).remove(0);
        assert_eq!(
            (event.account.as_str(), event.account_scope),
            (account, scope),
            "{name}"
        );
        assert!(
            event.key.starts_with(&format!("whatsapp:{account}:")),
            "{name}"
        );
    }
    let delivery = Delivery {
        body: br#"{"entry":[7]}"#.to_vec(),
        ..Delivery::default()
    };
    assert_eq!(
        WhatsApp::parse(&delivery, Some("route"))[0].account,
        "route"
    );
}

#[test]
fn a_body_that_is_no_json_object_is_one_unparsable_event() {
    let deep = "[".repeat(200_000);
    for (name, body, raw) in [
        ("empty", &b""[..], Some(r#""""#)),
        ("text", b"hello", Some(r#""hello""#)),
        (
            "half an object",
            br#"{"entry":["#,
            Some(r#""{\"entry\":[""#),
        ),
        ("a list", b"[ {} ]", Some("[{}]")),
        ("a number", b"1", Some("1")),
        ("not UTF-8", b"{\"a\":\"\xff\"}", None),
        (
            "deep and open",
            deep.as_bytes(),
            Some(&*format!("\"{deep}\"")),
        ),
    ] {
        let events = parse(body);
        assert_eq!(kinds(&events), ["unparsable"], "{name}");
        assert_eq!(events[0].raw.as_ref().map(|raw| raw.get()), raw, "{name}");
        assert_eq!(events[0].key, parse(body)[0].key, "{name}");
    }
    assert_ne!(parse(b"a")[0].key, parse(b"b")[0].key);
}

#[test]
fn keys_do_not_depend_on_how_a_batch_is_grouped() {
    let items: Vec<Item> = whatsapp::kinds()
        .into_iter()
        .filter(|name| *name != "call")
        .enumerate()
        .map(|(seed, name)| {
            whatsapp::kind(name)
                .unwrap()
                .seed(seed as u64)
                .about(&format!("wamid.{seed}"))
        })
        .collect();
    let keys = |items: &[Item]| {
        let alone = items.iter().map(|item| vec![vec![item.clone()]]).collect();
        parse(&batch(alone).body())
            .into_iter()
            .map(|event| event.key)
            .collect::<Vec<_>>()
    };
    let together = keys(&items);
    let apart: Vec<String> = items
        .iter()
        .flat_map(|item| keys(std::slice::from_ref(item)))
        .collect();
    assert_eq!(together, apart);
    assert_eq!(together.len(), items.len());
}

#[test]
fn equal_items_without_an_id_are_told_apart_within_a_delivery() {
    let error = || whatsapp::kind("error").unwrap();
    let events = parse_items(vec![error(), error(), error()]);
    assert_eq!(events[1].key, format!("{}:2", events[0].key));
    assert_eq!(events[2].key, format!("{}:3", events[0].key));
}

#[test]
fn equal_notices_of_different_times_have_different_keys() {
    let key = |at| {
        parse_items(vec![whatsapp::kind("template_status").unwrap().at(at)])
            .remove(0)
            .key
    };
    assert_eq!(key(1_749_416_383), key(1_749_416_383));
    assert_ne!(key(1_749_416_383), key(1_749_416_384));
}

#[test]
fn lists_of_a_value_that_are_none_and_values_that_say_nothing_are_kept() {
    for (name, value, want) in [
        (
            "messages that are no list",
            r#"{"messages":{"id":"1"},"statuses":[{"id":"1","status":"sent"}]}"#,
            vec!["unknown", "status"],
        ),
        ("nothing", "{}", vec!["unknown"]),
        ("an empty list", r#"{"messages":[]}"#, vec!["unknown"]),
        (
            "a state nobody knows",
            r#"{"statuses":[{"id":"1","status":"warned"}]}"#,
            vec!["unknown"],
        ),
        (
            "a call's status without a type",
            r#"{"statuses":[{"id":"wacid.1","status":"REJECTED"}]}"#,
            vec!["call"],
        ),
        (
            "a call's status",
            r#"{"statuses":[{"id":"wacid.1","type":"call","status":"RINGING"}]}"#,
            vec!["call"],
        ),
        (
            "history",
            r#"{"history":[{"threads":[]},{"errors":[]}]}"#,
            vec!["unknown", "unknown"],
        ),
        (
            "a group",
            r#"{"groups":[{"group_id":"1","type":"group_create"}]}"#,
            vec!["unknown"],
        ),
        (
            "chats of long ago",
            r#"{"history":[{"threads":[7,{"messages":[{"id":"1","type":"text","text":{"body":"a"}},8]},{}],"errors":[{"code":1}]},9]}"#,
            vec![
                "unknown", "message", "unknown", "unknown", "error", "unknown",
            ],
        ),
        (
            "a group that nobody joined",
            r#"{"groups":[{"group_id":"1","type":"group_participants_add","added_participants":[7]}]}"#,
            vec!["unknown"],
        ),
    ] {
        let events = parse_value("messages", value);
        assert_eq!(kinds(&events), want, "{name}");
    }
}

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
fn a_body_verifies_as_received_and_not_as_written_again() {
    let secrets = ["secret".to_owned()];
    for text in ["ä", "1/2", "😀"] {
        let delivery = whatsapp::text(text)
            .signed_with("secret")
            .received_at("https://example.org");
        assert_eq!(WhatsApp::verify(&delivery, &secrets, 0), Ok(()), "{text}");
        let value: Value = serde_json::from_slice(&delivery.body).unwrap();
        let again = Delivery {
            body: value.to_string().into_bytes(),
            ..delivery
        };
        assert!(WhatsApp::verify(&again, &secrets, 0).is_err(), "{text}");
    }
}

#[test]
fn a_stored_delivery_is_answered_with_an_empty_200() {
    let reply = WhatsApp::acknowledge(&Delivery::default());
    assert_eq!((reply.status, reply.body.len()), (200, 0));
}

#[test]
fn the_description_names_every_kind_that_is_parsed() {
    let described = WhatsApp::describe().kinds;
    let mut seen: Vec<String> = whatsapp::kinds()
        .into_iter()
        .flat_map(|name| parse_items(vec![whatsapp::kind(name).unwrap()]))
        .chain(parse(b"x"))
        .map(|event| event.body.kind().to_owned())
        .collect();
    seen.sort();
    seen.dedup();
    let mut described_sorted = described.clone();
    described_sorted.sort();
    assert_eq!(seen, described_sorted);
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
