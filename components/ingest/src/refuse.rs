//! Why a delivery did not get in: one place for status, count and log line.

use std::cell::{Cell, RefCell};
use std::collections::VecDeque;

use chatly_respond::{Response, problem, unauthorized, unavailable};
use http::StatusCode;
use spin_sdk::wasip3;

use crate::bindings::chatly::channel::channel::Refusal as Verdict;
use crate::bindings::chatly::store::store;

/// Refusals that wait to be counted. A stranger causes them, so there is an end: beyond it they are
/// answered and not counted.
const MAX_UNCOUNTED: usize = 10_000;
/// How long a platform may wait until it tries again what could not be stored.
const RETRY_AFTER_SECS: u32 = 5;
/// The same where a person has to act first.
const CONFIGURE_AFTER_SECS: u32 = 60;

/// Why a delivery did not get in.
pub enum Refusal {
    /// No secret, or settings that cannot be used.
    NotConfigured,
    /// The route names no account, and the payload of this channel does not either.
    NoAccount,
    /// The body is over the bound.
    TooLarge,
    /// The body ended before it was whole.
    Interrupted,
    /// The body did not come in time.
    TooSlow,
    /// The signature is missing or wrong, or the secret is not that of the account.
    NotGenuine,
    /// The store did not take it.
    NotStored,
}

impl Refusal {
    /// The body is over the bound; counted.
    pub fn too_large(channel: &str) -> Self {
        count(channel, "too_large");
        Refusal::TooLarge
    }

    /// The body did not come in time; counted.
    pub fn too_slow(channel: &str) -> Self {
        count(channel, "too_slow");
        Refusal::TooSlow
    }

    /// The channel plugin refused it; counted.
    pub fn not_genuine(channel: &str, verdict: &Verdict) -> Self {
        count(
            channel,
            match verdict {
                Verdict::MissingHeader(_) => "missing_header",
                Verdict::MalformedHeader(_) => "malformed_header",
                Verdict::Mismatch => "mismatch",
                Verdict::Stale(_) => "stale",
                Verdict::NoSecret => "no_secret",
                Verdict::Other(_) => "other",
            },
        );
        if matches!(verdict, Verdict::NoSecret) {
            Refusal::NotConfigured
        } else {
            Refusal::NotGenuine
        }
    }

    /// It carries an event of an account that its secret does not open; counted.
    pub fn other_account(channel: &str) -> Self {
        count(channel, "other_account");
        Refusal::NotGenuine
    }

    /// The answer. It does not tell a stranger which part was wrong.
    pub fn response(self) -> Response {
        match self {
            Refusal::NotConfigured => unavailable(
                "not_configured",
                "This channel has no usable configuration, so nothing can be accepted.",
                CONFIGURE_AFTER_SECS,
            ),
            Refusal::NoAccount => problem(
                StatusCode::NOT_FOUND,
                "account_missing",
                "This channel's webhooks go to a route that ends with the account.",
            ),
            Refusal::TooLarge => problem(
                StatusCode::PAYLOAD_TOO_LARGE,
                "too_large",
                "A body may have 3 MiB at most.",
            ),
            Refusal::Interrupted => problem(
                StatusCode::BAD_REQUEST,
                "incomplete_body",
                "The body ended too early.",
            ),
            Refusal::TooSlow => problem(
                StatusCode::REQUEST_TIMEOUT,
                "slow_body",
                "The body did not come in time. Send it again.",
            ),
            Refusal::NotGenuine => {
                unauthorized("not_genuine", "The signature is missing or wrong.")
            }
            Refusal::NotStored => unavailable(
                "not_stored",
                "It could not be stored. Send it again.",
                RETRY_AFTER_SECS,
            ),
        }
    }
}

thread_local! {
    static UNCOUNTED: RefCell<VecDeque<(String, &'static str)>> = const { RefCell::new(VecDeque::new()) };
    static COUNTING: Cell<bool> = const { Cell::new(false) };
}

/// Says that nobody counts any more, also when the host drops the task half-way.
struct Counting;

impl Drop for Counting {
    fn drop(&mut self) {
        COUNTING.set(false);
    }
}

/// Logs a refusal and has it counted after the answer, one at a time in this instance: a flood of
/// bad deliveries must not fight the good ones for the database.
fn count(channel: &str, reason: &'static str) {
    eprintln!("warn: delivery refused: channel={channel} reason={reason}");
    let counted = UNCOUNTED.with_borrow_mut(|uncounted| {
        let room = uncounted.len() < MAX_UNCOUNTED;
        if room {
            uncounted.push_back((channel.to_owned(), reason));
        }
        room
    });
    if counted && !COUNTING.replace(true) {
        let counting = Counting;
        wasip3::spawn(async move {
            let _counting = counting;
            while let Some((channel, reason)) = UNCOUNTED.with_borrow_mut(VecDeque::pop_front) {
                if let Err(error) = store::count_refused(channel, reason.to_owned()).await {
                    eprintln!("warn: refusal not counted: error={error:?}");
                }
            }
        });
    }
}
