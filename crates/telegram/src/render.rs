//! Puts an outbound message as requests to `POST /bot{access_token}/{method}`.
//!
//! Limits are Telegram's. It counts characters without saying which, so lengths are taken in UTF-16
//! units, in which it counts the offsets of a text's entities: no other count is larger.
//! What breaks a limit is refused by its name, except a text that is too long, which is split.

use chatly_canonical::{ContactCard, Location};
use chatly_channel::check::{Result, at_most_units, invalid, not_empty, object, unique};
use chatly_channel::outbound::{
    Auth, Button, Content, MediaLocation, MediaSource, Menu, Message, RenderError, Request, Sender,
};
use chatly_channel::{Header, TextUnit, text};
use serde_json::{Map, Value, json};

use crate::{NAME, chat};

/// Most UTF-16 units of a text message.
pub(crate) const MAX_TEXT_UNITS: u32 = 4096;
/// Most UTF-16 units of a caption.
pub(crate) const MAX_CAPTION_UNITS: u32 = 1024;
/// Most bytes of what a button sends back.
const MAX_CALLBACK_DATA_BYTES: u32 = 64;
/// Most bytes of a contact's vCard.
const MAX_VCARD_BYTES: u32 = 2048;

/// A method and its parameters.
type Call = (&'static str, Value);

/// The requests that send a message, in order.
pub(crate) fn render(from: &Sender, message: &Message) -> Result<Vec<Request>> {
    let target = Target::of(message)?;
    let calls = match &message.content {
        Content::Text(text) => {
            not_empty("text", text)?;
            text::pieces(text, MAX_TEXT_UNITS, TextUnit::Utf16Units)
                .map(|piece| ("sendMessage", json!({ "text": piece })))
                .collect()
        }
        Content::Contacts(cards) if cards.is_empty() => return Err(invalid("there is no contact")),
        Content::Contacts(cards) => cards.iter().map(contact).collect::<Result<Vec<Call>>>()?,
        Content::Reaction(reaction) => vec![target.react(&reaction.message_id, &reaction.emoji)?],
        Content::MarkRead(id) => vec![target.read(id)?],
        Content::Template(_) => return Err(RenderError::Unsupported("a template".to_owned())),
        content => vec![single(content)?],
    };
    let replies = !matches!(
        message.content,
        Content::Reaction(_) | Content::MarkRead(_) | Content::Typing(_)
    );
    let calls = calls.into_iter().enumerate();
    Ok(calls
        .map(|(at, (method, parameters))| {
            let reply_to = message.reply_to.as_deref().filter(|_| replies && at == 0);
            Request {
                method: "POST".to_owned(),
                url: format!(
                    "{}/bot{{access_token}}/{method}",
                    from.base_url.trim_end_matches('/')
                ),
                headers: vec![Header::new("content-type", "application/json")],
                body: target
                    .address(parameters, reply_to)
                    .to_string()
                    .into_bytes(),
                auth: Auth::Path,
            }
        })
        .collect())
}

/// Where a message goes.
struct Target<'a> {
    connection: Option<&'a str>,
    chat: &'a str,
    address: &'a str,
}

impl<'a> Target<'a> {
    fn of(message: &'a Message) -> Result<Self> {
        let address = match &message.chat {
            Some(chat) => chat.as_str(),
            None if message.to.scheme == NAME => message.to.id.as_str(),
            None => return Err(invalid("the recipient is no Telegram chat")),
        };
        let (connection, chat) = match address.rsplit_once(':') {
            Some((connection, chat)) => (Some(connection), chat),
            None => (None, address),
        };
        chat_id(chat)?;
        Ok(Target {
            connection,
            chat,
            address,
        })
    }

    /// The parameters with those that say where they go.
    fn address(&self, parameters: Value, reply_to: Option<&str>) -> Value {
        let mut all = Map::new();
        if let Some(connection) = self.connection {
            all.insert("business_connection_id".to_owned(), connection.into());
        }
        // A chat id was checked before, so this never falls back to null.
        all.insert("chat_id".to_owned(), chat_id(self.chat).unwrap_or_default());
        if let Value::Object(parameters) = parameters {
            all.extend(parameters);
        }
        if let Some(id) = reply_to.and_then(|id| self.own(id)) {
            let reply = json!({ "message_id": id, "allow_sending_without_reply": true });
            all.insert("reply_parameters".to_owned(), reply);
        }
        Value::Object(all)
    }

    /// The number of a message in this chat; none when it is one of another chat, or a pressed
    /// button, to which nobody can reply.
    fn own(&self, message_id: &str) -> Option<i64> {
        let (chat, id) = chat::split(message_id)?;
        id.parse().ok().filter(|_| chat == self.address)
    }

    fn react(&self, message_id: &str, emoji: &Option<String>) -> Result<Call> {
        if self.connection.is_some() {
            return Err(RenderError::Unsupported(
                "a reaction through a business connection".to_owned(),
            ));
        }
        let id = self
            .own(message_id)
            .ok_or_else(|| invalid("the message id is none of this chat"))?;
        let reactions = match emoji.as_deref().filter(|emoji| !emoji.is_empty()) {
            Some(emoji) => json!([{ "type": "emoji", "emoji": emoji }]),
            None => json!([]),
        };
        let parameters = json!({ "message_id": id, "reaction": reactions });
        Ok(("setMessageReaction", parameters))
    }

    /// Only a business connection has something to mark: a bot's own chats have no read markers.
    fn read(&self, message_id: &str) -> Result<Call> {
        if self.connection.is_none() {
            return Err(RenderError::Unsupported(
                "a read marker without a business connection".to_owned(),
            ));
        }
        let id = self
            .own(message_id)
            .ok_or_else(|| invalid("the message id is none of this chat"))?;
        Ok(("readBusinessMessage", json!({ "message_id": id })))
    }
}

/// A chat's number, or the name of a public one.
fn chat_id(chat: &str) -> Result<Value> {
    if let Some(name) = chat.strip_prefix('@') {
        let harmless = |byte: u8| byte.is_ascii_alphanumeric() || byte == b'_';
        if !name.is_empty() && name.bytes().all(harmless) {
            return Ok(chat.into());
        }
    }
    chat.parse::<i64>()
        .map(Value::from)
        .map_err(|_| invalid("the recipient is no Telegram chat"))
}

/// A content that is always one request.
fn single(content: &Content) -> Result<Call> {
    match content {
        Content::Media(source) => media(source),
        Content::Location(place) => location(place),
        Content::Buttons(text, buttons) => {
            let rows = buttons.iter().map(|button| vec![button.clone()]).collect();
            keyboard(text, rows)
        }
        Content::QuickReplies(text, replies) => keyboard(text, vec![replies.clone()]),
        Content::Menu(text, menu) => keyboard(text, rows(menu)),
        Content::Typing(_) => Ok(("sendChatAction", json!({ "action": "typing" }))),
        _ => Err(RenderError::Unsupported("this content".to_owned())),
    }
}

fn media(source: &MediaSource) -> Result<Call> {
    let (method, field) = match source.kind.as_str() {
        "image" => ("sendPhoto", "photo"),
        "video" => ("sendVideo", "video"),
        "audio" => ("sendAudio", "audio"),
        "voice" => ("sendVoice", "voice"),
        "document" => ("sendDocument", "document"),
        "sticker" => ("sendSticker", "sticker"),
        other => return Err(RenderError::Unsupported(format!("media of kind {other:?}"))),
    };
    let place = match &source.location {
        MediaLocation::Id(id) => id,
        MediaLocation::Url(url) if url.starts_with("https://") || url.starts_with("http://") => url,
        MediaLocation::Url(_) => {
            return Err(invalid("the link to the media is no http or https URL"));
        }
    };
    not_empty("media", place)?;
    let caption = source
        .caption
        .as_deref()
        .filter(|caption| !caption.is_empty());
    if let Some(caption) = caption {
        if method == "sendSticker" {
            return Err(RenderError::Unsupported(
                "a caption of a sticker".to_owned(),
            ));
        }
        at_most_units("caption", MAX_CAPTION_UNITS, TextUnit::Utf16Units, caption)?;
    }
    let parameters = object([
        (field, Some(place.as_str().into())),
        ("caption", caption.map(Value::from)),
    ]);
    Ok((method, parameters))
}

/// A place with a name or an address is a venue, which needs both.
fn location(place: &Location) -> Result<Call> {
    if !((-90.0..=90.0).contains(&place.latitude) && (-180.0..=180.0).contains(&place.longitude)) {
        return Err(invalid("the location is not on Earth"));
    }
    let filled = |text: &Option<String>| text.clone().filter(|text| !text.trim().is_empty());
    let (name, address) = (filled(&place.name), filled(&place.address));
    let (latitude, longitude) = (place.latitude, place.longitude);
    let Some(title) = name.clone().or_else(|| address.clone()) else {
        let parameters = json!({ "latitude": latitude, "longitude": longitude });
        return Ok(("sendLocation", parameters));
    };
    let address = address.or(name).unwrap_or_default();
    let parameters = json!({ "latitude": latitude, "longitude": longitude,
        "title": title, "address": address });
    Ok(("sendVenue", parameters))
}

/// A contact has one phone; the others, and what else there is, go into its vCard.
fn contact(card: &ContactCard) -> Result<Call> {
    let name = card.name.as_deref().unwrap_or_default();
    not_empty("name of the contact", name)?;
    let phone = card.phones.first().map(String::as_str).unwrap_or_default();
    not_empty("phone of the contact", phone)?;
    let vcard = (card.phones.len() > 1 || !card.emails.is_empty() || card.org.is_some())
        .then(|| vcard(name, card));
    if let Some(vcard) = &vcard {
        at_most_units("vcard", MAX_VCARD_BYTES, TextUnit::Bytes, vcard)?;
    }
    let parameters = object([
        ("phone_number", Some(phone.into())),
        ("first_name", Some(name.into())),
        ("vcard", vcard.map(Value::from)),
    ]);
    Ok(("sendContact", parameters))
}

/// RFC 2426, the form that the Bot API names.
fn vcard(name: &str, card: &ContactCard) -> String {
    let mut lines = vec!["BEGIN:VCARD".to_owned(), "VERSION:3.0".to_owned()];
    let name = escaped(name);
    lines.push(format!("N:;{name};;;"));
    lines.push(format!("FN:{name}"));
    lines.extend(card.phones.iter().map(|it| format!("TEL:{}", escaped(it))));
    lines.extend(
        card.emails
            .iter()
            .map(|it| format!("EMAIL:{}", escaped(it))),
    );
    lines.extend(card.org.iter().map(|it| format!("ORG:{}", escaped(it))));
    lines.push("END:VCARD".to_owned());
    lines.join("\r\n")
}

fn escaped(text: &str) -> String {
    let mut escaped = String::with_capacity(text.len());
    for character in text.chars() {
        match character {
            '\\' | ',' | ';' => escaped.extend(['\\', character]),
            '\n' => escaped.push_str("\\n"),
            '\r' => {}
            _ => escaped.push(character),
        }
    }
    escaped
}

/// Telegram has no lists: a row is a button that shows its description too.
fn rows(menu: &Menu) -> Vec<Vec<Button>> {
    let rows = menu.sections.iter().flat_map(|section| &section.rows);
    rows.map(|row| {
        let title = match row.description.as_deref().filter(|it| !it.is_empty()) {
            Some(description) => format!("{} – {description}", row.title),
            None => row.title.clone(),
        };
        vec![Button {
            id: row.id.clone(),
            title,
        }]
    })
    .collect()
}

/// A text with buttons below it, which send their ids back.
fn keyboard(text: &str, rows: Vec<Vec<Button>>) -> Result<Call> {
    not_empty("text", text)?;
    at_most_units("text", MAX_TEXT_UNITS, TextUnit::Utf16Units, text)?;
    if rows.iter().all(Vec::is_empty) {
        return Err(invalid("there is no button"));
    }
    for button in rows.iter().flatten() {
        not_empty("button id", &button.id)?;
        at_most_units(
            "button id",
            MAX_CALLBACK_DATA_BYTES,
            TextUnit::Bytes,
            &button.id,
        )?;
        not_empty("button title", &button.title)?;
    }
    let ids = rows.iter().flatten().map(|button| button.id.as_str());
    unique("button ids", ids)?;
    let rows: Vec<Vec<Value>> = rows
        .iter()
        .map(|row| {
            row.iter()
                .map(|button| json!({ "text": button.title, "callback_data": button.id }))
                .collect()
        })
        .collect();
    let parameters = json!({ "text": text, "reply_markup": { "inline_keyboard": rows } });
    Ok(("sendMessage", parameters))
}
