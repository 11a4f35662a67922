//! A component of WASI 0.2, which exports `wasi:http/incoming-handler`, gets here what it gets on Spin.

use std::path::PathBuf;

use anyhow::{Context, Result};
use bytes::Bytes;
use harness::{Answer, Options, TestApp, eventually, guest};
use http::{Method, Request};
use http_body_util::BodyExt as _;
use hyper::body::Incoming;
use serde_json::{Value, json};
use tempfile::TempDir;

use crate::forwarding::Receiver;

/// More than the instances that a component of WASI 0.3 gets on any machine these tests run on.
const MANY: usize = 40;

/// A host with the guest as each of these components: route, id, and more lines of its table.
struct Host {
    app: TestApp,
    folder: TempDir,
}

impl Host {
    async fn start(components: &[(&str, &str, &str)]) -> Result<Self> {
        let source = guest("incoming-handler")?;
        let folder = tempfile::tempdir()?;
        let mut manifest = String::from(
            "spin_manifest_version = 2\n[application]\nname = \"test\"\nversion = \"0.1.0\"\n",
        );
        for (route, id, more) in components {
            let source = source.display();
            manifest += &format!(
                "[[trigger.http]]\nroute = {route}\ncomponent = \"{id}\"\n[component.{id}]\nsource = \"{source}\"\n{more}\n"
            );
        }
        let path = folder.path().join("spin.toml");
        std::fs::write(&path, manifest)?;
        let logs = folder.path().display().to_string();
        let app = TestApp::start_with(Options {
            manifest: path,
            variables: Default::default(),
            arguments: vec!["--log-dir".to_owned(), logs],
            ..Options::default()
        })
        .await?;
        Ok(Host { app, folder })
    }

    /// One component, at every path.
    async fn one(more: &str) -> Result<Self> {
        Self::start(&[(r#""/...""#, "old", more)]).await
    }

    async fn get(&self, path: &str) -> Result<Answer> {
        self.app.request(Method::GET, path, &[], "").await
    }

    async fn open(&self, path: &str) -> Result<http::Response<Incoming>> {
        let request = Request::get(format!("{}{path}", self.app.base()));
        self.app.client().open(request.body(Bytes::new())?).await
    }

    /// Waits until the component has printed this.
    async fn printed(&self, text: &str) -> Result<()> {
        let file: PathBuf = self.folder.path().join("old_stdout.txt");
        eventually(text, async || {
            let printed = std::fs::read_to_string(&file)?;
            Ok(printed.contains(text).then_some(()))
        })
        .await
    }
}

#[tokio::test]
async fn a_request_arrives_whole() -> Result<()> {
    let host = Host::start(&[
        (r#""/shop/:item/...""#, "old", ""),
        (r#""/exact""#, "exact", ""),
    ])
    .await?;
    let headers = [
        ("x-mine", "kept"),
        ("spin-path-info", "forged"),
        ("spin-path-match-admin", "forged"),
    ];
    let answer = host
        .app
        .request(
            Method::from_bytes(b"PURGE")?,
            "/shop/42/a/request?key=1&b",
            &headers,
            "",
        )
        .await?;
    assert_eq!(answer.status, 200, "{answer:?}");
    let length = answer.body.len().to_string();
    assert_eq!(answer.header("content-length"), length);
    assert_eq!(answer.header("transfer-encoding"), "");
    let seen = answer.json()?;
    let authority = host.app.base().trim_start_matches("http://");
    assert_eq!(seen["method"], "Method::Other(\"PURGE\")");
    assert_eq!(seen["path"], "/shop/42/a/request?key=1&b");
    assert_eq!(seen["scheme"], "Scheme::Http");
    assert_eq!(seen["authority"], authority);
    let url = format!("http://{authority}/shop/42/a/request?key=1&b");
    for (name, want) in [
        ("x-mine", "kept"),
        ("spin-path-info", "/a/request"),
        ("spin-full-url", &url),
        ("spin-matched-route", "/shop/:item/..."),
        ("spin-raw-component-route", "/shop/:item/..."),
        ("spin-component-route", "/shop/:item"),
        ("spin-base-path", "/"),
        ("spin-path-match-item", "42"),
    ] {
        assert_eq!(seen["headers"][name], want, "{name}");
    }
    let client = &seen["headers"]["spin-client-addr"];
    assert!(
        client.as_str().context("text")?.starts_with("127.0.0.1:"),
        "{client}"
    );
    assert_eq!(seen["headers"]["spin-path-match-admin"], Value::Null);

    for (method, want) in [
        (Method::GET, "Method::Get"),
        (Method::POST, "Method::Post"),
        (Method::PUT, "Method::Put"),
        (Method::DELETE, "Method::Delete"),
        (Method::PATCH, "Method::Patch"),
        (Method::OPTIONS, "Method::Options"),
    ] {
        let answer = host.app.request(method, "/shop/1/request", &[], "").await?;
        assert_eq!(answer.json()?["method"], want);
    }
    let head = host.app.request(Method::HEAD, "/exact", &[], "").await?;
    assert_eq!((head.status.as_u16(), head.body.len()), (200, 0));
    Ok(())
}

#[tokio::test]
async fn bodies_of_any_length_go_both_ways() -> Result<()> {
    let host = Host::one("").await?;
    for bytes in [0, 1, 65_536, 1_500_000] {
        let body: Bytes = (0..bytes)
            .map(|at: u32| at.to_le_bytes()[at as usize % 4])
            .collect();
        let headers = [("content-type", "application/octet-stream")];
        let answer = host
            .app
            .request(Method::POST, "/echo", &headers, body.clone())
            .await?;
        assert_eq!(answer.status, 200, "{bytes} bytes");
        assert_eq!(answer.header("content-type"), "application/octet-stream");
        assert!(answer.body == body, "{bytes} bytes came back different");
    }

    let long = host.get("/long?20").await?;
    assert_eq!(long.header("content-length"), "");
    assert_eq!(long.header("transfer-encoding"), "chunked");
    let want: Vec<u8> = (b'a'..b'a' + 20)
        .flat_map(|letter| vec![letter; 65_536])
        .collect();
    assert!(long.body == want, "{} bytes", long.body.len());
    Ok(())
}

#[tokio::test]
async fn an_allowed_host_is_reached() -> Result<()> {
    let receiver = Receiver::start(&[201, 204]).await?;
    let grant = format!(
        "allowed_outbound_hosts = [\"{}\", \"http://other.spin.internal\"]",
        receiver.base
    );
    let host = Host::start(&[
        (r#""/...""#, "old", &grant),
        ("{ private = true }", "other", ""),
    ])
    .await?;
    let answer = host.get(&format!("/get?{}/hook", receiver.base)).await?;
    assert_eq!(answer.json()?, json!({ "status": 201, "body": "" }));
    let path = format!("/post?{}/in", receiver.base);
    let answer = host
        .app
        .request(Method::POST, &path, &[], "x".repeat(100_000))
        .await?;
    assert_eq!(answer.json()?, json!({ "status": 204, "body": "" }));
    let got = receiver.got();
    assert_eq!(
        got.iter().map(|one| one.path.as_str()).collect::<Vec<_>>(),
        ["/hook", "/in"]
    );
    assert_eq!(got[1].headers["content-length"], "100000");
    assert!(got[1].body.iter().all(|byte| *byte == b'x'));

    let answer = host
        .get("/get?http://other.spin.internal/x/request")
        .await?;
    let answer = answer.json()?;
    assert_eq!(answer["status"], 200, "{answer}");
    let seen: Value = serde_json::from_str(answer["body"].as_str().context("body")?)?;
    let headers = &seen["headers"];
    assert_eq!(headers["spin-full-url"], "http://localhost/x/request");
    assert_eq!(headers["spin-matched-route"], "/...");
    assert_eq!(headers["spin-client-addr"], "0.0.0.0:0");
    Ok(())
}

#[tokio::test]
async fn any_other_host_is_spins_error_value() -> Result<()> {
    let receiver = Receiver::start(&[]).await?;
    let hook = format!("{}/hook", receiver.base);
    let wildcard = r#"allowed_outbound_hosts = ["http://*:*"]"#;
    let other = r#"allowed_outbound_hosts = ["https://127.0.0.1:*", "http://127.0.0.1:1"]"#;
    for (name, grant, url, want) in [
        ("nothing", "", &*hook, "ErrorCode::HttpRequestDenied"),
        (
            "scheme and port",
            other,
            &hook,
            "ErrorCode::HttpRequestDenied",
        ),
        (
            "a component",
            other,
            "http://other.spin.internal/",
            "ErrorCode::HttpRequestDenied",
        ),
        (
            "a private address",
            wildcard,
            &hook,
            "ErrorCode::DestinationIpProhibited",
        ),
    ] {
        let host = Host::start(&[
            (r#""/...""#, "old", grant),
            ("{ private = true }", "other", ""),
        ])
        .await?;
        for how in ["get", "post"] {
            let answer = host.get(&format!("/{how}?{url}")).await?;
            assert_eq!(answer.json()?, json!({ "error": want }), "{name}, {how}");
        }
    }
    assert_eq!(receiver.got().len(), 0);
    Ok(())
}

#[tokio::test]
async fn a_failure_costs_one_request() -> Result<()> {
    let host = Host::one("").await?;
    for path in ["/trap", "/silent", "/refuse"] {
        let answer = host.get(path).await?;
        assert_eq!(answer.status, 500, "{path}");
        assert_eq!(answer.json()?["code"], "component_failed", "{path}");
        assert!(!answer.header("x-request-id").is_empty(), "{path}");
        assert_eq!(host.get("/seen").await?.body, "1", "after {path}");
    }
    // What breaks after the head must not look like a whole answer.
    for path in ["/trap-midway", "/too-short"] {
        let whole = match host.open(path).await {
            Ok(response) => response.into_body().collect().await.is_ok(),
            // It broke before the head was on its way.
            Err(_) => false,
        };
        assert!(!whole, "{path}");
        assert_eq!(host.get("/seen").await?.body, "1", "after {path}");
    }
    Ok(())
}

/// On Spin a component of WASI 0.2 has a fresh instance for each request, and relies on it.
#[tokio::test]
async fn every_request_has_an_instance_of_its_own() -> Result<()> {
    let host = Host::one("").await?;
    for _ in 0..3 {
        assert_eq!(host.get("/seen").await?.body, "1");
    }
    let mut streams = Vec::new();
    for _ in 0..MANY {
        let mut body = host.open("/ticks").await?.into_body();
        next_tick(&mut body).await?;
        streams.push(body);
    }
    assert_eq!(host.get("/seen").await?.body, "1", "beside {MANY} streams");
    for stream in &mut streams {
        next_tick(stream).await?;
    }
    drop(streams);
    host.printed("the client left").await
}

/// Milliseconds since the head, by the guest's clock.
async fn next_tick(body: &mut Incoming) -> Result<u64> {
    let mut text = String::new();
    while !text.ends_with("\n\n") {
        let frame = body.frame().await.context("the stream ended")??;
        text += std::str::from_utf8(frame.data_ref().context("no data")?)?;
    }
    let last = text.trim_end().rsplit("data: ").next().unwrap_or_default();
    Ok(last.parse()?)
}

#[tokio::test]
async fn the_response_timeout_is_for_the_head_only() -> Result<()> {
    let host = Host::one("[component.old.tool.chatly]\nresponse_timeout = \"1s\"").await?;
    let late = host.get("/sleep?3600000").await?;
    assert_eq!(late.status, 504);
    assert_eq!(late.json()?["code"], "response_timeout");

    // Past the timeout, and past the host's grace on top of it.
    let mut body = host.open("/ticks").await?.into_body();
    while next_tick(&mut body).await? < 3500 {}
    drop(body);
    host.printed("the client left").await?;

    assert_eq!(host.get("/later?3500").await?.body, "first");
    host.printed("worked later").await
}

/// A guest that waits in blocking calls gives the processor back, however much it computes in all.
#[tokio::test]
async fn waiting_ends_a_computation() -> Result<()> {
    let host = Host::one("[component.old.tool.chatly]\ncpu_timeout = \"500ms\"").await?;
    // 5 ms a step: more than the limit in all, and far less in one.
    let answer = host.get("/steps?150").await?;
    assert!(answer.body.ends_with(b" 149 "), "{answer:?}");
    Ok(())
}
