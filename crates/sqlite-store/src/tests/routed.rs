//! What routing anew needs of a stored message.

use super::*;

fn said(person: &str, author: Author, standby: bool, id: &str) -> [Effect; 3] {
    let direction = match author {
        Author::Contact => Direction::Inbound,
        _ => Direction::Outbound,
    };
    let Effect::Message(said) = message(id, direction, None, 1) else {
        unreachable!()
    };
    let said = MessageEffect {
        author,
        standby,
        ..said
    };
    [contact(&[person]), conversation(), Effect::Message(said)]
}

fn listed(store: &Store, filter: &RoutedFilter, limit: u32) -> Vec<Routed> {
    let (mut all, mut cursor) = (vec![], None);
    loop {
        let page = Page { cursor, limit };
        let (rows, next) = block_on(list_routed(&store.connection, filter, &page)).unwrap();
        assert!(rows.len() <= limit as usize);
        all.extend(rows);
        let Some(next) = next else { return all };
        cursor = Some(next);
    }
}

#[test]
fn what_was_so_when_a_message_came_is_counted_as_of_then() {
    let store = Store::new();
    let before = store.moment().now;
    for (index, (author, standby)) in [
        (Author::Contact, false),
        (Author::Bot, false),
        (Author::Contact, false),
        (Author::Contact, true),
        (Author::Agent, false),
        (Author::External, false),
        (Author::Contact, false),
    ]
    .into_iter()
    .enumerate()
    {
        store.pass(10);
        store.submit(&said("a:1", author, standby, &format!("m{index}")));
    }
    store.submit(&said("b:1", Author::Contact, false, "other"));
    let rows = listed(&store, &RoutedFilter::default(), 2);
    let got: Vec<_> = rows
        .iter()
        .map(|row| {
            let since = |at: Option<u64>| at.map(|at| at - before);
            let id = row.message.content.id.as_str();
            (
                id,
                row.message_count,
                since(row.last_human_at),
                since(row.last_bot_at),
            )
        })
        .collect();
    assert_eq!(
        got,
        [
            ("other", 1, None, None),
            ("m6", 7, Some(60), Some(20)),
            ("m2", 3, None, Some(20)),
            ("m0", 1, None, None),
        ]
    );
    for row in &rows {
        assert_eq!(row.message.conversation_id, row.conversation.id);
        assert_eq!(
            row.contact.as_ref().map(|it| &it.id),
            row.message.contact_id.as_ref()
        );
        assert!(row.contact.is_some());
    }
}

#[test]
fn filters_hold_and_tenants_are_apart() {
    let store = Store::new();
    store.submit(&said("a:1", Author::Contact, false, "m0"));
    let at = store.moment().now;
    store.pass(10);
    store.submit(&said("b:1", Author::Contact, false, "m1"));
    let thread = listed(&store, &RoutedFilter::default(), 9)[0]
        .conversation
        .id
        .clone();
    let none = RoutedFilter::default;
    for (name, filter, want) in [
        ("all", none(), vec!["m1", "m0"]),
        (
            "tenant",
            RoutedFilter {
                platform_client_id: Some(TENANT.into()),
                ..none()
            },
            vec!["m1", "m0"],
        ),
        (
            "another",
            RoutedFilter {
                platform_client_id: Some("other".into()),
                ..none()
            },
            vec![],
        ),
        (
            "channel",
            RoutedFilter {
                channel: Some(CHANNEL.into()),
                ..none()
            },
            vec!["m1", "m0"],
        ),
        (
            "another channel",
            RoutedFilter {
                channel: Some("x".into()),
                ..none()
            },
            vec![],
        ),
        (
            "conversation",
            RoutedFilter {
                conversation_id: Some(thread),
                ..none()
            },
            vec!["m1"],
        ),
        (
            "since then",
            RoutedFilter {
                since: Some(at),
                ..none()
            },
            vec!["m1", "m0"],
        ),
        (
            "since after",
            RoutedFilter {
                since: Some(at + 1),
                ..none()
            },
            vec!["m1"],
        ),
        (
            "until then",
            RoutedFilter {
                until: Some(at),
                ..none()
            },
            vec![],
        ),
        (
            "until after",
            RoutedFilter {
                until: Some(at + 1),
                ..none()
            },
            vec!["m0"],
        ),
    ] {
        let rows = listed(&store, &filter, 9);
        let ids: Vec<_> = rows
            .iter()
            .map(|row| row.message.content.id.as_str())
            .collect();
        assert_eq!(ids, want, "{name}");
    }
}
