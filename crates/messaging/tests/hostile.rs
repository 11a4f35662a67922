//! What becomes of bodies that no platform sends, on both channels.

use chatly_channel::{Channel, Delivery};
use chatly_instagram::Instagram;
use chatly_messenger::Messenger;
use proptest::prelude::*;

/// How many events a body has, on either channel.
fn events(body: &[u8]) -> [usize; 2] {
    [count::<Messenger>(body), count::<Instagram>(body)]
}

fn count<C: Channel>(body: &[u8]) -> usize {
    let delivery = Delivery {
        body: body.to_vec(),
        ..Delivery::default()
    };
    C::parse(&delivery, None).len()
}

#[test]
fn nothing_makes_it_panic_or_say_nothing() {
    chatly_cases::hostile::<Messenger>("messenger", None).unwrap();
    chatly_cases::hostile::<Instagram>("instagram", None).unwrap();
}

#[test]
fn a_body_of_too_many_items_is_kept_whole() {
    let most = |count: usize| {
        let items = "{},".repeat(count - 1);
        format!(r#"{{"entry":[{{"id":"1","messaging":[{items}1]}}]}}"#).into_bytes()
    };
    for (count, want) in [(10_000, 10_000), (10_001, 1), (900_000, 1)] {
        assert_eq!(events(&most(count)), [want; 2], "{count}");
    }
}

#[test]
fn what_is_written_once_is_not_copied_without_end() {
    chatly_cases::multiplied::<Messenger>("messenger").unwrap();
    chatly_cases::multiplied::<Instagram>("instagram").unwrap();
}

proptest! {
    #![proptest_config(ProptestConfig { failure_persistence: None, ..ProptestConfig::default() })]

    #[test]
    fn any_bytes_are_one_event(body: Vec<u8>) {
        prop_assert_eq!(events(&body), [1, 1]);
    }

    #[test]
    fn any_item_is_an_event(
        list in prop_oneof![Just("messaging"), Just("standby"), Just("changes")],
        member in "(message|postback|reaction|delivery|read|optin|value|field|[a-z]{1,8})",
        value in "(7|null|\"\\PC{0,5}\"|\\[\\]|\\{\"mid\":(1|\"m\"|null)\\})",
    ) {
        let value = if serde_json::from_str::<serde_json::Value>(&value).is_ok() { value } else { "{}".to_owned() };
        let body = format!(r#"{{"entry":[{{"id":"1","{list}":[{{"{member}":{value}}}]}}]}}"#);
        prop_assert_eq!(events(body.as_bytes()), [1, 1]);
    }
}
