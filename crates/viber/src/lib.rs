//! Viber bots: what their callbacks say, and how an answer is put.
//!
//! 1. One callback is one JSON object. It names no bot, so the route must: that is the account, and
//!    the name that the bot's messages are shown under.
//! 2. `message_token` is a 64-bit number and stays text. A message is keyed by it alone; everything
//!    else that happens to it by token and event.
//! 3. The callback that `set_webhook` makes is a [`handshake`](Channel::handshake), answered when
//!    its signature is right.
//! 4. Viber sends errors under HTTP 200: [`classify`](Channel::classify) reads `status` in the body.
//!
//! Source of payloads, limits and codes: Viber's REST Bot API documentation.
#![deny(missing_docs)]

mod classify;
mod message;
mod parse;
mod render;
mod verify;

use chatly_canonical::{Event, Media};
use chatly_channel::outbound::{Auth, Message, Request, Sender};
use chatly_channel::{
    Channel, Delivery, Description, Limits, MediaHost, MediaStep, Refusal, RenderError, Reply,
    Response, TextUnit, Verdict,
};

/// Name of the channel in routes, variables and keys.
pub const NAME: &str = "viber";

/// The most that is read of a delivery: what every channel here takes; Viber documents no bound.
const MAX_BODY_BYTES: u32 = 3 * 1024 * 1024;

/// The channel.
#[derive(Debug, Clone, Copy)]
pub struct Viber;

impl Channel for Viber {
    fn describe() -> Description {
        let words = |words: &[&str]| words.iter().map(ToString::to_string).collect();
        Description {
            name: NAME.to_owned(),
            label: "Viber".to_owned(),
            account_in_route: true,
            kinds: words(&[
                "message",
                "status",
                "opt",
                "account",
                "unknown",
                "unparsable",
            ]),
            sends: words(&[
                "text",
                "media",
                "location",
                "contacts",
                "buttons",
                "quick_replies",
            ]),
            limits: Limits {
                text: Some(render::MAX_TEXT_CHARS),
                text_unit: TextUnit::Characters,
                caption: Some(render::MAX_CAPTION_CHARS),
                buttons: Some(render::MAX_BUTTONS),
                button_title: Some(render::MAX_BUTTON_TITLE_CHARS),
                list_rows: None,
                row_title: None,
                row_description: None,
                quick_replies: Some(render::MAX_BUTTONS),
                webhook_body_bytes: MAX_BODY_BYTES,
            },
            window: None,
            // Viber names no number, only status 12 for what is too much.
            rates: Vec::new(),
            base_url: "https://chatapi.viber.com".to_owned(),
        }
    }

    fn handshake(
        delivery: &Delivery,
        _verify_tokens: &[String],
        secrets: &[String],
        _now: u64,
    ) -> Option<Reply> {
        verify::handshake(delivery, secrets)
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
        vec![MediaHost::open("https://*.viber.com")]
    }

    fn fetch_media(_from: &Sender, media: &Media) -> MediaStep {
        MediaStep::by_url(media, Auth::None)
    }
}
