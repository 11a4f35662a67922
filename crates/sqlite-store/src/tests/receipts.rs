//! Statuses in every order.

use proptest::prelude::*;

use super::*;

const STATES: [DeliveryState; 5] = [
    DeliveryState::Accepted,
    DeliveryState::Sent,
    DeliveryState::Delivered,
    DeliveryState::Read,
    DeliveryState::Played,
];

fn bound() -> Vec<Effect> {
    vec![contact(&["phone:1"]), conversation()]
}

fn with(effect: Effect) -> Vec<Effect> {
    [bound(), vec![effect]].concat()
}

fn of(id: &str, state: DeliveryState) -> Effect {
    status(Target::MessageId(id.into()), state)
}

fn sent(id: &str, at: u64) -> Effect {
    message(id, Direction::Outbound, Some(DeliveryState::Accepted), at)
}

fn state_of(store: &Store, id: &str) -> Option<DeliveryState> {
    let conversation = store.conversations().remove(0);
    store
        .messages(&conversation.id)
        .into_iter()
        .find(|message| message.content.id == id)
        .unwrap()
        .state
}

#[test]
fn a_state_never_goes_back_and_a_final_one_stays() {
    use DeliveryState::*;
    for (name, states, want) in [
        ("in order", vec![Sent, Delivered, Read], Read),
        ("read first", vec![Read, Delivered, Sent], Read),
        ("failed late", vec![Sent, Failed], Failed),
        ("after failed", vec![Failed, Read, Deleted], Failed),
        ("after deleted", vec![Deleted, Played, Failed], Deleted),
    ] {
        let store = Store::new();
        store.submit(&with(sent("m", 5)));
        for state in states {
            store.submit(&with(of("m", state)));
        }
        assert_eq!(state_of(&store, "m"), Some(want), "{name}");
    }
}

#[test]
fn a_status_before_its_message_is_kept_with_its_error() {
    let store = Store::new();
    let error = ErrorDetail {
        code: Some("131047".into()),
        ..ErrorDetail::default()
    };
    let failed = Effect::Status(StatusEffect {
        channel: CHANNEL.into(),
        account: ACCOUNT.into(),
        status: Status {
            target: Target::MessageId("m".into()),
            state: DeliveryState::Failed,
            error: Some(error.clone()),
            reference: None,
        },
        at: 1,
    });
    store.submit(&[failed]);
    store.submit(&with(sent("m", 5)));
    assert_eq!(state_of(&store, "m"), Some(DeliveryState::Failed));
    let conversation = store.conversations().remove(0);
    assert_eq!(store.messages(&conversation.id)[0].error, Some(error));
}

#[test]
fn a_watermark_covers_what_was_sent_until_then_and_comes_later() {
    let store = Store::new();
    store.submit(&with(sent("early", 10)));
    store.submit(&with(sent("edge", 20)));
    store.submit(&with(sent("late", 21)));
    store.submit(&with(message("theirs", Direction::Inbound, None, 5)));
    store.submit(&with(of("early", DeliveryState::Played)));
    store.submit(&with(status(Target::Watermark(20), DeliveryState::Read)));
    store.submit(&with(sent("slow", 15)));
    store.submit(&with(sent("slower", 25)));
    for (id, want) in [
        ("early", Some(DeliveryState::Played)),
        ("edge", Some(DeliveryState::Read)),
        ("late", Some(DeliveryState::Accepted)),
        ("theirs", None),
        ("slow", Some(DeliveryState::Read)),
        ("slower", Some(DeliveryState::Accepted)),
    ] {
        assert_eq!(state_of(&store, id), want, "{id}");
    }
    store.submit(&with(status(
        Target::Watermark(12),
        DeliveryState::Delivered,
    )));
    store.submit(&with(sent("slowest", 14)));
    assert_eq!(
        state_of(&store, "slowest"),
        Some(DeliveryState::Read),
        "an earlier watermark takes nothing back"
    );
}

#[test]
fn only_a_status_that_moved_something_is_told() {
    let store = Store::new();
    store.submit(&with(sent("m", 5)));
    let told = |state| store.submit(&[of("m", state)]).last_change;
    assert_ne!(told(DeliveryState::Read), 0);
    assert_eq!(told(DeliveryState::Read), 0);
    assert_eq!(told(DeliveryState::Sent), 0);
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(64))]
    #[test]
    fn the_highest_state_wins_whenever_the_message_comes(
        order in prop::collection::vec(0usize..5, 1..8),
        at in 0usize..8,
    ) {
        let store = Store::new();
        let at = at.min(order.len());
        for (step, &rank) in order.iter().enumerate() {
            if step == at {
                store.submit(&with(sent("m", 5)));
            }
            store.submit(&with(of("m", STATES[rank])));
        }
        if at == order.len() {
            store.submit(&with(sent("m", 5)));
        }
        prop_assert_eq!(state_of(&store, "m"), order.iter().max().map(|&rank| STATES[rank]));
    }
}
