//! Puts an outbound message as requests to `POST /pa/send_message`.
//!
//! 1. Every message shows the bot's name, which Viber demands: the account, cut to what it takes.
//! 2. Viber asks for the size of a video or file, which nobody here knows: those go out as links,
//!    as do audio files, which it has no type for. A caption follows as text.
//! 3. Buttons are a keyboard. They are silent, so that their id does not appear in the chat and a
//!    press is told from typed text.
//! 4. It cannot quote: a message replied to is not named.

use chatly_canonical::{ContactCard, Location};
use chatly_channel::check::{Result, at_most, count, invalid, not_empty};
use chatly_channel::outbound::{
    Auth, Button, Content, MediaLocation, MediaSource, Message, RenderError, Request, Sender,
};
use chatly_channel::{Header, TextUnit, text};
use serde_json::{Map, Value, json};

use crate::NAME;

/// Most characters of a text message.
pub(crate) const MAX_TEXT_CHARS: u32 = 7000;
/// Most characters of a picture's text.
pub(crate) const MAX_CAPTION_CHARS: u32 = 768;
/// Most rows of a keyboard, one button each, by Viber's FAQ.
pub(crate) const MAX_BUTTONS: u32 = 12;
/// Most characters of a button's text.
pub(crate) const MAX_BUTTON_TITLE_CHARS: u32 = 250;
/// Most characters of the bot's name.
const MAX_SENDER_NAME_CHARS: usize = 28;
/// Most characters of a link.
const MAX_URL_CHARS: u32 = 2000;
/// Most characters of a contact's name and phone.
const MAX_CONTACT_NAME_CHARS: u32 = 28;
const MAX_CONTACT_PHONE_CHARS: u32 = 18;
/// Most characters of what comes back with the user's next message.
const MAX_TRACKING_CHARS: u32 = 4000;
/// Most bytes of a request's JSON, by Viber's FAQ: 30 kB.
const MAX_REQUEST_BYTES: u32 = 30_000;
/// The version of Viber that knows silent buttons; older ones do not get the message.
const KEYBOARD_API_VERSION: u32 = 6;
/// The version of Viber that knows all else.
const API_VERSION: u32 = 1;

type Members = Vec<(&'static str, Value)>;

/// The requests that send a message, in order.
pub(crate) fn render(from: &Sender, message: &Message) -> Result<Vec<Request>> {
    if message.chat.is_some() {
        return unsupported("a message to a group");
    }
    if message.to.scheme != NAME {
        return Err(invalid("the recipient is no Viber user"));
    }
    not_empty("recipient", &message.to.id)?;
    not_empty("account", &from.account)?;
    let contents: Vec<Members> = match &message.content {
        Content::Text(text) => texts(text)?,
        Content::Media(source) => media(source)?,
        Content::Location(place) => vec![location(place)?],
        Content::Contacts(cards) if cards.is_empty() => return Err(invalid("there is no contact")),
        Content::Contacts(cards) => cards.iter().map(contact).collect::<Result<_>>()?,
        Content::Buttons(text, buttons) | Content::QuickReplies(text, buttons) => {
            vec![keyboard(text, buttons)?]
        }
        Content::Reaction(_) => return unsupported("a reaction"),
        Content::Template(_) => return unsupported("a template"),
        Content::Menu(..) => return unsupported("a list"),
        Content::MarkRead(_) => return unsupported("a read marker"),
        Content::Typing(_) => return unsupported("a typing indicator"),
    };
    let requests = contents.into_iter();
    requests
        .map(|content| request(from, message, content))
        .collect()
}

fn request(from: &Sender, message: &Message, content: Members) -> Result<Request> {
    let name: String = from.account.chars().take(MAX_SENDER_NAME_CHARS).collect();
    let mut body = Map::new();
    body.insert("receiver".to_owned(), message.to.id.as_str().into());
    body.insert("min_api_version".to_owned(), API_VERSION.into());
    body.insert("sender".to_owned(), json!({ "name": name }));
    if let Some(reference) = &message.reference {
        at_most("reference", MAX_TRACKING_CHARS, reference)?;
        body.insert("tracking_data".to_owned(), reference.as_str().into());
    }
    body.extend(
        content
            .into_iter()
            .map(|(name, value)| (name.to_owned(), value)),
    );
    let body = Value::Object(body).to_string().into_bytes();
    count("request bytes", MAX_REQUEST_BYTES, body.len())?;
    Ok(Request {
        method: "POST".to_owned(),
        url: format!("{}/pa/send_message", from.base_url.trim_end_matches('/')),
        headers: vec![Header::new("content-type", "application/json")],
        body,
        auth: Auth::Header("X-Viber-Auth-Token".to_owned()),
    })
}

fn texts(text: &str) -> Result<Vec<Members>> {
    not_empty("text", text)?;
    let pieces = text::pieces(text, MAX_TEXT_CHARS, TextUnit::Characters);
    Ok(pieces
        .map(|piece| vec![("type", "text".into()), ("text", piece.into())])
        .collect())
}

fn media(source: &MediaSource) -> Result<Vec<Members>> {
    let kind = source.kind.as_str();
    let url = match &source.location {
        MediaLocation::Id(id) if kind == "sticker" => {
            let id: u64 = id
                .parse()
                .map_err(|_| invalid("the id of the sticker is no number"))?;
            return Ok(vec![vec![
                ("type", "sticker".into()),
                ("sticker_id", id.into()),
            ]]);
        }
        MediaLocation::Id(_) => return unsupported("media by its id"),
        MediaLocation::Url(url) if url.starts_with("https://") || url.starts_with("http://") => url,
        MediaLocation::Url(_) => {
            return Err(invalid("the link to the media is no http or https URL"));
        }
    };
    at_most("media URL", MAX_URL_CHARS, url)?;
    let caption = source.caption.as_deref().unwrap_or_default();
    match kind {
        "image" | "sticker" => {
            at_most("caption", MAX_CAPTION_CHARS, caption)?;
            Ok(vec![vec![
                ("type", "picture".into()),
                ("text", caption.into()),
                ("media", url.as_str().into()),
            ]])
        }
        "video" | "document" | "audio" | "voice" => {
            let link = vec![("type", "url".into()), ("media", url.as_str().into())];
            let mut contents = vec![link];
            if !caption.trim().is_empty() {
                contents.extend(texts(caption)?);
            }
            Ok(contents)
        }
        other => unsupported(&format!("media of kind {other:?}")),
    }
}

fn location(place: &Location) -> Result<Members> {
    let is_on_earth =
        (-90.0..=90.0).contains(&place.latitude) && (-180.0..=180.0).contains(&place.longitude);
    if !is_on_earth {
        return Err(invalid("the location is not on Earth"));
    }
    let point = json!({ "lat": place.latitude, "lon": place.longitude });
    Ok(vec![("type", "location".into()), ("location", point)])
}

/// Viber takes one phone; further ones are left out.
fn contact(card: &ContactCard) -> Result<Members> {
    let name = card.name.as_deref().unwrap_or_default();
    let phone = card.phones.first().map(String::as_str).unwrap_or_default();
    not_empty("name of the contact", name)?;
    not_empty("phone of the contact", phone)?;
    at_most("contact name", MAX_CONTACT_NAME_CHARS, name)?;
    at_most("contact phone", MAX_CONTACT_PHONE_CHARS, phone)?;
    let card = json!({ "name": name, "phone_number": phone });
    Ok(vec![("type", "contact".into()), ("contact", card)])
}

fn keyboard(text: &str, buttons: &[Button]) -> Result<Members> {
    not_empty("text", text)?;
    at_most("text of buttons", MAX_TEXT_CHARS, text)?;
    if buttons.is_empty() {
        return Err(invalid("there is no button"));
    }
    count("buttons", MAX_BUTTONS, buttons.len())?;
    let mut rows = Vec::with_capacity(buttons.len());
    for button in buttons {
        not_empty("id of the button", &button.id)?;
        not_empty("title of the button", &button.title)?;
        at_most("button title", MAX_BUTTON_TITLE_CHARS, &button.title)?;
        rows.push(json!({
            "Columns": 6, "Rows": 1, "ActionType": "reply", "ActionBody": button.id,
            "Text": button.title, "TextSize": "regular", "Silent": true,
        }));
    }
    let keyboard = json!({ "Type": "keyboard", "DefaultHeight": false, "Buttons": rows });
    Ok(vec![
        ("min_api_version", KEYBOARD_API_VERSION.into()),
        ("type", "text".into()),
        ("text", text.into()),
        ("keyboard", keyboard),
    ])
}

fn unsupported<T>(what: &str) -> Result<T> {
    Err(RenderError::Unsupported(what.to_owned()))
}
