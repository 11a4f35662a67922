//! What those who run a host see of it: metrics, health, traps, and components' output.

use anyhow::{Context, Result};
use bytes::Bytes;
use harness::{Answer, Client, GuestApp, Setup, eventually, free_port, guest};
use http::{Method, Request};
use serde_json::json;
use tokio::io::{AsyncReadExt as _, AsyncWriteExt as _};
use tokio::net::TcpStream;

/// A host with the probe guest, and the address of its metrics.
async fn start() -> Result<(GuestApp, String)> {
    start_with(Setup::new()?.component("probe", &guest("probe")?, "")).await
}

async fn start_with(setup: Setup) -> Result<(GuestApp, String)> {
    let admin = format!("127.0.0.1:{}", free_port()?);
    let app = setup.arguments(&["--admin-listen", &admin]).start().await?;
    Ok((app, admin))
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

/// Waits until the component `probe` works on a request.
pub async fn one_in_flight(address: &str) -> Result<()> {
    eventually("a request is in flight", async || {
        let in_flight = r#"chatly_http_requests_in_flight{component="probe"}"#;
        Ok((value(&metrics(address).await?, in_flight)? == 1.0).then_some(()))
    })
    .await
}

#[tokio::test]
async fn every_request_is_counted_where_it_belongs() -> Result<()> {
    let (app, address) = start().await?;
    for (path, status) in [
        ("/probe/sized", 200),
        ("/probe/sized", 200),
        ("/probe/trap", 500),
        ("/elsewhere", 404),
    ] {
        let answer = app.request(Method::GET, path, &[], "").await?;
        assert_eq!(answer.status, status, "{path}");
    }
    let wanted = [
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
    ];
    // A caller may have its answer before the instance that trapped is counted.
    let page = eventually("all is counted", async || {
        let page = metrics(&address).await?;
        let counted = |(series, want): &(&str, f64)| Ok(value(&page, series)? == *want);
        let all: Vec<bool> = wanted.iter().map(counted).collect::<Result<_>>()?;
        Ok(all.into_iter().all(|one| one).then_some(page))
    });
    let page = match page.await {
        Ok(page) => page,
        Err(error) => return Err(error.context(metrics(&address).await?)),
    };
    assert!(value(&page, "chatly_connections ")? >= 1.0, "{page}");

    let mut waiting = TcpStream::connect(app.base().trim_start_matches("http://")).await?;
    waiting
        .write_all(b"POST /probe/length HTTP/1.1\r\nhost: x\r\ncontent-length: 1\r\n\r\n")
        .await?;
    one_in_flight(&address).await?;
    waiting.write_all(b"x").await?;
    waiting.read_u8().await?;
    Ok(())
}

#[tokio::test]
async fn the_statements_of_shared_commits_are_counted_by_database() -> Result<()> {
    let grants = "sqlite_databases = [\"default\"]";
    let setup = Setup::new()?.component("sql", &guest("sqlite-3-0")?, grants);
    let (app, address) = start_with(setup).await?;
    let count = r#"chatly_sqlite_group_statements_count{database="default"}"#;
    assert_eq!(value(&metrics(&address).await?, count)?, 0.0);
    let insert = ["execute", "INSERT INTO t VALUES (1)"];
    let first = json!([
        ["open", "default"],
        ["execute", "CREATE TABLE t (a)"],
        insert
    ]);
    app.calls("/sql", first).await?;
    let before = metrics(&address).await?;
    let sum = r#"chatly_sqlite_group_statements_sum{database="default"}"#;
    let statements = value(&before, sum)?;
    let write = json!([["open", "default"], insert]);
    let writes = (0..16).map(|_| app.calls("/sql", write.clone()));
    for answer in futures::future::try_join_all(writes).await? {
        assert!(answer[1]["error"].is_null(), "{answer}");
    }
    let page = metrics(&address).await?;
    assert_eq!(value(&page, sum)?, statements + 16.0, "{page}");
    let commits = value(&page, count)? - value(&before, count)?;
    assert!((1.0..=16.0).contains(&commits), "{page}");
    for bound in ["128", "+Inf"] {
        let bucket =
            format!("chatly_sqlite_group_statements_bucket{{database=\"default\",le=\"{bound}\"}}");
        assert_eq!(value(&page, &bucket)?, value(&page, count)?, "{page}");
    }
    Ok(())
}

#[tokio::test]
async fn a_host_is_ready_until_it_is_told_to_stop() -> Result<()> {
    let (app, address) = start().await?;
    assert_eq!(admin(&address, "/healthz").await?.status, 200);
    assert_eq!(admin(&address, "/readyz").await?.status, 200);
    assert_eq!(admin(&address, "/elsewhere").await?.status, 404);

    // A request that is being answered keeps the host from ending at once.
    let mut waiting = TcpStream::connect(app.base().trim_start_matches("http://")).await?;
    waiting
        .write_all(b"POST /probe/length HTTP/1.1\r\nhost: x\r\ncontent-length: 1\r\n\r\n")
        .await?;
    one_in_flight(&address).await?;
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
    let (app, _) = start().await?;
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
    let (app, _) = start().await?;
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
