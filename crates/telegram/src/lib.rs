//! Telegram Bot API: what its webhooks say, and how an answer is put.
//!
//! 1. [`verify`](Channel::verify): `X-Telegram-Bot-Api-Secret-Token` is the token that was given to
//!    `setWebhook`. Nothing is signed and there is no time, so replays are bounded by the dedupe key
//!    alone: the update's id, which counts per bot.
//! 2. No update names its bot: the account is the one of the route.
//! 3. Message ids count per chat, so ours are `chat:message_id`. A chat that a bot sees through a
//!    business connection is `connection:chat`: its ids count apart, and an answer must name it.
//! 4. [`parse`](Channel::parse) loses nothing: what has no place in the model is `unknown` with its
//!    raw JSON. `/start` in a private chat is an `opt` and the message that it is.
//! 5. The access token is a part of the path; whoever sends puts it in place of `{access_token}`.
//!
//! Source of payloads, limits and errors: the Bot API reference (10.3) and the Bots FAQ.
#![deny(missing_docs)]

mod chat;
mod classify;
mod content;
mod event;
mod media;
mod notice;
mod parse;
mod render;

use chatly_canonical::{Event, Media};
use chatly_channel::json::Json;
use chatly_channel::outbound::{Message, Request, Sender};
use chatly_channel::{
    Channel, Delivery, Description, HeaderError, Limits, Located, MediaStep, Rate, RateScope,
    Refusal, RenderError, Reply, Response, TextUnit, Verdict,
};

/// Name of the channel in routes, variables and keys.
pub const NAME: &str = "telegram";

/// The header that carries the shared token.
pub const TOKEN_HEADER: &str = "x-telegram-bot-api-secret-token";

/// The channel.
#[derive(Debug, Clone, Copy)]
pub struct Telegram;

impl Channel for Telegram {
    fn describe() -> Description {
        let words = |words: &[&str]| words.iter().map(ToString::to_string).collect();
        let rate = |scope, count| Rate {
            scope,
            count,
            per_ms: 1_000,
        };
        Description {
            name: NAME.to_owned(),
            label: "Telegram".to_owned(),
            account_in_route: true,
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
                "location",
                "contacts",
                "reaction",
                "buttons",
                "menu",
                "quick_replies",
                "mark_read",
                "typing",
            ]),
            limits: Limits {
                text: Some(render::MAX_TEXT_UNITS),
                text_unit: TextUnit::Utf16Units,
                caption: Some(render::MAX_CAPTION_UNITS),
                buttons: None,
                button_title: None,
                list_rows: None,
                row_title: None,
                row_description: None,
                quick_replies: None,
                webhook_body_bytes: MAX_BODY_BYTES,
            },
            window: None,
            // Bots FAQ: "avoid sending more than one message per second" in a chat, 30 over all.
            rates: vec![rate(RateScope::Chat, 1), rate(RateScope::Account, 30)],
            base_url: "https://api.telegram.org".to_owned(),
        }
    }

    /// Telegram has none: `setWebhook` asks for no proof.
    fn handshake(
        _delivery: &Delivery,
        _verify_tokens: &[String],
        _secrets: &[String],
        _now: u64,
    ) -> Option<Reply> {
        None
    }

    fn verify(delivery: &Delivery, secrets: &[String], _now: u64) -> Result<(), Refusal> {
        if secrets.iter().all(|secret| secret.trim().is_empty()) {
            return Err(Refusal::NoSecret);
        }
        let token = delivery.header(TOKEN_HEADER).map_err(|error| match error {
            HeaderError::Missing => Refusal::MissingHeader(TOKEN_HEADER.to_owned()),
            HeaderError::Repeated | HeaderError::NotText => {
                Refusal::MalformedHeader(TOKEN_HEADER.to_owned())
            }
        })?;
        chatly_signature::verify_token(secrets, token).map_err(|_| Refusal::Mismatch)
    }

    fn parse(delivery: &Delivery, account: Option<&str>) -> Vec<Event> {
        parse::parse(&delivery.body, account)
    }

    /// A pressed button shows that it is busy until its query is answered, which the answer to the
    /// webhook may do.
    fn acknowledge(delivery: &Delivery) -> Reply {
        let query = Json::parse(&delivery.body)
            .and_then(Json::object)
            .and_then(|update| update.object("callback_query")?.id("id"));
        match query {
            Some(id) => {
                let answer = serde_json::json!({
                    "method": "answerCallbackQuery", "callback_query_id": id });
                Reply::new(200, "application/json", answer.to_string())
            }
            None => Reply {
                status: 200,
                headers: Vec::new(),
                body: Vec::new(),
            },
        }
    }

    fn render(from: &Sender, message: &Message) -> Result<Vec<Request>, RenderError> {
        render::render(from, message)
    }

    fn classify(response: &Response) -> Verdict {
        classify::classify(response)
    }

    fn fetch_media(from: &Sender, media: &Media) -> MediaStep {
        media::fetch(from, media)
    }

    fn read_media(from: &Sender, body: &[u8]) -> Result<Located, String> {
        media::read(from, body)
    }
}

/// What a delivery may have at most. Telegram names no limit; texts and captions bound its updates
/// far below this one, which is the one of all routes.
const MAX_BODY_BYTES: u32 = 3 * 1024 * 1024;
