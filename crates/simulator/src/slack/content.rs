//! What each kind looks like.

use serde_json::{Value, json};

use super::ACCOUNT;
use crate::UnknownKind;
use crate::platform::Wish;
use crate::sample::Sample;

/// When things happen when no time is named.
pub(super) const AT_SECS: u64 = 1_749_416_383;
const CHANNEL: &str = "C123ABC456";
const DIRECT: &str = "D123ABC456";
const APP: &str = "A123ABC456";
const BOT_USER: &str = "UBOT123456";

pub(super) const KINDS: &[&str] = &[
    "text",
    "mention",
    "direct",
    "thread",
    "broadcast",
    "me",
    "image",
    "document",
    "voice",
    "video",
    "share",
    "blocks",
    "bot",
    "echo",
    "edit",
    "delete",
    "topic",
    "channel_join",
    "unknown_subtype",
    "reaction",
    "reaction_removed",
    "member_joined",
    "member_left",
    "app_home_opened",
    "app_uninstalled",
    "tokens_revoked",
    "rate_limited",
    "unknown_event",
    "unknown_type",
    "slash_command",
    "button",
    "select",
    "interactive_message",
    "shortcut",
    "message_action",
    "view_submission",
    "block_suggestion",
];

pub(super) enum Content {
    /// An event.
    Json(Value),
    /// Interactivity.
    Payload(Value),
    /// A slash command.
    Form(Vec<(&'static str, String)>),
}

/// A message's own time, to the microsecond.
pub(super) fn ts(seed: u64, secs: u64) -> String {
    format!("{secs}.{:06}", 100_000 + seed % 900_000)
}

struct Facts<'a> {
    wish: &'a Wish,
    secs: u64,
    ts: String,
    user: &'a str,
    team: &'a str,
    about: String,
}

impl<'a> Facts<'a> {
    fn of(wish: &'a Wish) -> Self {
        let secs = wish.at_secs.unwrap_or(AT_SECS);
        let about = wish
            .about
            .as_deref()
            .unwrap_or("C123ABC456:1749416000.000100");
        Facts {
            wish,
            secs,
            ts: ts(wish.seed, secs),
            user: wish.from.as_deref().unwrap_or("U061F7AUR"),
            team: wish.account.as_deref().unwrap_or(ACCOUNT),
            about: about.split_once(':').map_or(about, |(_, ts)| ts).to_owned(),
        }
    }

    fn text(&self, sample: &str) -> String {
        let text = self.wish.text.as_deref().unwrap_or(sample);
        text.replace('&', "&amp;")
            .replace('<', "&lt;")
            .replace('>', "&gt;")
    }

    fn id(&self, prefix: &str) -> String {
        let hex = chatly_signature::hex(&Sample::new(self.wish.seed).bytes::<5>());
        format!("{prefix}{}", hex.to_uppercase())
    }

    fn said(&self, more: Value) -> Value {
        let mut message = json!({ "type": "message", "channel": CHANNEL, "user": self.user, "text": self.text("Does it come in another color?"),
            "ts": self.ts, "event_ts": self.ts, "channel_type": "channel" });
        if let Some(name) = &self.wish.name {
            set(&mut message, "user_profile", json!({ "real_name": name }));
        }
        for (name, value) in more.as_object().into_iter().flatten() {
            set(&mut message, name, value.clone());
        }
        message
    }

    fn file(&self, mimetype: &str, name: &str, subtype: Option<&str>) -> Value {
        let id = self.id("F0");
        let mut file = json!({ "id": id, "created": self.secs, "name": name, "title": name, "mimetype": mimetype, "size": 60_000,
            "mode": "hosted", "url_private": format!("https://files.slack.com/files-pri/{id}/{name}"),
            "url_private_download": format!("https://files.slack.com/files-pri/{id}/download/{name}") });
        if let Some(subtype) = subtype {
            set(&mut file, "subtype", subtype.into());
        }
        self.said(json!({ "subtype": "file_share", "files": [file], "upload": false }))
    }
}

fn set(value: &mut Value, name: &str, member: Value) {
    if let Some(object) = value.as_object_mut() {
        object.insert(name.to_owned(), member);
    }
}

pub(super) fn message_id(wish: &Wish) -> Result<String, UnknownKind> {
    content(wish)?;
    let facts = Facts::of(wish);
    let ts = &facts.ts;
    Ok(match wish.kind.as_str() {
        "direct" => format!("{DIRECT}:{ts}"),
        "button" | "select" | "interactive_message" => format!("{CHANNEL}:{ts}:choice"),
        "shortcut" => format!("shortcut:{ts}"),
        "view_submission" => format!("{}:{}.ab12", facts.id("V0"), facts.secs),
        "slash_command" => format!("{CHANNEL}:{}", trigger(&facts)),
        "edit" | "delete" => format!("{CHANNEL}:{}", facts.about),
        _ => format!("{CHANNEL}:{ts}"),
    })
}

fn trigger(facts: &Facts) -> String {
    let digits = Sample::new(facts.wish.seed).digits(12);
    format!("{digits}.47445629121.803a0bc887a14d10d2c447fce8b6703c")
}

pub(super) fn content(wish: &Wish) -> Result<Content, UnknownKind> {
    let facts = Facts::of(wish);
    if let Some(payload) = interaction(&facts) {
        return Ok(Content::Payload(payload));
    }
    if wish.kind == "slash_command" {
        return Ok(Content::Form(command(&facts)));
    }
    if wish.kind == "rate_limited" {
        return Ok(Content::Json(
            json!({ "token": "Jhj5dZrVaK7ZwHHjRyZWjbDl", "type": "app_rate_limited", "team_id": facts.team,
            "minute_rate_limited": facts.secs / 60 * 60, "api_app_id": APP }),
        ));
    }
    if wish.kind == "unknown_type" {
        return Ok(Content::Json(
            json!({ "type": "hologram_callback", "team_id": facts.team, "depth": 12345678901234567890u64 }),
        ));
    }
    let event = event(&facts).ok_or_else(|| UnknownKind {
        given: wish.kind.clone(),
        known: KINDS.to_vec(),
    })?;
    Ok(Content::Json(
        json!({ "token": "XXYYZZ", "team_id": facts.team, "api_app_id": APP, "event": event, "type": "event_callback",
        "authorizations": [{ "enterprise_id": null, "team_id": facts.team, "user_id": BOT_USER, "is_bot": true, "is_enterprise_install": false }],
        "event_id": facts.id("Ev"), "event_time": facts.secs }),
    ))
}

fn event(facts: &Facts) -> Option<Value> {
    let (ts, user, about) = (&facts.ts, facts.user, &facts.about);
    Some(match facts.wish.kind.as_str() {
        "text" => facts.said(json!({ "client_msg_id": "aa1f2c9c-1c0b-4a6e-9f0a-5f7e0e3d4b21" })),
        "mention" => facts.said(json!({ "type": "app_mention" })),
        "direct" => facts.said(json!({ "channel": DIRECT, "channel_type": "im" })),
        "thread" => facts.said(json!({ "thread_ts": about, "parent_user_id": "U222222" })),
        "broadcast" => facts.said(json!({ "subtype": "thread_broadcast", "thread_ts": about })),
        "me" => facts.said(json!({ "subtype": "me_message" })),
        "image" => facts.file("image/png", "shirt.png", None),
        "document" => facts.file("application/pdf", "offer.pdf", None),
        "voice" => facts.file("audio/webm", "clip.webm", Some("slack_audio")),
        "video" => facts.file("video/mp4", "clip.mp4", None),
        "share" => facts.said(json!({ "text": "", "attachments": [{ "is_share": true, "from_url": "https://example.slack.com/archives/C1/p1", "fallback": "[June 8th] Bo: Hi" }] })),
        "blocks" => facts.said(json!({ "blocks": [{ "type": "section", "text": { "type": "mrkdwn", "text": "*Hi*" } }, { "type": "divider" }] })),
        "bot" => facts.said(json!({ "subtype": "bot_message", "user": null, "bot_id": "B0OTHER", "username": "deploys" })),
        "echo" => facts.said(json!({ "user": BOT_USER, "bot_id": "B0OURS", "app_id": APP })),
        "edit" => json!({ "type": "message", "subtype": "message_changed", "hidden": true, "channel": CHANNEL, "ts": ts, "event_ts": ts, "channel_type": "channel",
            "message": { "type": "message", "user": user, "text": facts.text("Never mind"), "ts": about, "edited": { "user": user, "ts": ts } },
            "previous_message": { "type": "message", "user": user, "text": "Hello", "ts": about } }),
        "delete" => json!({ "type": "message", "subtype": "message_deleted", "hidden": true, "channel": CHANNEL, "ts": ts, "event_ts": ts,
            "deleted_ts": about, "channel_type": "channel", "previous_message": { "type": "message", "user": user, "text": "Hello", "ts": about } }),
        "topic" => facts.said(json!({ "subtype": "channel_topic", "topic": "Orders", "text": "set the channel topic: Orders" })),
        "channel_join" => facts.said(json!({ "subtype": "channel_join", "inviter": "U222222" })),
        "unknown_subtype" => facts.said(json!({ "subtype": "hologram" })),
        "reaction" | "reaction_removed" => json!({ "type": if facts.wish.kind == "reaction" { "reaction_added" } else { "reaction_removed" },
            "user": user, "reaction": "thumbsup", "item_user": BOT_USER, "item": { "type": "message", "channel": CHANNEL, "ts": about }, "event_ts": ts }),
        "member_joined" => json!({ "type": "member_joined_channel", "user": user, "channel": CHANNEL, "channel_type": "C", "team": facts.team, "inviter": "U222222", "event_ts": ts }),
        "member_left" => json!({ "type": "member_left_channel", "user": user, "channel": CHANNEL, "channel_type": "C", "team": facts.team, "event_ts": ts }),
        "app_home_opened" => json!({ "type": "app_home_opened", "user": user, "channel": DIRECT, "event_ts": ts, "tab": "messages" }),
        "app_uninstalled" => json!({ "type": "app_uninstalled" }),
        "tokens_revoked" => json!({ "type": "tokens_revoked", "tokens": { "oauth": ["UXXXXXXXX"], "bot": [BOT_USER] } }),
        "unknown_event" => json!({ "type": "hologram_shared", "event_ts": ts, "depth": 12345678901234567890u64 }),
        _ => return None,
    })
}

fn interaction(facts: &Facts) -> Option<Value> {
    let ts = &facts.ts;
    let button = |value: Value| {
        json!({ "action_id": "choice", "block_id": "b1", "action_ts": ts })
            .as_object()
            .cloned()
            .map(|mut it| {
                it.extend(value.as_object().cloned().unwrap_or_default());
                Value::Object(it)
            })
    };
    let message =
        json!({ "type": "message", "user": BOT_USER, "ts": facts.about, "text": "Sure?" });
    let more = match facts.wish.kind.as_str() {
        "button" => {
            json!({ "type": "block_actions", "message": message, "container": { "type": "message", "message_ts": facts.about, "channel_id": CHANNEL },
            "actions": [button(json!({ "type": "button", "text": { "type": "plain_text", "text": facts.text("Yes"), "emoji": true }, "value": "yes" }))] })
        }
        "select" => {
            json!({ "type": "block_actions", "message": message, "container": { "type": "message", "message_ts": facts.about, "channel_id": CHANNEL },
            "actions": [button(json!({ "type": "static_select", "selected_option": { "text": { "type": "plain_text", "text": facts.text("Express") }, "value": "express" } }))] })
        }
        "interactive_message" => {
            json!({ "type": "interactive_message", "callback_id": "order", "action_ts": ts, "message_ts": facts.about,
            "actions": [{ "name": "choice", "type": "button", "value": "yes" }] })
        }
        "shortcut" => {
            json!({ "type": "shortcut", "callback_id": "open_ticket", "action_ts": ts, "channel": null })
        }
        "message_action" => {
            json!({ "type": "message_action", "callback_id": "make_ticket", "action_ts": ts, "message_ts": facts.about, "message": message })
        }
        "view_submission" => {
            json!({ "type": "view_submission", "channel": null, "view": { "id": facts.id("V0"), "type": "modal", "callback_id": "ticket",
            "title": { "type": "plain_text", "text": "Ticket" }, "hash": format!("{}.ab12", facts.secs), "state": { "values": { "b": { "a": { "type": "plain_text_input", "value": facts.text("broken") } } } } } })
        }
        "block_suggestion" => {
            json!({ "type": "block_suggestion", "action_id": "product", "block_id": "b1", "value": "sh" })
        }
        _ => return None,
    };
    let mut payload = json!({ "token": "Shh_its_a_seekrit", "trigger_id": trigger(facts), "api_app_id": APP, "team": { "id": facts.team, "domain": "example" },
        "user": { "id": facts.user, "username": "bo", "name": facts.wish.name.as_deref().unwrap_or("bo"), "team_id": facts.team },
        "channel": { "id": CHANNEL, "name": "orders" }, "response_url": "https://hooks.slack.com/actions/T1/1/a" });
    for (name, value) in more.as_object().into_iter().flatten() {
        set(&mut payload, name, value.clone());
    }
    Some(payload)
}

fn command(facts: &Facts) -> Vec<(&'static str, String)> {
    let pair = |name, value: &str| (name, value.to_owned());
    vec![
        pair("token", "gIkuvaNzQIHg97ATvDxqgjtO"),
        pair("team_id", facts.team),
        pair("team_domain", "example"),
        pair("channel_id", CHANNEL),
        pair("channel_name", "orders"),
        pair("user_id", facts.user),
        pair("user_name", facts.wish.name.as_deref().unwrap_or("bo")),
        pair("command", "/order"),
        pair("text", facts.wish.text.as_deref().unwrap_or("94070")),
        pair("response_url", "https://hooks.slack.com/commands/1234/5678"),
        ("trigger_id", trigger(facts)),
        pair("api_app_id", APP),
    ]
}
