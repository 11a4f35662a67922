//! The streams of this instance, and the one reader that feeds them.
//!
//! 1. Every stream starts [`lead`] as a task of its own request. One of them reads, the others
//!    sleep until they have to take over, so the reader never outlives the request that it runs in,
//!    and goes on as long as one client is there.
//! 2. The reader looks every [`POLL`], and at once again after a full page.
//! 3. A store that fails is asked again after a pause that doubles up to [`MAX_PAUSE`].

use std::cell::RefCell;
use std::collections::BTreeMap;
use std::future::poll_fn;
use std::rc::Rc;
use std::task::Poll;
use std::time::Duration;

use chatly_canonical::Raw;
use chatly_sse::{Change, Fanout, Filter, Id, event};
use serde::Deserialize;
use spin_sdk::time::sleep;

use crate::bell::{self, Bell, Ear};
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

struct Hub {
    fanout: Fanout,
    bells: BTreeMap<Id, Bells>,
}

/// What wakes one stream.
struct Bells {
    change: Bell,
    lead: Bell,
}

thread_local! {
    static HUB: RefCell<Hub> =
        const { RefCell::new(Hub { fanout: Fanout::new(QUEUE), bells: BTreeMap::new() }) };
}

/// Looks into the fan-out.
pub fn with<T>(look: impl FnOnce(&mut Fanout) -> T) -> T {
    HUB.with_borrow_mut(|hub| look(&mut hub.fanout))
}

/// Adds a stream, with the ears for its changes and for its turn to lead.
pub fn join(filter: Filter, after: u64, now: u64) -> (Id, Ear, Ear) {
    let ((change, on_change), (lead, on_lead)) = (bell::pair(), bell::pair());
    HUB.with_borrow_mut(|hub| {
        let id = hub.fanout.join(filter, after, now);
        hub.bells.insert(id, Bells { change, lead });
        (id, on_change, on_lead)
    })
}

/// Removes a stream. Its task [`lead`] hears that its bell is gone.
pub fn leave(id: Id) {
    HUB.with_borrow_mut(|hub| {
        hub.bells.remove(&id);
        if let Some(bells) = hub
            .fanout
            .leave(id)
            .and_then(|leader| hub.bells.get_mut(&leader))
        {
            bells.lead.ring();
        }
    });
}

fn publish(id: Id, batch: &[Rc<Change>]) {
    HUB.with_borrow_mut(|hub| {
        for woken in hub.fanout.publish(id, batch) {
            if let Some(bells) = hub.bells.get_mut(&woken) {
                bells.change.ring();
            }
        }
    });
}

/// Reads for all streams while it is this one's turn; ends when the stream has left.
pub async fn lead(id: Id, mut ear: Ear) {
    let mut backoff = Backoff::default();
    while let Some(after) = turn(id, &mut ear).await {
        let pause = match store::list_changes(None, after, READ).await {
            Ok(rows) => {
                backoff = Backoff::default();
                let full = rows.len() >= READ as usize;
                let batch: Vec<_> = rows.into_iter().map(change).collect();
                publish(id, &batch);
                if full { Duration::ZERO } else { POLL }
            }
            Err(error) => backoff.next(&error),
        };
        sleep(pause).await;
    }
}

/// Waits until this stream has to read for all, and gives after which `seq`; none when it has left.
async fn turn(id: Id, ear: &mut Ear) -> Option<u64> {
    poll_fn(|cx| {
        loop {
            match with(|fanout| (fanout.leads(id), fanout.has(id))) {
                (None, true) if ear.poll(cx).is_pending() => return Poll::Pending,
                (None, true) => {}
                (turn, _) => return Poll::Ready(turn),
            }
        }
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
    let conversation = serde_json::from_str::<Ids>(&row.data)
        .ok()
        .and_then(|ids| ids.conversation_id);
    // One line, its numbers untouched.
    let frame = event(row.seq, &row.kind, Raw::ours(&row.data).get());
    Rc::new(Change {
        seq: row.seq,
        tenant: row.platform_client_id,
        conversation,
        frame,
    })
}
