//! `spin:key-value@3.0.0`: a component's stores, and none without the grant.

use anyhow::Result;
use harness::{GuestApp, Setup, guest};
use serde_json::json;

const GRANTS: &str = "key_value_stores = [\"default\", \"second\"]";

async fn start() -> Result<GuestApp> {
    GuestApp::start(guest("key-value")?, GRANTS).await
}

#[tokio::test]
async fn a_component_keeps_values_in_the_stores_that_it_was_granted() -> Result<()> {
    let app = start().await?;
    let script = json!([
        ["open", "default"],
        ["get", "k"],
        ["set", "k", "v"],
        ["get", "k"],
        ["exists", "k"],
        ["set", "j", ""],
        ["keys"],
        ["delete", "k"],
        ["delete", "k"],
        ["exists", "k"],
        ["keys"],
    ]);
    let want = json!([
        null,
        null,
        null,
        [118],
        true,
        null,
        ["j", "k"],
        null,
        null,
        false,
        ["j"]
    ]);
    assert_eq!(app.calls("/granted", script).await?, want);
    let second = json!([["open", "second"], ["keys"]]);
    assert_eq!(app.calls("/granted", second).await?, json!([null, []]));
    Ok(())
}

#[tokio::test]
async fn values_are_there_after_the_host_was_killed() -> Result<()> {
    let app = start().await?;
    app.calls("/granted", json!([["open", "default"], ["set", "k", "v"]]))
        .await?;
    let app = Setup::new()?
        .component("granted", &guest("key-value")?, GRANTS)
        .state(app.kill()?)
        .start()
        .await?;
    let kept = app
        .calls("/granted", json!([["open", "default"], ["get", "k"]]))
        .await?;
    assert_eq!(kept, json!([null, [118]]));
    Ok(())
}

#[tokio::test]
async fn without_the_grant_every_store_is_access_denied() -> Result<()> {
    let app = start().await?;
    let refused = json!([{ "error": "Error::AccessDenied" }]);
    for (path, label) in [
        ("/bare", "default"),
        ("/granted", "third"),
        ("/granted", ""),
    ] {
        let answer = app.calls(path, json!([["open", label]])).await?;
        assert_eq!(answer, refused, "{path} {label:?}");
    }
    Ok(())
}

#[tokio::test]
async fn one_store_too_many_is_refused_and_the_next_request_is_served() -> Result<()> {
    let app = start().await?;
    let full = app.calls("/granted", json!([["open", "*"]])).await?;
    assert_eq!(full, json!([{ "error": "Error::StoreTableFull" }]));
    let next = app
        .calls("/granted", json!([["open", "default"], ["keys"]]))
        .await?;
    assert_eq!(next, json!([null, []]));
    Ok(())
}
