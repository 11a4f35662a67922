//! Standard Webhooks: any sender that follows the specification, with one kind of event.
//!
//! 1. [`verify`](Channel::verify) takes `webhook-*` headers, or `svix-*` ones where none of those
//!    are there. A secret `whsec_…` (or any text that is no public key) checks `v1` signatures, a
//!    public key `whpk_…` checks `v1a` ones. Any one match will do; other versions are passed over.
//! 2. [`parse`](Channel::parse) gives `external` for an object with a `type`, whose account is that
//!    of the route, and `unknown` for any other object. The key is the `webhook-id`, the same on
//!    every attempt.
//! 3. Nothing can be sent: these webhooks go one way, and a message rendered here could not be
//!    signed. Rules forward events by signed webhooks; that is not this crate's work.
//!
//! Source: the Standard Webhooks specification, 1.0.
#![deny(missing_docs)]

mod classify;
mod parse;
mod verify;

use chatly_canonical::Event;
use chatly_channel::outbound::{Message, Request, Sender};
use chatly_channel::{
    Channel, Delivery, Description, Limits, Refusal, RenderError, Reply, Response, TextUnit,
    Verdict,
};

/// Name of the channel in routes, variables and keys.
pub const NAME: &str = "standard";
/// Most bytes of a body. The specification recommends less than 20 KB and forbids nothing.
const MAX_BODY_BYTES: u32 = 1 << 20;

/// The channel.
#[derive(Debug, Clone, Copy)]
pub struct Standard;

impl Channel for Standard {
    fn describe() -> Description {
        Description {
            name: NAME.to_owned(),
            label: "Standard Webhooks".to_owned(),
            // Ids are unique per sender only, so each sender has a route.
            account_in_route: true,
            kinds: ["external", "unknown", "unparsable"]
                .map(str::to_owned)
                .to_vec(),
            sends: Vec::new(),
            limits: Limits {
                text: None,
                text_unit: TextUnit::Characters,
                caption: None,
                buttons: None,
                button_title: None,
                list_rows: None,
                row_title: None,
                row_description: None,
                quick_replies: None,
                webhook_body_bytes: MAX_BODY_BYTES,
            },
            window: None,
            rates: Vec::new(),
            base_url: String::new(),
        }
    }

    fn handshake(
        _delivery: &Delivery,
        _verify_tokens: &[String],
        _secrets: &[String],
        _now: u64,
    ) -> Option<Reply> {
        None
    }

    fn verify(delivery: &Delivery, secrets: &[String], now: u64) -> Result<(), Refusal> {
        verify::verify(delivery, secrets, now)
    }

    fn parse(delivery: &Delivery, account: Option<&str>) -> Vec<Event> {
        parse::parse(delivery, account)
    }

    fn render(_from: &Sender, _message: &Message) -> Result<Vec<Request>, RenderError> {
        Err(RenderError::Unsupported(
            "a message to a Standard Webhooks sender (its webhooks go one way; let a rule forward the event)"
                .to_owned(),
        ))
    }

    fn classify(response: &Response) -> Verdict {
        classify::classify(response)
    }
}
