//! A guest that has a database and wants more.

use super::*;

#[tokio::test]
async fn nothing_but_its_own_database_can_be_reached() {
    let app = App::new();
    let mut state = app.instance();
    let connection = open(&mut state, "default").await.unwrap();
    let elsewhere = app.folder.path().join("elsewhere.db");
    let path = elsewhere.display();
    for sql in [
        "ATTACH '/etc/passwd' AS other".to_owned(),
        format!("ATTACH '{path}' AS other"),
        format!("ATTACH '{path}' || '' AS other"),
        format!("ATTACH (SELECT '{path}') AS other"),
        format!("ATTACH 'file:{path}?mode=rwc' AS other"),
        "ATTACH 'file::memory:?cache=shared' AS other".to_owned(),
        format!("VACUUM INTO '{path}'"),
        format!("VACUUM main INTO '{path}' || ''"),
        "PRAGMA temp_store_directory = '/tmp'".to_owned(),
        "PRAGMA Temp_Store_Directory('/tmp')".to_owned(),
        "PRAGMA data_store_directory = '/tmp'".to_owned(),
        "PRAGMA writable_schema = ON".to_owned(),
        "PRAGMA main.writable_schema = 1".to_owned(),
        "PRAGMA hard_heap_limit = 1".to_owned(),
        "PRAGMA soft_heap_limit = 1".to_owned(),
        "PRAGMA mmap_size = 1000000000".to_owned(),
        "SELECT load_extension('/tmp/evil.so')".to_owned(),
    ] {
        match execute(&mut state, &connection, &sql).await {
            Err(Error::Io(text)) => assert!(text.contains("authoriz"), "{sql}: {text}"),
            other => panic!("{sql}: {other:?}"),
        }
    }
    assert!(!elsewhere.exists());
}

#[tokio::test]
async fn a_bound_parameter_is_no_way_to_attach_a_file() {
    let app = App::new();
    let mut state = app.instance();
    let connection = open(&mut state, "default").await.unwrap();
    let elsewhere = app.folder.path().join("elsewhere.db");
    let path = Value::Text(elsewhere.display().to_string());
    for sql in ["ATTACH ? AS other", "VACUUM INTO ?"] {
        refused_with(
            run(&mut state, &connection, sql, vec![path.clone()]).await,
            "authoriz",
        );
    }
    assert!(!elsewhere.exists());
}

#[tokio::test]
async fn the_schema_table_cannot_be_written() {
    let app = App::new();
    let mut state = app.instance();
    let connection = open(&mut state, "default").await.unwrap();
    execute(&mut state, &connection, "CREATE TABLE t (a)")
        .await
        .unwrap();
    let sql = "UPDATE sqlite_schema SET sql = 'CREATE TABLE t (b)'";
    refused_with(
        execute(&mut state, &connection, sql).await,
        "may not be modified",
    );
}

#[tokio::test]
async fn what_spin_allows_beside_the_fence_still_works() {
    let app = App::new();
    let mut state = app.instance();
    let connection = open(&mut state, "default").await.unwrap();
    for sql in [
        "ATTACH '' AS scratch",
        "DETACH scratch",
        "ATTACH ':memory:' AS scratch",
        "CREATE TABLE t (a)",
        "VACUUM",
        "ANALYZE",
        "REINDEX",
        "CREATE VIRTUAL TABLE f USING fts5(body)",
        "INSERT INTO f VALUES ('one two')",
        "SELECT * FROM f WHERE f MATCH 'two'",
        "SELECT value FROM json_each('[1,2]')",
        "INSERT INTO t VALUES (1) ON CONFLICT DO NOTHING RETURNING a",
        "PRAGMA user_version = 3",
        "PRAGMA table_info(t)",
        "SELECT * FROM pragma_table_info('t')",
        "WITH RECURSIVE n(i) AS (SELECT 1 UNION ALL SELECT i + 1 FROM n WHERE i < 3) SELECT i FROM n",
        "SAVEPOINT s",
        "ALTER TABLE t ADD COLUMN b",
        "RELEASE s",
        "BEGIN",
        "CREATE TEMP TABLE u AS SELECT * FROM t",
        "COMMIT",
        "DROP TABLE t",
    ] {
        execute(&mut state, &connection, sql)
            .await
            .unwrap_or_else(|error| panic!("{sql}: {error:?}"));
    }
}

#[tokio::test]
async fn a_result_over_the_limit_is_refused() {
    let app = App::new();
    let mut state = app.instance();
    let connection = open(&mut state, "default").await.unwrap();
    let rows = "WITH RECURSIVE n(i) AS (SELECT 1 UNION ALL SELECT i + 1 FROM n LIMIT 17) ";
    let seventeen = format!("{rows} SELECT zeroblob(8000000) FROM n");
    let limit = "query result exceeds limit of 134217728 bytes";
    refused_with(execute(&mut state, &connection, &seventeen).await, limit);
    let sixteen = format!("{rows} SELECT zeroblob(8000000) FROM n LIMIT 16");
    assert_eq!(
        execute(&mut state, &connection, &sixteen)
            .await
            .unwrap()
            .rows
            .len(),
        16
    );
    let value = "SELECT zeroblob(200000000)";
    refused_with(execute(&mut state, &connection, value).await, "too big");
}

#[tokio::test]
async fn a_statement_without_end_stops_when_its_instance_is_gone() {
    let app = App::new();
    let mut state = app.instance();
    let connection = open(&mut state, "default").await.unwrap();
    execute(&mut state, &connection, "CREATE TABLE t (a)")
        .await
        .unwrap();
    {
        let endless = "INSERT INTO t WITH RECURSIVE n(i) AS (SELECT 1 UNION ALL SELECT i FROM n) SELECT i FROM n WHERE i > 1";
        let call = execute(&mut state, &connection, endless);
        let cut = tokio::time::timeout(std::time::Duration::from_millis(100), call).await;
        assert!(cut.is_err(), "it does not end by itself");
    }
    drop(state);
    // The endless statement holds the write lock until it is stopped.
    let mut next = app.instance();
    let connection = open(&mut next, "default").await.unwrap();
    execute(&mut next, &connection, "INSERT INTO t VALUES (1)")
        .await
        .unwrap();
    assert_eq!(
        value(&mut next, &connection, "SELECT count(*) FROM t").await,
        "1"
    );
}
