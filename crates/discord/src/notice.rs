//! Webhook events: what happens to the application, and messages of a game's lobbies.

use chatly_canonical::{
    Body, Event, Identity, Message, MessageType, Notice, Opt, Party, rfc3339_to_millis,
};
use chatly_channel::event::{self, Scope};
use chatly_channel::json::{Json, Object};
use chatly_channel::key::{Keys, named};

use crate::NAME;
use crate::interaction::media;
use crate::party::{USER, user_party};

/// The event of `event`. It has no id: a message's new form is keyed by its id, all else by its text,
/// which holds the time.
pub(crate) fn event(item: &Object, scope: &Scope) -> Event {
    let word = item.string("type").unwrap_or_default();
    let data = item.object("data");
    let body = data.as_ref().and_then(|data| body(&word, data));
    let body = body.unwrap_or(Body::Unknown);
    let key = match &body {
        Body::Message(message) => named(NAME, &scope.account, &message.id, &[]),
        _ => Keys::new(NAME).hashed(&scope.account, item.json().text().as_bytes(), None),
    };
    let at = item
        .string("timestamp")
        // The documentation's examples have no zone, and mean UTC.
        .and_then(|text| {
            rfc3339_to_millis(&text).or_else(|| rfc3339_to_millis(&format!("{text}Z")))
        })
        .or_else(|| item.millis("timestamp"));
    let holds_all = matches!(body, Body::Message(_) | Body::MessageEdited(_));
    let place = |name: &str| data.as_ref().and_then(|data| data.id(name));
    Event {
        at,
        sender: data.as_ref().and_then(person),
        chat: place("lobby_id").or_else(|| place("channel_id")),
        raw: (!holds_all).then(|| item.json().raw()),
        ..event::event(NAME, scope, key, body)
    }
}

fn person(data: &Object) -> Option<Party> {
    let user = data.object("user").or_else(|| data.object("author"));
    match user {
        Some(user) => user_party(&user),
        None => Some(Party {
            identities: vec![Identity::new(USER, data.id("user_id")?)],
            ..Party::default()
        }),
    }
}

fn body(word: &str, data: &Object) -> Option<Body> {
    Some(match word {
        "APPLICATION_AUTHORIZED" | "APPLICATION_DEAUTHORIZED" => Body::Opt(Opt {
            action: word.to_ascii_lowercase(),
            granted: Some(word == "APPLICATION_AUTHORIZED"),
            topic: data.object("guild").and_then(|guild| guild.id("id")),
            payload: scopes(data),
        }),
        "ENTITLEMENT_CREATE" | "ENTITLEMENT_UPDATE" | "ENTITLEMENT_DELETE" => {
            Body::Account(Notice {
                action: word.to_ascii_lowercase(),
                subject: data.id("sku_id"),
                detail: data.id("id"),
            })
        }
        "LOBBY_MESSAGE_CREATE" | "GAME_DIRECT_MESSAGE_CREATE" => Body::Message(message(data)?),
        "LOBBY_MESSAGE_UPDATE" | "GAME_DIRECT_MESSAGE_UPDATE" => {
            Body::MessageEdited(message(data)?)
        }
        "LOBBY_MESSAGE_DELETE" | "GAME_DIRECT_MESSAGE_DELETE" => {
            Body::MessageDeleted(data.id("id")?)
        }
        _ => return None,
    })
}

fn scopes(data: &Object) -> Option<String> {
    let scopes: Vec<String> = data
        .list("scopes")
        .into_iter()
        .filter_map(Json::string)
        .collect();
    Some(scopes.join(" ")).filter(|scopes| !scopes.is_empty())
}

fn message(data: &Object) -> Option<Message> {
    let files = data
        .list("attachments")
        .into_iter()
        .filter_map(Json::object);
    let media: Vec<_> = files.map(|file| media(&file)).collect();
    let text = data.string("content");
    let kind = match (media.first().map(|media| media.kind.as_str()), &text) {
        (Some("image"), _) => MessageType::Image,
        (Some("audio"), _) => MessageType::Audio,
        (Some("video"), _) => MessageType::Video,
        (Some(_), _) => MessageType::Document,
        (None, Some(_)) => MessageType::Text,
        (None, None) => MessageType::Unsupported,
    };
    Some(Message {
        id: data.id("id")?,
        kind,
        text,
        media,
        reply_to: data
            .object("message_reference")
            .and_then(|it| it.id("message_id")),
        raw: Some(data.json().raw()),
        ..Message::default()
    })
}
