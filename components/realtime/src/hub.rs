//! The streams of this instance, and the one reader that feeds them.
//!
//! 1. Every stream starts [`lead`] as a task of its own request. One of them reads, the others
//!    sleep until they have to take over, so the reader never outlives the request that it runs in,
//!    and goes on as long as one client is there.
//! 2. The reader looks every [`POLL`], and at once again after a full page.
//! 3. A store that fails is asked again after a pause that doubles up to [`MAX_PAUSE`].

use std::cell::RefCell;
use std::future::poll_fn;
use std::rc::Rc;
use std::task::{Poll, Waker};
use std::time::Duration;

use chatly_canonical::Raw;
use chatly_sse::{Change, Fanout, Id, event};
use serde::Deserialize;
use spin_sdk::time::sleep;

use crate::bindings::chatly::store::{rows, store};

/// How often the reader looks: a change is seen within this, the read, and a wake.
const POLL: Duration = Duration::from_millis(40);
/// The first pause after a failure of the store, and the longest.
const MIN_PAUSE: Duration = Duration::from_millis(50);
const MAX_PAUSE: Duration = Duration::from_secs(1);
/// Changes in one read for all; the store gives 1000 at most.
const READ: u32 = 256;
/// Changes that wait for one slow client. They are shared by all streams, so a queue costs pointers.
const QUEUE: usize = 512;

thread_local! {
    static FANOUT: RefCell<Fanout> = const { RefCell::new(Fanout::new(QUEUE)) };
}

/// Looks into the fan-out. Nothing in here may wake a task: see [`wake`].
pub fn with<T>(look: impl FnOnce(&mut Fanout) -> T) -> T {
    FANOUT.with_borrow_mut(look)
}

/// Calls wakers, outside of [`with`].
pub fn wake(wakers: Vec<Waker>) {
    wakers.into_iter().for_each(Waker::wake);
}

/// Reads for all streams while it is this one's turn; ends when the stream has left.
pub async fn lead(id: Id) {
    let mut backoff = Backoff::default();
    while let Some(after) = turn(id).await {
        let pause = match store::list_changes(None, after, READ).await {
            Ok(rows) => {
                backoff = Backoff::default();
                let full = rows.len() >= READ as usize;
                let batch: Vec<_> = rows.into_iter().map(change).collect();
                wake(with(|fanout| fanout.publish(id, &batch)).unwrap_or_default());
                if full { Duration::ZERO } else { POLL }
            }
            Err(error) => backoff.next(&error),
        };
        sleep(pause).await;
    }
}

/// Waits until this stream has to read for all, and gives after which `seq`; none when it has left.
async fn turn(id: Id) -> Option<u64> {
    poll_fn(|cx| {
        with(|fanout| match fanout.leads(id, cx.waker()) {
            None if fanout.has(id) => Poll::Pending,
            turn => Poll::Ready(turn),
        })
    })
    .await
}

/// A growing pause between tries.
#[derive(Default)]
pub struct Backoff(Option<Duration>);

impl Backoff {
    /// The pause after one more failure. The first of a row is logged.
    pub fn next(&mut self, error: &store::Error) -> Duration {
        if self.0.is_none() {
            eprintln!("error changes not read, trying on error={error:?}");
        }
        let pause = self.0.map_or(MIN_PAUSE, |last| (last * 2).min(MAX_PAUSE));
        self.0 = Some(pause);
        pause
    }
}

#[derive(Deserialize)]
struct Ids {
    conversation_id: Option<String>,
}

/// A row as streams get it, its frame made once for all of them.
pub fn change(row: rows::Change) -> Rc<Change> {
    let conversation = serde_json::from_str::<Ids>(&row.data).ok().and_then(|ids| ids.conversation_id);
    // One line, its numbers untouched.
    let frame = event(row.seq, &row.kind, Raw::json(&row.data).get());
    Rc::new(Change { seq: row.seq, tenant: row.platform_client_id, conversation, frame })
}
