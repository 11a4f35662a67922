//! Puts an outbound message as requests to `chat.postMessage` and `reactions.add`.

pub(crate) mod blocks;

use chatly_channel::check::{Result, invalid, not_empty};
use chatly_channel::outbound::{Auth, Content, Message, ReactionTo, RenderError, Request, Sender};
use chatly_channel::{Header, TextUnit, text};
use serde_json::{Map, Value, json};

use crate::party::USER;

/// Most characters of one message. Slack cuts at 40 000, and breaks one of more than 4000 up.
pub(crate) const MAX_TEXT_CHARS: u32 = 4000;

/// Emoji that people pick most, and Slack's names for them: its API takes names alone.
const NAMES: &[(&str, &str)] = &[
    ("👍", "+1"),
    ("👎", "-1"),
    ("❤", "heart"),
    ("😂", "joy"),
    ("😮", "open_mouth"),
    ("😢", "cry"),
    ("🙏", "pray"),
    ("🎉", "tada"),
    ("👀", "eyes"),
    ("✅", "white_check_mark"),
    ("🔥", "fire"),
    ("👏", "clap"),
    ("🙂", "slightly_smiling_face"),
    ("😍", "heart_eyes"),
];

/// The requests that send a message, in order.
pub(crate) fn render(from: &Sender, message: &Message) -> Result<Vec<Request>> {
    let post = |body: Value| request(from, "chat.postMessage", &body);
    match &message.content {
        Content::Text(text) => {
            not_empty("text", text)?;
            text::pieces(text, MAX_TEXT_CHARS, TextUnit::Characters)
                .map(|piece| Ok(post(body(message, &escaped(piece), None)?)))
                .collect()
        }
        Content::Media(source) => {
            let (fallback, blocks) = blocks::image(source)?;
            Ok(vec![post(body(message, &fallback, Some(blocks))?)])
        }
        Content::Buttons(text, buttons) | Content::QuickReplies(text, buttons) => {
            let blocks = blocks::buttons(text, buttons)?;
            Ok(vec![post(body(message, &escaped(text), Some(blocks))?)])
        }
        Content::Menu(text, menu) => {
            let blocks = blocks::menu(text, menu)?;
            Ok(vec![post(body(message, &escaped(text), Some(blocks))?)])
        }
        Content::Reaction(to) => Ok(vec![request(from, "reactions.add", &reaction(to)?)]),
        Content::Location(_) => Err(unsupported("a location")),
        Content::Contacts(_) => Err(unsupported("a contact")),
        Content::Template(_) => Err(unsupported("a template")),
        Content::MarkRead(_) => Err(unsupported("a read marker")),
        Content::Typing(_) => Err(unsupported("a typing indicator")),
    }
}

pub(crate) fn unsupported(what: &str) -> RenderError {
    RenderError::Unsupported(what.to_owned())
}

fn request(from: &Sender, method: &str, body: &Value) -> Request {
    Request {
        method: "POST".to_owned(),
        url: format!("{}/api/{method}", from.base_url.trim_end_matches('/')),
        headers: vec![Header::new(
            "content-type",
            "application/json; charset=utf-8",
        )],
        body: body.to_string().into_bytes(),
        auth: Auth::Bearer,
    }
}

/// Addresses a text; with blocks it is what notifications show.
fn body(message: &Message, text: &str, blocks: Option<Value>) -> Result<Value> {
    let channel = match (&message.chat, message.to.scheme.as_str()) {
        (Some(channel), _) => channel.as_str(),
        (None, USER) => message.to.id.as_str(),
        (None, _) => return Err(invalid("the recipient is no Slack user")),
    };
    not_empty("recipient", channel)?;
    let mut body = Map::new();
    body.insert("channel".to_owned(), channel.into());
    body.insert("text".to_owned(), text.into());
    if let Some(blocks) = blocks {
        body.insert("blocks".to_owned(), blocks);
    }
    if let Some(id) = &message.reply_to {
        body.insert("thread_ts".to_owned(), place(id)?.1.into());
    }
    Ok(Value::Object(body))
}

/// Channel and `ts` of a message's id.
fn place(id: &str) -> Result<(&str, &str)> {
    let is_ts = |ts: &str| {
        ts.split_once('.').is_some_and(|(secs, rest)| {
            [secs, rest]
                .iter()
                .all(|it| !it.is_empty() && it.bytes().all(|b| b.is_ascii_digit()))
        })
    };
    id.split_once(':')
        .filter(|(channel, ts)| !channel.is_empty() && is_ts(ts))
        .ok_or_else(|| invalid("the message id is not of the form channel:ts"))
}

fn reaction(to: &ReactionTo) -> Result<Value> {
    let (channel, ts) = place(&to.message_id)?;
    // `reactions.remove` wants to know which one, and the contract does not say.
    let Some(emoji) = &to.emoji else {
        return Err(unsupported("taking back a reaction that is not named"));
    };
    // A picture may carry a variation selector behind it.
    let plain = emoji.trim_end_matches('\u{fe0f}');
    let known = NAMES.iter().find(|(picture, _)| *picture == plain);
    let name = known.map_or_else(|| emoji.trim_matches(':'), |(_, name)| *name);
    let of_name = |c: char| c.is_alphanumeric() || matches!(c, '_' | '-' | '+' | '\'' | ':');
    if name.is_empty() || !name.chars().all(of_name) {
        return Err(unsupported(
            "an emoji that is not given by Slack's name for it",
        ));
    }
    Ok(json!({ "channel": channel, "timestamp": ts, "name": name }))
}

/// Escapes what would be a mention or a link.
pub(crate) fn escaped(text: &str) -> String {
    text.replace('&', "&amp;")
        .replace('<', "&lt;")
        .replace('>', "&gt;")
}
