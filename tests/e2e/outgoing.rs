//! What a component sends goes where its manifest says and nowhere else, and what comes back is
//! bounded: by the sender's limits, not by the receiver's good will.

use std::net::SocketAddr;
use std::path::Path;

use anyhow::{Context, Result, ensure};
use harness::{GuestApp, Setup, TestApp, guest};
use http::Method;
use tokio::io::{AsyncReadExt as _, AsyncWriteExt as _};
use tokio::net::{TcpListener, TcpStream};

/// A body that no instance has the memory for.
const LARGE_BYTES: u64 = 1 << 30;
/// What the host may use more than before while such a body goes through it: the guest's own limit,
/// and as much again.
const MEMORY_MIB: u64 = 192;

/// A receiver that answers by path.
async fn receiver() -> Result<SocketAddr> {
    let listener = TcpListener::bind("127.0.0.1:0").await?;
    let address = listener.local_addr()?;
    tokio::spawn(async move {
        while let Ok((stream, _)) = listener.accept().await {
            // A sender that leaves ends the answer.
            tokio::spawn(async move { drop(answer(stream).await) });
        }
    });
    Ok(address)
}

async fn answer(mut stream: TcpStream) -> Result<()> {
    let mut request = Vec::new();
    while !request.ends_with(b"\r\n\r\n") {
        let byte = stream.read_u8().await?;
        request.push(byte);
    }
    let request = String::from_utf8(request)?;
    let path = request.split(' ').nth(1).context("path")?;
    let (path, query) = path.split_once('?').unwrap_or((path, ""));
    let piece = vec![b'x'; 1 << 16];
    match path {
        "/hello" => {
            stream
                .write_all(b"HTTP/1.1 200 OK\r\ncontent-length: 5\r\n\r\nhello")
                .await?
        }
        "/redirect" => {
            let head =
                format!("HTTP/1.1 302 Found\r\nlocation: {query}\r\ncontent-length: 0\r\n\r\n");
            stream.write_all(head.as_bytes()).await?;
        }
        "/large" => {
            let head = format!("HTTP/1.1 200 OK\r\ncontent-length: {LARGE_BYTES}\r\n\r\n");
            stream.write_all(head.as_bytes()).await?;
            for _ in 0..LARGE_BYTES / piece.len() as u64 {
                stream.write_all(&piece).await?;
            }
        }
        "/endless" => {
            stream
                .write_all(b"HTTP/1.1 200 OK\r\ntransfer-encoding: chunked\r\n\r\n")
                .await?;
            loop {
                stream.write_all(b"10000\r\n").await?;
                stream.write_all(&piece).await?;
                stream.write_all(b"\r\n").await?;
            }
        }
        "/endless-head" => {
            stream.write_all(b"HTTP/1.1 200 OK\r\nx-filler: ").await?;
            loop {
                stream.write_all(&piece).await?;
            }
        }
        "/stalled" => {
            stream
                .write_all(b"HTTP/1.1 200 OK\r\ncontent-length: 9\r\n\r\nhel")
                .await?;
            std::future::pending::<()>().await;
        }
        _ => std::future::pending::<()>().await,
    }
    stream.flush().await?;
    Ok(())
}

/// A host with the probe guest thrice: `named` may reach `receiver` only, `public` every public
/// address, `none` nothing.
async fn start(receiver: SocketAddr) -> Result<GuestApp> {
    let source = guest("probe")?;
    let mut setup = Setup::new()?;
    for (id, hosts) in [
        ("named", format!("[\"http://{receiver}\"]")),
        ("public", "[\"http://*:*\"]".to_owned()),
        ("none", "[]".to_owned()),
    ] {
        let lines = format!(
            "allowed_outbound_hosts = {hosts}\n[component.{id}.tool.chatly]\n\
             response_timeout = \"3s\"\nmax_memory_mib = 64\n"
        );
        setup = setup.component(id, &source, &lines);
    }
    setup.start().await
}

fn resident_mib(app: &TestApp) -> Result<u64> {
    let path = format!("/proc/{}/status", app.pid());
    let status = std::fs::read_to_string(Path::new(&path))?;
    let line = status.lines().find(|line| line.starts_with("VmRSS:"));
    let kib = line.and_then(|line| line.split_whitespace().nth(1));
    Ok(kib.context("VmRSS")?.parse::<u64>()? / 1024)
}

async fn ask(app: &TestApp, path: &str) -> Result<(u16, String)> {
    let answer = app.request(Method::GET, path, &[], "").await?;
    let body = String::from_utf8(answer.body.to_vec())?;
    Ok((answer.status.as_u16(), body))
}

#[tokio::test]
async fn only_what_the_manifest_names_is_reached() -> Result<()> {
    let receiver = receiver().await?;
    let port = receiver.port();
    let app = start(receiver).await?;
    let hello = format!("http://{receiver}/hello");
    let denied = "HttpRequestDenied";
    let private = "DestinationIpProhibited";
    for (name, path, want) in [
        (
            "the named host",
            format!("/named/call?{hello}"),
            "200 hello",
        ),
        ("without a grant", format!("/none/call?{hello}"), denied),
        (
            "another name of it",
            format!("/named/call?http://localhost:{port}/hello"),
            denied,
        ),
        (
            "another port",
            "/named/call?http://127.0.0.1:1/hello".to_owned(),
            denied,
        ),
        (
            "another scheme",
            format!("/named/call?https://{receiver}/hello"),
            denied,
        ),
        (
            "a private address",
            format!("/public/call?{hello}"),
            private,
        ),
        (
            "a name for one",
            format!("/public/call?http://localhost:{port}/hello"),
            private,
        ),
        (
            "a redirect to the named host",
            format!("/named/follow?http://{receiver}/redirect?{hello}"),
            "200 hello",
        ),
        (
            "a redirect elsewhere",
            format!("/named/follow?http://{receiver}/redirect?http://localhost:{port}/hello"),
            denied,
        ),
        (
            "a redirect to the cloud's metadata",
            format!("/named/follow?http://{receiver}/redirect?http://169.254.169.254/latest"),
            denied,
        ),
        (
            "the cloud's metadata",
            "/public/call?http://169.254.169.254/latest".to_owned(),
            private,
        ),
    ] {
        let (status, body) = ask(&app, &path).await?;
        assert_eq!(status, 200, "{name}: {body}");
        assert!(body.contains(want), "{name}: {body}");
    }
    Ok(())
}

/// A component that keeps what it is sent runs into its own limit; one that does not, reads on.
#[tokio::test]
async fn a_large_response_is_bounded_by_the_receiving_component() -> Result<()> {
    let receiver = receiver().await?;
    let app = start(receiver).await?;
    let hello = format!("/named/call?http://{receiver}/hello");
    assert_eq!(ask(&app, &hello).await?.1, "200 hello");
    let before = resident_mib(&app)?;
    for path in ["large", "endless"] {
        let (status, body) = ask(&app, &format!("/named/call?http://{receiver}/{path}")).await?;
        assert!([500, 504].contains(&status), "{path}: {status} {body}");
        assert_eq!(ask(&app, &hello).await?.1, "200 hello", "after {path}");
        let after = resident_mib(&app)?;
        assert!(
            after < before + MEMORY_MIB,
            "{path}: from {before} to {after} MiB"
        );
    }
    Ok(())
}

#[tokio::test]
async fn a_response_that_never_ends_costs_one_request() -> Result<()> {
    let receiver = receiver().await?;
    let app = start(receiver).await?;
    let hello = format!("/named/call?http://{receiver}/hello");
    for path in ["silent", "stalled", "endless"] {
        let (status, body) = ask(&app, &format!("/named/count?http://{receiver}/{path}")).await?;
        assert_eq!(status, 504, "{path}: {body}");
        ensure!(body.contains("response_timeout"), "{path}: {body}");
        assert_eq!(ask(&app, &hello).await?.1, "200 hello", "after {path}");
    }
    let before = resident_mib(&app)?;
    let (status, body) = ask(&app, &format!("/named/call?http://{receiver}/endless-head")).await?;
    assert_eq!(status, 200, "{body}");
    assert!(body.contains("HttpProtocolError"), "{body}");
    assert!(resident_mib(&app)? < before + 64);
    Ok(())
}
