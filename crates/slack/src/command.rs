//! Slash commands: forms that name a command, and no JSON.

use chatly_canonical::{Body, Event, Message, MessageType, Raw};
use chatly_channel::event::{self, Scope};
use chatly_channel::form::Pair;
use chatly_channel::key::{Keys, named};
use serde_json::{Map, Value};

use crate::NAME;
use crate::parse::value;
use crate::party::{message_id, user};

/// The command as the text that was typed; none when the form names none. Slack gives no time and
/// no id but the trigger's, which is each command's own.
pub(crate) fn event(pairs: &[Pair], route: &Scope) -> Option<Event> {
    let text = |name: &str| {
        let value = String::from_utf8_lossy(value(pairs, name.as_bytes())?).into_owned();
        Some(value).filter(|value| !value.is_empty())
    };
    let command = text("command")?;
    let scope = text("team_id").map_or_else(|| route.clone(), Scope::account);
    let channel = text("channel_id").unwrap_or_default();
    let is_direct = channel.is_empty() || channel.starts_with('D');
    let (id, key) = match text("trigger_id") {
        Some(trigger) => {
            let id = message_id(&channel, &trigger);
            let key = named(NAME, &scope.account, &id, &[]);
            (id, key)
        }
        None => {
            let key = Keys::new(NAME).hashed(&scope.account, raw(pairs).get().as_bytes(), None);
            (key.clone(), key)
        }
    };
    let typed = match text("text") {
        Some(arguments) => format!("{command} {arguments}"),
        None => command,
    };
    let message = Message {
        id,
        kind: MessageType::Text,
        text: Some(typed),
        raw: Some(raw(pairs)),
        ..Message::default()
    };
    let mut sender = text("user_id").map(user);
    if let Some(sender) = &mut sender {
        sender.username = text("user_name");
    }
    Some(Event {
        sender,
        chat: (!is_direct).then_some(channel),
        ..event::event(NAME, &scope, key, Body::Message(message))
    })
}

/// The form as an object, without the old verification token.
fn raw(pairs: &[Pair]) -> Raw {
    let text = |bytes: &[u8]| String::from_utf8_lossy(bytes).into_owned();
    let members: Map<String, Value> = pairs
        .iter()
        .filter(|(name, _)| name != b"token")
        .map(|(name, value)| (text(name), text(value).into()))
        .collect();
    Raw::ours(&Value::Object(members).to_string())
}
