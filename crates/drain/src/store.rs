//! What a component has of its store and its host, so that one queue serves all components.

use std::fmt::Debug;
use std::time::{SystemTime, UNIX_EPOCH};

/// The calls of `chatly:store/store` that a queue needs, and what the host gives. Each component has
/// bindings of its own; [`store!`](crate::store) implements this for them.
#[expect(
    async_fn_in_trait,
    reason = "one thread; nothing is gained by naming the futures"
)]
pub trait Store: 'static {
    /// A leased job.
    type Job: 'static;
    /// Why a call failed.
    type Error: Debug;
    /// Takes the exclusive right called `name`, or prolongs it; none while another has it.
    async fn hold(
        &self,
        name: String,
        token: Option<String>,
        for_ms: u32,
    ) -> Result<Option<String>, Self::Error>;
    /// Gives the right back.
    async fn release(&self, name: String, token: String) -> Result<(), Self::Error>;
    /// Leases at most `max` due jobs of these kinds.
    async fn lease(
        &self,
        kinds: Vec<String>,
        max: u32,
        for_ms: u32,
    ) -> Result<Vec<Self::Job>, Self::Error>;
    /// When the next job of these kinds is due, in Unix milliseconds.
    async fn find_next_due(&self, kinds: Vec<String>) -> Result<Option<u64>, Self::Error>;
    /// Makes a lease run for `for_ms` from now.
    async fn extend(&self, token: String, for_ms: u32) -> Result<(), Self::Error>;
    /// Gives a job back, due at `at`.
    async fn retry(&self, token: String, at: u64, reason: String) -> Result<(), Self::Error>;
    /// Ends a job as hopeless.
    async fn bury(&self, token: String, reason: String) -> Result<(), Self::Error>;
    /// What a job is known by.
    fn ticket(job: &Self::Job) -> Ticket;
    /// What an error means for the job at hand.
    fn fate(error: Self::Error) -> Fate;
    /// Unix milliseconds.
    fn now_ms(&self) -> u64;
    /// Waits.
    async fn sleep(&self, millis: u64);
    /// Begins a task and does not wait for it.
    fn spawn(&self, task: impl Future<Output = ()> + 'static);
    /// Writes a line to the log.
    fn log(&self, line: String);
}

/// What a leased job is known by.
#[derive(Debug, Clone)]
pub struct Ticket {
    /// Its place in the queue.
    pub seq: u64,
    /// Starts so far, this one included.
    pub attempt: u32,
    /// Proof of the lease.
    pub token: String,
    /// When the lease ends, in Unix milliseconds.
    pub lease_until: u64,
}

/// What a failed call means for the job at hand.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Fate {
    /// The job is not ours any more.
    Lost,
    /// Trying again does not help, for this reason.
    Hopeless(String),
    /// Trying again may help; the job may be at fault itself, for this reason.
    Failed(String),
    /// Trying again helps once the store is well.
    Unwell,
}

/// Unix milliseconds; 0 for a clock that stands before 1970.
pub fn unix_millis(at: SystemTime) -> u64 {
    let since = at.duration_since(UNIX_EPOCH).unwrap_or_default();
    u64::try_from(since.as_millis()).unwrap_or(u64::MAX)
}

/// Defines `Store` and implements [`Store`] for it, by the module that the bindings generator made of
/// `chatly:store/store`: `store!(crate::bindings::chatly::store::store);`. The caller depends on
/// `spin-sdk`.
#[macro_export]
macro_rules! store {
    ($wit:path) => {
        /// The store that this component is composed with.
        #[derive(Debug, Clone, Copy)]
        pub struct Store;

        const _: () = {
            use $crate::{Fate, Ticket};
            use $wit as wit;

            impl $crate::Store for Store {
                type Job = wit::Job;
                type Error = wit::Error;

                async fn hold(
                    &self,
                    name: String,
                    token: Option<String>,
                    for_ms: u32,
                ) -> Result<Option<String>, wit::Error> {
                    wit::hold(name, token, for_ms).await
                }

                async fn release(&self, name: String, token: String) -> Result<(), wit::Error> {
                    wit::release(name, token).await
                }

                async fn lease(
                    &self,
                    kinds: Vec<String>,
                    max: u32,
                    for_ms: u32,
                ) -> Result<Vec<wit::Job>, wit::Error> {
                    wit::lease(kinds, max, for_ms).await
                }

                async fn find_next_due(
                    &self,
                    kinds: Vec<String>,
                ) -> Result<Option<u64>, wit::Error> {
                    wit::find_next_due(kinds).await
                }

                async fn extend(&self, token: String, for_ms: u32) -> Result<(), wit::Error> {
                    wit::extend(token, for_ms).await
                }

                async fn retry(
                    &self,
                    token: String,
                    at: u64,
                    reason: String,
                ) -> Result<(), wit::Error> {
                    wit::retry(token, at, reason).await
                }

                async fn bury(&self, token: String, reason: String) -> Result<(), wit::Error> {
                    wit::bury(token, reason).await
                }

                fn ticket(job: &wit::Job) -> Ticket {
                    Ticket {
                        seq: job.seq,
                        attempt: job.attempt,
                        token: job.token.clone(),
                        lease_until: job.lease_until,
                    }
                }

                fn fate(error: wit::Error) -> Fate {
                    match error {
                        wit::Error::Stale => Fate::Lost,
                        wit::Error::Invalid(reason) => Fate::Hopeless(reason),
                        wit::Error::Other(reason) => Fate::Failed(reason),
                        wit::Error::Busy | wit::Error::Denied | wit::Error::InvalidCursor => {
                            Fate::Unwell
                        }
                    }
                }

                fn now_ms(&self) -> u64 {
                    $crate::unix_millis(std::time::SystemTime::now())
                }

                async fn sleep(&self, millis: u64) {
                    spin_sdk::time::sleep(std::time::Duration::from_millis(millis)).await;
                }

                fn spawn(&self, task: impl Future<Output = ()> + 'static) {
                    spin_sdk::wasip3::spawn(task);
                }

                fn log(&self, line: String) {
                    eprintln!("{line}");
                }
            }
        };
    };
}

#[cfg(test)]
mod tests {
    use std::time::Duration;

    use super::*;

    #[test]
    fn a_clock_before_1970_says_0() {
        for (name, at, want) in [
            ("1970", UNIX_EPOCH, 0),
            ("a bit later", UNIX_EPOCH + Duration::from_micros(1_999), 1),
            ("before", UNIX_EPOCH - Duration::from_secs(1), 0),
        ] {
            assert_eq!(unix_millis(at), want, "{name}");
        }
    }
}
