//! What the same verify and parse cost in a plain hyper server: no sandbox, and no storage either,
//! so the ratio to ours holds the price of durability too.

use std::convert::Infallible;
use std::io::{BufRead, BufReader};
use std::net::SocketAddr;
use std::process::{Command, Stdio};

use anyhow::{Context, Result};
use bytes::Bytes;
use chatly_channel::{Channel, Delivery, Header};
use chatly_signature::{Encoding, verify};
use chatly_whatsapp::WhatsApp;
use harness::secrets;
use http::{Request, Response, StatusCode};
use http_body_util::{BodyExt, Full};
use hyper::body::Incoming;
use hyper::server::conn::http1;
use hyper::service::service_fn;
use hyper_util::rt::TokioIo;
use tokio::net::TcpListener;

use crate::pinned;

/// The server as a process of its own, pinned like the host.
pub struct Child {
    process: std::process::Child,
    address: SocketAddr,
}

impl Child {
    /// Starts it and waits until it listens.
    pub fn start() -> Result<Self> {
        let launcher = pinned::launcher(pinned::SERVER_CORE);
        let (program, arguments) = launcher.split_first().context("a launcher")?;
        let mut process = Command::new(program)
            .args(arguments)
            .arg(std::env::current_exe()?)
            .arg("native")
            .env_remove("RUST_BACKTRACE")
            .stdin(Stdio::null())
            .stdout(Stdio::piped())
            .spawn()?;
        let mut line = String::new();
        BufReader::new(process.stdout.take().context("stdout is piped")?).read_line(&mut line)?;
        Ok(Child {
            process,
            address: line.trim().parse()?,
        })
    }

    /// Where it listens.
    pub fn address(&self) -> SocketAddr {
        self.address
    }
}

impl Drop for Child {
    fn drop(&mut self) {
        let _ = self.process.kill();
        let _ = self.process.wait();
    }
}

/// Serves until killed; prints its address.
pub async fn serve(address: SocketAddr) -> Result<()> {
    let listener = TcpListener::bind(address).await?;
    println!("{}", listener.local_addr()?);
    loop {
        let (stream, _) = listener.accept().await?;
        stream.set_nodelay(true)?;
        tokio::spawn(
            http1::Builder::new().serve_connection(TokioIo::new(stream), service_fn(answer)),
        );
    }
}

async fn answer(request: Request<Incoming>) -> Result<Response<Full<Bytes>>, Infallible> {
    let checked = match request.uri().path() {
        "/verify" => verify_only(request).await,
        _ => check(request).await,
    };
    let status = match checked {
        Ok(events) if events > 0 => StatusCode::OK,
        _ => StatusCode::UNAUTHORIZED,
    };
    let mut response = Response::new(Full::new(Bytes::new()));
    *response.status_mut() = status;
    Ok(response)
}

/// What `benches/peers/verify` does.
async fn verify_only(request: Request<Incoming>) -> Result<usize> {
    let (head, body) = request.into_parts();
    let body = body.collect().await?.to_bytes();
    let signature = head
        .headers
        .get("x-hub-signature-256")
        .context("unsigned")?;
    let signature = signature
        .to_str()?
        .strip_prefix("sha256=")
        .context("sha256")?;
    let secrets = [crate::peers::SECRET.to_owned()];
    verify(&secrets, &body, signature, Encoding::Hex)?;
    let json: serde_json::Value = serde_json::from_slice(&body)?;
    Ok(json.as_object().map_or(0, serde_json::Map::len))
}

async fn check(request: Request<Incoming>) -> Result<usize> {
    let (head, body) = request.into_parts();
    let headers = head.headers.iter();
    let delivery = Delivery {
        method: head.method.to_string(),
        url: head.uri.to_string(),
        headers: headers
            .map(|(name, value)| Header {
                name: name.to_string(),
                value: value.as_bytes().to_vec(),
            })
            .collect(),
        body: body.collect().await?.to_bytes().to_vec(),
    };
    let secrets = secrets::WHATSAPP_APP.map(str::to_owned);
    WhatsApp::verify(&delivery, &secrets, 0)
        .ok()
        .context("refused")?;
    Ok(WhatsApp::parse(&delivery, None).len())
}
