//! `wasi:config@0.2.0-draft-2024-09-27`: a component's variables, and none without any.

use anyhow::Result;
use harness::{GuestApp, guest};
use serde_json::json;

#[tokio::test]
async fn a_component_sees_its_variables_and_no_others() -> Result<()> {
    let variables = "[component.granted.variables]\nchannel = \"whatsapp\"\naccount = \"\"\n";
    let app = GuestApp::start(guest("wasi-config")?, variables).await?;
    let names = json!(["channel", "other", "No name"]);
    let all = json!([["account", ""], ["channel", "whatsapp"]]);
    let want = json!({ "values": ["whatsapp", null, null], "all": all });
    assert_eq!(app.calls("/granted", names.clone()).await?, want);
    let want = json!({ "values": [null, null, null], "all": [] });
    assert_eq!(app.calls("/bare", names).await?, want);
    Ok(())
}
