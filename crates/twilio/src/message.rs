//! What one message holds.

use std::collections::BTreeMap;

use chatly_canonical::{InteractiveReply, Location, Media, Message, MessageType, Referral};

use crate::fields::Fields;

/// Most files of one message that are read; Twilio sends at most ten. The raw form holds the rest.
const MAX_MEDIA: usize = 100;

/// Fields that the event holds whole, or that only repeat others.
const HELD: &[&str] = &[
    "AccountSid",
    "ApiVersion",
    "Body",
    "ButtonPayload",
    "ButtonText",
    "ExternalUserId",
    "Forwarded",
    "FrequentlyForwarded",
    "From",
    "Latitude",
    "ListId",
    "ListTitle",
    "Longitude",
    "Address",
    "Label",
    "MessageSid",
    "MessageStatus",
    "MessageType",
    "NumMedia",
    "NumSegments",
    "OriginalRepliedMessageSid",
    "ProfileName",
    "ReferralBody",
    "ReferralCtwaClid",
    "ReferralHeadline",
    "ReferralMediaUrl",
    "ReferralNumMedia",
    "ReferralSourceId",
    "ReferralSourceType",
    "ReferralSourceUrl",
    "SmsMessageSid",
    "SmsSid",
    "SmsStatus",
    "To",
    "WaId",
];

/// The message in a form, under its id.
pub(crate) fn read(fields: &Fields, sid: &str) -> Message {
    let media = media(fields);
    let location = location(fields);
    let reply = reply(fields);
    let word = fields.get("MessageType").unwrap_or_default();
    let kind = if location.is_some() {
        MessageType::Location
    } else if reply.is_some() {
        MessageType::Reply
    } else if let Some(first) = media.first() {
        kind_of(&first.kind)
    } else if matches!(word, "" | "text") && fields.get("Body").is_some() {
        MessageType::Text
    } else if matches!(word, "interactive" | "button") && fields.filled("Body").is_some() {
        MessageType::Reply
    } else {
        MessageType::Unsupported
    };
    let is_whole = kind != MessageType::Unsupported
        && fields
            .all()
            .all(|(name, _)| HELD.contains(&name) || index(name).is_some());
    let is_whole = is_whole && media.len() < MAX_MEDIA;
    Message {
        id: sid.to_owned(),
        kind,
        text: match kind {
            MessageType::Text => fields.get("Body").map(str::to_owned),
            _ => fields.text("Body"),
        },
        media,
        reply_to: fields.text("OriginalRepliedMessageSid"),
        forwarded: fields.is_true("Forwarded") || fields.is_true("FrequentlyForwarded"),
        referral: referral(fields),
        reply,
        location,
        raw: (!is_whole).then(|| fields.raw()),
        ..Message::default()
    }
}

/// `MediaUrl{i}` and `MediaContentType{i}`: which one, and its number.
fn index(name: &str) -> Option<(bool, u32)> {
    let (is_url, number) = match name.strip_prefix("MediaUrl") {
        Some(number) => (true, number),
        None => (false, name.strip_prefix("MediaContentType")?),
    };
    let is_number = number.len() <= 3 && number.bytes().all(|byte| byte.is_ascii_digit());
    Some((is_url, number.parse().ok().filter(|_| is_number)?))
}

fn media(fields: &Fields) -> Vec<Media> {
    let mut files: BTreeMap<u32, (Option<&str>, Option<&str>)> = BTreeMap::new();
    for (name, value) in fields.all().filter(|(_, value)| !value.is_empty()) {
        match index(name) {
            Some((true, at)) => files.entry(at).or_default().0 = Some(value),
            Some((false, at)) => files.entry(at).or_default().1 = Some(value),
            None => {}
        }
    }
    let is_sticker = fields.get("MessageType") == Some("sticker");
    files
        .into_values()
        .take(MAX_MEDIA)
        .map(|(url, mime_type)| Media {
            kind: media_kind(mime_type.unwrap_or_default(), is_sticker).to_owned(),
            id: url.and_then(media_sid),
            url: url.map(str::to_owned),
            mime_type: mime_type.map(str::to_owned),
            ..Media::default()
        })
        .collect()
}

fn media_kind(mime_type: &str, is_sticker: bool) -> &'static str {
    match mime_type.split_once('/').map(|(kind, _)| kind) {
        Some("image") if is_sticker => "sticker",
        Some("image") => "image",
        Some("audio") => "audio",
        Some("video") => "video",
        _ => "document",
    }
}

/// `…/Messages/{MessageSid}/Media/{MediaSid}`
fn media_sid(url: &str) -> Option<String> {
    let (_, id) = url.rsplit_once("/Media/")?;
    let is_sid = id.len() == 34 && id.bytes().all(|byte| byte.is_ascii_alphanumeric());
    is_sid.then(|| id.to_owned())
}

fn kind_of(media: &str) -> MessageType {
    match media {
        "image" => MessageType::Image,
        "audio" => MessageType::Audio,
        "video" => MessageType::Video,
        "sticker" => MessageType::Sticker,
        _ => MessageType::Document,
    }
}

fn location(fields: &Fields) -> Option<Location> {
    let number = |name: &str| {
        let number: f64 = fields.get(name)?.trim().parse().ok()?;
        number.is_finite().then_some(number)
    };
    Some(Location {
        latitude: number("Latitude")?,
        longitude: number("Longitude")?,
        name: fields.text("Label"),
        address: fields.text("Address"),
    })
}

/// The choice of a button or of a list's row.
fn reply(fields: &Fields) -> Option<InteractiveReply> {
    let (id, title) = if fields.filled("ListId").is_some() {
        (fields.text("ListId"), fields.text("ListTitle"))
    } else {
        (fields.text("ButtonPayload"), fields.text("ButtonText"))
    };
    let title = title.or_else(|| fields.text("Body").filter(|_| id.is_some()));
    (id.is_some() || title.is_some()).then_some(InteractiveReply { id, title })
}

fn referral(fields: &Fields) -> Option<Referral> {
    let referral = Referral {
        source: fields.text("ReferralSourceType"),
        id: fields.text("ReferralSourceId"),
        reference: None,
        url: fields.text("ReferralSourceUrl"),
        headline: fields.text("ReferralHeadline"),
        body: fields.text("ReferralBody"),
        media_url: fields.text("ReferralMediaUrl"),
        click_id: fields.text("ReferralCtwaClid"),
    };
    (referral != Referral::default()).then_some(referral)
}
