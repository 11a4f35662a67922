//! Puts an outbound message as a follow-up of an interaction, or as a message of the bot.

pub(crate) mod components;

use chatly_channel::check::{Result, at_most, invalid, not_empty, path_segment};
use chatly_channel::outbound::{
    Auth, Content, MediaLocation, MediaSource, Message, ReactionTo, RenderError, Request, Sender,
};
use chatly_channel::{Header, TextUnit, text};
use serde_json::{Value, json};

/// Most characters of a message's content.
pub(crate) const MAX_TEXT_CHARS: u32 = 2000;

/// The requests that send a message, in order.
pub(crate) fn render(from: &Sender, message: &Message) -> Result<Vec<Request>> {
    let place = Place::of(from, message)?;
    match &message.content {
        Content::Text(text) => {
            not_empty("text", text)?;
            let pieces = text::pieces(text, MAX_TEXT_CHARS, TextUnit::Characters);
            let pieces = pieces.enumerate();
            Ok(pieces
                .map(|(at, piece)| place.post(json!({ "content": piece }), at == 0))
                .collect())
        }
        Content::Media(source) => Ok(vec![place.post(image(source)?, true)]),
        Content::Buttons(text, buttons) | Content::QuickReplies(text, buttons) => {
            let rows = components::buttons(buttons)?;
            Ok(vec![place.post(with_rows(text, rows)?, true)])
        }
        Content::Menu(text, menu) => {
            let rows = components::menu(menu)?;
            Ok(vec![place.post(with_rows(text, rows)?, true)])
        }
        Content::Reaction(to) => Ok(vec![reaction(from, message, to)?]),
        Content::Typing(_) => {
            let url = format!("{}/channels/{}/typing", base(from), channel(message)?);
            Ok(vec![bare("POST", url)])
        }
        Content::Location(_) => Err(unsupported("a location")),
        Content::Contacts(_) => Err(unsupported("a contact")),
        Content::Template(_) => Err(unsupported("a template")),
        Content::MarkRead(_) => Err(unsupported("a read marker")),
    }
}

pub(crate) fn unsupported(what: &str) -> RenderError {
    RenderError::Unsupported(what.to_owned())
}

/// Where a message goes, by what it replies to.
enum Place {
    /// The token is in the URL, and nothing else is needed.
    FollowUp { url: String },
    /// The message replied to is a member of the body.
    Channel {
        url: String,
        reply_to: Option<String>,
    },
}

impl Place {
    fn of(from: &Sender, message: &Message) -> Result<Self> {
        let base = base(from);
        match message
            .reply_to
            .as_deref()
            .map(|id| id.split_once(':').ok_or(id))
        {
            Some(Ok((interaction, token))) => {
                let harmless =
                    |byte: u8| byte.is_ascii_alphanumeric() || matches!(byte, b'_' | b'-');
                if !is_snowflake(interaction) || token.is_empty() || !token.bytes().all(harmless) {
                    return Err(invalid("the interaction replied to has no usable token"));
                }
                let application = path_segment(from, "application id")?;
                let url = format!("{base}/webhooks/{application}/{token}");
                Ok(Place::FollowUp { url })
            }
            Some(Err(id)) if !is_snowflake(id) => Err(invalid("the message replied to is no id")),
            plain => Ok(Place::Channel {
                url: format!("{base}/channels/{}/messages", channel(message)?),
                reply_to: plain.and_then(std::result::Result::err).map(str::to_owned),
            }),
        }
    }

    /// Nobody is mentioned, whatever the text says. Only the first of several pieces replies.
    fn post(&self, mut body: Value, first: bool) -> Request {
        let (url, auth) = match self {
            Place::FollowUp { url } => (url, Auth::None),
            Place::Channel { url, .. } => (url, Auth::Header("Authorization".to_owned())),
        };
        if let Some(body) = body.as_object_mut() {
            body.insert("allowed_mentions".to_owned(), json!({ "parse": [] }));
            if let Place::Channel {
                reply_to: Some(id), ..
            } = self
                && first
            {
                let reference = json!({ "message_id": id, "fail_if_not_exists": false });
                body.insert("message_reference".to_owned(), reference);
            }
        }
        Request {
            method: "POST".to_owned(),
            url: url.clone(),
            headers: vec![Header::new("content-type", "application/json")],
            body: body.to_string().into_bytes(),
            auth,
        }
    }
}

fn base(from: &Sender) -> String {
    format!("{}/api/v10", from.base_url.trim_end_matches('/'))
}

fn is_snowflake(id: &str) -> bool {
    (1..=20).contains(&id.len()) && id.bytes().all(|byte| byte.is_ascii_digit())
}

/// The channel of a message. A person alone has no address: a direct message is a channel too.
fn channel(message: &Message) -> Result<&str> {
    match message.chat.as_deref() {
        Some(channel) if is_snowflake(channel) => Ok(channel),
        Some(_) => Err(invalid("the chat is no channel id")),
        None => Err(invalid(
            "a message needs a channel, or the interaction that it replies to",
        )),
    }
}

fn with_rows(text: &str, rows: Value) -> Result<Value> {
    not_empty("text", text)?;
    at_most("interactive text", MAX_TEXT_CHARS, text)?;
    Ok(json!({ "content": text, "components": rows }))
}

/// A picture by its link; other files would have to be uploaded with the message.
fn image(source: &MediaSource) -> Result<Value> {
    let MediaLocation::Url(url) = &source.location else {
        return Err(unsupported("media by its id"));
    };
    if source.kind != "image" {
        return Err(unsupported(&format!("media of kind {:?}", source.kind)));
    }
    if !(url.starts_with("https://") || url.starts_with("http://")) {
        return Err(invalid("the link to the media is no http or https URL"));
    }
    at_most("media URL", 2048, url)?;
    let mut body = json!({ "embeds": [{ "image": { "url": url } }] });
    let caption = source.caption.as_deref().filter(|it| !it.trim().is_empty());
    if let (Some(caption), Some(body)) = (caption, body.as_object_mut()) {
        at_most("caption", MAX_TEXT_CHARS, caption)?;
        body.insert("content".to_owned(), caption.into());
    }
    Ok(body)
}

/// The emoji is a part of the path, as UTF-8 or as `name:id` of one of the server's own.
fn reaction(from: &Sender, message: &Message, to: &ReactionTo) -> Result<Request> {
    // Taking one back wants to know which one, and the contract does not say.
    let Some(emoji) = to.emoji.as_deref().filter(|it| !it.is_empty()) else {
        return Err(unsupported("taking back a reaction that is not named"));
    };
    if !is_snowflake(&to.message_id) {
        return Err(invalid("the message id is no id of a channel's message"));
    }
    if emoji.bytes().all(|byte| byte == b'.') {
        // Of dots alone it would be a step in the path.
        return Err(invalid("the emoji is none"));
    }
    let mut path = String::new();
    for byte in emoji.bytes() {
        if byte.is_ascii_alphanumeric() || matches!(byte, b'_' | b'-') {
            path.push(char::from(byte));
        } else {
            path.push_str(&format!("%{byte:02X}"));
        }
    }
    let (channel, id) = (channel(message)?, &to.message_id);
    let url = format!(
        "{}/channels/{channel}/messages/{id}/reactions/{path}/@me",
        base(from)
    );
    Ok(bare("PUT", url))
}

fn bare(method: &str, url: String) -> Request {
    Request {
        method: method.to_owned(),
        url,
        headers: Vec::new(),
        body: Vec::new(),
        auth: Auth::Header("Authorization".to_owned()),
    }
}
