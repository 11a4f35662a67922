//! One client's stream.
//!
//! 1. It is a response body that makes its next chunk when the last one was taken: a client that
//!    does not read stops its own stream only, while its queue in the hub fills up to its bound.
//! 2. A comment goes out every [`HEARTBEAT`], also while the store is down. A client that left is
//!    noticed by the next write, so within a heartbeat; the body is dropped then, and leaves the hub.

use std::convert::Infallible;
use std::future::poll_fn;
use std::pin::Pin;
use std::task::Poll;
use std::time::Duration;

use bytes::Bytes;
use chatly_sse::{Filter, Gap, Id, Next, comment, retry};
use futures::stream::{StreamExt, once, unfold};
use http_body::{Body, Frame};
use http_body_util::StreamBody;
use spin_sdk::time::sleep;
use spin_sdk::wasip3::spawn;

use crate::bindings::chatly::store::store;
use crate::hub::{self, Backoff};

/// How often a silent stream says that it is there. Proxies commonly give up after 60 s.
const HEARTBEAT: Duration = Duration::from_secs(15);
/// How long a client waits before it connects again.
const RETRY_MILLIS: u32 = 2000;
/// Changes that a stream reads at once while it catches up.
const PAGE: u32 = 128;

/// A stream of all after `after`, or after `now` if that is earlier.
pub fn body(filter: Filter, after: u64, now: u64) -> impl Body<Data = Bytes, Error = Infallible> + 'static {
    let session = Session::join(filter, after, now);
    spawn(hub::lead(session.id));
    let hello = format!("{}{}", retry(RETRY_MILLIS), comment("open"));
    let rest = unfold(session, async |mut session| Some((session.next().await?, session)));
    let chunks = once(std::future::ready(hello)).chain(rest);
    StreamBody::new(chunks.map(|chunk| Ok(Frame::data(Bytes::from(chunk)))))
}

struct Session {
    id: Id,
    filter: Filter,
    heartbeat: Pin<Box<dyn Future<Output = ()>>>,
    backoff: Backoff,
}

/// What a stream has to do now.
enum Turn {
    Heartbeat,
    Next(Next),
}

impl Session {
    fn join(filter: Filter, after: u64, now: u64) -> Self {
        let id = hub::with(|fanout| fanout.join(filter.clone(), after, now));
        Session { id, filter, heartbeat: Box::pin(sleep(HEARTBEAT)), backoff: Backoff::default() }
    }

    /// The next chunk; none at the end.
    async fn next(&mut self) -> Option<String> {
        loop {
            let chunk = match self.turn().await {
                Turn::Heartbeat => {
                    self.heartbeat = Box::pin(sleep(HEARTBEAT));
                    comment("heartbeat")
                }
                Turn::Next(Next::Send(changes)) => changes.iter().map(|change| change.frame.as_str()).collect(),
                Turn::Next(Next::Read(gap)) => self.read(gap).await,
                Turn::Next(Next::Wait) => continue,
                Turn::Next(Next::End) => return None,
            };
            if !chunk.is_empty() {
                return Some(chunk);
            }
        }
    }

    async fn turn(&mut self) -> Turn {
        poll_fn(|cx| {
            if self.heartbeat.as_mut().poll(cx).is_ready() {
                return Poll::Ready(Turn::Heartbeat);
            }
            match hub::with(|fanout| fanout.next(self.id, cx.waker())) {
                Next::Wait => Poll::Pending,
                next => Poll::Ready(Turn::Next(next)),
            }
        })
        .await
    }

    /// Reads one page of what was missed. Empty when nothing of it is wanted, or the store failed.
    async fn read(&mut self, gap: Gap) -> String {
        match store::list_changes(self.filter.tenant.clone(), gap.after, PAGE).await {
            Ok(rows) => {
                self.backoff = Backoff::default();
                let (last, full) = (rows.last().map(|row| row.seq), rows.len() >= PAGE as usize);
                let changes = rows.into_iter().map(hub::change).filter(|change| self.filter.takes(change));
                let chunk = changes.map(|change| change.frame.clone()).collect();
                hub::with(|fanout| fanout.caught_up(self.id, gap, last, full));
                chunk
            }
            Err(error) => {
                sleep(self.backoff.next(&error)).await;
                String::new()
            }
        }
    }
}

impl Drop for Session {
    fn drop(&mut self) {
        hub::wake(hub::with(|fanout| fanout.leave(self.id)));
    }
}
