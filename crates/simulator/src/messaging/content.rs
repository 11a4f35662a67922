//! What the items of each kind hold: samples after Meta's own examples.

use serde_json::{Value, json};

use super::{Side, mid};
use crate::platform::Wish;

/// Where an item stands in an entry.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Place {
    /// In `messaging[]`.
    Messaging,
    /// In `standby[]`.
    Standby,
    /// In `changes[]`, under this field.
    Change(&'static str),
}

/// A kind of item.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) struct Kind {
    /// Its name for users.
    pub(super) name: &'static str,
    /// Where it stands.
    pub(super) place: Place,
    /// The member that holds it.
    pub(super) member: &'static str,
    pub(super) on_messenger: bool,
    pub(super) on_instagram: bool,
    /// Whether it is about a message that there was before, under that message's id.
    pub(super) is_about_another: bool,
}

const fn of_both(name: &'static str, member: &'static str) -> Kind {
    Kind {
        name,
        place: Place::Messaging,
        member,
        on_messenger: true,
        on_instagram: true,
        is_about_another: false,
    }
}

const fn message(name: &'static str) -> Kind {
    of_both(name, "message")
}

const fn about(name: &'static str, member: &'static str) -> Kind {
    Kind {
        is_about_another: true,
        ..of_both(name, member)
    }
}

const fn messenger(kind: Kind) -> Kind {
    Kind {
        on_instagram: false,
        ..kind
    }
}

const fn instagram(kind: Kind) -> Kind {
    Kind {
        on_messenger: false,
        ..kind
    }
}

const fn change(name: &'static str, field: &'static str) -> Kind {
    Kind {
        place: Place::Change(field),
        ..of_both(name, "")
    }
}

/// Every kind there is.
pub(super) const KINDS: &[Kind] = &[
    message("text"),
    message("reply"),
    message("quick_reply"),
    message("referred_text"),
    message("image"),
    message("video"),
    message("audio"),
    message("file"),
    message("sticker"),
    instagram(message("like_heart")),
    messenger(message("location")),
    message("share"),
    message("post"),
    message("ig_post"),
    message("reel"),
    message("ig_reel"),
    instagram(message("media")),
    instagram(message("story")),
    instagram(message("ig_story")),
    instagram(message("story_mention")),
    instagram(message("story_reply")),
    message("fallback"),
    message("template"),
    messenger(message("appointment_booking")),
    instagram(message("ephemeral")),
    message("unsupported_type"),
    instagram(message("unsupported")),
    message("unknown_type"),
    message("echo"),
    about("edit", "message_edit"),
    about("deleted", "message"),
    of_both("postback", "postback"),
    Kind {
        place: Place::Standby,
        ..message("standby")
    },
    Kind {
        place: Place::Standby,
        ..of_both("standby_postback", "postback")
    },
    about("reaction", "reaction"),
    about("reaction_removed", "reaction"),
    messenger(about("delivered", "delivery")),
    about("read", "read"),
    of_both("referral", "referral"),
    of_both("optin", "optin"),
    messenger(of_both("optin_checkbox", "optin")),
    of_both("opted_out", "optin"),
    of_both("pass_thread_control", "pass_thread_control"),
    of_both("take_thread_control", "take_thread_control"),
    of_both("request_thread_control", "request_thread_control"),
    messenger(of_both("app_roles", "app_roles")),
    of_both("policy_enforcement", "policy_enforcement"),
    messenger(of_both("account_linking", "account_linking")),
    of_both("response_feedback", "response_feedback"),
    messenger(change("feed_comment", "feed")),
    messenger(change("page_mention", "mention")),
    messenger(change("template_status", "message_template_status_update")),
    instagram(change("comment", "comments")),
    instagram(change("live_comment", "live_comments")),
    instagram(change("mention", "mentions")),
    instagram(change("story_insights", "story_insights")),
    change("unknown_field", "something_new"),
];

/// The content of an item.
pub(super) fn of(side: Side, kind: &Kind, wish: &Wish) -> Value {
    match (kind.place, kind.member) {
        (Place::Change(_), _) => changed(side, kind, wish),
        (_, "message") => message_content(side, kind, wish),
        (_, member) => other(side, kind, member, wish),
    }
}

fn text(wish: &Wish, sample: &str) -> String {
    wish.text.clone().unwrap_or_else(|| sample.to_owned())
}

fn message_content(side: Side, kind: &Kind, wish: &Wish) -> Value {
    let id = mid(wish.seed, 0);
    let said = |sample: &str| text(wish, sample);
    match kind.name {
        "text" | "standby" => json!({ "mid": id, "text": said("Does it come in another color?") }),
        "reply" => {
            json!({ "mid": id, "text": said("This one"), "reply_to": { "mid": side.target(wish) } })
        }
        "quick_reply" => {
            json!({ "mid": id, "text": said("Red"), "quick_reply": { "payload": "COLOR_RED" } })
        }
        "referred_text" => json!({ "mid": id, "text": said("Is this available?"), "referral": {
            "ref": "summer", "source": "ADS", "type": "OPEN_THREAD", "ad_id": "120226305854810726",
            "ads_context_data": { "ad_title": "Succulents", "photo_url": "https://scontent.example/a.jpg", "post_id": "1_2" } } }),
        "story_reply" => json!({ "mid": id, "text": said("Wow"), "reply_to": { "story": {
            "id": "17990438743068110", "url": "https://lookaside.example/s?a=1" } } }),
        "unsupported" => json!({ "mid": id, "is_unsupported": true }),
        "deleted" => json!({ "mid": side.target(wish), "is_deleted": true }),
        "echo" => {
            json!({ "mid": id, "text": said("Yes, in red"), "is_echo": true, "app_id": 1_517_776_481_860_111u64, "metadata": "job-1" })
        }
        name => {
            let mut content = json!({ "mid": id, "attachments": [attachment(name)] });
            if let (Some(said), Some(content)) = (&wish.text, content.as_object_mut()) {
                content.insert("text".to_owned(), said.as_str().into());
            }
            content
        }
    }
}

fn attachment(name: &str) -> Value {
    let url = "https://scontent.example/v/t1.15752-9/a.jpg?_nc_cat=1&oh=2";
    let payload = match name {
        "sticker" => json!({ "url": url, "sticker_id": 369_239_263_222_822u64 }),
        "location" => json!({ "coordinates": { "lat": 37.483_872, "long": -122.148_93 } }),
        "reel" | "ig_reel" => {
            json!({ "url": url, "title": "A reel", "reel_video_id": 18_046_221_234_567_890u64 })
        }
        "post" | "ig_post" => json!({ "url": url, "title": "A post" }),
        "story" | "ig_story" => {
            json!({ "story_media_id": "17990438743068110", "story_media_url": url })
        }
        "template" => json!({ "product": { "elements": [{ "id": "3911", "retailer_id": "sku-1",
            "image_url": url, "title": "Succulent", "subtitle": "$12" }] } }),
        "appointment_booking" => json!({ "status": "requested", "start_time": 1_749_500_000 }),
        "ephemeral" | "like_heart" | "unsupported_type" => return json!({ "type": name }),
        "fallback" => {
            return json!({ "type": name, "title": "A page", "url": "https://example.org/a", "payload": null });
        }
        "unknown_type" => {
            return json!({ "type": "hologram", "payload": { "depth": 12_345_678_901_234_567_890u64 } });
        }
        _ => json!({ "url": url }),
    };
    json!({ "type": name, "payload": payload })
}

fn other(side: Side, kind: &Kind, member: &str, wish: &Wish) -> Value {
    let at = wish.at_secs.unwrap_or(super::AT_SECS) * 1_000;
    match (kind.name, member) {
        ("edit", _) => {
            json!({ "mid": side.target(wish), "text": text(wish, "In red, I mean"), "num_edit": 1 })
        }
        ("standby_postback", _) => json!({ "mid": mid(wish.seed, 0), "title": "Get Started" }),
        (_, "postback") => {
            json!({ "mid": mid(wish.seed, 0), "title": text(wish, "Get Started"), "payload": "GET_STARTED" })
        }
        ("reaction", _) => {
            json!({ "mid": side.target(wish), "action": "react", "reaction": "love", "emoji": "❤️" })
        }
        ("reaction_removed", _) => json!({ "mid": side.target(wish), "action": "unreact" }),
        (_, "delivery") => json!({ "mids": [side.target(wish)], "watermark": at }),
        (_, "read") if side.is_instagram => json!({ "mid": side.target(wish) }),
        (_, "read") => json!({ "watermark": at }),
        (_, "referral") if side.is_instagram => {
            json!({ "ref": "summer", "source": "IGME-SOURCE-LINK", "type": "OPEN_THREAD" })
        }
        (_, "referral") => {
            json!({ "ref": "summer", "source": "SHORTLINK", "type": "OPEN_THREAD" })
        }
        ("optin_checkbox", _) => json!({ "ref": "checkout", "user_ref": "visitor-1" }),
        ("opted_out", _) => json!({ "type": "notification_messages", "payload": "offers",
            "notification_messages_token": "6378911234", "notification_messages_status": "STOP_NOTIFICATIONS", "title": "Offers" }),
        (_, "optin") => {
            json!({ "type": "notification_messages", "payload": "offers", "notification_messages_token": "6378911234",
            "notification_messages_timezone": "America/New_York", "token_expiry_timestamp": at + 31_536_000_000, "title": "Offers" })
        }
        (_, "pass_thread_control") => {
            json!({ "previous_owner_app_id": "123456789", "new_owner_app_id": 263_902_037_430_900u64, "metadata": "to a person" })
        }
        (_, "take_thread_control") => {
            json!({ "previous_owner_app_id": "123456789", "new_owner_app_id": null, "metadata": "taken" })
        }
        (_, "request_thread_control") => {
            json!({ "requested_owner_app_id": 123_456_789, "metadata": "mine" })
        }
        (_, "app_roles") => json!({ "123456789": ["primary_receiver"] }),
        (_, "policy_enforcement") => json!({ "action": "block", "reason": "Spam" }),
        (_, "account_linking") => json!({ "status": "linked", "authorization_code": "code-1" }),
        _ => json!({ "feedback": "Good response", "mid": side.target(wish) }),
    }
}

fn changed(side: Side, kind: &Kind, wish: &Wish) -> Value {
    let from = wish.from.as_deref().unwrap_or(side.person);
    let name = wish.name.as_deref().unwrap_or("sheena");
    let id = mid(wish.seed, 0);
    let at = wish.at_secs.unwrap_or(super::AT_SECS);
    match kind.name {
        "comment" => {
            json!({ "id": id, "parent_id": "1231231234", "from": { "id": from, "username": name },
            "text": text(wish, "How much?"), "media": { "id": "123123123", "media_product_type": "FEED" } })
        }
        "live_comment" => json!({ "id": id, "from": { "id": from, "username": name },
            "text": text(wish, "Hello"), "media": { "id": "123123123", "media_product_type": "LIVE" } }),
        "mention" => json!({ "media_id": "17887498072083520", "comment_id": id }),
        "story_insights" => {
            json!({ "media_id": "17887498072083520", "impressions": 444, "reach": 44 })
        }
        "feed_comment" => {
            json!({ "item": "comment", "verb": "add", "comment_id": id, "post_id": "1_2", "parent_id": "1_2",
            "from": { "id": from, "name": name }, "message": text(wish, "How much?"), "created_time": at })
        }
        "page_mention" => json!({ "item": "post", "verb": "add", "post_id": id, "sender_id": from,
            "sender_name": name, "message": text(wish, "Look"), "created_time": at }),
        "template_status" => {
            json!({ "event": "APPROVED", "message_template_id": 1_689_556_908_129_832u64,
            "message_template_name": "order_update", "message_template_language": "en_US", "reason": "NONE" })
        }
        _ => json!({ "novelty": 12_345_678_901_234_567_890u64 }),
    }
}
