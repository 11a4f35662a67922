//! Instagram messaging: what its webhooks say, and how an answer is put. Nearly all of it is shared with
//! Messenger and stands in [`chatly_messaging`].
#![deny(missing_docs)]

use chatly_canonical::{Event, Media};
use chatly_channel::outbound::{Auth, Message, Request, Sender};
use chatly_channel::{
    AfterWindow, Channel, Delivery, Description, Limits, MediaHost, MediaStep, Rate, RateScope,
    Refusal, RenderError, Reply, Response, Verdict, Window,
};
use chatly_messaging::{
    MAX_BUTTONS, MAX_ELEMENT_CHARS, MAX_ELEMENTS, MAX_QUICK_REPLIES, MAX_TITLE_CHARS, Platform,
};

/// Name of the channel in routes, variables and keys.
pub const NAME: &str = PLATFORM.name();

const PLATFORM: Platform = Platform::Instagram;
const DAY_SECS: u64 = 24 * 60 * 60;

/// The channel.
#[derive(Debug, Clone, Copy)]
pub struct Instagram;

impl Channel for Instagram {
    fn describe() -> Description {
        let words = |words: &[&str]| words.iter().map(ToString::to_string).collect();
        let (text, text_unit) = PLATFORM.longest_text();
        Description {
            name: NAME.to_owned(),
            label: "Instagram".to_owned(),
            account_in_route: false,
            kinds: words(&[
                "message",
                "message.edited",
                "message.deleted",
                "reaction",
                "read",
                "referral",
                "opt",
                "handover",
                "comment",
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
                "mark_read",
                "typing",
            ]),
            limits: Limits {
                text: Some(text),
                text_unit,
                caption: None,
                buttons: Some(MAX_BUTTONS),
                button_title: Some(MAX_TITLE_CHARS),
                list_rows: Some(MAX_ELEMENTS),
                row_title: Some(MAX_ELEMENT_CHARS),
                row_description: Some(MAX_ELEMENT_CHARS),
                quick_replies: Some(MAX_QUICK_REPLIES),
                webhook_body_bytes: chatly_meta::MAX_BODY_BYTES,
            },
            // A person may write for seven days after the customer did.
            window: Some(Window {
                secs: DAY_SECS,
                after: AfterWindow::Tag("HUMAN_AGENT".to_owned(), 6 * DAY_SECS),
            }),
            // Of texts; ten a second of audio and video.
            rates: vec![Rate {
                scope: RateScope::Account,
                count: 300,
                per_ms: 1_000,
            }],
            base_url: "https://graph.instagram.com".to_owned(),
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
        chatly_messaging::parse(PLATFORM, &delivery.body, account)
    }

    fn render(from: &Sender, message: &Message) -> Result<Vec<Request>, RenderError> {
        chatly_messaging::render(PLATFORM, from, message)
    }

    fn classify(response: &Response) -> Verdict {
        chatly_messaging::classify(response)
    }

    fn media_hosts() -> Vec<MediaHost> {
        chatly_messaging::media_hosts()
    }

    fn fetch_media(_from: &Sender, media: &Media) -> MediaStep {
        MediaStep::by_url(media, Auth::None)
    }
}
