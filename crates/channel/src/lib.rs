//! What a channel plugin is, in plain Rust.
//!
//! 1. [`Channel`] mirrors the interface `chatly:channel/channel` in `wit/`, function by function;
//!    field meanings are documented there.
//! 2. [`export_channel!`] turns an implementation into the component, so that a plugin is a crate
//!    that runs natively in tests and a shell of a few lines around it.
//! 3. [`json`] reads JSON that a sender controls: item by item, without floating point in ids and
//!    without recursion. [`key`] makes dedupe keys, [`event`] the events that all channels have.
//!    [`mod@form`] reads and writes form bodies.
//!    [`fields`] reads a message as it is written for any channel.
//! 4. [`text`] splits what is too long for one message, in the platform's own unit; [`check`] refuses
//!    what a platform would refuse; [`reason`] makes a platform's sentence safe to store.
//!
//! It knows no platform.
#![deny(missing_docs)]

pub mod check;
mod delivery;
mod description;
pub mod event;
pub mod fields;
pub mod form;
pub mod json;
pub mod key;
pub mod media;
pub mod outbound;
pub mod reason;
pub mod text;
mod wit;

use chatly_canonical::{Event, Media};

pub use delivery::{Delivery, Header, HeaderError, Refusal, Reply};
pub use description::{AfterWindow, Description, Limits, Rate, RateScope, TextUnit, Window};
pub use media::{Located, MediaHost, MediaStep};
pub use outbound::{Auth, LimitBreach, Outcome, RenderError, Response, Verdict};

/// One messaging platform. Every function is pure and none may panic on any input.
pub trait Channel {
    /// The platform's facts as data.
    fn describe() -> Description;
    /// Answers a delivery that only sets up or checks the webhook; none when it is no such thing.
    fn handshake(
        delivery: &Delivery,
        verify_tokens: &[String],
        secrets: &[String],
        now: u64,
    ) -> Option<Reply>;
    /// Checks a delivery against `secrets`, current first. `now` is in Unix seconds.
    fn verify(delivery: &Delivery, secrets: &[String], now: u64) -> Result<(), Refusal>;
    /// Every event of a delivery, in payload order.
    fn parse(delivery: &Delivery, account: Option<&str>) -> Vec<Event>;
    /// What a stored delivery is answered with.
    fn acknowledge(_delivery: &Delivery) -> Reply {
        Reply {
            status: 200,
            headers: Vec::new(),
            body: Vec::new(),
        }
    }
    /// The requests that send `message`, in order.
    fn render(
        from: &outbound::Sender,
        message: &outbound::Message,
    ) -> Result<Vec<outbound::Request>, RenderError>;
    /// What the platform's answer to one rendered request means.
    fn classify(response: &Response) -> Verdict;
    /// Where media may be fetched, besides the base URL.
    fn media_hosts() -> Vec<MediaHost> {
        Vec::new()
    }
    /// The request that a medium is fetched with.
    fn fetch_media(_from: &outbound::Sender, _media: &Media) -> MediaStep {
        MediaStep::Absent("media of this platform cannot be fetched".to_owned())
    }
    /// Reads the body of a 2xx answer to [`MediaStep::Ask`].
    fn read_media(_from: &outbound::Sender, _body: &[u8]) -> Result<Located, String> {
        Err("no answer of this platform says where a medium is".to_owned())
    }
}
