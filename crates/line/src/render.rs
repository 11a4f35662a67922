//! Puts an outbound message as requests to `POST /v2/bot/message/push`.
//!
//! Limits are LINE's; what breaks one is refused by its name, except a text that is too long, which is
//! split. One push takes up to five messages, so a caption is a text that goes with its file.

pub(crate) mod choice;

use chatly_canonical::Location;
use chatly_channel::check::{Result, at_most_units, invalid, not_empty};
use chatly_channel::outbound::{
    Auth, Content, MediaLocation, MediaSource, Message, RenderError, Request, Sender,
};
use chatly_channel::{Header, TextUnit, text};
use chatly_signature::sha256_hex;
use serde_json::{Value, json};

use crate::NAME;

/// Most UTF-16 units of a text message.
pub(crate) const MAX_TEXT_UNITS: u32 = 5000;
/// Most messages of one push.
const MAX_MESSAGES: usize = 5;
/// Most UTF-16 units of a file's link.
const MAX_URL_UNITS: u32 = 2000;
/// Most UTF-16 units of a place's title, and of its address.
const MAX_PLACE_UNITS: u32 = 100;
/// Seconds for which we show that we are writing, unless a message comes before: the least there is.
const TYPING_SECS: u8 = 5;

/// The requests that send a message, in order.
pub(crate) fn render(from: &Sender, message: &Message) -> Result<Vec<Request>> {
    let to = recipient(message)?;
    let messages = match &message.content {
        Content::Typing(_) => return Ok(vec![typing(from, message, to)?]),
        Content::Text(text) => {
            not_empty("text", text)?;
            texts(text)
        }
        Content::Media(source) => media(source)?,
        Content::Location(place) => vec![location(place)?],
        Content::Buttons(text, buttons) => vec![choice::buttons(text, buttons)?],
        Content::QuickReplies(text, replies) => vec![choice::quick_replies(text, replies)?],
        Content::Menu(text, menu) => choice::menu(text, menu)?,
        Content::Contacts(_) => return Err(unsupported("a contact")),
        Content::Reaction(_) => return Err(unsupported("a reaction")),
        Content::Template(_) => return Err(unsupported("a template")),
        Content::MarkRead(_) => return Err(unsupported("a read marker without its token")),
    };
    let pushes = messages.chunks(MAX_MESSAGES).enumerate();
    Ok(pushes
        .map(|(at, messages)| {
            let key = retry_key(from, message, to, at);
            let body = json!({ "to": to, "messages": messages });
            request(from, "/v2/bot/message/push", body, key.as_deref())
        })
        .collect())
}

fn unsupported(what: &str) -> RenderError {
    RenderError::Unsupported(what.to_owned())
}

/// The group or room, else the person.
fn recipient(message: &Message) -> Result<&str> {
    let to = match &message.chat {
        Some(chat) => chat.as_str(),
        None if message.to.scheme == NAME => message.to.id.as_str(),
        None => return Err(invalid("the recipient is no LINE user")),
    };
    let harmless = |byte: u8| byte.is_ascii_alphanumeric() || byte == b'-' || byte == b'_';
    if to.is_empty() || !to.bytes().all(harmless) {
        return Err(invalid("the recipient is no LINE user"));
    }
    Ok(to)
}

fn request(from: &Sender, path: &str, body: Value, retry_key: Option<&str>) -> Request {
    let mut headers = vec![Header::new("content-type", "application/json")];
    headers.extend(retry_key.map(|key| Header::new("x-line-retry-key", key)));
    Request {
        method: "POST".to_owned(),
        url: format!("{}{path}", from.base_url.trim_end_matches('/')),
        headers,
        body: body.to_string().into_bytes(),
        auth: Auth::Bearer,
    }
}

/// A UUID (RFC 9562, version 8) that is the same for each try of one push and for no other push. A
/// message without a reference has none: two equal ones may both be meant.
fn retry_key(from: &Sender, message: &Message, to: &str, at: usize) -> Option<String> {
    let reference = message.reference.as_deref().filter(|it| !it.is_empty())?;
    let at = at.to_string();
    let parts = [from.account.as_str(), to, reference, &at];
    let lengths = parts.map(|part| part.len().to_string()).join(",");
    let hash = sha256_hex(&[lengths.as_bytes(), b"\n", parts.concat().as_bytes()]);
    let part = |range: std::ops::Range<usize>| hash.get(range).unwrap_or_default();
    // 8 is the version, 8 to b the variant.
    Some(format!(
        "{}-{}-8{}-8{}-{}",
        part(0..8),
        part(8..12),
        part(13..16),
        part(17..20),
        part(20..32)
    ))
}

/// LINE shows it in one-to-one chats only.
fn typing(from: &Sender, message: &Message, to: &str) -> Result<Request> {
    if message.chat.is_some() {
        return Err(unsupported("typing in a group"));
    }
    let body = json!({ "chatId": to, "loadingSeconds": TYPING_SECS });
    Ok(request(from, "/v2/bot/chat/loading/start", body, None))
}

fn texts(text: &str) -> Vec<Value> {
    text::pieces(text, MAX_TEXT_UNITS, TextUnit::Utf16Units)
        .map(|piece| json!({ "type": "text", "text": piece }))
        .collect()
}

/// A file, and its caption as a text behind it.
fn media(source: &MediaSource) -> Result<Vec<Value>> {
    let file = match (source.kind.as_str(), &source.location) {
        ("image" | "video", MediaLocation::Url(url)) => {
            if !url.starts_with("https://") {
                return Err(invalid("the link to the media is no https URL"));
            }
            at_most_units("media link", MAX_URL_UNITS, TextUnit::Utf16Units, url)?;
            // A preview is demanded and we have none: LINE makes do with the file itself.
            json!({ "type": source.kind, "originalContentUrl": url, "previewImageUrl": url })
        }
        ("sticker", MediaLocation::Id(id)) => {
            let digits = |part: &str| !part.is_empty() && part.bytes().all(|b| b.is_ascii_digit());
            let parts = id.split_once(':');
            let parts = parts.filter(|(package, sticker)| digits(package) && digits(sticker));
            let Some((package, sticker)) = parts else {
                return Err(invalid("the sticker is not of the form package:sticker"));
            };
            json!({ "type": "sticker", "packageId": package, "stickerId": sticker })
        }
        ("image" | "video", MediaLocation::Id(_)) => return Err(unsupported("media by id")),
        ("sticker", MediaLocation::Url(_)) => return Err(unsupported("a sticker by link")),
        ("audio" | "voice", _) => return Err(unsupported("audio, whose length LINE demands")),
        (other, _) => {
            return Err(RenderError::Unsupported(format!("media of kind {other:?}")));
        }
    };
    let mut messages = vec![file];
    let caption = source.caption.as_deref();
    if let Some(caption) = caption.filter(|caption| !caption.trim().is_empty()) {
        at_most_units("caption", MAX_TEXT_UNITS, TextUnit::Utf16Units, caption)?;
        messages.extend(texts(caption));
    }
    Ok(messages)
}

/// LINE demands a title and an address: what is not there is what is, or the coordinates.
fn location(place: &Location) -> Result<Value> {
    let (latitude, longitude) = (place.latitude, place.longitude);
    if !((-90.0..=90.0).contains(&latitude) && (-180.0..=180.0).contains(&longitude)) {
        return Err(invalid("the location is not on Earth"));
    }
    let filled = |text: &Option<String>| text.clone().filter(|text| !text.trim().is_empty());
    let (name, address) = (filled(&place.name), filled(&place.address));
    let any = || format!("{latitude}, {longitude}");
    let title = name.clone().or_else(|| address.clone());
    let title = title.unwrap_or_else(any);
    let address = address.or(name).unwrap_or_else(any);
    for (limit, text) in [("location name", &title), ("location address", &address)] {
        at_most_units(limit, MAX_PLACE_UNITS, TextUnit::Utf16Units, text)?;
    }
    Ok(
        json!({ "type": "location", "title": title, "address": address,
        "latitude": latitude, "longitude": longitude }),
    )
}
