//! How a worker empties a queue: woken at will, one at a time, until nothing is due.
//!
//! 1. A wake that finds this instance's drain at work only rings the [`Bell`]; else it starts one,
//!    also when one is asleep: the sleeper notices within [`SLICE_MS`] and ends. That costs a short
//!    nap now and then, and saves what a component cannot do everywhere, namely to wake the task of
//!    one request from that of another.
//! 2. A drain does nothing without the hold, an exclusive right with an end that the store keeps, so
//!    that of many instances one works. The hold is for economy: what keeps two from doing one job
//!    is the lease of the job itself.
//! 3. The hold is given back before the drain looks for what comes next, and before it sleeps. No
//!    wake-up is lost by that: a waker stores its job before it asks for the hold. If it does not
//!    get it, somebody has it at that moment, gives it back later and looks at the queue after
//!    that, hence sees the job. If that one dies first, the hold runs out and the sweep wakes the
//!    next. In one instance there is nothing to await between the last look at the bell and the end
//!    of the drain (or its sleep), so a ring is seen by this drain or starts the next.
//! 4. A job that is due soon is waited for; one that is due later is left to the sweep.
//! 5. A queue that says "due" and gives nothing (a lease that another holds blocks it), or that does
//!    not answer, is asked again at growing intervals and then left to the sweep.
//!
//! Time, store and the work itself come from the caller: by the trait [`Queue`], or, for a queue of
//! `chatly:store/store`, as [`Line`] from [`store!`](crate::store), [`Terms`] and [`Work`].
#![deny(missing_docs)]

mod attempt;
mod backoff;
mod bell;
mod calls;
mod line;
mod store;

pub use attempt::attempt;
pub use backoff::retry_delay_ms;
pub use bell::Bell;
use bell::Watch;
pub use calls::Calls;
pub use line::{Line, Places, Terms, Work};
pub use store::{Fate, Store, Ticket, unix_millis};

/// How long a hold and a lease are asked for. Long enough for a slow database (the busy timeout is
/// 5 s), short enough that a crash costs a customer 15 s at most.
pub const HOLD_MS: u32 = 15_000;
/// A hold older than this is prolonged before more is leased.
const PROLONG_AFTER_MS: u64 = 5_000;
/// The longest sleep towards a job that is due later (section 2 of the architecture).
pub const NEAR_MS: u64 = 30_000;
/// A sleeping drain looks this often whether another has taken its place: often enough that few
/// linger, seldom enough that a sleep costs nothing.
pub const SLICE_MS: u64 = 50;
/// After so many fruitless rounds in a row the sweep takes over; with the intervals below that is
/// about six seconds.
const MAX_FRUITLESS: u32 = 10;
/// The first interval between fruitless rounds; doubles up to [`MAX_PAUSE_MS`].
const PAUSE_MS: u64 = 50;
const MAX_PAUSE_MS: u64 = 1_000;

/// The store did not answer as it should; what it said is logged by the one who asked.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Fault;

/// What a drain needs of the world. Futures need not be `Send`: components have one thread.
#[expect(
    async_fn_in_trait,
    reason = "one thread; nothing is gained by naming the futures"
)]
pub trait Queue {
    /// A leased job.
    type Job;
    /// Takes the hold for [`HOLD_MS`], or prolongs it with its token; none while another has it.
    async fn hold(&self, token: Option<String>) -> Result<Option<String>, Fault>;
    /// Gives the hold back.
    async fn release(&self, token: String) -> Result<(), Fault>;
    /// Leases due jobs that do not depend on each other; empty when nothing can be leased now.
    async fn lease(&self) -> Result<Vec<Self::Job>, Fault>;
    /// Does one job and settles it. Whatever fails is settled with the store or left to the lease.
    async fn work(&self, job: Self::Job);
    /// When the next job is due, in Unix milliseconds.
    async fn find_next_due(&self) -> Result<Option<u64>, Fault>;
    /// Unix milliseconds.
    fn now_ms(&self) -> u64;
    /// Waits.
    async fn sleep(&self, millis: u64);
}

/// How one round under the hold ended.
enum Round {
    /// Another has the hold; it will look after it gave it back.
    Elsewhere,
    /// So many jobs were done, and nothing more could be leased.
    Done(usize),
}

/// What a drain does after a round.
enum Next {
    /// Looks again at once.
    Again,
    /// Sleeps so many milliseconds; a wake meanwhile starts another drain at once.
    Rest(u64),
    /// Waits so many milliseconds whoever rings: the store does not answer.
    Wait(u64),
    /// Ends, unless somebody rang since the last look.
    End,
}

/// Starts a drain unless one is at work under this bell; then it only rings. Returns when the drain
/// is over, so a caller spawns it.
pub async fn wake<Q: Queue>(bell: &Bell, queue: &Q) {
    let Some(watch) = bell.start() else {
        return;
    };
    let mut fruitless = 0;
    while fruitless <= MAX_FRUITLESS {
        bell.silence();
        match round(bell, queue, &mut fruitless).await {
            Next::Again => {}
            Next::Rest(millis) => {
                // Somebody rang after the look: its job may be due before the rest is over.
                if !bell.has_rung() && !rest(&watch, queue, millis).await {
                    return;
                }
            }
            Next::Wait(millis) => queue.sleep(millis).await,
            Next::End if bell.has_rung() => {}
            Next::End => return,
        }
    }
}

/// One round under the hold, and a look at what comes next.
async fn round<Q: Queue>(bell: &Bell, queue: &Q, fruitless: &mut u32) -> Next {
    let count = match run(queue).await {
        Ok(Round::Elsewhere) => return Next::End,
        Ok(Round::Done(count)) => count,
        Err(Fault) => return fault(fruitless),
    };
    // Whoever rang until now stored its job before this look.
    bell.silence();
    let Ok(due) = queue.find_next_due().await else {
        return fault(fruitless);
    };
    let Some(wait) = due.map(|due| due.saturating_sub(queue.now_ms())) else {
        return Next::End;
    };
    *fruitless = if count > 0 || wait > 0 {
        0
    } else {
        *fruitless + 1
    };
    match wait.max(pause_ms(*fruitless)) {
        0 => Next::Again,
        wait if wait <= NEAR_MS => Next::Rest(wait),
        _ => Next::End,
    }
}

fn fault(fruitless: &mut u32) -> Next {
    *fruitless += 1;
    Next::Wait(pause_ms(*fruitless).max(PAUSE_MS))
}

/// Works under the hold until nothing more can be leased. The hold is given back in every case.
async fn run<Q: Queue>(queue: &Q) -> Result<Round, Fault> {
    let Some(mut token) = queue.hold(None).await? else {
        return Ok(Round::Elsewhere);
    };
    let mut held_since = queue.now_ms();
    let mut count = 0;
    let outcome = loop {
        if queue.now_ms().saturating_sub(held_since) > PROLONG_AFTER_MS {
            match queue.hold(Some(token.clone())).await {
                Ok(Some(prolonged)) => token = prolonged,
                // Lost: another works by now, and it looks again after its own release.
                Ok(None) => return Ok(Round::Elsewhere),
                Err(fault) => break Err(fault),
            }
            held_since = queue.now_ms();
        }
        match queue.lease().await {
            Ok(jobs) if jobs.is_empty() => break Ok(Round::Done(count)),
            Ok(jobs) => {
                for job in jobs {
                    queue.work(job).await;
                    count += 1;
                }
            }
            Err(fault) => break Err(fault),
        }
    };
    let released = queue.release(token).await;
    outcome.and_then(|round| released.map(|()| round))
}

/// The interval after so many fruitless rounds in a row. None after the first: a job may have come
/// between its last lease and its look at what is due, woken for in another instance.
fn pause_ms(fruitless: u32) -> u64 {
    match fruitless.checked_sub(2) {
        None => 0,
        Some(doublings) => (PAUSE_MS << doublings.min(8)).min(MAX_PAUSE_MS),
    }
}

/// Sleeps until the time is over; false when another drain has taken over meanwhile.
async fn rest<Q: Queue>(watch: &Watch<'_>, queue: &Q, millis: u64) -> bool {
    watch.lie_down();
    let until = queue.now_ms().saturating_add(millis);
    loop {
        let left = until.saturating_sub(queue.now_ms());
        if left == 0 {
            return watch.get_up();
        }
        queue.sleep(left.min(SLICE_MS)).await;
        if !watch.is_mine() {
            return false;
        }
    }
}

#[cfg(test)]
mod fake;
#[cfg(test)]
mod tests;
