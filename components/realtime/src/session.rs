//! One client's stream.
//!
//! 1. It is a response body that makes its next chunk when the last one was taken: a client that
//!    does not read stops its own stream only, while its queue in the hub fills up to its bound.
//! 2. A comment goes out every [`HEARTBEAT`], also while the store is down. A client that left is
//!    noticed by the next write, so within a heartbeat; the body is dropped then, and leaves the hub.

use std::convert::Infallible;
use std::future::poll_fn;
use std::pin::Pin;
use std::rc::Rc;
use std::task::Poll;
use std::time::Duration;

use bytes::Bytes;
use chatly_sse::{Change, Filter, Gap, Id, Next, comment, retry};
use futures::stream::{StreamExt, once, unfold};
use http_body::{Body, Frame};
use http_body_util::StreamBody;
use spin_sdk::time::sleep;
use spin_sdk::wasip3::spawn;

use crate::bell::Ear;
use crate::bindings::chatly::store::store;
use crate::hub::{self, Backoff};

/// How often a silent stream says that it is there. Proxies commonly give up after 60 s.
const HEARTBEAT: Duration = Duration::from_secs(15);
/// How long a client waits before it connects again.
const RETRY_MILLIS: u32 = 2000;
/// Changes that a stream reads at once while it catches up.
const PAGE: u32 = 128;

/// A stream of all after `after`, or after `now` if that is earlier.
pub fn body(
    filter: Filter,
    after: u64,
    now: u64,
) -> impl Body<Data = Bytes, Error = Infallible> + 'static {
    let (id, ear, on_lead) = hub::join(filter.clone(), after, now);
    let session = Session {
        id,
        filter,
        ear,
        heartbeat: Box::pin(sleep(HEARTBEAT)),
        backoff: Backoff::default(),
    };
    spawn(hub::lead(id, on_lead));
    let hello = format!("{}{}", retry(RETRY_MILLIS), comment("open"));
    let rest = unfold(session, async |mut session| {
        Some((session.next().await?, session))
    });
    let chunks = once(std::future::ready(hello)).chain(rest);
    StreamBody::new(chunks.map(|chunk| Ok(Frame::data(Bytes::from(chunk)))))
}

struct Session {
    id: Id,
    filter: Filter,
    ear: Ear,
    heartbeat: Pin<Box<dyn Future<Output = ()>>>,
    backoff: Backoff,
}

/// What a stream has to do now.
enum Turn {
    Heartbeat,
    Send(Vec<Rc<Change>>),
    Read(Gap),
    End,
}

impl Session {
    /// The next chunk; none at the end.
    async fn next(&mut self) -> Option<String> {
        loop {
            let chunk = match self.turn().await {
                Turn::Heartbeat => {
                    self.heartbeat = Box::pin(sleep(HEARTBEAT));
                    comment("heartbeat")
                }
                Turn::Send(changes) => changes.iter().map(|change| change.frame.as_str()).collect(),
                Turn::Read(gap) => self.read(gap).await,
                Turn::End => return None,
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
            loop {
                match hub::with(|fanout| fanout.next(self.id)) {
                    Next::Wait if self.ear.poll(cx).is_pending() => return Poll::Pending,
                    Next::Wait => {}
                    Next::Send(changes) => return Poll::Ready(Turn::Send(changes)),
                    Next::Read(gap) => return Poll::Ready(Turn::Read(gap)),
                    Next::End => return Poll::Ready(Turn::End),
                }
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
                let changes = rows
                    .into_iter()
                    .map(hub::change)
                    .filter(|change| self.filter.takes(change));
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
        hub::leave(self.id);
    }
}
