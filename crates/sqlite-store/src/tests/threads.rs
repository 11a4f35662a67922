//! Several connections at once, as several instances have them.

use std::sync::Mutex;
use std::sync::atomic::{AtomicUsize, Ordering};

use super::*;

fn now() -> u64 {
    SystemTime::now()
        .duration_since(UNIX_EPOCH)
        .unwrap()
        .as_millis()
        .try_into()
        .unwrap()
}

fn fresh() -> Moment {
    static CALLS: AtomicUsize = AtomicUsize::new(1);
    let call = CALLS.fetch_add(1, Ordering::Relaxed) as u128;
    Moment {
        now: now(),
        seed: call.wrapping_mul(0x9e37_79b9_7f4a_7c15_f39c_c060_5ced_c835),
    }
}

/// Runs `call` again while the database is busy, as every caller does.
fn patiently<T, F: Future<Output = Result<T, Error>>>(call: impl Fn() -> F) -> T {
    loop {
        match block_on(call()) {
            Err(Error::Busy) => {}
            answer => return answer.unwrap(),
        }
    }
}

fn deliver(connection: &Native, event: Event) -> Appended {
    let item = Item {
        platform_client_id: TENANT.into(),
        event,
        traceparent: None,
    };
    let delivery = Accepted {
        channel: CHANNEL.into(),
        received_at: now(),
        headers: vec![],
        body: vec![b'x'; 500],
        digest: String::new(),
    };
    patiently(|| {
        append(
            connection,
            fresh(),
            delivery.clone(),
            std::slice::from_ref(&item),
        )
    })
}

/// Leases and commits until the inbox is empty; gives the keys in the order of their commits.
fn drain(connection: &Native, log: &Mutex<Vec<String>>, max: u32) {
    let kinds = ["event".to_owned()];
    loop {
        let jobs = patiently(|| lease(connection, fresh(), &kinds, max, 600_000));
        if jobs.is_empty()
            && block_on(find_next_due(connection, &kinds))
                .unwrap()
                .is_none()
        {
            return;
        }
        for job in jobs {
            // Noted before the commit: a later one of the same person cannot start before it.
            log.lock().unwrap().push(event_of(&job).key.clone());
            let effects = effects(event_of(&job));
            patiently(|| commit(connection, fresh(), &job.token, &effects));
        }
    }
}

#[test]
fn opening_at_once_migrates_once() {
    let file = File::new();
    std::thread::scope(|scope| {
        for _ in 0..8 {
            scope.spawn(|| file.open());
        }
    });
    let version: i64 = file
        .open()
        .0
        .query_row("PRAGMA user_version", [], |row| row.get(0))
        .unwrap();
    assert_eq!(version, crate::schema::VERSION.cast_signed());
    let mode: String = file
        .open()
        .0
        .query_row("PRAGMA journal_mode", [], |row| row.get(0))
        .unwrap();
    assert_eq!(mode, "wal");
}

#[test]
fn a_database_of_a_newer_version_is_refused_and_left_as_it_is() {
    let file = File::new();
    let connection = file.open();
    let newer = crate::schema::VERSION + 1;
    let set = format!("PRAGMA user_version={newer}");
    connection.0.execute_batch(&set).unwrap();
    let error = block_on(prepare(&connection)).unwrap_err();
    assert!(error.to_string().contains("newer version"), "{error}");
    let version: i64 = connection
        .0
        .query_row("PRAGMA user_version", [], |row| row.get(0))
        .unwrap();
    assert_eq!(version, newer.cast_signed());
}

/// A connection as a host has it: others run while it works, and a lock is waited for.
struct Hosted(Native);

impl Connection for Hosted {
    async fn execute(&self, sql: &str, parameters: Vec<Value>) -> Result<Vec<Row>, Fault> {
        loop {
            let mut yielded = false;
            std::future::poll_fn(|context| {
                if std::mem::replace(&mut yielded, true) {
                    return std::task::Poll::Ready(());
                }
                context.waker().wake_by_ref();
                std::task::Poll::Pending
            })
            .await;
            match self.0.execute(sql, parameters.clone()).await {
                Err(Fault::Busy) => {}
                answer => return answer,
            }
        }
    }
}

#[test]
fn deliveries_that_come_together_are_each_stored_once_and_counted() {
    let file = File::new();
    let connections: Vec<Hosted> = (0..30).map(|_| Hosted(file.open())).collect();
    for connection in &connections {
        connection
            .0
            .0
            .execute_batch("PRAGMA busy_timeout=0")
            .unwrap();
    }
    let one = |number: usize, connection| {
        // Every third is a copy of the one before, and each has one event of its own twice.
        let key = if number % 3 == 2 { number - 1 } else { number };
        let item = |key: String| Item {
            platform_client_id: TENANT.into(),
            event: text(&key, &["phone:1"]),
            traceparent: None,
        };
        let items = [
            item(format!("{key}")),
            item(format!("own {number}")),
            item(format!("own {number}")),
        ];
        let delivery = Accepted {
            channel: CHANNEL.into(),
            received_at: now(),
            headers: vec![],
            body: vec![b'x'; 200_000],
            digest: String::new(),
        };
        async move { append(connection, fresh(), delivery, &items).await }
    };
    let all = connections
        .iter()
        .enumerate()
        .map(|(number, connection)| one(number, connection));
    let answers = block_on(futures::future::join_all(all));
    let answers: Vec<Appended> = answers.into_iter().map(Result::unwrap).collect();
    assert!(
        answers
            .iter()
            .all(|answer| answer.stored + answer.duplicates == 3),
        "{answers:?}"
    );
    assert_eq!(answers.iter().map(|answer| answer.stored).sum::<u32>(), 50);
    let number = |sql: &str| -> i64 {
        connections[0]
            .0
            .0
            .query_row(sql, [], |row| row.get(0))
            .unwrap()
    };
    assert_eq!(
        (
            number("SELECT count(*) FROM inbox"),
            number("SELECT count(*) FROM deliveries_in")
        ),
        (50, 30)
    );
}

#[test]
fn fifty_copies_at_once_are_stored_once() {
    let file = File::new();
    let stored = AtomicUsize::new(0);
    std::thread::scope(|scope| {
        for _ in 0..10 {
            scope.spawn(|| {
                let connection = file.open();
                for _ in 0..5 {
                    let appended = deliver(&connection, text("same", &["phone:1"]));
                    stored.fetch_add(appended.stored as usize, Ordering::Relaxed);
                }
            });
        }
    });
    assert_eq!(stored.into_inner(), 1);
}

#[test]
fn four_workers_do_each_event_once_and_each_persons_in_order() {
    const EVENTS: usize = 400;
    let file = File::new();
    let first = file.open();
    for number in 0..EVENTS {
        // People write by phone, by BSUID or by both, so queues meet all the time.
        let person = number % 7;
        let (phone, bsuid) = (format!("phone:{person}"), format!("bsuid:{person}"));
        let from: &[&str] = match number % 5 {
            0 | 1 => &[&phone],
            2 | 3 => &[&bsuid],
            _ => &[&phone, &bsuid],
        };
        deliver(&first, text(&format!("{number}"), from));
    }
    let log = Mutex::new(vec![]);
    std::thread::scope(|scope| {
        for max in 1..=4 {
            let (file, log) = (&file, &log);
            scope.spawn(move || drain(&file.open(), log, max));
        }
    });
    let log = log.into_inner().unwrap();
    assert_eq!(log.len(), EVENTS);
    let page = Page {
        cursor: None,
        limit: 200,
    };
    let conversations = block_on(list_conversations(
        &first,
        &ConversationFilter::default(),
        &page,
    ))
    .unwrap()
    .0;
    assert_eq!(conversations.len(), 7);
    let mut seen = 0;
    for conversation in conversations {
        let messages = block_on(list_messages(
            &first,
            None,
            &conversation.id,
            MessageOrder::Oldest,
            &page,
        ))
        .unwrap()
        .0;
        let numbers: Vec<usize> = messages
            .iter()
            .map(|message| message.content.id.parse().unwrap())
            .collect();
        assert!(numbers.is_sorted(), "{numbers:?}");
        assert_eq!(conversation.message_count as usize, numbers.len());
        seen += numbers.len();
        // Once the person is known under both ids, which the fifth of their events at the latest
        // says, processing follows arrival too.
        let processed: Vec<usize> = log
            .iter()
            .map(|key| key.parse().unwrap())
            .filter(|number| number % 7 == numbers[0] % 7)
            .collect();
        let known = processed.iter().position(|number| number % 5 == 4).unwrap();
        assert!(processed[known..].is_sorted(), "{processed:?}");
    }
    assert_eq!(seen, EVENTS);
}
