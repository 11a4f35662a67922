//! LINE Messaging API: what its webhooks say, and how an answer is put.
//!
//! 1. [`verify`](Channel::verify): `X-Line-Signature` is the base64 HMAC-SHA256 of the raw body under
//!    the channel secret. There is no timestamp in the scheme, so dedupe keys bound a replay:
//!    `webhookEventId` stays the same on a redelivery.
//! 2. LINE checks a webhook with a signed body without events. [`handshake`](Channel::handshake)
//!    answers that; [`parse`](Channel::parse) gives no event for it, for there is none.
//! 3. What happens while another module answers has `mode: standby`.
//! 4. Sends are pushes: a reply token is gone within a minute. A push carries a retry key that is made
//!    from the message's reference, so a second try of the same send is not a second message, and
//!    its 409 says that the first one was accepted.
//! 5. A quote and a read marker need tokens that only the webhook gave, so replies are not shown as
//!    quotes, and nothing is marked as read.
//!
//! Source of payloads, limits and codes: the LINE Messaging API reference and LINE's OpenAPI files.
#![deny(missing_docs)]

mod classify;
mod content;
mod event;
mod handshake;
mod media;
mod parse;
mod render;
mod verify;

use chatly_canonical::{Event, Media};
use chatly_channel::outbound::{Message, Request, Sender};
use chatly_channel::{
    Channel, Delivery, Description, Limits, MediaHost, MediaStep, Rate, RateScope, Refusal,
    RenderError, Reply, Response, TextUnit, Verdict,
};
use render::choice;

/// Name of the channel in routes, variables and keys.
pub const NAME: &str = "line";

/// The header that carries the signature.
pub const SIGNATURE_HEADER: &str = "x-line-signature";

/// What a delivery may have at most. LINE names no limit of its own; this one is that of all routes.
const MAX_BODY_BYTES: u32 = 3 * 1024 * 1024;

/// The channel.
#[derive(Debug, Clone, Copy)]
pub struct Line;

impl Channel for Line {
    fn describe() -> Description {
        let words = |words: &[&str]| words.iter().map(ToString::to_string).collect();
        Description {
            name: NAME.to_owned(),
            label: "LINE".to_owned(),
            account_in_route: false,
            kinds: words(&[
                "message",
                "message.edited",
                "message.deleted",
                "status",
                "referral",
                "opt",
                "membership",
                "handover",
                "account",
                "unknown",
                "unparsable",
            ]),
            sends: words(&[
                "text",
                "media",
                "location",
                "buttons",
                "menu",
                "quick_replies",
                "typing",
            ]),
            limits: Limits {
                text: Some(render::MAX_TEXT_UNITS),
                text_unit: TextUnit::Utf16Units,
                caption: Some(render::MAX_TEXT_UNITS),
                buttons: Some(choice::MAX_BUTTONS),
                button_title: Some(choice::MAX_LABEL_GRAPHEMES),
                list_rows: Some(choice::MAX_COLUMNS),
                row_title: Some(choice::MAX_COLUMN_TITLE_GRAPHEMES),
                row_description: Some(choice::MAX_COLUMN_TEXT_GRAPHEMES),
                quick_replies: Some(choice::MAX_QUICK_REPLIES),
                webhook_body_bytes: MAX_BODY_BYTES,
            },
            window: None,
            rates: vec![Rate {
                scope: RateScope::Account,
                count: 2_000,
                per_ms: 1_000,
            }],
            base_url: media::API.to_owned(),
        }
    }

    fn handshake(
        delivery: &Delivery,
        _verify_tokens: &[String],
        secrets: &[String],
        _now: u64,
    ) -> Option<Reply> {
        handshake::handshake(delivery, secrets)
    }

    fn verify(delivery: &Delivery, secrets: &[String], _now: u64) -> Result<(), Refusal> {
        verify::verify(delivery, secrets)
    }

    fn parse(delivery: &Delivery, account: Option<&str>) -> Vec<Event> {
        parse::parse(&delivery.body, account)
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
