//! Events as they come in: stored once, by their key and tenant; refusals are counted.

use super::*;

#[test]
fn a_redelivered_event_is_stored_once() {
    let store = Store::new();
    let events = [
        text("a", &["phone:1"]),
        text("b", &["phone:2"]),
        text("a", &["phone:1"]),
    ];
    assert_eq!(
        store.append(&events),
        Appended {
            stored: 2,
            duplicates: 1
        }
    );
    assert_eq!(
        store.append(&events),
        Appended {
            stored: 0,
            duplicates: 3
        }
    );
    assert_eq!(
        store.append(&[text("c", &["phone:1"]), text("b", &["phone:2"])]),
        Appended {
            stored: 1,
            duplicates: 1
        }
    );
    assert_eq!(
        store.append(&[]),
        Appended {
            stored: 0,
            duplicates: 0
        }
    );
    assert_eq!(store.number("SELECT count(*) FROM inbox"), 3);
    assert_eq!(store.number("SELECT count(*) FROM deliveries_in"), 4);
    assert_eq!(
        store.number("SELECT count(*) FROM deliveries_in WHERE body = x''"),
        1,
        "only the body of the one without anything new is not kept"
    );
}

#[test]
fn a_key_belongs_to_its_tenant() {
    let store = Store::new();
    assert_eq!(
        store.append_for("one", &[text("a", &["phone:1"])]).stored,
        1
    );
    assert_eq!(
        store.append_for("two", &[text("a", &["phone:1"])]).stored,
        1
    );
    assert_eq!(
        store.lease(9).len(),
        2,
        "tenants do not wait for each other"
    );
}

#[test]
fn keys_with_odd_characters_are_different_events() {
    let store = Store::new();
    let keys = [
        "a\0b",
        "a\0c",
        "a",
        "\"a\\u0000b\"",
        "a\u{2028}",
        "ä",
        "\"",
        "",
    ];
    let events: Vec<Event> = keys
        .iter()
        .map(|key| text(key, &["phone:1\0\"'"]))
        .collect();
    assert_eq!(
        store.append(&events),
        Appended {
            stored: 8,
            duplicates: 0
        }
    );
    let job = store.lease(9).remove(0);
    assert_eq!(event_of(&job), events.first().unwrap());
}

#[test]
fn refusals_are_counted() {
    let store = Store::new();
    for reason in ["mismatch", "mismatch", "missing-header"] {
        block_on(count_refused(&store.connection, CHANNEL, reason)).unwrap();
    }
    let counts = block_on(list_refused(&store.connection)).unwrap();
    assert_eq!(
        counts,
        [
            (CHANNEL.into(), "mismatch".into(), 2),
            (CHANNEL.into(), "missing-header".into(), 1)
        ]
    );
}
