//! The `-async` functions, through a store.

use std::pin::Pin;
use std::sync::Mutex;
use std::task::{Context, Poll};

use wasmtime::component::{
    Accessor, FutureConsumer, FutureReader, HasData, Linker, Source, StreamConsumer, StreamReader,
    StreamResult,
};
use wasmtime::{Config, Engine, Store, StoreContextMut};

use super::super::bindings::spin::sqlite::sqlite::HostConnectionWithStore;
use super::super::{Data, RowResult, link};
use super::*;

fn store(state: State) -> Store<State> {
    let mut config = Config::new();
    config.wasm_component_model_async(true);
    Store::new(&Engine::new(&config).unwrap(), state)
}

/// Runs `test` with the capability's accessor.
async fn with<R>(state: State, test: impl AsyncFnOnce(&Accessor<State, Data>) -> R) -> R {
    let mut store = store(state);
    store
        .run_concurrent(async |accessor| {
            test(&accessor.with_getter(|state: &mut State| state)).await
        })
        .await
        .unwrap()
}

/// Hands what a stream or future brings to the test.
struct Collect<T>(Arc<Mutex<Vec<T>>>, Option<tokio::sync::oneshot::Sender<()>>);

impl<D, T: wasmtime::component::Lift + Send + 'static> StreamConsumer<D> for Collect<T> {
    type Item = T;

    fn poll_consume(
        self: Pin<&mut Self>,
        _: &mut Context<'_>,
        mut store: StoreContextMut<D>,
        mut source: Source<'_, T>,
        _: bool,
    ) -> Poll<wasmtime::Result<StreamResult>> {
        let mut items = Vec::with_capacity(source.remaining(&mut store).max(1));
        source.read(&mut store, &mut items)?;
        self.0.lock().unwrap().append(&mut items);
        Poll::Ready(Ok(StreamResult::Completed))
    }
}

impl<D, T: wasmtime::component::Lift + Send + 'static> FutureConsumer<D> for Collect<T> {
    type Item = T;

    fn poll_consume(
        mut self: Pin<&mut Self>,
        _: &mut Context<'_>,
        mut store: StoreContextMut<D>,
        mut source: Source<'_, T>,
        _: bool,
    ) -> Poll<wasmtime::Result<()>> {
        let mut item = None;
        source.read(&mut store, &mut item)?;
        self.0.lock().unwrap().extend(item);
        drop(self.1.take());
        Poll::Ready(Ok(()))
    }
}

type Streamed = (
    Vec<String>,
    StreamReader<RowResult>,
    FutureReader<Result<(), Error>>,
);

/// Reads a streamed answer to its end.
async fn drain<D: HasData>(
    store: &Accessor<State, D>,
    (columns, rows, outcome): Streamed,
) -> (Vec<String>, Vec<RowResult>, Result<(), Error>) {
    let (all, end) = (
        Arc::new(Mutex::new(Vec::new())),
        Arc::new(Mutex::new(Vec::new())),
    );
    let (sender, ended) = tokio::sync::oneshot::channel();
    store.with(|mut access| {
        rows.pipe(&mut access, Collect(all.clone(), None)).unwrap();
        outcome
            .pipe(&mut access, Collect(end.clone(), Some(sender)))
            .unwrap();
    });
    let _ = ended.await;
    let rows = std::mem::take(&mut *all.lock().unwrap());
    let outcome = end.lock().unwrap().pop().expect("an outcome");
    (columns, rows, outcome)
}

async fn execute_async(
    store: &Accessor<State, Data>,
    connection: &Resource<Handle>,
    sql: &str,
) -> Result<Streamed, Error> {
    let connection = Resource::new_borrow(connection.rep());
    Data::execute_async(store, connection, sql.to_owned(), vec![])
        .await
        .unwrap()
}

#[test]
fn the_interface_links() {
    let engine = Engine::default();
    let mut linker = Linker::<State>::new(&engine);
    link(&mut linker, |state| state).unwrap();
}

#[tokio::test]
async fn opening_needs_the_grant_here_too() {
    let app = App::new();
    with(app.instance(), async |store| {
        let open = async |label: &str| Data::open_async(store, label.to_owned()).await.unwrap();
        assert!(open("default").await.is_ok());
        assert!(matches!(open("other").await, Err(Error::AccessDenied)));
        assert!(matches!(open("absent").await, Err(Error::NoSuchDatabase)));
        let dead = Resource::new_borrow(4711);
        assert!(matches!(
            execute_async(store, &dead, "SELECT 1").await,
            Err(Error::InvalidConnection)
        ));
    })
    .await;
}

#[tokio::test]
async fn what_an_instances_calls_hold_is_bounded() {
    let app = App::new();
    with(app.instance(), async |store| {
        let connection = Data::open_async(store, "default".to_owned()).await.unwrap().unwrap();
        let all = || {
            let in_flight = store.with(|mut access| access.get().in_flight.clone());
            in_flight.hold(chatly_in_flight::MAX_BYTES)
        };
        let others = all().unwrap();
        match execute_async(store, &connection, "SELECT 1").await {
            Err(Error::Io(text)) => assert_eq!(text, "too many requests"),
            other => panic!("{:?}", other.map(|(columns, ..)| columns)),
        }
        drop(others);
        let long = "WITH RECURSIVE n(i) AS (SELECT 1 UNION ALL SELECT i + 1 FROM n LIMIT 5000) SELECT i FROM n";
        let answer = execute_async(store, &connection, long).await.unwrap();
        assert!(all().is_err(), "a statement that streams is not over");
        assert_eq!(drain(store, answer).await.1.len(), 5000);
    })
    .await;
    let mut state = app.instance();
    let connection = open(&mut state, "default").await.unwrap();
    let _others = state.in_flight.hold(chatly_in_flight::MAX_BYTES).unwrap();
    refused_with(
        execute(&mut state, &connection, "SELECT 1").await,
        "too many requests",
    );
}

#[tokio::test]
async fn rows_stream_in_order_and_the_outcome_follows() {
    let app = App::new();
    with(app.instance(), async |store| {
        let connection = Data::open_async(store, "default".to_owned()).await.unwrap().unwrap();
        for (rows, sql) in [
            (0, "SELECT 1 AS i WHERE 0"),
            (3, "SELECT value AS i FROM json_each('[1,2,3]')"),
            (5000, "WITH RECURSIVE n(i) AS (SELECT 1 UNION ALL SELECT i + 1 FROM n LIMIT 5000) SELECT i FROM n"),
        ] {
            let answer = execute_async(store, &connection, sql).await.unwrap();
            let (columns, got, outcome) = drain(store, answer).await;
            assert_eq!(columns, ["i"]);
            assert!(outcome.is_ok(), "{outcome:?}");
            let numbers: Vec<i64> = got
                .iter()
                .map(|row| match row.values.as_slice() {
                    [Value::Integer(number)] => *number,
                    other => panic!("{other:?}"),
                })
                .collect();
            assert_eq!(numbers, (1..=rows).collect::<Vec<_>>());
        }
    })
    .await;
}

#[tokio::test]
async fn an_error_of_the_statement_is_in_the_future() {
    let app = App::new();
    with(app.instance(), async |store| {
        let connection = Data::open_async(store, "default".to_owned())
            .await
            .unwrap()
            .unwrap();
        for (sql, want) in [
            ("nonsense", "syntax error"),
            ("ATTACH '/etc/passwd' AS other", "not authorized"),
            ("SELECT abs(-9223372036854775808)", "integer overflow"),
        ] {
            let answer = execute_async(store, &connection, sql).await.unwrap();
            let (_, rows, outcome) = drain(store, answer).await;
            assert!(rows.is_empty());
            match outcome {
                Err(Error::Io(text)) => assert!(text.contains(want), "{text:?} lacks {want:?}"),
                other => panic!("{sql}: {other:?}"),
            }
        }
    })
    .await;
}

#[tokio::test]
async fn counts_are_there_with_the_outcome() {
    let app = App::new();
    with(app.instance(), async |store| {
        let connection = Data::open_async(store, "default".to_owned())
            .await
            .unwrap()
            .unwrap();
        let borrow = || Resource::new_borrow(connection.rep());
        for sql in [
            "CREATE TABLE t (id INTEGER PRIMARY KEY)",
            "INSERT INTO t VALUES (8), (9)",
        ] {
            let answer = execute_async(store, &connection, sql).await.unwrap();
            assert!(drain(store, answer).await.2.is_ok());
        }
        assert_eq!(
            Data::last_insert_rowid_async(store, borrow())
                .await
                .unwrap(),
            9
        );
        assert_eq!(Data::changes_async(store, borrow()).await.unwrap(), 2);
    })
    .await;
}

#[tokio::test]
async fn a_stream_that_nobody_reads_does_not_outlive_its_reader() {
    let app = App::new();
    with(app.instance(), async |store| {
        let connection = Data::open_async(store, "default".to_owned())
            .await
            .unwrap()
            .unwrap();
        let endless =
            "WITH RECURSIVE n(i) AS (SELECT 1 UNION ALL SELECT i + 1 FROM n) SELECT i FROM n";
        let (_, mut rows, mut outcome) = execute_async(store, &connection, endless).await.unwrap();
        store.with(|mut access| {
            rows.close(&mut access).unwrap();
            outcome.close(&mut access).unwrap();
        });
        let answer = execute_async(store, &connection, "SELECT 1").await.unwrap();
        assert_eq!(
            drain(store, answer).await.1.len(),
            1,
            "the connection is free again"
        );
    })
    .await;
}

#[tokio::test]
async fn calls_of_one_instance_overlap() {
    let app = App::new();
    with(app.instance(), async |store| {
        let holder = Data::open_async(store, "default".to_owned())
            .await
            .unwrap()
            .unwrap();
        let waiter = Data::open_async(store, "default".to_owned())
            .await
            .unwrap()
            .unwrap();
        let run = async |connection, sql| {
            let answer = execute_async(store, connection, sql).await.unwrap();
            drain(store, answer).await.2.unwrap();
        };
        run(&holder, "CREATE TABLE t (a)").await;
        run(&holder, "BEGIN IMMEDIATE").await;
        // The second call can only end when the first, which waits for it, is not in its way.
        futures::join!(run(&waiter, "INSERT INTO t VALUES (1)"), async {
            run(&holder, "INSERT INTO t VALUES (2)").await;
            run(&holder, "COMMIT").await;
        });
    })
    .await;
}
