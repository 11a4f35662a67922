//! What the simulated platforms send is read as what it is.
#![expect(
    clippy::unwrap_used,
    reason = "what a test's own functions cannot read fails the test"
)]

use std::collections::BTreeSet;

use chatly_canonical::{Body, Event};
use chatly_channel::Channel;
use chatly_instagram::Instagram;
use chatly_messenger::Messenger;
use chatly_simulator::{Platform, Wish, find};

/// The platform of a channel.
fn platform<C: Channel>() -> &'static dyn Platform {
    find(&C::describe().name).unwrap()
}

fn events<C: Channel>(wishes: &[Wish]) -> Vec<Event> {
    let delivery = platform::<C>().unsigned(wishes).unwrap();
    C::parse(&delivery.received_at("https://example.org"), None)
}

fn wish(kind: &str, seed: u64) -> Wish {
    Wish {
        kind: kind.into(),
        seed,
        ..Wish::default()
    }
}

#[test]
fn each_kind_is_one_event_with_the_id_that_the_platform_names() {
    check_kinds::<Messenger>();
    check_kinds::<Instagram>();
}

fn check_kinds<C: Channel>() {
    let platform = platform::<C>();
    let mut kinds = BTreeSet::from(["unparsable".to_owned()]);
    for kind in platform.kinds() {
        let events = events::<C>(&[wish(kind, 1)]);
        assert_eq!(events.len(), 1, "{kind}");
        let body = &events.first().unwrap().body;
        kinds.insert(body.kind().to_owned());
        let id = match body {
            Body::Message(message) | Body::MessageEdited(message) => Some(message.id.clone()),
            Body::MessageDeleted(id) => Some(id.clone()),
            Body::Reaction(reaction) => Some(reaction.message_id.clone()),
            _ => None,
        };
        if let Some(id) = id {
            assert_eq!(platform.message_id(&wish(kind, 1)), Ok(id), "{kind}");
        }
    }
    let described: BTreeSet<String> = C::describe().kinds.into_iter().collect();
    assert_eq!(kinds, described);
}

#[test]
fn all_kinds_in_one_delivery_keep_their_keys() {
    check_keys::<Messenger>();
    check_keys::<Instagram>();
}

fn check_keys<C: Channel>() {
    let kinds = platform::<C>().kinds();
    let wishes: Vec<Wish> = (0..)
        .zip(&kinds)
        .map(|(seed, kind)| wish(kind, seed))
        .collect();
    let together: Vec<String> = events::<C>(&wishes)
        .into_iter()
        .map(|event| event.key)
        .collect();
    let apart: Vec<String> = wishes
        .iter()
        .flat_map(|wish| events::<C>(std::slice::from_ref(wish)))
        .map(|event| event.key)
        .collect();
    assert_eq!(together, apart);
    assert_eq!(together.iter().collect::<BTreeSet<_>>().len(), kinds.len());
}
