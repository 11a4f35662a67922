//! `wasi:keyvalue@0.2.0-draft2` with its batches and atomics, and none of it without the grant.

use anyhow::Result;
use harness::{GuestApp, guest};
use serde_json::json;

async fn start() -> Result<GuestApp> {
    GuestApp::start(guest("wasi-keyvalue")?, "key_value_stores = [\"default\"]").await
}

#[tokio::test]
async fn single_values_and_batches_are_kept() -> Result<()> {
    let app = start().await?;
    let script = json!([
        ["open", "default"],
        ["get", "k"],
        ["set", "k", "v"],
        ["get", "k"],
        ["exists", "k"],
        ["set-many", ["a", "b"], "w"],
        ["get-many", ["b", "none", "k"]],
        ["list-keys"],
        ["list-keys", "a cursor"],
        ["delete-many", ["a", "none"]],
        ["delete", "b"],
        ["list-keys"],
    ]);
    let no_cursor = r#"Error::Other("list_keys: cursor not supported")"#;
    let want = json!([
        null,
        null,
        null,
        [118],
        true,
        null,
        [["b", [119]], ["none", null], ["k", [118]]],
        [["a", "b", "k"], null],
        { "error": no_cursor },
        null,
        null,
        [["k"], null],
    ]);
    assert_eq!(app.calls("/granted", script).await?, want);
    Ok(())
}

#[tokio::test]
async fn increments_of_many_requests_add_up() -> Result<()> {
    let app = start().await?;
    let increment = json!([["open", "default"], ["increment", "n", 2]]);
    let requests = (0..16).map(|_| app.calls("/granted", increment.clone()));
    let answers = futures::future::try_join_all(requests).await?;
    let mut sums: Vec<_> = answers
        .iter()
        .filter_map(|answer| answer[1].as_i64())
        .collect();
    sums.sort_unstable();
    assert_eq!(sums, Vec::from_iter((1..=16).map(|number| number * 2)));

    let script = json!([
        ["open", "default"],
        ["set", "text", "x"],
        ["increment", "text", 1]
    ]);
    let refused = &app.calls("/granted", script).await?[2];
    let text = refused["error"].as_str().expect("an error");
    assert!(text.starts_with("Error::Other("), "{text}");
    Ok(())
}

#[tokio::test]
async fn a_swap_succeeds_only_when_nobody_was_quicker() -> Result<()> {
    let app = start().await?;
    let script = json!([
        ["open", "default"],
        ["cas", "k"],
        ["current"],
        ["swap", "first"],
        ["cas", "k"],
        ["set", "k", "z"],
        ["swap", "second"],
        ["swap", "third"],
        ["get", "k"],
    ]);
    let third: Vec<u8> = "third".into();
    let want = json!([
        null,
        null,
        null,
        null,
        null,
        null,
        { "failed": [122] },
        null,
        third,
    ]);
    assert_eq!(app.calls("/granted", script).await?, want);
    Ok(())
}

#[tokio::test]
async fn without_the_grant_a_bucket_is_access_denied() -> Result<()> {
    let app = start().await?;
    let refused = json!([{ "error": "Error::AccessDenied" }]);
    for (path, label) in [("/bare", "default"), ("/granted", "other")] {
        let answer = app.calls(path, json!([["open", label]])).await?;
        assert_eq!(answer, refused, "{path} {label:?}");
    }
    Ok(())
}
