//! Writes that share a commit are to each of their connections as if they had run alone.
#![expect(
    clippy::unwrap_used,
    clippy::indexing_slicing,
    reason = "a test that panics has failed, which is all that it is for"
)]

use std::future::Future;
use std::pin::Pin;

use chatly_sqlite::{Backend, Connection, Error, Handle, Local, QueryResult, Value};
use proptest::prelude::*;
use tempfile::TempDir;

/// A database and as many connections as there are statements at once.
struct Fixture {
    folder: TempDir,
    database: Local,
    /// Stays open: the last connection to close would take the write-ahead log with it.
    keeper: Handle,
}

impl Fixture {
    async fn new(schema: &[&str]) -> Self {
        let folder = tempfile::tempdir().unwrap();
        let database = Local::new(folder.path(), "default").unwrap();
        let keeper = database.open().await.unwrap();
        run(&*keeper, "PRAGMA journal_mode = WAL", &[])
            .await
            .unwrap();
        for statement in schema {
            run(&*keeper, statement, &[]).await.unwrap();
        }
        Self {
            folder,
            database,
            keeper,
        }
    }

    async fn connection(&self) -> Handle {
        self.database.open().await.unwrap()
    }

    /// A connection with a setting of its own: it commits by itself.
    async fn lone_connection(&self) -> Handle {
        let connection = self.connection().await;
        run(&*connection, "PRAGMA cache_size = -2000", &[])
            .await
            .unwrap();
        connection
    }

    /// Lets the host see `sql`, without effect.
    async fn introduce(&self, sql: &str, parameters: &[i64]) {
        let connection = self.lone_connection().await;
        run(&*connection, "BEGIN", &[]).await.unwrap();
        let _ = run(&*connection, sql, parameters).await;
        let _ = run(&*connection, "ROLLBACK", &[]).await;
    }

    /// How many commits the write-ahead log holds: the frames that end a transaction, by
    /// <https://www.sqlite.org/fileformat2.html#walformat>.
    fn commits(&self) -> usize {
        let log = std::fs::read(self.folder.path().join("sqlite/default.db-wal")).unwrap();
        let word = |at: usize| u32::from_be_bytes(log[at..at + 4].try_into().unwrap());
        let (page_bytes, salt) = (word(8) as usize, word(16));
        (32..log.len())
            .step_by(24 + page_bytes)
            .take_while(|frame| word(frame + 8) == salt)
            .filter(|frame| word(frame + 4) != 0)
            .count()
    }
}

async fn run(
    connection: &dyn Connection,
    sql: &str,
    parameters: &[i64],
) -> Result<QueryResult, Error> {
    let parameters = parameters.iter().copied().map(Value::Integer).collect();
    connection.execute(sql.to_owned(), parameters).await
}

/// All rows of a query, as text.
async fn rows(connection: &dyn Connection, sql: &str) -> String {
    format!("{:?}", run(connection, sql, &[]).await.unwrap().rows)
}

type Call<'a> = Pin<Box<dyn Future<Output = Result<QueryResult, Error>> + Send + 'a>>;

/// Starts all statements, each on its connection, while nobody can write; then lets them go.
async fn at_once(
    fixture: &Fixture,
    calls: Vec<(&Handle, &str, &[i64])>,
) -> Vec<Result<QueryResult, Error>> {
    let holder = fixture.lone_connection().await;
    run(&*holder, "BEGIN IMMEDIATE", &[]).await.unwrap();
    let mut started = Vec::new();
    for (connection, sql, parameters) in calls {
        let mut call: Call<'_> = Box::pin(run(&**connection, sql, parameters));
        // What is known to join waits in its place as soon as it is polled.
        let early = futures::poll!(&mut call);
        started.push((call, early));
    }
    run(&*holder, "COMMIT", &[]).await.unwrap();
    let mut results = Vec::new();
    for (call, early) in started {
        results.push(match early {
            std::task::Poll::Ready(result) => result,
            std::task::Poll::Pending => call.await,
        });
    }
    results
}

#[tokio::test]
async fn writes_that_wait_together_share_one_commit() {
    let fixture = Fixture::new(&["CREATE TABLE t (id INTEGER PRIMARY KEY, a)"]).await;
    let insert = "INSERT INTO t (a) VALUES (?)";
    fixture.introduce(insert, &[0]).await;
    let mut connections = Vec::new();
    for _ in 0..64 {
        connections.push(fixture.connection().await);
    }
    let before = fixture.commits();
    assert_eq!(before, 1, "the table");
    let numbers: Vec<_> = (0..64).map(|number| [number]).collect();
    let calls = connections
        .iter()
        .zip(&numbers)
        .map(|(connection, number)| (connection, insert, &number[..]));
    for result in at_once(&fixture, calls.collect()).await {
        result.unwrap();
    }
    assert_eq!(fixture.commits() - before, 1, "one for all 64");
    let counted = fixture.database.commits().unwrap();
    let held = || Vec::from_iter(counted.buckets().filter(|(_, count)| *count > 0));
    assert_eq!((held(), counted.statements()), (vec![(64, 1)], 64));
    for (connection, want) in connections.iter().zip(1..) {
        assert_eq!(connection.last_insert_rowid(), want);
        assert_eq!(connection.changes(), 1);
    }

    let lone = fixture.lone_connection().await;
    let before = fixture.commits();
    for _ in 0..5 {
        run(&*lone, insert, &[0]).await.unwrap();
    }
    assert_eq!(fixture.commits() - before, 5, "one each for who is alone");
    assert_eq!(held(), [(64, 1)], "what is alone is in no group");
}

#[tokio::test]
async fn sql_sees_the_counters_of_a_grouped_write() {
    let fixture = Fixture::new(&["CREATE TABLE t (a)"]).await;
    let first = fixture.connection().await;
    run(&*first, "INSERT INTO t VALUES (1), (2)", &[])
        .await
        .unwrap();
    assert_eq!(first.changes(), 2);
    let counters = "SELECT changes(), total_changes(), last_insert_rowid()";
    let want = "[RowResult { values: [Value::Integer(2), Value::Integer(2), Value::Integer(2)] }]";
    assert_eq!(
        rows(&*first, counters).await,
        want,
        "and SQL sees its counters"
    );
}

#[tokio::test]
async fn who_rolls_back_a_group_harms_nobody_else() {
    for culprit in [
        "INSERT OR ROLLBACK INTO t VALUES (0)",
        "INSERT INTO picky VALUES (0)",
    ] {
        let fixture = Fixture::new(&[
            "CREATE TABLE t (a UNIQUE)",
            "INSERT INTO t VALUES (0)",
            "CREATE TABLE picky (a)",
            "CREATE TRIGGER refuse AFTER INSERT ON picky BEGIN SELECT raise(ROLLBACK, 'UNIQUE enough'); END",
        ])
        .await;
        let insert = "INSERT INTO t VALUES (?)";
        fixture.introduce(insert, &[9]).await;
        fixture.introduce(culprit, &[]).await;
        let mut connections = Vec::new();
        for _ in 0..5 {
            connections.push(fixture.connection().await);
        }
        let calls = vec![
            (&connections[0], insert, &[1][..]),
            (&connections[1], insert, &[2]),
            (&connections[2], culprit, &[]),
            (&connections[3], insert, &[3]),
            (&connections[4], insert, &[0]),
        ];
        let results = at_once(&fixture, calls).await;
        let succeeded: Vec<_> = results.iter().map(Result::is_ok).collect();
        assert_eq!(succeeded, [true, true, false, true, false], "{culprit}");
        for failed in [&results[2], &results[4]] {
            let text = format!("{failed:?}");
            assert!(text.contains("UNIQUE"), "{text}");
        }
        let all = "SELECT group_concat(a) FROM (SELECT a FROM t ORDER BY a)";
        let got = rows(&*connections[2], all).await;
        assert!(got.contains("\"0,1,2,3\""), "{got}");
    }
}

#[tokio::test]
async fn a_long_statement_leaves_its_group_and_is_whole() {
    let fixture = Fixture::new(&["CREATE TABLE t (a)"]).await;
    let long = "INSERT INTO t WITH RECURSIVE n(i) AS (SELECT 1 UNION ALL SELECT i + 1 FROM n LIMIT 100000) SELECT i FROM n";
    let short = "INSERT INTO t VALUES (?)";
    fixture.introduce(long, &[]).await;
    fixture.introduce(short, &[0]).await;
    let (first, second) = (fixture.connection().await, fixture.connection().await);
    let calls = vec![(&first, short, &[1][..]), (&second, long, &[])];
    for result in at_once(&fixture, calls).await {
        result.unwrap();
    }
    assert_eq!(second.changes(), 100_000);
    assert!(
        rows(&*first, "SELECT count(*) FROM t")
            .await
            .contains("100001")
    );
}

#[tokio::test]
async fn a_large_answer_is_given_in_full() {
    let fixture = Fixture::new(&[
        "CREATE TABLE t (a)",
        "INSERT INTO t VALUES (zeroblob(1000000))",
    ])
    .await;
    let connection = fixture.connection().await;
    for _ in 0..2 {
        let sql = "UPDATE t SET a = a RETURNING a";
        let result = run(&*connection, sql, &[]).await.unwrap();
        assert!(
            matches!(&result.rows[0].values[..], [Value::Blob(blob)] if blob.len() == 1_000_000)
        );
        assert_eq!(connection.changes(), 1);
    }
}

#[tokio::test]
async fn a_trigger_sees_the_counters_of_its_own_connection() {
    let fixture = Fixture::new(&["CREATE TABLE t (a)", "CREATE TABLE log (n)"]).await;
    let insert = "INSERT INTO t VALUES (?)";
    let (first, second) = (fixture.connection().await, fixture.connection().await);
    run(&*first, insert, &[1]).await.unwrap();
    run(&*second, "INSERT INTO t VALUES (1), (2), (3)", &[])
        .await
        .unwrap();
    // From here on the insert, which is known to join, must not any more.
    let trigger =
        "CREATE TRIGGER noting BEFORE INSERT ON t BEGIN INSERT INTO log VALUES (changes()); END";
    run(&*first, trigger, &[]).await.unwrap();
    let calls = vec![(&first, insert, &[4][..]), (&second, insert, &[5])];
    for result in at_once(&fixture, calls).await {
        result.unwrap();
    }
    let noted = rows(&*first, "SELECT n FROM log ORDER BY n").await;
    let want =
        "[RowResult { values: [Value::Integer(1)] }, RowResult { values: [Value::Integer(3)] }]";
    assert_eq!(noted, want);
}

#[tokio::test]
async fn a_table_sees_the_counters_of_the_connection_that_writes_to_it() {
    // In a group, SQLite's own counters are the sum of all.
    for (table, first_may, second_may) in [
        (
            "t (a, seen DEFAULT (100 * total_changes() + changes()))",
            true,
            true,
        ),
        (
            "t (a, seen DEFAULT 0 CHECK (total_changes() = 1))",
            true,
            false,
        ),
        (
            "t (a, seen DEFAULT 0 CHECK (total_changes() = 3))",
            false,
            true,
        ),
        ("t (a, seen DEFAULT 0 CHECK (changes() = 3))", false, true),
        ("t (a, seen DEFAULT (last_insert_rowid()))", true, true),
    ] {
        let create = format!("CREATE TABLE {table}");
        let fixture = Fixture::new(&[&create, "CREATE TABLE u (a)"]).await;
        let insert = "INSERT INTO t (a) VALUES (?)";
        fixture.introduce(insert, &[0]).await;
        let (first, second) = (fixture.connection().await, fixture.connection().await);
        run(&*first, "INSERT INTO u VALUES (1)", &[]).await.unwrap();
        run(&*second, "INSERT INTO u VALUES (1), (2), (3)", &[])
            .await
            .unwrap();
        let calls = vec![(&first, insert, &[7][..]), (&second, insert, &[8])];
        let results = at_once(&fixture, calls).await;
        for (result, may) in results.iter().zip([first_may, second_may]) {
            let refused = format!("{result:?}").contains("CHECK constraint failed");
            assert_eq!(
                (result.is_ok(), refused),
                (may, !may),
                "{table}: {result:?}"
            );
        }
        let sum = if table.contains("total_changes() + ") {
            101 + 303
        } else if table.contains("rowid") {
            1 + 4
        } else {
            0
        };
        let seen = rows(&*first, "SELECT sum(seen) FROM t").await;
        assert!(seen.contains(&format!("Integer({sum})")), "{table}: {seen}");
    }
}

#[tokio::test]
async fn the_journal_mode_can_be_left_after_grouped_writes() {
    let fixture = Fixture::new(&["CREATE TABLE t (a)"]).await;
    // The only one: the mode cannot be left while others have the log.
    let connection = &*fixture.keeper;
    for _ in 0..2 {
        run(connection, "INSERT INTO t VALUES (1)", &[])
            .await
            .unwrap();
    }
    let left = rows(connection, "PRAGMA journal_mode = DELETE").await;
    assert!(left.contains("delete"), "{left}");
    let other = fixture.connection().await;
    run(&*other, "INSERT INTO t VALUES (1)", &[]).await.unwrap();
    assert!(
        rows(&*other, "SELECT count(*) FROM t")
            .await
            .contains("Integer(3)")
    );
}

/// What the property is tried on: a trigger, deferred and immediate keys, a view.
const SCHEMA: [&str; 7] = [
    "CREATE TABLE parent (id INTEGER PRIMARY KEY AUTOINCREMENT, a UNIQUE)",
    "CREATE TABLE late (p REFERENCES parent(id) DEFERRABLE INITIALLY DEFERRED)",
    "CREATE TABLE soon (p REFERENCES parent(id) ON DELETE CASCADE)",
    "CREATE TABLE log (a)",
    "CREATE TRIGGER noting AFTER INSERT ON parent BEGIN INSERT INTO log VALUES (new.a); END",
    "CREATE VIEW both AS SELECT id, a FROM parent",
    "CREATE TRIGGER through INSTEAD OF INSERT ON both BEGIN INSERT INTO parent (a) VALUES (new.a); INSERT INTO soon VALUES (new.id); END",
];

/// Statements, all with two parameters but the last.
const STATEMENTS: [&str; 17] = [
    "INSERT INTO parent (a) VALUES (?1 + 0 * ?2)",
    "INSERT OR IGNORE INTO parent (a) VALUES (?1), (?2)",
    "INSERT OR REPLACE INTO parent (id, a) VALUES (?1, ?2)",
    "INSERT OR FAIL INTO parent (a) VALUES (?1), (?2), (?1 + 1)",
    "INSERT OR ABORT INTO parent (a) VALUES (?1), (?2), (?1 + 1) RETURNING id, a",
    "INSERT INTO parent (id, a) VALUES (?1, ?2) ON CONFLICT DO UPDATE SET a = a + 10 RETURNING *",
    "UPDATE parent SET a = a + ?1 WHERE id > ?2",
    "UPDATE OR IGNORE parent SET a = ?1 WHERE id < ?2",
    "DELETE FROM parent WHERE id IN (?1, ?2) RETURNING a",
    "INSERT INTO late VALUES (?1), (?2) RETURNING p",
    "INSERT OR FAIL INTO late VALUES (?1), (?2)",
    "INSERT INTO soon VALUES (?1), (?2)",
    "INSERT INTO both VALUES (?1, ?2)",
    "UPDATE parent SET a = ?1 WHERE ?2 < 0",
    "INSERT INTO log SELECT abs(-9223372036854775807 - (value > 1)) + ?2 FROM json_each('[1,2,3]') WHERE ?1",
    "INSERT INTO absent VALUES (?1, ?2)",
    "INSERT INTO parent (a) VALUES (?)",
];

type Case = Vec<Vec<(usize, [i64; 2])>>;

fn cases() -> impl Strategy<Value = Case> {
    let statement = (0..STATEMENTS.len(), [0..6i64, 0..6i64]);
    prop::collection::vec(prop::collection::vec(statement, 1..8), 1..6)
}

/// Runs all rounds, together or one after the other, and tells all that can be seen.
async fn observe(case: &Case, together: bool) -> Vec<String> {
    let fixture = Fixture::new(&SCHEMA).await;
    let mut connections = Vec::new();
    for _ in 0..8 {
        connections.push(if together {
            fixture.connection().await
        } else {
            fixture.lone_connection().await
        });
    }
    if together {
        for sql in STATEMENTS {
            fixture.introduce(sql, &[0, 0]).await;
        }
    }
    let mut seen = Vec::new();
    for round in case {
        let calls = round.iter().zip(&connections);
        let calls: Vec<_> = calls
            .map(|((statement, parameters), connection)| {
                (connection, STATEMENTS[*statement], &parameters[..])
            })
            .collect();
        let results = if together {
            at_once(&fixture, calls).await
        } else {
            let mut results = Vec::new();
            for (connection, sql, parameters) in calls {
                results.push(run(&**connection, sql, parameters).await);
            }
            results
        };
        seen.extend(results.iter().map(|result| format!("{result:?}")));
        for connection in &connections {
            let counted = (connection.changes(), connection.last_insert_rowid());
            let counters = "SELECT changes(), total_changes(), last_insert_rowid()";
            seen.push(format!(
                "{counted:?} {}",
                rows(&**connection, counters).await
            ));
        }
        // What reads the counters runs on its own connection, and so does what follows in it.
        for connection in connections.iter().step_by(3) {
            let noting = "INSERT INTO log VALUES (changes() + 100 * total_changes() + 10000 * last_insert_rowid())";
            run(&**connection, noting, &[]).await.unwrap();
        }
        for table in ["parent", "late", "soon", "log", "sqlite_sequence"] {
            let all = format!("SELECT rowid, * FROM {table} ORDER BY rowid");
            seen.push(rows(&*connections[0], &all).await);
        }
    }
    seen
}

proptest! {
    #![proptest_config(ProptestConfig { cases: 48, failure_persistence: None, ..ProptestConfig::default() })]
    #[test]
    fn grouped_writes_do_what_they_do_alone(case in cases()) {
        let runtime = tokio::runtime::Builder::new_current_thread().build().unwrap();
        let (together, alone) = runtime.block_on(async {
            (observe(&case, true).await, observe(&case, false).await)
        });
        prop_assert_eq!(together, alone);
    }
}
