//! What becomes of messages and their conversations.

use super::*;

#[test]
fn an_inbound_message_opens_a_resolved_conversation() {
    let store = Store::new();
    let start = || vec![contact(&["phone:1"]), conversation()];
    let change = |status| {
        Effect::ChangeConversation(ConversationChange {
            status: Some(status),
            snoozed_until: None,
            priority: Some(Priority::High),
            assignee: Some("ann".into()),
            add_tags: vec!["vip".into(), "vip".into()],
            remove_tags: vec!["old".into()],
            ..ConversationChange::default()
        })
    };
    store.submit(
        &[
            start(),
            vec![inbound("a"), change(ConversationStatus::Resolved)],
        ]
        .concat(),
    );
    store.submit(&[start(), vec![message("b", Direction::Outbound, None, 1)]].concat());
    assert_eq!(
        store.conversations()[0].status,
        ConversationStatus::Resolved
    );
    store.submit(&[start(), vec![inbound("c")]].concat());
    let conversation = store.conversations().remove(0);
    assert_eq!(
        (conversation.status, conversation.priority),
        (ConversationStatus::Open, Priority::High)
    );
    assert_eq!(
        (conversation.tags, conversation.assignee.as_deref()),
        (vec!["vip".to_owned()], Some("ann"))
    );
}

#[test]
fn a_group_has_one_conversation_whoever_speaks() {
    let store = Store::new();
    let group = || {
        Effect::Conversation(ConversationEffect {
            channel: CHANNEL.into(),
            account: ACCOUNT.into(),
            chat: Some("g".into()),
        })
    };
    let first = store.submit(&[group()]).conversation_id;
    assert_eq!(store.conversations()[0].contact_id, None);
    let ann = store.submit(&[contact(&["phone:1"]), group(), inbound("a")]);
    let bob = store.submit(&[contact(&["phone:2"]), group(), inbound("b")]);
    assert_eq!(
        (&ann.conversation_id, &bob.conversation_id),
        (&first, &first)
    );
    let speakers: Vec<_> = store
        .messages(first.as_deref().unwrap())
        .into_iter()
        .map(|m| m.contact_id)
        .collect();
    assert_eq!(speakers, [ann.contact_id.clone(), bob.contact_id]);
    assert_ne!(
        store
            .submit(&[contact(&["phone:1"]), conversation()])
            .conversation_id,
        first,
        "one to one"
    );
}

#[test]
fn edits_keep_what_was_said_and_deletions_keep_the_row() {
    let store = Store::new();
    let conversation = store
        .submit(&[contact(&["phone:1"]), conversation(), inbound("m")])
        .conversation_id
        .unwrap();
    let edit = |words: &str, at| {
        let content = Message {
            text: Some(words.into()),
            ..content("m")
        };
        Effect::Edit(EditEffect {
            channel: CHANNEL.into(),
            account: ACCOUNT.into(),
            content,
            at,
        })
    };
    store.submit(&[edit("second", 2)]);
    store.submit(&[edit("second", 3)]);
    store.submit(&[edit("third", 4)]);
    let delete = Effect::Delete(DeleteEffect {
        channel: CHANNEL.into(),
        account: ACCOUNT.into(),
        message_id: "m".into(),
        at: 9,
    });
    store.submit(&[delete]);
    let message = store.messages(&conversation).remove(0);
    assert_eq!(message.content.text.as_deref(), Some("third"));
    assert_eq!(message.previous_texts, ["text of m", "second"]);
    assert_eq!((message.edited_at, message.deleted_at), (Some(4), Some(9)));
    assert_eq!(store.conversations()[0].preview.as_deref(), Some("third"));
}

#[test]
fn a_person_has_one_emoji_on_a_message_which_may_come_first() {
    let store = Store::new();
    let react = |emoji: Option<&str>| {
        let reaction = Reaction {
            message_id: "m".into(),
            emoji: emoji.map(str::to_owned),
            ..Reaction::default()
        };
        Effect::Reaction(ReactionEffect {
            channel: CHANNEL.into(),
            account: ACCOUNT.into(),
            reaction,
            at: 1,
        })
    };
    let person = store
        .submit(&[contact(&["phone:1"]), react(Some("👍"))])
        .contact_id
        .unwrap();
    let id = store
        .submit(&[contact(&["phone:1"]), conversation(), inbound("m")])
        .conversation_id
        .unwrap();
    let emojis = || -> Vec<(String, String)> {
        let mut all: Vec<_> = store.messages(&id)[0]
            .reactions
            .iter()
            .map(|r| (r.by.clone(), r.emoji.clone()))
            .collect();
        all.sort_by(|one, other| one.1.cmp(&other.1));
        all
    };
    assert_eq!(emojis(), [(person.clone(), "👍".to_owned())]);
    store.submit(&[contact(&["phone:1"]), react(Some("🎉"))]);
    store.submit(&[react(Some("❤"))]);
    assert_eq!(
        emojis(),
        [
            (ACCOUNT.to_owned(), "❤".to_owned()),
            (person, "🎉".to_owned())
        ]
    );
    store.submit(&[contact(&["phone:1"]), react(None)]);
    assert_eq!(emojis().len(), 1);
}
