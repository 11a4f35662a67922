//! `wasi:config@0.2.0-draft-2024-09-27`: a component's variables, and none without any.

use anyhow::Result;
use harness::{Options, TestApp, guest};
use http::Method;
use serde_json::{Value, json};

async fn ask(app: &TestApp, path: &str) -> Result<Value> {
    let names = json!(["channel", "other", "No name"]).to_string();
    app.request(Method::POST, path, &[], names).await?.json()
}

#[tokio::test]
async fn a_component_sees_its_variables_and_no_others() -> Result<()> {
    let folder = tempfile::tempdir()?;
    let guest = guest("wasi-config")?;
    let manifest = format!(
        r#"
        spin_manifest_version = 2
        [application]
        name = "config"
        [[trigger.http]]
        route = "/granted"
        component = "granted"
        [[trigger.http]]
        route = "/bare"
        component = "bare"
        [component.granted]
        source = "{guest}"
        [component.granted.variables]
        channel = "whatsapp"
        account = ""
        [component.bare]
        source = "{guest}"
        "#,
        guest = guest.display()
    );
    let path = folder.path().join("spin.toml");
    std::fs::write(&path, manifest)?;
    let options = Options {
        manifest: path,
        ..Options::default()
    };
    let app = TestApp::start_with(options).await?;
    let all = json!([["account", ""], ["channel", "whatsapp"]]);
    let want = json!({ "values": ["whatsapp", null, null], "all": all });
    assert_eq!(ask(&app, "/granted").await?, want);
    let want = json!({ "values": [null, null, null], "all": [] });
    assert_eq!(ask(&app, "/bare").await?, want);
    Ok(())
}
