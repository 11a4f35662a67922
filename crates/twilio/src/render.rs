//! Puts an outbound message as requests to `POST /2010-04-01/Accounts/{AccountSid}/Messages.json`.
//!
//! 1. Twilio needs to know from which of the account's senders a message goes out. An answer takes
//!    both addresses from its chat, `{ours}/{theirs}`; otherwise the account may name the sender
//!    behind a colon: `AC…:+14155238886`, `AC…:whatsapp:+14155238886` or `AC…:MG…` (a Messaging
//!    Service). Where neither does, the request has no `From`, and Twilio answers 21603, which says so.
//! 2. Twilio sends free content as text, links to media and, on WhatsApp, places. All else
//!    (buttons, lists) is a content template there: its SID is the template's name.
//! 3. It cannot quote: a message replied to is not named.

use chatly_canonical::Location;
use chatly_channel::check::{Result, at_most, invalid, not_empty};
use chatly_channel::outbound::{
    Auth, Content, MediaLocation, MediaSource, Message, RenderError, Request, Sender, Template,
};
use chatly_channel::{Header, TextUnit, form, text};
use serde_json::{Map, Value};

use crate::address;

/// Most characters of a `Body`, by Twilio's reference of the Message resource.
pub(crate) const MAX_BODY_CHARS: u32 = 1600;
/// Most characters of `ContentVariables`, a guard of ours: Twilio documents no bound.
const MAX_VARIABLES_CHARS: u32 = 16_384;

type Pairs<'a> = Vec<(&'a str, String)>;

/// The requests that send a message, in order.
pub(crate) fn render(from: &Sender, message: &Message) -> Result<Vec<Request>> {
    let (account, named) = from
        .account
        .split_once(':')
        .map_or((from.account.as_str(), None), |(account, sender)| {
            (account, Some(sender))
        });
    let url = url(from, account)?;
    let route = route(message, named)?;
    let contents: Vec<Pairs> = match &message.content {
        Content::Text(text) => {
            not_empty("text", text)?;
            let pieces = text::pieces(text, MAX_BODY_CHARS, TextUnit::Characters);
            pieces.map(|it| vec![("Body", it.to_owned())]).collect()
        }
        Content::Media(source) => vec![media(source)?],
        Content::Location(place) => vec![location(place, &route)?],
        Content::Template(content) => vec![template(content)?],
        Content::Contacts(_) => return unsupported("a contact"),
        Content::Reaction(_) => return unsupported("a reaction"),
        Content::Buttons(..) => return unsupported("text with buttons that is no template"),
        Content::QuickReplies(..) => {
            return unsupported("text with quick replies that is no template");
        }
        Content::Menu(..) => return unsupported("a list that is no template"),
        Content::MarkRead(_) => return unsupported("a read marker"),
        Content::Typing(_) => return unsupported("a typing indicator"),
    };
    let requests = contents.into_iter().map(|content| {
        let pairs = route.iter().chain(&content);
        Request {
            method: "POST".to_owned(),
            url: url.clone(),
            headers: vec![Header::new(
                "content-type",
                "application/x-www-form-urlencoded",
            )],
            body: form::encode(pairs.map(|(name, value)| (*name, value.as_str()))).into_bytes(),
            auth: Auth::Basic(account.to_owned()),
        }
    });
    Ok(requests.collect())
}

/// The account ends up in a path, so it must be one segment of harmless characters.
fn url(from: &Sender, account: &str) -> Result<String> {
    let is_harmless = |byte: u8| byte.is_ascii_alphanumeric() || byte == b'_' || byte == b'-';
    if account.is_empty() || !account.bytes().all(is_harmless) {
        return Err(invalid("the account is no Account SID"));
    }
    Ok(format!(
        "{}/2010-04-01/Accounts/{account}/Messages.json",
        from.base_url.trim_end_matches('/')
    ))
}

/// `To`, and `From` or `MessagingServiceSid` where one is known.
fn route(message: &Message, named: Option<&str>) -> Result<Pairs<'static>> {
    let (ours, theirs) = match &message.chat {
        None => (named, None),
        Some(chat) => {
            let (ours, theirs) = chat
                .split_once('/')
                .ok_or_else(|| invalid("the chat is no pair of addresses"))?;
            not_empty("recipient", theirs)?;
            (Some(ours), Some(theirs.to_owned()))
        }
    };
    let to = match theirs {
        Some(theirs) => theirs,
        None => address::of_identity(&message.to, ours.unwrap_or_default())
            .ok_or_else(|| invalid("the recipient is neither a phone, a BSUID nor a PSID"))?,
    };
    let mut route = vec![("To", to)];
    if let Some(ours) = ours {
        not_empty("sender", ours)?;
        let is_service = ours.starts_with("MG") && !ours.contains(':');
        let field = if is_service {
            "MessagingServiceSid"
        } else {
            "From"
        };
        route.push((field, ours.to_owned()));
    }
    Ok(route)
}

fn media(source: &MediaSource) -> Result<Pairs<'static>> {
    match source.kind.as_str() {
        "image" | "audio" | "voice" | "video" | "document" | "sticker" => {}
        other => return unsupported(&format!("media of kind {other:?}")),
    }
    let url = match &source.location {
        MediaLocation::Url(url) if url.starts_with("https://") || url.starts_with("http://") => url,
        MediaLocation::Url(_) => {
            return Err(invalid("the link to the media is no http or https URL"));
        }
        MediaLocation::Id(_) => return unsupported("media by its id"),
    };
    let mut pairs = vec![("MediaUrl", url.clone())];
    if let Some(caption) = source.caption.as_ref().filter(|it| !it.trim().is_empty()) {
        at_most("caption", MAX_BODY_CHARS, caption)?;
        pairs.insert(0, ("Body", caption.clone()));
    }
    Ok(pairs)
}

/// Twilio takes a place as an action of a WhatsApp message, which needs a text as well.
fn location(place: &Location, route: &Pairs) -> Result<Pairs<'static>> {
    let is_whatsapp = route
        .iter()
        .any(|(_, value)| value.starts_with("whatsapp:"));
    if !is_whatsapp {
        return unsupported("a location outside WhatsApp");
    }
    let is_on_earth =
        (-90.0..=90.0).contains(&place.latitude) && (-180.0..=180.0).contains(&place.longitude);
    if !is_on_earth {
        return Err(invalid("the location is not on Earth"));
    }
    let point = format!("{},{}", place.latitude, place.longitude);
    let label = place.name.as_ref().or(place.address.as_ref());
    let label = label.filter(|label| !label.trim().is_empty());
    let body = label.unwrap_or(&point);
    at_most("location name", MAX_BODY_CHARS, body)?;
    let action = match label {
        Some(label) => format!("geo:{point}|{label}"),
        None => format!("geo:{point}"),
    };
    Ok(vec![("Body", body.clone()), ("PersistentAction", action)])
}

/// `components` is an object of variables, or a list of those named 1, 2, …
fn template(template: &Template) -> Result<Pairs<'static>> {
    let name = template.name.trim();
    let is_sid = name.starts_with("HX") && name.bytes().all(|byte| byte.is_ascii_alphanumeric());
    if !is_sid {
        return Err(invalid("the name of the template is no Content SID (HX…)"));
    }
    let mut pairs = vec![("ContentSid", name.to_owned())];
    if let Some(components) = &template.components {
        let variables = match serde_json::from_str(components) {
            Ok(Value::Object(variables)) => variables,
            Ok(Value::Array(values)) => (1..)
                .zip(values)
                .map(|(at, value): (u32, Value)| (at.to_string(), value))
                .collect::<Map<_, _>>(),
            _ => {
                return Err(invalid(
                    "the components of the template are no JSON object or list",
                ));
            }
        };
        if !variables.values().all(Value::is_string) {
            return Err(invalid("a variable of the template is no string"));
        }
        let variables = Value::Object(variables).to_string();
        at_most("template variables", MAX_VARIABLES_CHARS, &variables)?;
        pairs.push(("ContentVariables", variables));
    }
    Ok(pairs)
}

fn unsupported<T>(what: &str) -> Result<T> {
    Err(RenderError::Unsupported(what.to_owned()))
}
