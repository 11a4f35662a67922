//! What readers cost: statements, and steps of SQLite's virtual machine. Neither depends on how
//! busy the machine is.

use rusqlite::StatementStatus::VmStep;

use super::*;

/// A connection that counts what it runs.
struct Counting<'a> {
    native: &'a Native,
    statements: Cell<u32>,
    steps: Cell<i64>,
}

/// What one reading gave and took.
#[derive(Debug, Clone, Copy)]
struct Cost {
    rows: usize,
    statements: u32,
    steps: i64,
}

impl Counting<'_> {
    /// The steps of this statement since they were last asked for.
    fn steps_of(&self, sql: &str) -> i64 {
        let statement = self.native.0.prepare_cached(sql).unwrap();
        statement.reset_status(VmStep).into()
    }

    /// What a reading costs; `rows` counts what it gave.
    fn cost<T>(
        &self,
        reading: impl Future<Output = Result<T, Error>>,
        rows: impl Fn(T) -> usize,
    ) -> Cost {
        self.statements.set(0);
        self.steps.set(0);
        Cost {
            rows: rows(block_on(reading).unwrap()),
            statements: self.statements.get(),
            steps: self.steps.get(),
        }
    }
}

impl Connection for Counting<'_> {
    async fn execute(&self, sql: &str, parameters: Vec<Value>) -> Result<Vec<Row>, Fault> {
        self.steps_of(sql);
        let answer = self.native.execute(sql, parameters).await;
        self.statements.set(self.statements.get() + 1);
        self.steps.set(self.steps.get() + self.steps_of(sql));
        answer
    }
}

/// Conversations of `each` messages, all of which have been explained, enriched, reacted to and
/// forwarded.
fn inbox(conversations: usize, each: usize) -> Store {
    let store = Store::new();
    // Nothing here survives the test.
    let quick = "PRAGMA synchronous=OFF";
    block_on(store.connection.execute(quick, vec![])).unwrap();
    for number in 0..conversations {
        store.pass(1);
        let (phone, bsuid) = (format!("phone:{number}"), format!("bsuid:{number}"));
        let mut effects = vec![contact(&[&phone, &bsuid]), conversation()];
        for place in 0..each {
            effects.extend(discussed(&format!("{number}-{place}")));
        }
        store.submit(&effects);
    }
    block_on(put_rule(&store.connection, store.moment(), &rule())).unwrap();
    let enriched = r#"INSERT INTO enrichments (platform_client_id, message_id, json, created_at)
        SELECT platform_client_id, id, '{"language":"en"}', 1 FROM messages"#;
    store.connection.0.execute(enriched, []).unwrap();
    store
}

fn rule() -> Rule {
    Rule {
        id: "r".into(),
        platform_client_id: TENANT.into(),
        name: "rule".into(),
        priority: 0,
        condition: "true".into(),
        actions: "[]".into(),
        stop: false,
        enabled: true,
        created_at: 0,
        updated_at: 0,
        strategy: String::new(),
    }
}

fn discussed(id: &str) -> Vec<Effect> {
    let Effect::Message(message) = inbound(id) else {
        unreachable!()
    };
    vec![
        Effect::Message(MessageEffect {
            explanation: Some(r#"{"phase":"received"}"#.into()),
            ..message
        }),
        Effect::Reaction(ReactionEffect {
            channel: CHANNEL.into(),
            account: ACCOUNT.into(),
            reaction: Reaction {
                message_id: id.into(),
                emoji: Some("👍".into()),
                ..Reaction::default()
            },
            at: 1,
        }),
        Effect::Enqueue(NewJob {
            kind: "enrich".into(),
            payload: "{}".into(),
            due_at: 0,
            ordering_key: None,
            dedupe_key: None,
            traceparent: None,
            about_message: true,
        }),
        Effect::ExternalCall(ExternalCall {
            kind: "forward".into(),
            target: "https://a".into(),
            status: Some(200),
            millis: 5,
            attempt: 1,
            at: 2,
            error: None,
            conversation_id: None,
            message_id: None,
            details: None,
        }),
    ]
}

/// Messages that have everything that a statement of its own might read.
fn whole(messages: &[StoredMessage]) -> usize {
    let whole = messages.iter().filter(|message| {
        message.explanation.is_some()
            && message.enrichment.is_some()
            && message.reactions.len() == 1
    });
    whole.count()
}

/// What each reading costs of those that the API, the console, the stream and the workers make.
fn costs(store: &Store) -> Vec<(&'static str, Cost)> {
    let c = &Counting {
        native: &store.connection,
        statements: Cell::new(0),
        steps: Cell::new(0),
    };
    let page = |limit, cursor| Page { cursor, limit };
    let first = &page(50, None);
    let all = &ConversationFilter::default();
    let newest = &store.conversations()[0];
    let (id, person) = (&newest.id, newest.contact_id.as_ref().unwrap());
    let open = &ConversationFilter {
        platform_client_id: Some(TENANT.into()),
        status: Some(ConversationStatus::Open),
        ..all.clone()
    };
    let theirs = &ConversationFilter {
        contact_id: Some(person.clone()),
        ..all.clone()
    };
    let calls = &CallFilter {
        conversation_id: Some(id.clone()),
        ..CallFilter::default()
    };
    let (_, cursor) = block_on(list_conversations(c, all, &page(5, None))).unwrap();
    let next = &page(5, cursor);
    let job = store.lease_kinds(&["enrich"], 1).remove(0);
    vec![
        (
            "conversations",
            c.cost(list_conversations(c, all, first), |(rows, _)| rows.len()),
        ),
        (
            "those after them",
            c.cost(list_conversations(c, all, next), |(rows, _)| rows.len()),
        ),
        (
            "open ones of a tenant",
            c.cost(list_conversations(c, open, first), |(rows, _)| rows.len()),
        ),
        (
            "those of a contact",
            c.cost(list_conversations(c, theirs, first), |(rows, _)| rows.len()),
        ),
        (
            "one conversation",
            c.cost(find_conversation(c, None, id), |row| row.iter().len()),
        ),
        (
            "a thread",
            c.cost(
                list_messages(c, None, id, MessageOrder::Newest, first),
                |(rows, _)| whole(&rows),
            ),
        ),
        (
            "contacts",
            c.cost(
                list_contacts(c, &ContactFilter::default(), first),
                |(rows, _)| rows.iter().filter(|one| one.identities.len() == 2).count(),
            ),
        ),
        (
            "one contact",
            c.cost(find_contact(c, None, person), |row| row.iter().len()),
        ),
        (
            "external calls",
            c.cost(list_external_calls(c, calls, first), |(rows, _)| rows.len()),
        ),
        (
            "jobs",
            c.cost(list_outbox(c, &JobFilter::default(), first), |(rows, _)| {
                rows.len()
            }),
        ),
        (
            "rules",
            c.cost(list_rules(c, Some(TENANT)), |rows| rows.len()),
        ),
        (
            "changes",
            c.cost(list_changes(c, None, 0, 50), |rows| rows.len()),
        ),
        (
            "the last change",
            c.cost(find_last_change(c), |seq| usize::from(seq > 0)),
        ),
        (
            CONTEXT,
            c.cost(read_context(c, store.moment(), &job.token, 5), |context| {
                context.recent.len()
            }),
        ),
    ]
}

/// Five things are read of a job: itself, its message, conversation and contact, and the newest
/// messages.
const CONTEXT: &str = "the context of a job";

#[test]
fn every_reading_is_one_statement_with_10_conversations_and_with_500() {
    let (small, large) = (costs(&inbox(10, 10)), costs(&inbox(500, 20)));
    for ((name, small), (_, large)) in small.into_iter().zip(large) {
        let want = if name == CONTEXT { 5 } else { 1 };
        assert!(small.rows > 0 && large.rows > 0, "{name} gives nothing");
        assert_eq!((small.statements, large.statements), (want, want), "{name}");
    }
}

/// One statement could still walk through everything.
#[test]
fn a_page_takes_the_same_steps_among_10_000_messages_as_among_1200() {
    let (small, large) = (costs(&inbox(60, 20)), costs(&inbox(500, 20)));
    for ((name, small), (_, large)) in small.into_iter().zip(large) {
        assert_eq!(small.rows, large.rows, "{name}");
        assert_eq!(small.steps, large.steps, "{name}");
    }
}
