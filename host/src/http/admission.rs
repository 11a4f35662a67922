//! How many connections there may be.
//!
//! 1. A connection above the limit is told so at once, by a 503 with `Retry-After`, in place of
//!    waiting in the system's queue until its client gives up.
//! 2. Telling them is bounded as well: at most `REFUSALS` at a time and `REFUSAL_TIMEOUT` each;
//!    what comes above that is closed without a word, and so is a TLS connection.
//! 3. Every connection costs a file descriptor, so the process takes as many as it may have.

use std::sync::Arc;
use std::sync::atomic::{AtomicU64, Ordering::Relaxed};
use std::time::Duration;

use tokio::io::{AsyncReadExt as _, AsyncWriteExt as _};
use tokio::net::TcpStream;
use tokio::sync::{OwnedSemaphorePermit, Semaphore};
use tracing::{debug, warn};

use crate::instance::Stop;
use crate::metrics::Connections;

/// Connections at once by default: 10 000 streams at about 40 KiB each are 400 MiB.
pub const MAX_CONNECTIONS: usize = 10_000;
/// Refusals that are being written.
const REFUSALS: usize = 64;
/// How long one of them may take: a client that is there reads it within a round trip.
const REFUSAL_TIMEOUT: Duration = Duration::from_secs(1);
/// What is read of a refused request, so that closing does not reset the answer away.
const READ_BYTES: usize = 4096;
/// Files that the process needs beside connections: databases, logs, outgoing connections.
const OTHER_FILES: u64 = 512;

/// The whole answer to a connection that is one too many.
const REFUSAL: &str = concat!(
    "HTTP/1.1 503 Service Unavailable\r\n",
    "content-type: application/problem+json\r\n",
    "content-length: 91\r\n",
    "retry-after: 1\r\n",
    "connection: close\r\n\r\n",
    r#"{"type":"about:blank","title":"Service Unavailable","status":503,"code":"connection_limit"}"#
);

/// Counts connections.
#[derive(Debug, Clone)]
pub struct Admission {
    slots: Arc<Semaphore>,
    refusals: Arc<Semaphore>,
    refused: Arc<AtomicU64>,
    limit: usize,
    plain: bool,
}

impl Admission {
    /// Admits `limit` connections, which are plain HTTP or TLS.
    pub fn new(limit: usize, plain: bool) -> Self {
        let limit = limit.min(Semaphore::MAX_PERMITS);
        Self {
            slots: Arc::new(Semaphore::new(limit)),
            refusals: Arc::new(Semaphore::new(REFUSALS)),
            refused: Arc::default(),
            limit,
            plain,
        }
    }

    /// The connection and its place, which it keeps as long as it lives; `None` when it was refused.
    pub fn admit(
        &self,
        stream: TcpStream,
        stop: &Stop,
    ) -> Option<(TcpStream, OwnedSemaphorePermit)> {
        if let Ok(slot) = self.slots.clone().try_acquire_owned() {
            return Some((stream, slot));
        }
        self.refused.fetch_add(1, Relaxed);
        match self.refusals.clone().try_acquire_owned() {
            Ok(turn) if self.plain => {
                warn!(
                    limit = self.limit,
                    "connection refused (limit `--max-connections`)"
                );
                stop.tasks.spawn(async move {
                    let told = tokio::time::timeout(REFUSAL_TIMEOUT, refuse(stream)).await;
                    debug!(?told, "refused connection closed");
                    drop(turn);
                });
            }
            _ => debug!(limit = self.limit, "connection closed at once"),
        }
        None
    }

    /// Connections that are open and that were refused.
    pub fn measured(&self) -> Connections {
        Connections {
            open: self.limit.saturating_sub(self.slots.available_permits()),
            refused: self.refused.load(Relaxed),
        }
    }
}

async fn refuse(mut stream: TcpStream) -> std::io::Result<()> {
    stream.write_all(REFUSAL.as_bytes()).await?;
    stream.shutdown().await?;
    let mut rest = [0; READ_BYTES];
    while stream.read(&mut rest).await? > 0 {}
    Ok(())
}

/// Lets the process have a file for each of `connections`, as far as the system permits.
pub fn raise_file_limit(connections: usize) {
    let wanted = u64::try_from(connections).unwrap_or(u64::MAX);
    let wanted = wanted.saturating_add(OTHER_FILES);
    match rlimit::increase_nofile_limit(wanted) {
        Ok(got) if got < wanted => warn!(
            files = got,
            wanted, "fewer files than --max-connections may need; raise `ulimit -Hn`"
        ),
        Ok(_) => {}
        Err(error) => warn!(%error, "the limit on open files stays as it is"),
    }
}

#[cfg(test)]
mod tests {
    use tokio::net::TcpListener;

    use super::*;

    #[test]
    fn the_refusal_says_its_own_length() {
        let (head, body) = REFUSAL.split_once("\r\n\r\n").unwrap();
        assert!(head.contains(&format!("content-length: {}\r\n", body.len())));
        let json: serde_json::Value = serde_json::from_str(body).unwrap();
        assert_eq!(json["code"], "connection_limit");
    }

    #[tokio::test]
    async fn one_connection_too_many_is_told_and_a_place_is_given_back() {
        let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
        let address = listener.local_addr().unwrap();
        let connect = async || {
            let client = TcpStream::connect(address).await.unwrap();
            (client, listener.accept().await.unwrap().0)
        };
        let (admission, stop) = (Admission::new(1, true), Stop::default());
        let (_one, stream) = connect().await;
        let first = admission.admit(stream, &stop).unwrap();
        assert_eq!(admission.measured().open, 1);
        let (mut two, stream) = connect().await;
        assert!(admission.admit(stream, &stop).is_none());
        let mut answer = String::new();
        two.read_to_string(&mut answer).await.unwrap();
        assert_eq!(answer, REFUSAL);
        assert_eq!(admission.measured().refused, 1);
        drop(first);
        let (_three, stream) = connect().await;
        assert!(admission.admit(stream, &stop).is_some());
    }

    #[tokio::test]
    async fn with_tls_one_connection_too_many_is_closed() {
        let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
        let mut client = TcpStream::connect(listener.local_addr().unwrap())
            .await
            .unwrap();
        let (stream, _) = listener.accept().await.unwrap();
        let admission = Admission::new(0, false);
        assert!(admission.admit(stream, &Stop::default()).is_none());
        assert_eq!(client.read(&mut [0; 1]).await.unwrap(), 0);
    }
}
