//! A closed loop of connections that post signed messages, each of them once.

use std::net::SocketAddr;
use std::sync::atomic::{AtomicUsize, Ordering};
use std::time::{Duration, Instant};

use anyhow::Result;
use bytes::Bytes;
use http::{Request, header};
use http_body_util::{BodyExt, Full};
use hyper::client::conn::http1;
use hyper_util::rt::TokioIo;
use tokio::net::TcpStream;

use crate::figures::Figures;

/// Numbers messages across all runs, so that none is a duplicate.
static NEXT: AtomicUsize = AtomicUsize::new(0);

/// Conversations that the messages are spread over.
const CONVERSATIONS: usize = 200;

/// Posts for `duration` over `connections`.
pub async fn run(address: SocketAddr, connections: usize, duration: Duration) -> Result<Figures> {
    let start = Instant::now();
    let tasks: Vec<_> = (0..connections)
        .map(|_| tokio::spawn(async move { connection(address, start + duration).await }))
        .collect();
    let (mut times, mut failures) = (Vec::new(), 0);
    for task in tasks {
        let (done, failed) = task.await??;
        times.extend(done);
        failures += failed;
    }
    Ok(Figures::new(times, start.elapsed(), failures))
}

async fn connection(address: SocketAddr, end: Instant) -> Result<(Vec<Duration>, usize)> {
    let stream = TcpStream::connect(address).await?;
    stream.set_nodelay(true)?;
    let (mut sender, connection) = http1::handshake(TokioIo::new(stream)).await?;
    tokio::spawn(connection);
    let (mut times, mut failures) = (Vec::new(), 0);
    while Instant::now() < end {
        let request = message(NEXT.fetch_add(1, Ordering::Relaxed))?;
        let sent = Instant::now();
        let response = sender.send_request(request).await?;
        let status = response.status();
        response.into_body().collect().await?;
        match status.as_u16() {
            200 => times.push(sent.elapsed()),
            _ => failures += 1,
        }
    }
    Ok((times, failures))
}

/// The `number`th message as a signed request.
pub fn message(number: usize) -> Result<Request<Full<Bytes>>> {
    let delivery = crate::live::delivery(&format!("load.{number}"), number % CONVERSATIONS);
    let mut request = Request::post(&delivery.path).header(header::HOST, "127.0.0.1");
    for (name, value) in &delivery.headers {
        request = request.header(name, value);
    }
    Ok(request.body(Full::new(Bytes::from(delivery.body)))?)
}
