//! A closed loop of connections that post signed messages, each of them once.

use std::net::SocketAddr;
use std::time::{Duration, Instant};

use anyhow::Result;
use bytes::Bytes;
use chatly_simulator::Delivery;
use http::{Request, header};
use http_body_util::{BodyExt, Full};
use hyper::client::conn::http1;
use hyper_util::rt::TokioIo;
use tokio::net::TcpStream;

use crate::figures::Figures;

/// Posts over `connections` until `next` gives none.
pub async fn run(
    address: SocketAddr,
    connections: usize,
    next: impl Fn() -> Option<Delivery> + Clone + Send + 'static,
) -> Result<Figures> {
    let start = Instant::now();
    let tasks: Vec<_> = (0..connections)
        .map(|_| tokio::spawn(connection(address, next.clone())))
        .collect();
    let (mut times, mut failures) = (Vec::new(), 0);
    for task in tasks {
        let (done, failed) = task.await??;
        times.extend(done);
        failures += failed;
    }
    Ok(Figures::new(times, start.elapsed(), failures))
}

async fn connection(
    address: SocketAddr,
    next: impl Fn() -> Option<Delivery>,
) -> Result<(Vec<Duration>, usize)> {
    let stream = TcpStream::connect(address).await?;
    stream.set_nodelay(true)?;
    let (mut sender, connection) = http1::handshake(TokioIo::new(stream)).await?;
    tokio::spawn(connection);
    let (mut times, mut failures) = (Vec::new(), 0);
    while let Some(delivery) = next() {
        let request = request(delivery)?;
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

fn request(delivery: Delivery) -> Result<Request<Full<Bytes>>> {
    let mut request = Request::post(&delivery.path).header(header::HOST, "127.0.0.1");
    for (name, value) in &delivery.headers {
        request = request.header(name, value);
    }
    Ok(request.body(Full::new(Bytes::from(delivery.body)))?)
}
