//! Results, streams and connections, from their start to their end.

use super::*;

#[tokio::test]
async fn a_result_past_the_limit_is_refused_and_a_stream_of_it_is_not() {
    let Some(server) = Postgres::start().unwrap() else {
        return;
    };
    let connection = open(&server.url()).await;
    let limit = format!("query result exceeds limit of {MAX_RESULT_BYTES} bytes");
    let too_large = |result: Result<(), Error>| match result {
        Err(Error::QueryFailed(QueryError::Text(why))) => assert_eq!(why, limit),
        other => panic!("{other:?}"),
    };
    // 140 rows of a mebibyte.
    let many = "SELECT repeat('x', 1048576) FROM generate_series(1, 140)";
    too_large(connection.query(many.to_owned(), vec![]).await.map(|_| ()));
    let rows = connection.stream(many.to_owned(), vec![]).await.unwrap();
    let (count, _, ended) = read(rows).await;
    assert_eq!((count, ended.is_ok()), (140, true));
    // Small values whose text is long.
    let long = "SELECT array_agg(1e131071::numeric) FROM generate_series(1, 2000)";
    let why = connection
        .query(long.to_owned(), vec![])
        .await
        .map(|_| ())
        .unwrap_err();
    assert!(
        format!("{why:?}").contains("array exceeds limit"),
        "{why:?}"
    );
    // One value over the limit ends the connection, as the rest of it would have to be read.
    let one = format!("SELECT repeat('x', {})", MAX_RESULT_BYTES + 1);
    too_large(connection.query(one, vec![]).await.map(|_| ()));
    assert!(
        connection
            .query("SELECT 1".to_owned(), vec![])
            .await
            .is_err()
    );
}

#[tokio::test]
async fn a_stream_comes_as_it_is_made_and_ends_with_its_reader() {
    let Some(server) = Postgres::start().unwrap() else {
        return;
    };
    let (connection, other) = (open(&server.url()).await, open(&server.url()).await);
    let lock = "SELECT pg_advisory_lock(1)";
    other.query(lock.to_owned(), vec![]).await.unwrap();
    // Row 900 waits for a lock that the other connection has; before it come more bytes than
    // the server keeps to itself.
    let slow = "SELECT repeat('x', 1000), CASE WHEN n = 900 THEN pg_advisory_lock(1)::text END \
                FROM generate_series(1, 1000) n";
    let mut rows = connection.stream(slow.to_owned(), vec![]).await.unwrap();
    assert_eq!(rows.columns.len(), 2);
    let mut count = 0;
    while count < 500 {
        count += rows.batches.recv().await.unwrap().rows.len();
    }
    assert!(count < 900);
    let unlock = "SELECT pg_advisory_unlock(1)";
    other.query(unlock.to_owned(), vec![]).await.unwrap();
    let (rest, _, ended) = read(rows).await;
    assert_eq!((count + rest, ended.is_ok()), (1000, true));

    // Nobody reads: what is sent stops at the bound, and the reader's end is no error.
    let endless = "SELECT repeat('x', 10000), generate_series(1, 100000000)";
    let mut rows = connection.stream(endless.to_owned(), vec![]).await.unwrap();
    assert!(rows.batches.recv().await.is_some());
    drop(rows.batches);
    assert!(rows.outcome.await.unwrap().is_ok());
    // A connection that is dropped while it runs leaves nothing running here or there.
    drop(connection);
    while running(&*other).await != "DbValue::Int64(0)" {
        tokio::task::yield_now().await;
    }
}

#[tokio::test]
async fn a_server_that_dies_ends_what_runs_on_it() {
    let Some(mut server) = Postgres::start().unwrap() else {
        return;
    };
    let (connection, other) = (open(&server.url()).await, open(&server.url()).await);
    let endless = "SELECT repeat('x', 10000), generate_series(1, 100000000)";
    let mut rows = connection.stream(endless.to_owned(), vec![]).await.unwrap();
    assert!(rows.batches.recv().await.is_some());
    let sleeping = tokio::spawn(async move {
        other
            .query("SELECT pg_sleep(3600)".to_owned(), vec![])
            .await
    });
    server.crash().unwrap();
    let (_, _, ended) = read(rows).await;
    assert!(matches!(ended, Err(Error::QueryFailed(_))), "{ended:?}");
    let ended = sleeping.await.unwrap();
    assert!(matches!(ended, Err(Error::QueryFailed(_))), "{ended:?}");
    let after = connection.execute("SELECT 1".to_owned(), vec![]).await;
    let Err(Error::QueryFailed(QueryError::Text(why))) = after else {
        panic!("{after:?}");
    };
    assert_eq!(why, "Error { kind: Closed, cause: None }");
    let why = reason(open_with(&server.url(), None, &grant(&LOCAL)).await);
    assert!(why.contains("Connection refused"), "{why}");
}

/// The server's process behind a connection.
async fn process(connection: &dyn Connection) -> String {
    value(connection, "SELECT pg_backend_pid()", vec![]).await.1
}

#[tokio::test]
async fn a_socket_counts_until_its_connection_is_set_back() {
    let Some(server) = Postgres::start().unwrap() else {
        return;
    };
    let (pool, granted) = (Pool::default(), grant(&LOCAL));
    let address = Address::new(&server.url(), &granted).unwrap();
    let sockets = Arc::new(tokio::sync::Semaphore::new(1));
    let mut used = None;
    for _ in 0..5 {
        // Whoever gets leave finds the connection that was set back, and makes no other.
        let socket = sockets.clone().acquire_owned().await.unwrap();
        let opened = pool.open(&address, None, &granted).await.unwrap();
        opened.keep(socket);
        let process = process(&*opened).await;
        assert_eq!(*used.get_or_insert(process.clone()), process);
        drop(opened);
    }
    // What cannot be used again is closed, and counts no more either.
    let socket = sockets.clone().acquire_owned().await.unwrap();
    let opened = pool.open(&address, None, &granted).await.unwrap();
    opened.keep(socket);
    let rows = opened.stream("SELECT generate_series(1, 100000000)".to_owned(), vec![]);
    drop((rows.await.unwrap(), opened));
    assert!(sockets.acquire().await.is_ok());
}

#[tokio::test]
async fn a_connection_is_used_again_as_good_as_new_and_only_by_who_may() {
    let Some(server) = Postgres::start().unwrap() else {
        return;
    };
    let (pool, granted) = (Pool::default(), grant(&LOCAL));
    let address = Address::new(&server.url(), &granted).unwrap();
    let first = pool.open(&address, None, &granted).await.unwrap();
    let used = process(&*first).await;
    for statement in [
        "CREATE TYPE mood AS ENUM ('fine')",
        "SET search_path = 'elsewhere'",
        "CREATE TEMP TABLE leftover (id integer)",
        "PREPARE leftover AS SELECT 1",
        "SELECT pg_advisory_lock(7)",
        "LISTEN leftover",
        "SELECT 'fine'::public.mood",
        "BEGIN",
        "CREATE TABLE public.uncommitted (id integer)",
    ] {
        first.execute(statement.to_owned(), vec![]).await.unwrap();
    }
    drop(first);
    // It is set back behind the scenes; until then an open gets a new one.
    let mut others = Vec::new();
    let again = loop {
        let opened = pool.open(&address, None, &granted).await.unwrap();
        if process(&*opened).await == used {
            break opened;
        }
        assert!(others.len() < 90, "it does not come back");
        others.push(opened);
    };
    for (statement, want) in [
        (
            "SELECT current_setting('search_path')",
            "DbValue::Str(\"\\\"$user\\\", public\")",
        ),
        (
            "SELECT to_regclass('pg_temp.leftover') IS NULL",
            "DbValue::Boolean(true)",
        ),
        (
            "SELECT to_regclass('public.uncommitted') IS NULL",
            "DbValue::Boolean(true)",
        ),
        (
            "SELECT count(*) FROM pg_prepared_statements WHERE from_sql",
            "DbValue::Int64(0)",
        ),
        (
            "SELECT count(*) FROM pg_locks WHERE locktype = 'advisory'",
            "DbValue::Int64(0)",
        ),
        (
            "SELECT count(*) FROM pg_listening_channels()",
            "DbValue::Int64(0)",
        ),
        (
            "SELECT pg_current_xact_id_if_assigned() IS NULL",
            "DbValue::Boolean(true)",
        ),
        (
            "SELECT 'fine'::mood",
            "DbValue::Unsupported([102, 105, 110, 101])",
        ),
    ] {
        let got = value(&*again, statement, vec![]).await.1;
        assert_eq!(got, want, "{statement}");
    }
    // A statement is given up in the middle: nobody gets that connection.
    let endless = "SELECT repeat('x', 10000), generate_series(1, 100000000)";
    let mut rows = again.stream(endless.to_owned(), vec![]).await.unwrap();
    assert!(rows.batches.recv().await.is_some());
    drop((rows, again));
    let watch = open(&server.url()).await;
    let alive = format!(
        "SELECT count(*) FROM pg_stat_activity WHERE pid = {}",
        used.trim_start_matches("DbValue::Int32(")
            .trim_end_matches(')')
    );
    while value(&*watch, &alive, vec![]).await.1 != "DbValue::Int64(0)" {
        tokio::task::yield_now().await;
    }
    // What waits is no way around a grant: this one does not reach private addresses.
    drop(others);
    let wide = grant(&["postgres://*:*"]);
    let why = reason(pool.open(&address, None, &wide).await);
    assert!(why.ends_with("is not permitted"), "{why}");
}
