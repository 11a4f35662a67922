//! Twilio Messaging (SMS, MMS, WhatsApp by Twilio): what its webhooks say, and how an answer is put.
//!
//! 1. One delivery is one form: a message that came in, or a step of one that we sent. What has
//!    no place in the model is kept as JSON of the form.
//! 2. The account is the Account SID. Several senders (numbers) may share it, so an event's `chat`
//!    names the pair that talks, `{our address}/{their address}` in Twilio's own spelling, and an
//!    answer into that chat goes out from the address that was written to.
//! 3. A person is a set of identities: phone and BSUID are told apart by their pattern.
//! 4. [`acknowledge`](Channel::acknowledge) answers empty TwiML: Twilio logs a warning for an empty
//!    body and would send any text to the customer.
//!
//! Source of parameters, rules and codes: Twilio's Messaging documentation and SDKs.
#![deny(missing_docs)]

mod address;
mod classify;
mod fields;
mod media;
mod message;
mod parse;
mod render;
mod verify;

use chatly_canonical::{Event, Media};
use chatly_channel::outbound::{Message, Request, Sender};
use chatly_channel::{
    Channel, Delivery, Description, Header, Limits, MediaHost, MediaStep, Refusal, RenderError,
    Reply, Response, TextUnit, Verdict,
};

/// Name of the channel in routes, variables and keys.
pub const NAME: &str = "twilio";

/// The most that is read of a delivery: what every channel here takes; Twilio documents no bound.
const MAX_BODY_BYTES: u32 = 3 * 1024 * 1024;

/// The channel.
#[derive(Debug, Clone, Copy)]
pub struct Twilio;

impl Channel for Twilio {
    fn describe() -> Description {
        let words = |words: &[&str]| words.iter().map(ToString::to_string).collect();
        Description {
            name: NAME.to_owned(),
            label: "Twilio".to_owned(),
            account_in_route: false,
            kinds: words(&["message", "status", "opt", "unknown", "unparsable"]),
            sends: words(&["text", "media", "location", "template"]),
            limits: Limits {
                text: Some(render::MAX_BODY_CHARS),
                text_unit: TextUnit::Characters,
                caption: Some(render::MAX_BODY_CHARS),
                buttons: None,
                button_title: None,
                list_rows: None,
                row_title: None,
                row_description: None,
                quick_replies: None,
                webhook_body_bytes: MAX_BODY_BYTES,
            },
            // SMS has none; for WhatsApp, Twilio itself refuses with 63016.
            window: None,
            // Twilio queues by sender what comes too fast; only calls at once are bounded (20429).
            rates: Vec::new(),
            base_url: "https://api.twilio.com".to_owned(),
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

    fn verify(delivery: &Delivery, secrets: &[String], _now: u64) -> Result<(), Refusal> {
        verify::verify(delivery, secrets)
    }

    fn parse(delivery: &Delivery, account: Option<&str>) -> Vec<Event> {
        parse::parse(&delivery.body, account)
    }

    fn acknowledge(_delivery: &Delivery) -> Reply {
        let body = b"<Response/>".to_vec();
        Reply {
            status: 200,
            headers: vec![
                Header::new("content-type", "text/xml"),
                Header::new("content-length", &body.len().to_string()),
            ],
            body,
        }
    }

    fn render(from: &Sender, message: &Message) -> Result<Vec<Request>, RenderError> {
        render::render(from, message)
    }

    fn classify(response: &Response) -> Verdict {
        classify::classify(response)
    }

    fn media_hosts() -> Vec<MediaHost> {
        media::hosts()
    }

    fn fetch_media(from: &Sender, media: &Media) -> MediaStep {
        media::fetch(from, media)
    }
}
