//! The capability as a guest sees it: the host implementation is called directly.

mod asynchronous;
mod hostile;

use std::sync::Arc;

use tempfile::TempDir;
use wasmtime::component::Resource;

use super::bindings::spin::sqlite::sqlite::HostConnection;
use super::{Error, Grant, Handle, MAX_CONNECTIONS, QueryResult, Shared, State, Value};

/// An app with the databases `default` and `other`, of which `default` is granted.
struct App {
    folder: TempDir,
    shared: Arc<Shared>,
}

impl App {
    fn new() -> Self {
        let folder = tempfile::tempdir().unwrap();
        let shared = Shared::local(folder.path(), ["default", "other"]).unwrap();
        Self {
            folder,
            shared: Arc::new(shared),
        }
    }

    fn instance(&self) -> State {
        self.instance_granted(&["default", "absent"])
    }

    fn instance_granted(&self, labels: &[&str]) -> State {
        let grant = labels
            .iter()
            .map(|label| (*label).to_owned())
            .collect::<Grant>();
        State::new(Arc::new(grant), self.shared.clone())
    }
}

async fn open(state: &mut State, label: &str) -> Result<Resource<Handle>, Error> {
    state.open(label.to_owned()).await.unwrap()
}

/// Runs `sql` on the connection with `rep`.
async fn run(
    state: &mut State,
    connection: &Resource<Handle>,
    sql: &str,
    parameters: Vec<Value>,
) -> Result<QueryResult, Error> {
    let connection = Resource::new_borrow(connection.rep());
    state
        .execute(connection, sql.to_owned(), parameters)
        .await
        .unwrap()
}

async fn execute(
    state: &mut State,
    connection: &Resource<Handle>,
    sql: &str,
) -> Result<QueryResult, Error> {
    run(state, connection, sql, vec![]).await
}

/// The only value that `sql` returns, as text.
async fn value(state: &mut State, connection: &Resource<Handle>, sql: &str) -> String {
    let result = execute(state, connection, sql).await.unwrap();
    match result.rows[0].values.as_slice() {
        [Value::Integer(integer)] => integer.to_string(),
        [Value::Text(text)] => text.clone(),
        other => panic!("{sql}: {other:?}"),
    }
}

fn refused_with(result: Result<QueryResult, Error>, want: &str) {
    match result {
        Err(Error::Io(text)) => assert!(text.contains(want), "{text:?} lacks {want:?}"),
        other => panic!("wanted {want:?}, got {other:?}"),
    }
}

#[tokio::test]
async fn opens_what_is_granted_and_exists() {
    let app = App::new();
    let mut state = app.instance();
    let connection = open(&mut state, "default").await.unwrap();
    assert_eq!(value(&mut state, &connection, "SELECT 7").await, "7");
}

#[tokio::test]
async fn without_the_grant_a_database_is_access_denied() {
    let app = App::new();
    for (name, labels) in [
        ("nothing granted", &[][..]),
        ("another granted", &["other"]),
    ] {
        let mut state = app.instance_granted(labels);
        assert!(
            matches!(open(&mut state, "default").await, Err(Error::AccessDenied)),
            "{name}"
        );
    }
    assert!(!app.folder.path().join("sqlite/default.db").exists());
}

#[tokio::test]
async fn a_granted_label_without_a_backend_is_no_such_database() {
    let app = App::new();
    let mut state = app.instance();
    assert!(matches!(
        open(&mut state, "absent").await,
        Err(Error::NoSuchDatabase)
    ));
}

#[tokio::test]
async fn a_closed_connection_is_invalid() {
    let app = App::new();
    let mut state = app.instance();
    let connection = open(&mut state, "default").await.unwrap();
    let rep = connection.rep();
    state.drop(connection).await.unwrap();
    let dead = Resource::new_borrow(rep);
    assert!(matches!(
        execute(&mut state, &dead, "SELECT 1").await,
        Err(Error::InvalidConnection)
    ));
    assert!(
        state.changes(Resource::new_borrow(rep)).await.is_err(),
        "a dead handle traps"
    );
    assert!(
        state
            .last_insert_rowid(Resource::new_borrow(rep))
            .await
            .is_err()
    );
}

#[tokio::test]
async fn an_instance_has_at_most_256_connections() {
    let app = App::new();
    let mut state = app.instance();
    let mut connections = Vec::new();
    for _ in 0..MAX_CONNECTIONS {
        connections.push(open(&mut state, "default").await.unwrap());
    }
    match open(&mut state, "default").await {
        Err(Error::Io(text)) => assert_eq!(text, "too many connections opened"),
        other => panic!("{other:?}"),
    }
    state.drop(connections.pop().unwrap()).await.unwrap();
    open(&mut state, "default").await.unwrap();
    open(&mut app.instance(), "default")
        .await
        .expect("another instance has its own limit");
}

#[tokio::test]
async fn a_new_database_has_spins_settings() {
    let app = App::new();
    let mut state = app.instance();
    let connection = open(&mut state, "default").await.unwrap();
    for (pragma, want) in [
        ("journal_mode", "delete"),
        ("synchronous", "2"),
        ("busy_timeout", "5000"),
        ("foreign_keys", "1"),
    ] {
        let sql = format!("PRAGMA {pragma}");
        assert_eq!(value(&mut state, &connection, &sql).await, want, "{pragma}");
    }
}

#[tokio::test]
async fn wal_is_kept_until_a_guest_leaves_it() {
    let app = App::new();
    let mut state = app.instance();
    let first = open(&mut state, "default").await.unwrap();
    assert_eq!(
        value(&mut state, &first, "PRAGMA journal_mode = WAL").await,
        "wal"
    );
    state.drop(first).await.unwrap();

    let second = open(&mut state, "default").await.unwrap();
    assert_eq!(
        value(&mut state, &second, "PRAGMA journal_mode").await,
        "wal"
    );
    assert_eq!(
        value(&mut state, &second, "PRAGMA journal_mode = DELETE").await,
        "delete"
    );
}

#[tokio::test]
async fn values_of_every_class_come_back_as_they_went_in() {
    let app = App::new();
    let mut state = app.instance();
    let connection = open(&mut state, "default").await.unwrap();
    let parameters = vec![
        Value::Integer(i64::MIN),
        Value::Real(0.5),
        Value::Text("ä😀\0".to_owned()),
        Value::Blob(vec![0, 255]),
        Value::Null,
    ];
    let result = run(
        &mut state,
        &connection,
        "SELECT ? AS a, ?, ?, ?, ?",
        parameters,
    )
    .await
    .unwrap();
    assert_eq!(result.columns[0], "a");
    assert!(
        matches!(
            result.rows[0].values.as_slice(),
            [Value::Integer(i64::MIN), Value::Real(real), Value::Text(text), Value::Blob(blob), Value::Null]
                if *real == 0.5 && text == "ä😀\0" && *blob == [0, 255]
        ),
        "{result:?}"
    );
    let too_few = run(&mut state, &connection, "SELECT ?, ?", vec![Value::Null]).await;
    refused_with(too_few, "Wrong number of parameters");
}

#[tokio::test]
async fn counts_changes_and_rowids_per_connection() {
    let app = App::new();
    let mut state = app.instance();
    let connection = open(&mut state, "default").await.unwrap();
    let other = open(&mut state, "default").await.unwrap();
    let borrow = |connection: &Resource<Handle>| Resource::new_borrow(connection.rep());
    assert_eq!(
        state.last_insert_rowid(borrow(&connection)).await.unwrap(),
        0
    );
    execute(
        &mut state,
        &connection,
        "CREATE TABLE t (id INTEGER PRIMARY KEY)",
    )
    .await
    .unwrap();
    execute(
        &mut state,
        &connection,
        "INSERT INTO t VALUES (4), (5), (6)",
    )
    .await
    .unwrap();
    assert_eq!(
        state.last_insert_rowid(borrow(&connection)).await.unwrap(),
        6
    );
    assert_eq!(state.changes(borrow(&connection)).await.unwrap(), 3);
    assert_eq!(state.last_insert_rowid(borrow(&other)).await.unwrap(), 0);
    assert_eq!(state.changes(borrow(&other)).await.unwrap(), 0);
}

#[tokio::test]
async fn only_the_first_statement_runs() {
    let app = App::new();
    let mut state = app.instance();
    let connection = open(&mut state, "default").await.unwrap();
    execute(&mut state, &connection, "CREATE TABLE t (a)")
        .await
        .unwrap();
    for sql in [
        "INSERT INTO t VALUES (1); DROP TABLE t",
        "INSERT INTO t VALUES (2); not SQL at all",
    ] {
        execute(&mut state, &connection, sql).await.unwrap();
    }
    let trigger = "CREATE TRIGGER twice AFTER INSERT ON t BEGIN INSERT INTO t VALUES (10); DELETE FROM t WHERE a = 1; END; DROP TABLE t";
    execute(&mut state, &connection, trigger).await.unwrap();
    execute(&mut state, &connection, "INSERT INTO t VALUES (3)")
        .await
        .unwrap();
    assert_eq!(
        value(&mut state, &connection, "SELECT group_concat(a) FROM t").await,
        "2,3,10"
    );
}

#[tokio::test]
async fn a_dropped_connection_rolls_back() {
    let app = App::new();
    let mut state = app.instance();
    let connection = open(&mut state, "default").await.unwrap();
    execute(&mut state, &connection, "CREATE TABLE t (a)")
        .await
        .unwrap();
    execute(&mut state, &connection, "BEGIN IMMEDIATE")
        .await
        .unwrap();
    execute(&mut state, &connection, "INSERT INTO t VALUES (1)")
        .await
        .unwrap();
    state.drop(connection).await.unwrap();

    let next = open(&mut state, "default").await.unwrap();
    execute(&mut state, &next, "BEGIN IMMEDIATE")
        .await
        .expect("the lock is free again");
    assert_eq!(
        value(&mut state, &next, "SELECT count(*) FROM t").await,
        "0"
    );
}

#[tokio::test]
async fn a_writer_waits_no_longer_than_its_busy_timeout() {
    let app = App::new();
    let mut state = app.instance();
    let holder = open(&mut state, "default").await.unwrap();
    let waiter = open(&mut state, "default").await.unwrap();
    execute(&mut state, &holder, "CREATE TABLE t (a)")
        .await
        .unwrap();
    execute(&mut state, &holder, "BEGIN IMMEDIATE")
        .await
        .unwrap();
    execute(&mut state, &waiter, "PRAGMA busy_timeout = 1")
        .await
        .unwrap();
    for sql in [
        "INSERT INTO t VALUES (1)",
        "BEGIN IMMEDIATE",
        "CREATE TABLE u (a)",
    ] {
        refused_with(
            execute(&mut state, &waiter, sql).await,
            "database is locked",
        );
    }
    execute(&mut state, &waiter, "SELECT * FROM t")
        .await
        .expect("readers do not wait");
    execute(&mut state, &holder, "COMMIT").await.unwrap();
    execute(&mut state, &waiter, "INSERT INTO t VALUES (1)")
        .await
        .unwrap();
}

#[tokio::test]
async fn a_failed_write_leaves_the_way_free() {
    let app = App::new();
    let mut state = app.instance();
    let first = open(&mut state, "default").await.unwrap();
    let second = open(&mut state, "default").await.unwrap();
    execute(&mut state, &first, "CREATE TABLE t (a UNIQUE)")
        .await
        .unwrap();
    execute(&mut state, &first, "INSERT INTO t VALUES (1)")
        .await
        .unwrap();
    refused_with(
        execute(&mut state, &first, "INSERT INTO t VALUES (1)").await,
        "UNIQUE",
    );
    execute(&mut state, &second, "PRAGMA busy_timeout = 0")
        .await
        .unwrap();
    execute(&mut state, &second, "INSERT INTO t VALUES (2)")
        .await
        .expect("nobody writes");
}

#[tokio::test(flavor = "multi_thread")]
async fn concurrent_transactions_all_succeed() {
    let app = App::new();
    let mut state = app.instance();
    let connection = open(&mut state, "default").await.unwrap();
    execute(&mut state, &connection, "PRAGMA journal_mode = WAL")
        .await
        .unwrap();
    execute(&mut state, &connection, "CREATE TABLE t (n INTEGER)")
        .await
        .unwrap();
    execute(&mut state, &connection, "INSERT INTO t VALUES (0)")
        .await
        .unwrap();
    let tasks: Vec<_> = (0..8)
        .map(|_| {
            let mut state = app.instance();
            tokio::spawn(async move {
                let connection = open(&mut state, "default").await.unwrap();
                for _ in 0..5 {
                    execute(&mut state, &connection, "BEGIN IMMEDIATE")
                        .await
                        .unwrap();
                    let n = value(&mut state, &connection, "SELECT n FROM t").await;
                    let next = format!("UPDATE t SET n = {n} + 1");
                    execute(&mut state, &connection, &next).await.unwrap();
                    execute(&mut state, &connection, "COMMIT").await.unwrap();
                }
            })
        })
        .collect();
    for task in tasks {
        task.await.unwrap();
    }
    assert_eq!(
        value(&mut state, &connection, "SELECT n FROM t").await,
        "40"
    );
}

#[tokio::test]
async fn nothing_of_a_left_connection_is_there_for_the_next_guest() {
    let app = App::new();
    for sql in [
        "PRAGMA foreign_keys = OFF",
        "PRAGMA busy_timeout = 1",
        "PRAGMA synchronous = OFF",
        "PRAGMA query_only = ON",
        "CREATE TEMP TABLE left_behind (a)",
        "CREATE TABLE temp.left_behind (a)",
        "CREATE TEMP VIEW left_behind AS SELECT 1",
        "ATTACH '' AS left_behind",
        "ATTACH ':memory:' AS left_behind",
        "BEGIN IMMEDIATE",
        "SAVEPOINT left_behind",
        "CREATE TABLE IF NOT EXISTS kept (a)",
        "INSERT INTO kept VALUES (1)",
    ] {
        let mut state = app.instance();
        let connection = open(&mut state, "default").await.unwrap();
        execute(&mut state, &connection, sql).await.unwrap();
        let other = open(&mut state, "default").await.unwrap();
        state.drop(connection).await.unwrap();
        // The one that was left is at hand once its transaction is over.
        execute(&mut state, &other, "BEGIN IMMEDIATE")
            .await
            .unwrap();
        execute(&mut state, &other, "COMMIT").await.unwrap();
        for _ in 0..3 {
            let next = open(&mut state, "default").await.unwrap();
            let settings = "SELECT foreign_keys || busy_timeout.timeout || synchronous || query_only FROM pragma_foreign_keys, pragma_busy_timeout AS busy_timeout, pragma_synchronous, pragma_query_only";
            assert_eq!(value(&mut state, &next, settings).await, "1500020", "{sql}");
            let left = "SELECT (SELECT count(*) FROM sqlite_temp_schema) + (SELECT count(*) FROM pragma_database_list WHERE name = 'left_behind')";
            assert_eq!(value(&mut state, &next, left).await, "0", "{sql}");
            execute(&mut state, &next, "BEGIN IMMEDIATE")
                .await
                .expect(sql);
            execute(&mut state, &next, "ROLLBACK").await.unwrap();
            let count = state
                .changes(Resource::new_borrow(next.rep()))
                .await
                .unwrap();
            assert_eq!(count, 0, "{sql}");
            let rowid = state
                .last_insert_rowid(Resource::new_borrow(next.rep()))
                .await
                .unwrap();
            assert_eq!(rowid, 0, "{sql}");
        }
    }
}

#[tokio::test]
async fn the_last_connection_closes_with_the_app() {
    let App { folder, shared } = App::new();
    let grant = Arc::new(["default".to_owned()].into_iter().collect::<Grant>());
    let mut state = State::new(grant, shared.clone());
    let connection = open(&mut state, "default").await.unwrap();
    execute(&mut state, &connection, "PRAGMA journal_mode = WAL")
        .await
        .unwrap();
    execute(&mut state, &connection, "CREATE TABLE t (a)")
        .await
        .unwrap();
    let wal = folder.path().join("sqlite/default.db-wal");
    assert!(wal.exists());
    drop((state, shared));
    let deadline = std::time::Instant::now() + std::time::Duration::from_secs(60);
    while wal.exists() {
        assert!(
            std::time::Instant::now() < deadline,
            "a connection is still open"
        );
        tokio::task::yield_now().await;
    }
}
