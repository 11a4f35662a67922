//! WhatsApp Cloud API: what its webhooks say, and how an answer is put.
//!
//! 1. [`parse`](Channel::parse) loses nothing: what has no place in the model is `unknown` with its
//!    raw JSON. Inside one value, messages come before statuses.
//! 2. A person is a set of identities; the scheme of each is decided by its pattern, since the
//!    field that a phone number used to be in may hold a BSUID.
//! 3. [`render`](Channel::render) refuses what the platform would refuse and names the limit.
//!
//! Source of payloads, limits and codes: Meta's WhatsApp Cloud API documentation.
#![deny(missing_docs)]

mod classify;
mod media;
mod message;
mod notice;
mod parse;
mod party;
mod render;
mod value;

use chatly_canonical::{Event, Media};
use chatly_channel::outbound::{Message, Request, Sender};
use chatly_channel::{
    AfterWindow, Channel, Delivery, Description, Limits, Located, MediaHost, MediaStep, Rate,
    RateScope, Refusal, RenderError, Reply, Response, TextUnit, Verdict, Window,
};
use render::interactive;

/// Name of the channel in routes, variables and keys.
pub const NAME: &str = "whatsapp";

/// The channel.
#[derive(Debug, Clone, Copy)]
pub struct WhatsApp;

impl Channel for WhatsApp {
    fn describe() -> Description {
        let words = |words: &[&str]| words.iter().map(ToString::to_string).collect();
        Description {
            name: NAME.to_owned(),
            label: "WhatsApp".to_owned(),
            account_in_route: false,
            kinds: words(&[
                "message",
                "message.edited",
                "message.deleted",
                "reaction",
                "status",
                "opt",
                "identity.changed",
                "membership",
                "call",
                "template",
                "account",
                "error",
                "unknown",
                "unparsable",
            ]),
            sends: words(&[
                "text",
                "media",
                "location",
                "contacts",
                "reaction",
                "template",
                "buttons",
                "menu",
                "quick_replies",
                "mark_read",
                "typing",
            ]),
            limits: Limits {
                text: Some(render::MAX_TEXT_CHARS),
                text_unit: TextUnit::Characters,
                caption: Some(render::MAX_CAPTION_CHARS),
                buttons: Some(interactive::MAX_BUTTONS),
                button_title: Some(interactive::MAX_BUTTON_TITLE_CHARS),
                list_rows: Some(interactive::MAX_ROWS),
                row_title: Some(interactive::MAX_ROW_TITLE_CHARS),
                row_description: Some(interactive::MAX_ROW_DESCRIPTION_CHARS),
                quick_replies: Some(interactive::MAX_BUTTONS),
                webhook_body_bytes: chatly_meta::MAX_BODY_BYTES,
            },
            window: Some(Window {
                secs: 24 * 60 * 60,
                after: AfterWindow::Template,
            }),
            rates: vec![
                Rate {
                    scope: RateScope::Account,
                    count: 80,
                    per_ms: 1_000,
                },
                // One in 6 s, up to 45 at once that are borrowed from what follows.
                Rate {
                    scope: RateScope::Pair,
                    count: 45,
                    per_ms: 45 * 6_000,
                },
            ],
            base_url: "https://graph.facebook.com".to_owned(),
        }
    }

    fn handshake(
        delivery: &Delivery,
        verify_tokens: &[String],
        _secrets: &[String],
        _now: u64,
    ) -> Option<Reply> {
        chatly_meta::handshake(delivery, verify_tokens)
    }

    fn verify(delivery: &Delivery, secrets: &[String], _now: u64) -> Result<(), Refusal> {
        chatly_meta::verify(delivery, secrets)
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

    fn read_media(_from: &Sender, body: &[u8]) -> Result<Located, String> {
        media::read(body)
    }
}
