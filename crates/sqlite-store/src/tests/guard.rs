//! Automatic messages that an integration sends, held where they would go out.

use super::sends::{find, lease_send, opened};
use super::*;

/// An automatic message of an integration, or a person's, and its send job; its id.
fn said(store: &Store, conversation: &str, author: Author) -> String {
    let message = match message(
        "",
        Direction::Outbound,
        Some(DeliveryState::Accepted),
        store.now.get(),
    ) {
        Effect::Message(message) => Effect::Message(MessageEffect { author, ..message }),
        _ => unreachable!(),
    };
    let job = Effect::Enqueue(NewJob {
        kind: "send-whatsapp".into(),
        payload: "{}".into(),
        due_at: store.now.get(),
        ordering_key: None,
        dedupe_key: Some(String::new()),
        traceparent: None,
        about_message: true,
    });
    let bind = Effect::BindConversation(conversation.into());
    store.submit(&[bind, message, job]).message_id.unwrap()
}

/// Lets the next job of the conversation out, or writes why not; what the gate said.
fn out(store: &Store, automatic: bool) -> Clearance {
    let job = lease_send(store).remove(0);
    let gate = Gate {
        decided_at: automatic.then(|| store.now.get()),
        ..Gate::default()
    };
    let clearance = block_on(mark_sending(
        &store.connection,
        store.moment(),
        &job.token,
        0,
        &gate,
    ))
    .unwrap();
    let Payload::Json(payload) = &job.payload else {
        panic!("an event")
    };
    let payload: serde_json::Value = serde_json::from_str(payload).unwrap();
    let held = clearance != Clearance::Go;
    let became = SentEffect {
        message_id: payload["message_id"].as_str().unwrap().to_owned(),
        platform_id: (!held).then(|| format!("wamid.{}", job.seq)),
        state: if held {
            DeliveryState::Failed
        } else {
            DeliveryState::Sent
        },
        error: held.then(|| ErrorDetail {
            code: Some("suppressed".into()),
            title: None,
            detail: None,
        }),
        at: store.now.get(),
    };
    store.commit(&job.token, &[Effect::Sent(became)]).unwrap();
    clearance
}

#[test]
fn the_sixth_automatic_message_of_a_minute_is_held_and_a_persons_is_not() {
    let store = Store::new();
    let conversation = opened(&store);
    // All of them are made before the first goes out, as a script makes them.
    let ids: Vec<String> = (0..8)
        .map(|_| said(&store, &conversation, Author::Bot))
        .collect();
    let went: Vec<Clearance> = (0..8).map(|_| out(&store, true)).collect();
    assert_eq!(went[..5], [Clearance::Go; 5]);
    assert_eq!(went[5..], [Clearance::Looping(Looping::Burst); 3]);
    assert_eq!(find(&store, &ids[4]).state, Some(DeliveryState::Sent));
    assert_eq!(find(&store, &ids[5]).state, Some(DeliveryState::Failed));

    said(&store, &conversation, Author::Agent);
    assert_eq!(out(&store, false), Clearance::Go);
    // Those that were held do not count.
    store.pass(60_000);
    store.append(&[text("again", &["phone:1"])]);
    store.work();
    said(&store, &conversation, Author::Bot);
    assert_eq!(out(&store, true), Clearance::Go);
}

#[test]
fn what_happens_in_another_conversation_does_not_count() {
    let store = Store::new();
    let conversation = opened(&store);
    for _ in 0..5 {
        said(&store, &conversation, Author::Bot);
        assert_eq!(out(&store, true), Clearance::Go);
    }
    store.append(&[text("theirs too", &["phone:2"])]);
    store.work();
    let other = store
        .conversations()
        .into_iter()
        .find(|it| it.id != conversation)
        .unwrap();
    said(&store, &other.id, Author::Bot);
    assert_eq!(out(&store, true), Clearance::Go);
}
