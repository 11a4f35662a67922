//! Keys tell events apart, and nothing but events.

use super::*;

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
