//! A closed loop of connections that costs the load's core as little as it can: requests are bytes
//! that were made before, and of an answer only its status and its end are read.

use std::net::SocketAddr;
use std::sync::Arc;
use std::time::{Duration, Instant};

use anyhow::{Context as _, Result, bail, ensure};
use chatly_simulator::Delivery;
use tokio::io::{AsyncReadExt as _, AsyncWriteExt as _};
use tokio::net::TcpStream;

use crate::figures::Figures;

/// Head and body of the largest answer that is expected here.
const ANSWER_BYTES: usize = 16 * 1024;

/// What one connection sends next.
pub type Next = Arc<dyn Fn() -> Vec<u8> + Send + Sync>;

/// A delivery as it stands on the wire.
pub fn request(delivery: &Delivery, path: &str) -> Vec<u8> {
    let mut bytes = format!("POST {path} HTTP/1.1\r\nhost: 127.0.0.1\r\n").into_bytes();
    for (name, value) in &delivery.headers {
        bytes.extend_from_slice(format!("{name}: {value}\r\n").as_bytes());
    }
    let length = format!("content-length: {}\r\n\r\n", delivery.body.len());
    bytes.extend_from_slice(length.as_bytes());
    bytes.extend_from_slice(&delivery.body);
    bytes
}

/// Posts for `duration` over `connections`, on a thread of its own.
pub fn run(
    address: SocketAddr,
    connections: usize,
    duration: Duration,
    next: &Next,
) -> Result<Figures> {
    let runtime = tokio::runtime::Builder::new_current_thread()
        .enable_all()
        .build()?;
    let work = async {
        let start = Instant::now();
        let tasks: Vec<_> = (0..connections)
            .map(|_| tokio::spawn(connection(address, start + duration, next.clone())))
            .collect();
        let (mut times, mut failures) = (Vec::new(), 0);
        for task in tasks {
            let (done, failed) = task.await??;
            times.extend(done);
            failures += failed;
        }
        Ok(Figures::new(times, start.elapsed(), failures))
    };
    std::thread::scope(|scope| scope.spawn(|| runtime.block_on(work)).join())
        .map_err(|_| anyhow::anyhow!("the load panicked"))?
}

/// The status of one request on a connection of its own, and the bytes of the answer's body.
pub async fn once(address: SocketAddr, request: &[u8]) -> Result<(u16, usize)> {
    let mut wire = Wire::open(address).await?;
    wire.exchange(request).await
}

async fn connection(
    address: SocketAddr,
    end: Instant,
    next: Next,
) -> Result<(Vec<Duration>, usize)> {
    let mut wire = Wire::open(address).await?;
    let (mut times, mut failures) = (Vec::new(), 0);
    while Instant::now() < end {
        let request = next();
        let sent = Instant::now();
        match wire.exchange(&request).await? {
            (200, 0) => times.push(sent.elapsed()),
            _ => failures += 1,
        }
    }
    Ok((times, failures))
}

struct Wire {
    stream: TcpStream,
    answer: Vec<u8>,
}

impl Wire {
    async fn open(address: SocketAddr) -> Result<Self> {
        let stream = TcpStream::connect(address).await?;
        stream.set_nodelay(true)?;
        Ok(Wire {
            stream,
            answer: Vec::with_capacity(ANSWER_BYTES),
        })
    }

    async fn exchange(&mut self, request: &[u8]) -> Result<(u16, usize)> {
        self.stream.write_all(request).await?;
        self.answer.clear();
        loop {
            let read = self.stream.read_buf(&mut self.answer).await?;
            ensure!(read > 0, "the server closed the connection");
            ensure!(self.answer.len() < ANSWER_BYTES, "an answer too long");
            if let Some(answer) = whole(&self.answer)? {
                return Ok(answer);
            }
        }
    }
}

/// Status and body length of `answer`, when all of it is there.
fn whole(answer: &[u8]) -> Result<Option<(u16, usize)>> {
    let Some(end) = answer.windows(4).position(|bytes| bytes == b"\r\n\r\n") else {
        return Ok(None);
    };
    let (head, rest) = answer.split_at(end + 4);
    let head = std::str::from_utf8(head)?;
    let status = head.get(9..12).context("a status line")?.parse()?;
    let field = |wanted: &str| {
        head.lines().find_map(|line| {
            let (name, value) = line.split_once(':')?;
            name.eq_ignore_ascii_case(wanted).then(|| value.trim())
        })
    };
    if let Some(length) = field("content-length") {
        let length: usize = length.parse()?;
        return Ok((rest.len() >= length).then_some((status, length)));
    }
    if field("transfer-encoding") == Some("chunked") {
        let end = b"0\r\n\r\n";
        return Ok(rest
            .ends_with(end)
            .then(|| (status, rest.len() - end.len())));
    }
    bail!("an answer of unknown length: {head}")
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn an_answer_ends_where_its_head_says() {
        for (answer, want) in [
            ("HTTP/1.1 200 OK\r\ncontent-length: 0\r\n", None),
            (
                "HTTP/1.1 200 OK\r\nContent-Length: 0\r\n\r\n",
                Some((200, 0)),
            ),
            ("HTTP/1.1 401 X\r\ncontent-length: 2\r\n\r\na", None),
            (
                "HTTP/1.1 401 X\r\ncontent-length: 2\r\n\r\nab",
                Some((401, 2)),
            ),
            (
                "HTTP/1.1 200 OK\r\ntransfer-encoding: chunked\r\n\r\n",
                None,
            ),
            (
                "HTTP/1.1 200 OK\r\ntransfer-encoding: chunked\r\n\r\n0\r\n\r\n",
                Some((200, 0)),
            ),
        ] {
            assert_eq!(whole(answer.as_bytes()).unwrap(), want, "{answer:?}");
        }
        assert!(whole(b"HTTP/1.1 200 OK\r\n\r\n").is_err());
    }
}
