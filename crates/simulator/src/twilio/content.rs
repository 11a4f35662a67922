//! What the forms of each kind hold: samples after Twilio's own examples.

use super::{ACCOUNT, NUMBER, PHONE};
use crate::UnknownKind;
use crate::platform::Wish;
use crate::sample::Sample;

/// Every kind there is.
pub(super) const KINDS: &[&str] = &[
    "text",
    "sms",
    "mms",
    "stop",
    "start",
    "help",
    "reply",
    "forwarded",
    "referral",
    "image",
    "video",
    "audio",
    "document",
    "sticker",
    "location",
    "button_reply",
    "list_reply",
    "unsupported",
    "accepted",
    "queued",
    "sending",
    "sent",
    "delivered",
    "read",
    "undelivered",
    "failed",
    "canceled",
    "unknown_status",
    "unknown",
];

type Fields = Vec<(&'static str, String)>;

/// Whether a kind is a step of a message that we sent.
fn is_status(kind: &str) -> bool {
    matches!(
        kind,
        "accepted"
            | "queued"
            | "sending"
            | "sent"
            | "delivered"
            | "read"
            | "undelivered"
            | "failed"
            | "canceled"
            | "unknown_status"
    )
}

/// The id of the message that a wish sends or is about.
pub(super) fn sid(wish: &Wish) -> Result<String, UnknownKind> {
    known(wish)?;
    if is_status(&wish.kind) {
        return Ok(about(wish));
    }
    Ok(sample_sid("SM", wish.seed, 0))
}

fn known(wish: &Wish) -> Result<&'static str, UnknownKind> {
    let found = KINDS.iter().find(|kind| **kind == wish.kind);
    found.copied().ok_or_else(|| UnknownKind {
        given: wish.kind.clone(),
        known: KINDS.to_vec(),
    })
}

fn about(wish: &Wish) -> String {
    let sample = || sample_sid("SM", wish.seed, 1);
    wish.about.clone().unwrap_or_else(sample)
}

fn sample_sid(prefix: &str, seed: u64, salt: u64) -> String {
    let bytes = Sample::new(seed ^ (salt << 48)).bytes::<16>();
    format!("{prefix}{}", chatly_signature::hex(&bytes))
}

/// The form of a wish, in the order in which Twilio writes one.
pub(super) fn fields(wish: &Wish) -> Result<Fields, UnknownKind> {
    let kind = known(wish)?;
    let account = wish.account.clone().unwrap_or_else(|| ACCOUNT.to_owned());
    if kind == "unknown" {
        return Ok(vec![
            ("AccountSid", account),
            ("SomethingNew", sample_sid("ZZ", wish.seed, 0)),
            ("Body", wish.text.clone().unwrap_or_default()),
        ]);
    }
    let sid = sid(wish)?;
    let is_sms = matches!(kind, "sms" | "mms" | "stop" | "start" | "help");
    let (theirs, ours) = addresses(wish, is_sms);
    if is_status(kind) {
        return Ok(status(kind, sid, account, (ours, theirs)));
    }
    let mut fields: Fields = vec![
        ("SmsMessageSid", sid.clone()),
        ("NumMedia", "0".to_owned()),
        ("SmsSid", sid.clone()),
        ("SmsStatus", "received".to_owned()),
        ("Body", String::new()),
        ("To", ours),
        ("NumSegments", "1".to_owned()),
        ("MessageSid", sid),
        ("AccountSid", account),
        ("From", theirs.clone()),
        ("ApiVersion", "2010-04-01".to_owned()),
    ];
    if !is_sms {
        let name = wish.name.clone();
        let name = name.unwrap_or_else(|| "Sheena Nelson".to_owned());
        fields.insert(2, ("ProfileName", name));
        let id = theirs.trim_start_matches("whatsapp:").to_owned();
        if wish.without_phone {
            fields.insert(0, ("ExternalUserId", theirs));
        } else {
            fields.insert(5, ("WaId", id.trim_start_matches('+').to_owned()));
        }
    }
    content(kind, wish, &mut fields);
    Ok(fields)
}

/// Their address and ours.
fn addresses(wish: &Wish, is_sms: bool) -> (String, String) {
    let from = wish.from.clone();
    if is_sms {
        let phone = from.unwrap_or_else(|| PHONE.to_owned());
        let plus = if phone.starts_with('+') { "" } else { "+" };
        return (format!("{plus}{phone}"), NUMBER.to_owned());
    }
    let theirs = match from {
        Some(id) if wish.without_phone => id,
        None if wish.without_phone => format!("US.{}", 1_000_000 + wish.seed % 1_000_000),
        Some(phone) if phone.starts_with('+') => phone,
        Some(phone) => format!("+{phone}"),
        None => PHONE.to_owned(),
    };
    (format!("whatsapp:{theirs}"), format!("whatsapp:{NUMBER}"))
}

fn status(kind: &str, sid: String, account: String, (ours, theirs): (String, String)) -> Fields {
    let state = match kind {
        "unknown_status" => "teleported",
        kind => kind,
    };
    let mut fields: Fields = vec![
        ("SmsSid", sid.clone()),
        ("SmsStatus", state.to_owned()),
        ("MessageStatus", state.to_owned()),
        ("To", theirs),
        ("MessageSid", sid),
        ("AccountSid", account),
        ("From", ours),
        ("ApiVersion", "2010-04-01".to_owned()),
    ];
    match kind {
        "undelivered" => fields.push(("ErrorCode", "63016".to_owned())),
        "failed" => {
            fields.push(("ErrorCode", "30003".to_owned()));
            fields.push(("ErrorMessage", "Unreachable destination handset".to_owned()));
        }
        "read" => fields.push(("EventType", "READ".to_owned())),
        _ => {}
    }
    fields
}

/// Puts what a kind says into its form.
fn content(kind: &'static str, wish: &Wish, fields: &mut Fields) {
    let text = |default: &str| wish.text.clone().unwrap_or_else(|| default.to_owned());
    let mut put = |name: &'static str, value: String| match fields
        .iter_mut()
        .find(|(known, _)| *known == name)
    {
        Some((_, known)) => *known = value,
        None => fields.push((name, value)),
    };
    let file = |at: u64| {
        let message = sample_sid("MM", wish.seed, 0);
        let media = sample_sid("ME", wish.seed, 2 + at);
        format!(
            "https://api.twilio.com/2010-04-01/Accounts/{ACCOUNT}/Messages/{message}/Media/{media}"
        )
    };
    let mut files = |types: &[&str]| {
        put("NumMedia", types.len().to_string());
        let names = [
            ("MediaContentType0", "MediaUrl0"),
            ("MediaContentType1", "MediaUrl1"),
        ];
        for ((at, kind), (type_name, url_name)) in (0..).zip(types).zip(names) {
            put(type_name, (*kind).to_owned());
            put(url_name, file(at));
        }
    };
    match kind {
        "mms" => files(&["image/jpeg", "text/vcard"]),
        "image" => files(&["image/jpeg"]),
        "video" => files(&["video/mp4"]),
        "audio" => files(&["audio/ogg"]),
        "document" => files(&["application/pdf"]),
        "sticker" => files(&["image/webp"]),
        _ => {}
    }
    let whatsapp_type = match kind {
        "text" | "reply" | "forwarded" | "referral" => Some("text"),
        "image" | "video" | "audio" | "document" | "sticker" | "location" => Some(kind),
        "button_reply" => Some("button"),
        "list_reply" => Some("interactive"),
        "unsupported" => Some("hologram"),
        _ => None,
    };
    if let Some(word) = whatsapp_type {
        put("MessageType", word.to_owned());
    }
    match kind {
        "text" | "sms" | "reply" | "forwarded" | "referral" => {
            put("Body", text("Does it come in another color?"));
        }
        "stop" | "start" | "help" => {
            put("Body", text(&kind.to_ascii_uppercase()));
            put("OptOutType", kind.to_ascii_uppercase());
        }
        "button_reply" => {
            put("Body", text("Cancel"));
            put("ButtonText", text("Cancel"));
            put("ButtonPayload", "cancel-button".to_owned());
        }
        "list_reply" => {
            put("Body", text("Priority Mail Express"));
            put("ListId", "priority_express".to_owned());
            put("ListTitle", text("Priority Mail Express"));
        }
        "location" => {
            put("Latitude", "38.9071923".to_owned());
            put("Longitude", "-77.0368707".to_owned());
            put("Label", "Main Street Beach".to_owned());
            put("Address", "Main Street 1/2".to_owned());
        }
        _ => put("Body", wish.text.clone().unwrap_or_default()),
    }
    match kind {
        "reply" | "button_reply" | "list_reply" => {
            put("OriginalRepliedMessageSid", about(wish));
        }
        "forwarded" => put("Forwarded", "true".to_owned()),
        "referral" => {
            let values = [
                ("ReferralSourceId", "120226305854810726"),
                ("ReferralSourceType", "ad"),
                ("ReferralSourceUrl", "https://fb.me/3cr4Wqqkv"),
                ("ReferralHeadline", "Chat with us"),
                ("ReferralBody", "Summer succulents are here!"),
                ("ReferralMediaUrl", "https://scontent.example/a.jpg"),
                ("ReferralCtwaClid", "Aff-n8ZTODiE79d22KtAwQKj9e"),
            ];
            values
                .into_iter()
                .for_each(|(name, value)| put(name, value.to_owned()));
        }
        _ => {}
    }
}
