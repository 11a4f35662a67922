//! Calls between components.

use anyhow::Result;
use http::Request;
use http_body_util::Full;

use crate::host::{Answer, Host, component};

const PRIVATE: &str = "{ private = true }";

#[tokio::test(flavor = "multi_thread")]
async fn a_granted_component_is_called_in_this_process() -> Result<()> {
    let grant = r#"allowed_outbound_hosts = ["http://other.spin.internal"]"#;
    let body = component("caller", r#""/...""#, grant) + &component("other", PRIVATE, "");
    let host = Host::start(&body).await?;
    let answer = host
        .get("/call?http://other.spin.internal/x/headers")
        .await?;
    let (status, seen) = answer.body.split_once(' ').unwrap();
    let seen: serde_json::Value = serde_json::from_str(seen)?;
    assert_eq!(status, "200");
    assert_eq!(seen["spin-full-url"], "http://localhost/x/headers");
    assert_eq!(seen["spin-matched-route"], "/...");
    assert_eq!(seen["spin-component-route"], "");
    assert_eq!(seen["spin-client-addr"], "0.0.0.0:0");
    Ok(())
}

#[tokio::test(flavor = "multi_thread")]
async fn without_the_grant_every_call_is_denied() -> Result<()> {
    let body = component("caller", r#""/...""#, "") + &component("other", PRIVATE, "");
    let host = Host::start(&body).await?;
    for url in [
        "http://other.spin.internal/headers",
        "http://127.0.0.1:1/",
        "https://example.com/",
    ] {
        let answer = host.get(&format!("/call?{url}")).await?;
        assert_eq!(answer.body, "ErrorCode::HttpRequestDenied", "{url}");
    }
    Ok(())
}

#[tokio::test(flavor = "multi_thread")]
async fn a_failing_component_gives_its_caller_a_response() -> Result<()> {
    let grant = r#"allowed_outbound_hosts = ["http://other.spin.internal"]"#;
    let body = component("caller", r#""/...""#, grant) + &component("other", PRIVATE, "");
    let host = Host::start(&body).await?;
    let answer = host.get("/call?http://other.spin.internal/trap").await?;
    assert!(
        answer.body.starts_with("500 ") && answer.body.contains("component_failed"),
        "{}",
        answer.body
    );
    Ok(())
}

#[tokio::test(flavor = "multi_thread")]
async fn a_private_component_is_not_found_from_outside() -> Result<()> {
    let host = Host::start(&(component("one", r#""/one""#, "") + &component("other", PRIVATE, "")))
        .await?;
    for (target, header) in [
        ("/headers", "other.spin.internal"),
        ("/...", "other.spin.internal:80"),
        ("http://other.spin.internal/headers", "other.spin.internal"),
        ("/other", "localhost"),
    ] {
        let request = Request::get(target)
            .header("host", header)
            .body(Full::default())?;
        let answer = Answer::read(host.connect().await?.send(request).await?).await?;
        assert_eq!(answer.status, 404, "{target} {header}");
    }
    Ok(())
}
