//! Discord: interactions and webhook events, follow-ups and messages of a bot.
//!
//! 1. [`verify`](Channel::verify) checks Ed25519 signatures by the strict check; the secrets are the
//!    application's public key in hex. A refusal becomes a 401, as Discord demands: it sends bad
//!    signatures on purpose and takes the URL away where they are accepted. Both PINGs are signed,
//!    so they are checked before they are answered.
//! 2. An interaction's message id is `{interaction id}:{interaction token}`: a send whose `reply-to`
//!    is such an id goes out as a follow-up, which needs no other token and is possible for 15
//!    minutes. Any other send is a message of the bot in the channel of `chat`, and then the token
//!    variable of the account must hold the word `Bot`, a space and the bot's token, since the
//!    caller puts it behind `Authorization:` as it is. The key holds no token. Until the 15 minutes are
//!    over, whoever reads a message's id can answer as the application: it is for those who may read
//!    the message, and for no log.
//! 3. `chat` is the channel in direct messages too: Discord has no other address for them.
//! 4. [`acknowledge`](Channel::acknowledge) defers: an interaction must be answered in three
//!    seconds. Plain messages of a channel never come by webhook, but by the gateway alone.
//!
//! Source of payloads, limits and codes: Discord's developer documentation.
#![deny(missing_docs)]

mod classify;
mod interaction;
mod notice;
mod parse;
mod party;
mod render;
mod verify;

use chatly_canonical::{Event, Media};
use chatly_channel::outbound::{Auth, Message, Request, Sender};
use chatly_channel::{
    Channel, Delivery, Description, Limits, MediaHost, MediaStep, Rate, RateScope, Refusal,
    RenderError, Reply, Response, TextUnit, Verdict,
};
use render::components;

/// Name of the channel in routes, variables and keys.
pub const NAME: &str = "discord";
/// Most bytes of a body. Discord documents none; its own messages end at 4000 characters.
const MAX_BODY_BYTES: u32 = 1 << 20;

/// The channel.
#[derive(Debug, Clone, Copy)]
pub struct Discord;

impl Channel for Discord {
    fn describe() -> Description {
        let words = |words: &[&str]| words.iter().map(ToString::to_string).collect();
        Description {
            name: NAME.to_owned(),
            label: "Discord".to_owned(),
            account_in_route: false,
            kinds: words(&[
                "message",
                "message.edited",
                "message.deleted",
                "opt",
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
                "typing",
            ]),
            limits: Limits {
                text: Some(render::MAX_TEXT_CHARS),
                text_unit: TextUnit::Characters,
                caption: Some(render::MAX_TEXT_CHARS),
                buttons: Some(components::MAX_BUTTONS),
                button_title: Some(components::MAX_BUTTON_LABEL_CHARS),
                list_rows: Some(components::MAX_ROWS),
                row_title: Some(components::MAX_ROW_CHARS),
                row_description: Some(components::MAX_ROW_CHARS),
                quick_replies: Some(components::MAX_BUTTONS),
                webhook_body_bytes: MAX_BODY_BYTES,
            },
            window: None,
            rates: vec![
                Rate {
                    scope: RateScope::Account,
                    count: 50,
                    per_ms: 1_000,
                },
                Rate {
                    scope: RateScope::Chat,
                    count: 5,
                    per_ms: 5_000,
                },
            ],
            base_url: "https://discord.com".to_owned(),
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

    fn acknowledge(delivery: &Delivery) -> Reply {
        parse::acknowledge(&delivery.body)
    }

    fn render(from: &Sender, message: &Message) -> Result<Vec<Request>, RenderError> {
        render::render(from, message)
    }

    fn classify(response: &Response) -> Verdict {
        classify::classify(response)
    }

    fn media_hosts() -> Vec<MediaHost> {
        vec![
            MediaHost::open("https://cdn.discordapp.com"),
            MediaHost::open("https://media.discordapp.net"),
        ]
    }

    fn fetch_media(_from: &Sender, media: &Media) -> MediaStep {
        MediaStep::by_url(media, Auth::None)
    }
}
