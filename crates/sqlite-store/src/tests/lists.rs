//! Pages, filters and tenants.

use super::*;

fn walk<T>(mut page_of: impl FnMut(Page) -> (Vec<T>, Option<String>)) -> Vec<T> {
    let (mut all, mut cursor) = (vec![], None);
    loop {
        let (rows, next) = page_of(Page { cursor, limit: 3 });
        all.extend(rows);
        let Some(next) = next else { return all };
        cursor = Some(next);
    }
}

fn filled(conversations: usize) -> Store {
    let store = Store::new();
    for number in 0..conversations {
        let from = format!("phone:{number}");
        // Some share a millisecond of activity.
        store.pass((number % 2) as u64);
        store.submit(&[
            contact(&[&from]),
            conversation(),
            inbound(&format!("m{number}")),
        ]);
    }
    store
}

#[test]
fn pages_show_each_row_once_in_the_promised_order() {
    let store = filled(10);
    let c = &store.connection;
    let filter = ConversationFilter::default();
    let listed = walk(|page| block_on(list_conversations(c, &filter, &page)).unwrap());
    let previews: Vec<_> = listed.iter().map(|c| c.preview.clone().unwrap()).collect();
    let want: Vec<_> = (0..10).rev().map(|n| format!("text of m{n}")).collect();
    assert_eq!(previews, want);
    let contacts =
        walk(|page| block_on(list_contacts(c, &ContactFilter::default(), &page)).unwrap());
    let ids: Vec<_> = contacts
        .iter()
        .map(|c| c.identities[0].id.clone())
        .collect();
    assert_eq!(
        ids,
        (0..10).rev().map(|n| n.to_string()).collect::<Vec<_>>()
    );
}

/// A conversation with messages of these numbers.
fn say(store: &Store, numbers: std::ops::Range<u32>) {
    for number in numbers {
        store.submit(&[
            contact(&["phone:1"]),
            conversation(),
            inbound(&format!("{number}")),
        ]);
    }
}

#[test]
fn a_page_of_messages_is_not_moved_by_new_ones() {
    for (order, want) in [
        // What came before the last page was read.
        (MessageOrder::Oldest, (0..9).collect::<Vec<_>>()),
        // What was there when the first page was read.
        (MessageOrder::Newest, (0..7).rev().collect()),
    ] {
        let store = Store::new();
        say(&store, 0..7);
        let id = store.conversations().remove(0).id;
        let mut more = 7;
        let listed = walk(|page| {
            let c = &store.connection;
            let answer = block_on(list_messages(c, Some(TENANT), &id, order, &page)).unwrap();
            if more < 10 {
                say(&store, more..more + 1);
                more += 1;
            }
            answer
        });
        let ids: Vec<u32> = listed
            .iter()
            .map(|m| m.content.id.parse().unwrap())
            .collect();
        assert_eq!(ids, want, "{order:?}");
    }
}

#[test]
fn a_cursor_belongs_to_one_order() {
    let store = Store::new();
    say(&store, 0..3);
    let id = store.conversations().remove(0).id;
    for (order, other) in [
        (MessageOrder::Oldest, MessageOrder::Newest),
        (MessageOrder::Newest, MessageOrder::Oldest),
    ] {
        let read = |order, cursor| {
            let page = Page { cursor, limit: 2 };
            let c = &store.connection;
            block_on(list_messages(c, Some(TENANT), &id, order, &page))
        };
        let cursor = read(order, None).unwrap().1;
        assert!(cursor.is_some());
        assert_eq!(read(order, cursor.clone()).unwrap().0.len(), 1);
        assert_eq!(read(other, cursor), Err(Error::InvalidCursor), "{other:?}");
    }
}

#[test]
fn a_conversation_that_wakes_up_while_paging_hides_no_other() {
    let store = filled(9);
    let mut first = true;
    let listed = walk(|page| {
        let answer = block_on(list_conversations(
            &store.connection,
            &ConversationFilter::default(),
            &page,
        ))
        .unwrap();
        if std::mem::take(&mut first) {
            store.pass(1);
            store.submit(&[contact(&["phone:0"]), conversation(), inbound("new")]);
        }
        answer
    });
    let mut seen: Vec<_> = listed.iter().map(|c| c.contact_id.clone()).collect();
    seen.sort();
    seen.dedup();
    assert_eq!(
        (listed.len(), seen.len()),
        (8, 8),
        "all but the one that moved to the front"
    );
}

#[test]
fn filters_and_tenants_hide_the_rest() {
    let store = filled(4);
    let c = &store.connection;
    block_on(submit(
        c,
        store.moment(),
        "other",
        None,
        &[contact(&["phone:1"]), conversation()],
    ))
    .unwrap();
    let page = Page {
        cursor: None,
        limit: 200,
    };
    let contact_id = store.contacts()[1].id.clone();
    let base = ConversationFilter::default();
    for (name, filter, want) in [
        ("all", base.clone(), 5),
        (
            "tenant",
            ConversationFilter {
                platform_client_id: Some("other".into()),
                ..base.clone()
            },
            1,
        ),
        (
            "status",
            ConversationFilter {
                status: Some(ConversationStatus::Resolved),
                ..base.clone()
            },
            0,
        ),
        (
            "channel",
            ConversationFilter {
                channel: Some(CHANNEL.into()),
                ..base.clone()
            },
            5,
        ),
        (
            "account",
            ConversationFilter {
                account: Some("none".into()),
                ..base.clone()
            },
            0,
        ),
        (
            "contact",
            ConversationFilter {
                contact_id: Some(contact_id),
                ..base
            },
            1,
        ),
    ] {
        assert_eq!(
            block_on(list_conversations(c, &filter, &page))
                .unwrap()
                .0
                .len(),
            want,
            "{name}"
        );
    }
    for (name, filter, want) in [
        (
            "identity",
            ContactFilter {
                identity: Some("1".into()),
                ..ContactFilter::default()
            },
            2,
        ),
        (
            "identity of a tenant",
            ContactFilter {
                identity: Some("1".into()),
                platform_client_id: Some(TENANT.into()),
                channel: Some(CHANNEL.into()),
            },
            1,
        ),
    ] {
        assert_eq!(
            block_on(list_contacts(c, &filter, &page)).unwrap().0.len(),
            want,
            "{name}"
        );
    }
    let id = store
        .conversations()
        .into_iter()
        .find(|c| c.platform_client_id == TENANT)
        .unwrap()
        .id;
    assert_eq!(
        block_on(find_conversation(c, Some("other"), &id)).unwrap(),
        None
    );
    assert!(
        block_on(list_messages(
            c,
            Some("other"),
            &id,
            MessageOrder::Oldest,
            &page
        ))
        .unwrap()
        .0
        .is_empty()
    );
}

#[test]
fn jobs_are_listed_by_kind_of_event_and_state() {
    let store = Store::new();
    store.append(&[
        text("a", &["phone:1"]),
        event("u", &["phone:2"], Body::Unknown),
        text("b", &["phone:3"]),
    ]);
    store.lease(1);
    let page = Page {
        cursor: None,
        limit: 9,
    };
    let base = JobFilter::default();
    for (name, filter, want) in [
        ("all", base.clone(), vec![3, 2, 1]),
        (
            "leased",
            JobFilter {
                state: Some(JobState::Leased),
                ..base.clone()
            },
            vec![1],
        ),
        (
            "unknown",
            JobFilter {
                event_kind: Some("unknown".into()),
                ..base.clone()
            },
            vec![2],
        ),
        (
            "kind",
            JobFilter {
                kind: Some("enrich".into()),
                ..base.clone()
            },
            vec![],
        ),
        (
            "tenant",
            JobFilter {
                platform_client_id: Some("other".into()),
                ..base
            },
            vec![],
        ),
    ] {
        let jobs = block_on(list_inbox(&store.connection, &filter, &page))
            .unwrap()
            .0;
        assert_eq!(
            jobs.iter().map(|job| job.seq).collect::<Vec<_>>(),
            want,
            "{name}"
        );
    }
}

#[test]
fn a_reader_of_changes_goes_on_after_what_it_has_seen() {
    let store = filled(4);
    let c = &store.connection;
    let all = block_on(list_changes(c, None, 0, 1000)).unwrap();
    assert_eq!(
        block_on(find_last_change(c)).unwrap(),
        all.last().unwrap().seq
    );
    let mut seen = 0;
    let mut read = vec![];
    while let Some(last) = block_on(list_changes(c, Some(TENANT), seen, 5))
        .unwrap()
        .last()
    {
        read.extend(block_on(list_changes(c, Some(TENANT), seen, 5)).unwrap());
        seen = last.seq;
    }
    assert_eq!(read, all);
    assert!(
        block_on(list_changes(c, Some("other"), 0, 5))
            .unwrap()
            .is_empty()
    );
}

#[test]
fn a_page_out_of_bounds_and_a_foreign_cursor_are_refused() {
    let store = Store::new();
    let list = |cursor: Option<&str>, limit| {
        let page = Page {
            cursor: cursor.map(str::to_owned),
            limit,
        };
        block_on(list_contacts(
            &store.connection,
            &ContactFilter::default(),
            &page,
        ))
        .map(|_| ())
    };
    assert!(matches!(list(None, 0), Err(Error::Invalid(_))));
    assert!(matches!(list(None, 201), Err(Error::Invalid(_))));
    assert_eq!(list(None, 200), Ok(()));
    assert_eq!(
        list(Some("'; DROP TABLE inbox"), 1),
        Err(Error::InvalidCursor)
    );
}
