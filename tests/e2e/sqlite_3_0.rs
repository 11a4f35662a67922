//! `spin:sqlite@3.0.0`, which components built for Spin 3 import.

use anyhow::Result;
use harness::{GuestApp, guest};
use serde_json::json;

async fn start() -> Result<GuestApp> {
    GuestApp::start(guest("sqlite-3-0")?, "sqlite_databases = [\"default\"]").await
}

#[tokio::test]
async fn a_component_of_the_earlier_version_counts_and_reads() -> Result<()> {
    let app = start().await?;
    let script = json!([
        ["open", "default"],
        ["rowid"],
        ["execute", "CREATE TABLE t (id INTEGER PRIMARY KEY)"],
        ["execute", "INSERT INTO t VALUES (8), (9)"],
        ["changes"],
        ["rowid"],
        ["execute", "SELECT id FROM t"],
    ]);
    let empty = json!({ "columns": [], "rows": [] });
    let rows = json!({ "columns": ["id"], "rows": ["[Value::Integer(8)]", "[Value::Integer(9)]"] });
    let want = json!([null, 0, empty, empty, 2, 9, rows]);
    assert_eq!(app.calls("/granted", script).await?, want);
    Ok(())
}

/// As many requests at once as a busy webhook has, each with a transaction of one statement.
#[tokio::test]
async fn writes_of_many_requests_are_all_there() -> Result<()> {
    let app = start().await?;
    let table = json!([
        ["open", "default"],
        ["execute", "PRAGMA journal_mode = WAL"],
        ["execute", "CREATE TABLE t (id INTEGER PRIMARY KEY, a)"],
    ]);
    app.calls("/granted", table).await?;
    let insert = json!([
        ["open", "default"],
        ["execute", "INSERT INTO t (a) VALUES (1)"],
        ["changes"],
        ["rowid"],
    ]);
    let mut rowids = Vec::new();
    for _round in 0..4 {
        let requests = (0..16).map(|_| app.calls("/granted", insert.clone()));
        for answer in futures::future::try_join_all(requests).await? {
            assert_eq!(answer[2], 1);
            rowids.extend(answer[3].as_i64());
        }
    }
    rowids.sort_unstable();
    assert_eq!(rowids, Vec::from_iter(1..=64), "each its own");
    let count = json!([["open", "default"], ["execute", "SELECT count(*) FROM t"]]);
    let got = app.calls("/granted", count).await?;
    assert_eq!(got[1]["rows"], json!(["[Value::Integer(64)]"]));
    Ok(())
}

#[tokio::test]
async fn without_the_grant_a_database_is_access_denied() -> Result<()> {
    let app = start().await?;
    let refused = json!([{ "error": "Error::AccessDenied" }]);
    for (path, label) in [("/bare", "default"), ("/granted", "other")] {
        let answer = app.calls(path, json!([["open", label]])).await?;
        assert_eq!(answer, refused, "{path} {label:?}");
    }
    Ok(())
}
