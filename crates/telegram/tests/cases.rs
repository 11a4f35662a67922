//! The golden cases in `tests/cases/telegram`.

use chatly_canonical::Body;
use chatly_cases::{Suite, folder, load};
use chatly_channel::Channel as _;
use chatly_simulator::{Wish, find};
use chatly_telegram::Telegram;

fn suite() -> Suite {
    Suite {
        channel: "telegram",
        // One update a delivery.
        join: None,
        strangers: Vec::new(),
        timestamps: &["date", "edit_date", "add_date", "remove_date"],
    }
}

#[test]
fn every_case_gives_its_events_in_every_disguise() {
    suite().run::<Telegram>().unwrap();
}

#[test]
fn two_bots_with_the_same_updates_have_no_key_in_common() {
    for case in load(&folder().join("telegram")).unwrap() {
        let of = |account| {
            let events = Telegram::parse(&case.delivery(), Some(account));
            assert!(!events.is_empty(), "{}", case.name);
            events
        };
        let (one, two) = (of("1"), of("2"));
        for (one, two) in one.iter().zip(&two) {
            assert_eq!((one.account.as_str(), two.account.as_str()), ("1", "2"));
            assert_ne!(one.key, two.key, "{}", case.name);
        }
        let keys: std::collections::HashSet<_> = one.iter().map(|event| &event.key).collect();
        assert_eq!(keys.len(), one.len(), "{}", case.name);
    }
}

#[test]
fn the_platform_plays_every_kind() {
    let platform = find("telegram").unwrap();
    let mut fields = std::collections::BTreeSet::new();
    for kind in platform.kinds() {
        let wish = Wish {
            kind: kind.into(),
            account: Some("42".into()),
            about: Some("1111111:77".into()),
            ..Wish::default()
        };
        let delivery = platform.unsigned(std::slice::from_ref(&wish)).unwrap();
        assert_eq!(delivery.path, "/webhooks/telegram/42");
        let body: serde_json::Value = serde_json::from_slice(&delivery.body).unwrap();
        fields.extend(body.as_object().unwrap().keys().cloned());
        let events = Telegram::parse(&delivery.received_at("https://a.example"), Some("42"));
        let told = !matches!(
            kind,
            "unknown_update"
                | "inline_query"
                | "chosen_inline_result"
                | "shipping_query"
                | "pre_checkout_query"
        );
        let first = &events[0];
        assert_eq!(first.body.kind() != "unknown", told, "{kind}");
        assert_eq!(first.account, "42", "{kind}");
        if let Body::Message(message) | Body::MessageEdited(message) = &first.body
            && kind != "poll_answer"
        {
            assert_eq!(message.id, platform.message_id(&wish).unwrap(), "{kind}");
        }
    }
    // The 27 kinds of updates, the update's id, and one that does not exist.
    assert_eq!(fields.len(), 29, "{fields:?}");
}
