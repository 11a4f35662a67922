//! What those who run a host see of it: metrics, health, traps, and components' output.

use std::net::TcpListener;

use anyhow::{Context, Result};
use bytes::Bytes;
use harness::{Answer, Client, Options, TestApp, eventually, guest};
use http::{Method, Request};
use tokio::io::{AsyncReadExt as _, AsyncWriteExt as _};
use tokio::net::TcpStream;

/// A host with the probe guest, and the address of its metrics.
async fn start() -> Result<(TestApp, String, tempfile::TempDir)> {
    let folder = tempfile::tempdir()?;
    let source = guest("probe")?;
    let manifest = format!(
        "spin_manifest_version = 2\n[application]\nname = \"probe\"\n[[trigger.http]]\n\
         route = \"/probe/...\"\ncomponent = \"probe\"\n[component.probe]\nsource = {source:?}\n"
    );
    let path = folder.path().join("spin.toml");
    std::fs::write(&path, manifest)?;
    // Free a moment ago; nobody else listens on ports that the system hands out.
    let admin = TcpListener::bind("127.0.0.1:0")?.local_addr()?.to_string();
    let app = TestApp::start_with(Options {
        manifest: path,
        arguments: vec!["--admin-listen".to_owned(), admin.clone()],
        ..Options::default()
    })
    .await?;
    Ok((app, admin, folder))
}

async fn admin(address: &str, path: &str) -> Result<Answer> {
    let request = Request::get(format!("http://{address}{path}"));
    Client::default().send(request.body(Bytes::new())?).await
}

async fn metrics(address: &str) -> Result<String> {
    let answer = admin(address, "/metrics").await?;
    assert_eq!(answer.status, 200);
    assert!(
        answer
            .header("content-type")
            .starts_with("text/plain; version=0.0.4")
    );
    Ok(String::from_utf8(answer.body.to_vec())?)
}

/// The value of one series.
fn value(page: &str, series: &str) -> Result<f64> {
    let line = page.lines().find_map(|line| line.strip_prefix(series));
    Ok(line
        .with_context(|| format!("{series}\n{page}"))?
        .trim()
        .parse()?)
}

#[tokio::test]
async fn every_request_is_counted_where_it_belongs() -> Result<()> {
    let (app, address, _folder) = start().await?;
    for (path, status) in [
        ("/probe/sized", 200),
        ("/probe/sized", 200),
        ("/probe/trap", 500),
        ("/elsewhere", 404),
    ] {
        let answer = app.request(Method::GET, path, &[], "").await?;
        assert_eq!(answer.status, status, "{path}");
    }
    let page = metrics(&address).await?;
    for (series, want) in [
        (
            r#"chatly_http_requests_total{component="probe",status="2xx"}"#,
            2.0,
        ),
        (
            r#"chatly_http_requests_total{component="probe",status="5xx"}"#,
            1.0,
        ),
        (
            r#"chatly_http_requests_total{component="",status="4xx"}"#,
            1.0,
        ),
        (
            r#"chatly_http_request_duration_seconds_count{component="probe"}"#,
            3.0,
        ),
        (r#"chatly_http_requests_in_flight{component="probe"}"#, 0.0),
        (r#"chatly_traps_total{component="probe"}"#, 1.0),
    ] {
        assert_eq!(value(&page, series)?, want, "{series}\n{page}");
    }
    assert!(value(&page, "chatly_connections ")? >= 1.0, "{page}");

    let mut waiting = TcpStream::connect(app.base().trim_start_matches("http://")).await?;
    waiting
        .write_all(b"POST /probe/length HTTP/1.1\r\nhost: x\r\ncontent-length: 1\r\n\r\n")
        .await?;
    eventually("a request is in flight", async || {
        let in_flight = r#"chatly_http_requests_in_flight{component="probe"}"#;
        Ok((value(&metrics(&address).await?, in_flight)? == 1.0).then_some(()))
    })
    .await?;
    waiting.write_all(b"x").await?;
    waiting.read_u8().await?;
    Ok(())
}

#[tokio::test]
async fn a_host_is_ready_until_it_is_told_to_stop() -> Result<()> {
    let (app, address, _folder) = start().await?;
    assert_eq!(admin(&address, "/healthz").await?.status, 200);
    assert_eq!(admin(&address, "/readyz").await?.status, 200);
    assert_eq!(admin(&address, "/elsewhere").await?.status, 404);

    // A request that is being answered keeps the host from ending at once.
    let mut waiting = TcpStream::connect(app.base().trim_start_matches("http://")).await?;
    waiting
        .write_all(b"POST /probe/length HTTP/1.1\r\nhost: x\r\ncontent-length: 1\r\n\r\n")
        .await?;
    eventually("it is in flight", async || {
        let in_flight = r#"chatly_http_requests_in_flight{component="probe"}"#;
        Ok((value(&metrics(&address).await?, in_flight)? == 1.0).then_some(()))
    })
    .await?;
    let stopping = tokio::task::spawn_blocking(move || app.stop());
    eventually("it is no longer ready", async || {
        Ok((admin(&address, "/readyz").await?.status == 503).then_some(()))
    })
    .await?;
    assert_eq!(admin(&address, "/healthz").await?.status, 200);
    waiting.write_all(b"x").await?;
    let mut answer = [0; 12];
    waiting.read_exact(&mut answer).await?;
    assert_eq!(answer, *b"HTTP/1.1 200");
    stopping.await??;
    Ok(())
}

/// The caller gets an id and no cause; the log has both, with the component and where in it.
#[tokio::test]
async fn a_trap_is_in_the_log_with_its_place_and_the_callers_id() -> Result<()> {
    let (app, _, _folder) = start().await?;
    let answer = app.request(Method::GET, "/probe/trap", &[], "").await?;
    assert_eq!(answer.status, 500);
    assert_eq!(answer.header("content-type"), "application/problem+json");
    let problem = answer.json()?;
    let id = problem["request_id"].as_str().context("request_id")?;
    assert_eq!(id, answer.header("x-request-id"));
    assert_eq!(problem["code"], "component_failed");
    assert!(!problem.to_string().contains("wasm"), "{problem}");
    let (log, _state) = app.stop()?;
    let start = log.find("instance ended by a trap").context("the trap")?;
    let report = &log[start..];
    for part in [
        "component=\"probe\"",
        id,
        "wasm trap: wasm `unreachable` instruction executed",
        // A function of the guest by its name in the source, not by its number.
        "guest_probe",
        "abort",
    ] {
        assert!(report.contains(part), "{part}\n{log}");
    }
    Ok(())
}

/// What a component prints is on the terminal with its name, and in its file.
#[tokio::test]
async fn components_output_is_in_the_log_folder_and_on_the_terminal() -> Result<()> {
    let (app, _, _folder) = start().await?;
    let answer = app.request(Method::GET, "/probe/later?0", &[], "").await?;
    assert_eq!(answer.status, 200);
    let file = app.state().join("logs/probe_stdout.txt");
    eventually("the line is in the file", async || {
        let text = std::fs::read_to_string(&file).unwrap_or_default();
        Ok((text == "worked later\n").then_some(()))
    })
    .await?;
    let (output, _state) = app.stop()?;
    assert!(output.contains("[probe] worked later"), "{output}");
    Ok(())
}
