//! Clients that are slow, many, endless or oversized: memory stays bounded and others are served.
//!
//! Bounds are generous and nothing is timed: what waiting costs others is a figure of `benches/`.

use std::path::Path;

use anyhow::{Context, Result};
use harness::{GuestApp, Setup, TestApp, eventually, free_port, guest};
use http::Method;
use tokio::io::{AsyncReadExt as _, AsyncWriteExt as _};
use tokio::net::TcpStream;

use crate::operations::one_in_flight;
use crate::payload;

/// What all that a test does to a host may add to its resident memory, in MiB. Instances that were
/// started meanwhile are in it; buffering what these clients send would be gigabytes.
const MEMORY_MIB: u64 = 256;
const IDLE: usize = 2000;

/// Resident memory of the host, in MiB.
fn resident(app: &TestApp) -> Result<u64> {
    let path = format!("/proc/{}/status", app.pid());
    let status = std::fs::read_to_string(Path::new(&path))?;
    let line = status.lines().find(|line| line.starts_with("VmRSS:"));
    let kib = line.and_then(|line| line.split_whitespace().nth(1));
    Ok(kib.context("VmRSS")?.parse::<u64>()? / 1024)
}

async fn connect(app: &TestApp) -> Result<TcpStream> {
    Ok(TcpStream::connect(app.base().trim_start_matches("http://")).await?)
}

/// Sends as much of `bytes` as the host takes, and reads what it answers until it closes.
async fn exchange(stream: &mut TcpStream, bytes: &[u8]) -> Result<String> {
    let (mut reader, mut writer) = stream.split();
    let send = async {
        // The host may close before it has taken everything.
        drop(writer.write_all(bytes).await);
    };
    let receive = async {
        let mut answer = Vec::new();
        // A reset after the answer is an end, too.
        drop(reader.read_to_end(&mut answer).await);
        answer
    };
    let ((), answer) = tokio::join!(send, receive);
    Ok(String::from_utf8_lossy(&answer).into_owned())
}

/// A webhook is accepted and worked on.
async fn serves_others(app: &TestApp, id: &str) -> Result<()> {
    let delivery = payload::text_delivery("16505551234", id, "Hi");
    assert_eq!(app.deliver(&delivery).await?.status, 200, "{id}");
    Ok(())
}

/// A host with the probe guest and these arguments.
async fn probe(arguments: &[&str]) -> Result<GuestApp> {
    let setup = Setup::new()?.component("probe", &guest("probe")?, "");
    setup.arguments(arguments).start().await
}

#[tokio::test]
async fn a_head_over_64_kib_is_refused() -> Result<()> {
    let app = probe(&[]).await?;
    let head = |bytes: usize, end: &str| {
        let start = "GET /probe/headers HTTP/1.1\r\nhost: x\r\nconnection: close\r\nx-filler: ";
        format!(
            "{start}{}{end}",
            "x".repeat(bytes - start.len() - end.len())
        )
    };
    let many = format!(
        "GET /probe/headers HTTP/1.1\r\nhost: x\r\n{}\r\n",
        "a: b\r\n".repeat(200)
    );
    for (name, head, want) in [
        ("short", head(1000, "\r\n\r\n"), "HTTP/1.1 200"),
        (
            "just short enough",
            head(60 << 10, "\r\n\r\n"),
            "HTTP/1.1 200",
        ),
        ("too long", head(66 << 10, "\r\n\r\n"), "HTTP/1.1 431"),
        ("without end", head(8 << 20, ""), "HTTP/1.1 431"),
        ("too many", many, "HTTP/1.1 431"),
    ] {
        let answer = exchange(&mut connect(&app).await?, head.as_bytes()).await?;
        assert!(answer.starts_with(want), "{name}: {answer:.100}");
    }
    Ok(())
}

/// Idle connections, heads and bodies that come byte by byte, and bodies that never end: all at once.
#[tokio::test]
async fn many_bad_clients_cost_bounded_memory_and_others_are_served() -> Result<()> {
    let app = TestApp::start().await?;
    for n in 0..20 {
        serves_others(&app, &format!("wamid.before.{n}")).await?;
    }
    let before = resident(&app)?;

    let mut idle = Vec::new();
    for _ in 0..IDLE {
        idle.push(connect(&app).await?);
    }
    let mut slow = Vec::new();
    for n in 0..100 {
        let mut stream = connect(&app).await?;
        let start = match n % 2 {
            0 => "GET /v1/inbox HTTP/1.1\r\nhost: ",
            _ => "POST /webhooks/whatsapp HTTP/1.1\r\nhost: x\r\ncontent-length: 1000000\r\n\r\n",
        };
        stream.write_all(start.as_bytes()).await?;
        slow.push(stream);
    }
    let endless: Vec<_> = (0..8)
        .map(|_| tokio::spawn(endless_body(connect_to(&app))))
        .collect();

    for n in 0..50 {
        for stream in &mut slow {
            // One byte a round; the host may have given up on the client.
            drop(stream.write_all(b"x").await);
        }
        serves_others(&app, &format!("wamid.during.{n}")).await?;
    }
    for task in endless {
        let answer = task.await??;
        assert!(answer.starts_with("HTTP/1.1 413"), "{answer:.100}");
    }
    let after = resident(&app)?;
    assert!(
        after < before + MEMORY_MIB,
        "resident memory went from {before} to {after} MiB"
    );
    for stream in idle.iter().take(10) {
        assert!(stream.peer_addr().is_ok());
    }
    drop((idle, slow));
    app.settle().await?;
    assert_eq!(app.messages().await?.len(), 70);
    Ok(())
}

fn connect_to(app: &TestApp) -> String {
    app.base().trim_start_matches("http://").to_owned()
}

/// Sends chunks until the host no longer takes them. Gives what it answered.
async fn endless_body(address: String) -> Result<String> {
    let mut stream = TcpStream::connect(address).await?;
    let (mut reader, mut writer) = stream.split();
    let head = "POST /webhooks/whatsapp HTTP/1.1\r\nhost: x\r\ntransfer-encoding: chunked\r\n\r\n";
    writer.write_all(head.as_bytes()).await?;
    let chunk = [b"10000\r\n".as_slice(), &[b'x'; 0x10000], b"\r\n"].concat();
    let send = async { while writer.write_all(&chunk).await.is_ok() {} };
    let receive = async {
        let mut answer = Vec::new();
        drop(reader.read_to_end(&mut answer).await);
        answer
    };
    let ((), answer) = tokio::join!(send, receive);
    Ok(String::from_utf8_lossy(&answer).into_owned())
}

/// A component that never reads does not make the host read for it.
#[tokio::test]
async fn a_body_that_no_component_reads_is_not_kept() -> Result<()> {
    let app = probe(&[]).await?;
    let before = resident(&app)?;
    for _ in 0..4 {
        let mut stream = connect(&app).await?;
        let head = "POST /probe/sized HTTP/1.1\r\nhost: x\r\ntransfer-encoding: chunked\r\n\r\n";
        let chunk = format!("4000000\r\n{}\r\n", "x".repeat(0x400_0000));
        let answer = exchange(&mut stream, format!("{head}{chunk}").as_bytes()).await?;
        assert!(answer.starts_with("HTTP/1.1 200"), "{answer:.100}");
    }
    let after = resident(&app)?;
    assert!(
        after < before + 128,
        "resident memory went from {before} to {after} MiB"
    );
    Ok(())
}

#[tokio::test]
async fn one_connection_too_many_is_told_when_to_come_back() -> Result<()> {
    let app = probe(&["--max-connections", "3"]).await?;
    let request = b"GET /probe/sized HTTP/1.1\r\nhost: x\r\nconnection: close\r\n\r\n";
    let mut held = Vec::new();
    for _ in 0..3 {
        let mut stream = connect(&app).await?;
        // An answer shows that the host has taken the connection.
        stream
            .write_all(b"GET /probe/sized HTTP/1.1\r\nhost: x\r\n\r\n")
            .await?;
        let mut start = [0; 12];
        stream.read_exact(&mut start).await?;
        held.push(stream);
    }
    let refused = exchange(&mut connect(&app).await?, request).await?;
    assert!(refused.starts_with("HTTP/1.1 503"), "{refused}");
    assert!(refused.contains("\r\nretry-after: 1\r\n"), "{refused}");
    assert!(refused.contains("connection_limit"), "{refused}");
    held.pop();
    eventually("a place is free again", async || {
        let answer = exchange(&mut connect(&app).await?, request).await?;
        Ok(answer.starts_with("HTTP/1.1 200").then_some(()))
    })
    .await
}

#[tokio::test]
async fn one_request_too_many_is_told_when_to_come_back() -> Result<()> {
    let admin = format!("127.0.0.1:{}", free_port()?);
    let app = probe(&["--max-requests", "1", "--admin-listen", &admin]).await?;
    let mut first = connect(&app).await?;
    first
        .write_all(
            b"POST /probe/length HTTP/1.1\r\nhost: x\r\ncontent-length: 2\r\nconnection: close\r\n\r\n1",
        )
        .await?;
    // It takes its place as soon as its head was read; until then another would take it.
    one_in_flight(&admin).await?;
    let refused = app.request(Method::GET, "/probe/sized", &[], "").await?;
    assert_eq!(refused.status, 503);
    assert_eq!(refused.header("retry-after"), "1");
    assert_eq!(refused.json()?["code"], "overloaded");
    assert!(!refused.header("x-request-id").is_empty());
    let answer = exchange(&mut first, b"2").await?;
    assert!(
        answer.starts_with("HTTP/1.1 200") && answer.ends_with("\r\n1\r\n2\r\n0\r\n\r\n"),
        "{answer}"
    );
    eventually("the place is free again", async || {
        let answer = app.request(Method::GET, "/probe/sized", &[], "").await?;
        Ok((answer.status == 200).then_some(()))
    })
    .await
}
