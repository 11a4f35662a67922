//! One reader of changes, many streams.
//!
//! A store numbers its changes by `seq`, and who has seen `seq` has seen all before it. One stream,
//! the leader, reads what is after `head`, for all streams; the others only take what it publishes.
//!
//! 1. Each stream has a `cursor`: it is done with all up to there. A stream is joined, or it
//!    catches up by reading pages after its cursor itself.
//! 2. While a stream is joined, its queue holds exactly the changes of its filter in
//!    (max(cursor, where it joined), head]. [`Fanout::publish`] adds what is after `head` as it
//!    moves `head`, so this stays true; what is up to the cursor is skipped, so nothing comes twice.
//! 3. A stream joins in the same step that sees `cursor >= head`: nothing lies between, so the empty
//!    queue is the right one. No await can come between the look and the joining.
//! 4. Catching up ends: a page that is not full was read after `head` had been, so it held all that
//!    the stream wants up to that head, and the cursor moves there even if the changes in between
//!    were other tenants'.
//! 5. A queue that is full is emptied and its stream catches up again from its cursor, which is
//!    behind the queue. So a slow client costs a bounded queue, loses nothing, and slows nobody.
//! 6. When the leader leaves, another stream leads from the same `head`. A batch that the old one
//!    still brings is refused.
//!
//! Who has to be woken is returned; how is for the caller to know.

use std::collections::{BTreeMap, VecDeque};
use std::rc::Rc;

/// The most changes that [`Fanout::next`] gives at once: what one write to a client holds.
const MAX_TAKE: usize = 16;

/// A stream in a [`Fanout`].
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
pub struct Id(u64);

/// A change as streams get it.
#[derive(Debug, PartialEq, Eq)]
pub struct Change {
    /// Its place in the order of all changes.
    pub seq: u64,
    /// Whose it is.
    pub tenant: String,
    /// The conversation that it is about, if it is about one.
    pub conversation: Option<String>,
    /// What is sent for it.
    pub frame: String,
}

/// What a stream wants to see; none means all.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct Filter {
    /// Only this tenant's.
    pub tenant: Option<String>,
    /// Only what is about this conversation.
    pub conversation: Option<String>,
}

impl Filter {
    /// Whether a change is wanted.
    pub fn takes(&self, change: &Change) -> bool {
        self.tenant
            .as_ref()
            .is_none_or(|tenant| *tenant == change.tenant)
            && (self.conversation.is_none() || self.conversation == change.conversation)
    }
}

/// What a stream that catches up has to read next: a page of changes after `after`.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Gap {
    /// The stream is done with all up to here.
    pub after: u64,
    head: u64,
}

/// What a stream does next.
#[derive(Debug, PartialEq, Eq)]
pub enum Next {
    /// Send these.
    Send(Vec<Rc<Change>>),
    /// Read a page, send what the filter takes of it, and tell [`Fanout::caught_up`].
    Read(Gap),
    /// Wait until [`Fanout::publish`] names the stream.
    Wait,
    /// End: the stream has left.
    End,
}

#[derive(Debug)]
struct Stream {
    filter: Filter,
    cursor: u64,
    joined: bool,
    queue: VecDeque<Rc<Change>>,
    waiting: bool,
}

/// All streams of one instance.
#[derive(Debug)]
pub struct Fanout {
    capacity: usize,
    head: u64,
    leader: Option<Id>,
    last_id: u64,
    streams: BTreeMap<Id, Stream>,
}

impl Fanout {
    /// No streams yet. A queue holds at most `capacity` changes, at least one.
    pub const fn new(capacity: usize) -> Self {
        let capacity = if capacity == 0 { 1 } else { capacity };
        Fanout {
            capacity,
            head: 0,
            leader: None,
            last_id: 0,
            streams: BTreeMap::new(),
        }
    }

    /// Adds a stream that gets all after `after`, or all after `now` when that is earlier: an id
    /// from the future is of a database that is gone. `now` is the newest `seq`, read before.
    pub fn join(&mut self, filter: Filter, after: u64, now: u64) -> Id {
        if self.streams.is_empty() {
            self.head = now;
        }
        self.last_id += 1;
        let id = Id(self.last_id);
        let cursor = after.min(now);
        let queue = VecDeque::new();
        self.streams.insert(
            id,
            Stream {
                filter,
                cursor,
                joined: false,
                queue,
                waiting: false,
            },
        );
        self.leader.get_or_insert(id);
        id
    }

    /// Removes a stream and its queue. If it led, gives the stream that leads now: wake it.
    pub fn leave(&mut self, id: Id) -> Option<Id> {
        self.streams.remove(&id);
        if self.leader != Some(id) {
            return None;
        }
        self.leader = self.streams.keys().next().copied();
        self.leader
    }

    /// What a stream does next.
    pub fn next(&mut self, id: Id) -> Next {
        let Some(stream) = self.streams.get_mut(&id) else {
            return Next::End;
        };
        stream.joined |= stream.cursor >= self.head;
        if !stream.joined {
            return Next::Read(Gap {
                after: stream.cursor,
                head: self.head,
            });
        }
        let count = stream.queue.len().min(MAX_TAKE);
        let taken: Vec<_> = stream.queue.drain(..count).collect();
        match taken.last() {
            Some(last) if !stream.queue.is_empty() => stream.cursor = last.seq,
            _ => stream.cursor = stream.cursor.max(self.head),
        }
        stream.waiting = taken.is_empty();
        if stream.waiting {
            Next::Wait
        } else {
            Next::Send(taken)
        }
    }

    /// Says that a stream has read the page that [`Next::Read`] asked for: `last` is the last `seq`
    /// in it, and `full` that more may follow.
    pub fn caught_up(&mut self, id: Id, gap: Gap, last: Option<u64>, full: bool) {
        let Some(stream) = self.streams.get_mut(&id) else {
            return;
        };
        stream.cursor = stream.cursor.max(last.unwrap_or(gap.after));
        if !full {
            stream.cursor = stream.cursor.max(gap.head);
        }
    }

    /// After which `seq` this stream has to read for all; none when it does not lead.
    pub fn leads(&self, id: Id) -> Option<u64> {
        (self.leader == Some(id)).then_some(self.head)
    }

    /// Whether this stream is still here.
    pub fn has(&self, id: Id) -> bool {
        self.streams.contains_key(&id)
    }

    /// Gives all joined streams what the leader has read after `head`, in order, and answers which
    /// of them waited: wake them. Nothing happens when the stream does not lead (any more).
    pub fn publish(&mut self, leader: Id, batch: &[Rc<Change>]) -> Vec<Id> {
        if self.leader != Some(leader) {
            return Vec::new();
        }
        let mut woken = Vec::new();
        for change in batch.iter().filter(|change| change.seq > self.head) {
            for (id, stream) in self.streams.iter_mut().filter(|(_, stream)| stream.joined) {
                if change.seq <= stream.cursor || !stream.filter.takes(change) {
                    continue;
                }
                if stream.queue.len() == self.capacity {
                    stream.joined = false;
                    stream.queue = VecDeque::new();
                } else {
                    stream.queue.push_back(change.clone());
                }
                if std::mem::take(&mut stream.waiting) {
                    woken.push(*id);
                }
            }
        }
        self.head = batch
            .last()
            .map_or(self.head, |change| change.seq.max(self.head));
        woken
    }
}

#[cfg(test)]
mod tests;
