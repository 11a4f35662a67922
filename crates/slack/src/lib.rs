//! Slack: the Events API, slash commands and interactivity, and `chat.postMessage`.
//!
//! 1. [`verify`](Channel::verify) covers the raw body whatever its type; the handshake
//!    (`url_verification`) is signed too, so it is checked before its challenge is echoed.
//! 2. The account is the workspace that the app is installed in. A message's id is `channel:ts`,
//!    which is also its key: a mention comes a second time as `app_mention`. All else is keyed by
//!    `event_id`.
//! 3. In a direct message `chat` is none: a send to the person's id reaches the same conversation.
//!    `&`, `<` and `>` are escaped on the way out and read on the way in, so that no text of a
//!    customer can mention a whole channel.
//!
//! Source of payloads, limits and errors: Slack's developer documentation.
#![deny(missing_docs)]

mod classify;
mod command;
mod interaction;
mod media;
mod message;
mod parse;
mod party;
mod render;
mod verify;

use chatly_canonical::{Event, Media};
use chatly_channel::outbound::{Message, Request, Sender};
use chatly_channel::{
    Channel, Delivery, Description, Limits, MediaHost, MediaStep, Rate, RateScope, Refusal,
    RenderError, Reply, Response, TextUnit, Verdict,
};
use render::blocks;

/// Name of the channel in routes, variables and keys.
pub const NAME: &str = "slack";
/// Most bytes of a body. Slack documents none; its own messages end at 40 000 characters.
const MAX_BODY_BYTES: u32 = 1 << 20;

/// Members that open something: the old verification token, and a URL that anybody may post to.
const SECRETS: &[&str] = &["token", "response_url"];

/// The channel.
#[derive(Debug, Clone, Copy)]
pub struct Slack;

impl Channel for Slack {
    fn describe() -> Description {
        let words = |words: &[&str]| words.iter().map(ToString::to_string).collect();
        Description {
            name: NAME.to_owned(),
            label: "Slack".to_owned(),
            account_in_route: false,
            kinds: words(&[
                "message",
                "message.edited",
                "message.deleted",
                "reaction",
                "opt",
                "membership",
                "account",
                "unknown",
                "unparsable",
            ]),
            sends: words(&[
                "text",
                "media",
                "reaction",
                "buttons",
                "menu",
                "quick_replies",
            ]),
            limits: Limits {
                text: Some(render::MAX_TEXT_CHARS),
                text_unit: TextUnit::Characters,
                caption: Some(blocks::MAX_TITLE_CHARS),
                buttons: Some(blocks::MAX_BUTTONS),
                button_title: Some(blocks::MAX_LABEL_CHARS),
                list_rows: Some(blocks::MAX_ROWS),
                row_title: Some(blocks::MAX_LABEL_CHARS),
                row_description: Some(blocks::MAX_LABEL_CHARS),
                quick_replies: Some(blocks::MAX_BUTTONS),
                webhook_body_bytes: MAX_BODY_BYTES,
            },
            window: None,
            rates: vec![Rate {
                scope: RateScope::Chat,
                count: 1,
                per_ms: 1_000,
            }],
            base_url: "https://slack.com".to_owned(),
        }
    }

    fn handshake(
        delivery: &Delivery,
        _verify_tokens: &[String],
        secrets: &[String],
        now: u64,
    ) -> Option<Reply> {
        verify::handshake(delivery, secrets, now)
    }

    fn verify(delivery: &Delivery, secrets: &[String], now: u64) -> Result<(), Refusal> {
        verify::verify(delivery, secrets, now)
    }

    fn parse(delivery: &Delivery, account: Option<&str>) -> Vec<Event> {
        parse::parse(delivery, account)
    }

    fn acknowledge(delivery: &Delivery) -> Reply {
        interaction::acknowledge(delivery)
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
