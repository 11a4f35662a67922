//! Media of messages: who is told of what becomes of them.

use super::*;

const KIND: &str = "media-whatsapp";

fn medium(id: &str) -> Media {
    Media {
        id: Some(id.to_owned()),
        ..Media::default()
    }
}

fn fetch(file: &str) -> [Effect; 2] {
    let media = StoredMedia {
        index: 0,
        state: MediaState::Pending,
        path: None,
        mime_type: None,
        bytes: None,
        sha256: None,
        error: None,
    };
    let job = NewJob {
        kind: KIND.into(),
        payload: r#"{"index":0}"#.into(),
        due_at: 0,
        ordering_key: None,
        dedupe_key: Some(file.to_owned()),
        traceparent: None,
        about_message: true,
    };
    let message_id = None;
    [
        Effect::Media(MediaEffect { message_id, media }),
        Effect::Enqueue(job),
    ]
}

/// A message with one medium that is to be fetched; its id.
fn with_medium(store: &Store) -> String {
    let mut said = inbound("m");
    if let Effect::Message(effect) = &mut said {
        effect.content.media = vec![medium("file-1")];
    }
    let mut effects = vec![contact(&["phone:1"]), conversation(), said];
    effects.extend(fetch("0"));
    store.submit(&effects).message_id.unwrap()
}

fn shown(store: &Store, id: &str) -> (MediaState, Option<String>) {
    let mut media = sends::find(store, id).stored_media;
    let medium = media.remove(0);
    (medium.state, medium.error)
}

/// What readers of `changes` were told of the message since.
fn told(store: &Store, id: &str, since: usize) -> usize {
    let changes = store.changes().split_off(since);
    let of_it = |(kind, data): &&(String, serde_json::Value)| {
        kind == "message.updated" && data["message_id"] == id
    };
    changes.iter().filter(of_it).count()
}

#[test]
fn readers_are_told_of_a_medium_that_is_given_up_and_of_one_that_is_fetched_again() {
    for (name, reason) in [("poison", "poison"), ("cancelled", "cancelled")] {
        let store = Store::new();
        let id = with_medium(&store);
        let seq = store.number("SELECT seq FROM outbox").cast_unsigned();
        let since = store.changes().len();
        if reason == "cancelled" {
            let cancelled = block_on(cancel(&store.connection, store.moment(), None, seq));
            assert_eq!(cancelled, Ok(Cancelled::Cancelled));
        } else {
            for _ in 0..3 {
                assert_eq!(store.lease_kinds(&[KIND], 1).len(), 1);
                store.pass(LEASE_MS.into());
            }
            assert_eq!(store.lease_kinds(&[KIND], 1), []);
        }
        let want = (MediaState::Failed, Some(reason.to_owned()));
        assert_eq!(shown(&store, &id), want, "{name}");
        assert_eq!(told(&store, &id, since), 1, "{name}");
        let again = block_on(replay(&store.connection, store.moment(), KIND, seq));
        assert_eq!(again, Ok(true), "{name}");
        assert_eq!(shown(&store, &id).0, MediaState::Pending, "{name}");
        assert_eq!(told(&store, &id, since), 2, "{name}");
        let at = "SELECT count(*) FROM changes WHERE at = 0";
        assert_eq!(store.number(at), 0, "{name}");
    }
}

#[test]
fn a_failure_that_was_written_down_is_told_once() {
    let store = Store::new();
    let id = with_medium(&store);
    let leased = store.lease_kinds(&[KIND], 1).remove(0);
    let [Effect::Media(mut effect), _] = fetch("0") else {
        panic!("a medium comes first");
    };
    effect.message_id = Some(id.clone());
    effect.media.state = MediaState::Failed;
    effect.media.error = Some("too_large".into());
    let since = store.changes().len();
    store.submit(&[Effect::Media(effect)]);
    let moment = store.moment();
    block_on(bury(&store.connection, moment, &leased.token, "too_large")).unwrap();
    assert_eq!(told(&store, &id, since), 1);
}
