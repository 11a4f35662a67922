//! `spin:key-value@3.0.0`: a component's stores, and none without the grant.

use anyhow::Result;
use harness::{Options, TestApp, guest};
use http::Method;
use serde_json::{Value, json};

/// A host with the guest behind `/granted`, which may use `default` and `second`, and behind
/// `/bare`, which may use none.
async fn start(state: Option<tempfile::TempDir>) -> Result<(TestApp, tempfile::TempDir)> {
    let folder = tempfile::tempdir()?;
    let guest = guest("key-value")?;
    let manifest = format!(
        r#"
        spin_manifest_version = 2
        [application]
        name = "key-value"
        [[trigger.http]]
        route = "/granted"
        component = "granted"
        [[trigger.http]]
        route = "/bare"
        component = "bare"
        [component.granted]
        source = "{guest}"
        key_value_stores = ["default", "second"]
        [component.bare]
        source = "{guest}"
        "#,
        guest = guest.display()
    );
    let path = folder.path().join("spin.toml");
    std::fs::write(&path, manifest)?;
    let options = Options {
        manifest: path,
        state,
        ..Options::default()
    };
    Ok((TestApp::start_with(options).await?, folder))
}

async fn calls(app: &TestApp, path: &str, calls: Value) -> Result<Value> {
    let answer = app
        .request(Method::POST, path, &[], calls.to_string())
        .await?;
    answer.json()
}

#[tokio::test]
async fn a_component_keeps_values_in_the_stores_that_it_was_granted() -> Result<()> {
    let (app, _folder) = start(None).await?;
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
    assert_eq!(calls(&app, "/granted", script).await?, want);
    let second = json!([["open", "second"], ["keys"]]);
    assert_eq!(calls(&app, "/granted", second).await?, json!([null, []]));
    Ok(())
}

#[tokio::test]
async fn values_are_there_after_the_host_was_killed() -> Result<()> {
    let (app, _folder) = start(None).await?;
    calls(
        &app,
        "/granted",
        json!([["open", "default"], ["set", "k", "v"]]),
    )
    .await?;
    let (app, _folder) = start(Some(app.kill()?)).await?;
    let kept = calls(&app, "/granted", json!([["open", "default"], ["get", "k"]])).await?;
    assert_eq!(kept, json!([null, [118]]));
    Ok(())
}

#[tokio::test]
async fn without_the_grant_every_store_is_access_denied() -> Result<()> {
    let (app, _folder) = start(None).await?;
    let refused = json!([{ "error": "Error::AccessDenied" }]);
    for (path, label) in [
        ("/bare", "default"),
        ("/granted", "third"),
        ("/granted", ""),
    ] {
        let answer = calls(&app, path, json!([["open", label]])).await?;
        assert_eq!(answer, refused, "{path} {label:?}");
    }
    Ok(())
}

#[tokio::test]
async fn one_store_too_many_is_refused_and_the_next_request_is_served() -> Result<()> {
    let (app, _folder) = start(None).await?;
    let full = calls(&app, "/granted", json!([["open", "*"]])).await?;
    assert_eq!(full, json!([{ "error": "Error::StoreTableFull" }]));
    let next = calls(&app, "/granted", json!([["open", "default"], ["keys"]])).await?;
    assert_eq!(next, json!([null, []]));
    Ok(())
}
