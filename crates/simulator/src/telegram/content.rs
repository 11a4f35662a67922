//! What the updates of each kind hold: samples after the Bot API's types.

use serde_json::{Value, json};

use super::{AT_SECS, CONNECTION, GROUP, PERSON};
use crate::platform::Wish;
use crate::sample::Sample;

/// Every kind there is: contents of `message`, then the other kinds of updates.
pub(super) const KINDS: &[&str] = &[
    "text",
    "start",
    "reply",
    "forwarded",
    "photo",
    "video",
    "animation",
    "video_note",
    "voice",
    "audio",
    "document",
    "sticker",
    "location",
    "venue",
    "contact",
    "poll_message",
    "dice",
    "service",
    "new_chat_members",
    "left_chat_member",
    "group_text",
    "unknown_content",
    "edited_message",
    "channel_post",
    "edited_channel_post",
    "business_connection",
    "business_message",
    "business_echo",
    "edited_business_message",
    "deleted_business_messages",
    "guest_message",
    "message_reaction",
    "message_reaction_removed",
    "message_reaction_count",
    "inline_query",
    "chosen_inline_result",
    "callback_query",
    "shipping_query",
    "pre_checkout_query",
    "purchased_paid_media",
    "poll",
    "poll_answer",
    "my_chat_member",
    "chat_member",
    "chat_join_request",
    "chat_boost",
    "removed_chat_boost",
    "managed_bot",
    "subscription",
    "stopped_message_generation",
    "unknown_update",
];

/// What the parts of an update are made of.
struct Scene<'a> {
    wish: &'a Wish,
    person: Value,
    private: Value,
    group: Value,
    at: u64,
    /// The number of the message that is sent.
    id: u64,
    /// The number of the message that it is about.
    about: u64,
    digits: String,
}

/// The field of an update and its item; none for a kind that does not exist.
pub(super) fn item(wish: &Wish, sample: &mut Sample) -> Option<(&'static str, Value)> {
    let kind = KINDS.iter().find(|kind| **kind == wish.kind)?;
    let scene = Scene::new(wish, sample);
    Some(match *kind {
        "edited_message" => ("edited_message", scene.edited(&scene.private)),
        "channel_post" | "edited_channel_post" => (*kind, scene.post(kind)),
        "business_message" | "business_echo" => ("business_message", scene.business(kind)),
        "edited_business_message" => (*kind, scene.business(kind)),
        "guest_message" => {
            let mut item = scene.message(&scene.group);
            set(
                &mut item,
                "text",
                scene.text("What do you think, @chatly_bot?"),
            );
            set(&mut item, "guest_query_id", scene.digits.as_str().into());
            (*kind, item)
        }
        "message_reaction_removed" => ("message_reaction", scene.reaction(false)),
        "message_reaction" => (*kind, scene.reaction(true)),
        "unknown_update" => ("hologram", json!({ "chat": scene.group, "date": scene.at })),
        _ => match scene.notice(kind) {
            Some(item) => (*kind, item),
            None => ("message", scene.content(kind)),
        },
    })
}

/// Sets a member of an object.
fn set(object: &mut Value, name: &str, value: Value) {
    if let Some(object) = object.as_object_mut() {
        object.insert(name.to_owned(), value);
    }
}

impl<'a> Scene<'a> {
    fn new(wish: &'a Wish, sample: &mut Sample) -> Self {
        let id = wish.from.as_deref().unwrap_or(PERSON);
        let id: i64 = id.parse().unwrap_or(1_111_111);
        let name = wish.name.as_deref().unwrap_or("Sheena");
        let number = |digits: String| digits.parse().unwrap_or(1);
        let about = wish.about.as_deref().and_then(|about| {
            let (_, id) = about.rsplit_once(':')?;
            id.parse().ok()
        });
        Scene {
            wish,
            person: json!({ "id": id, "is_bot": false, "first_name": name, "username": "sheena" }),
            private: json!({ "id": id, "first_name": name, "username": "sheena", "type": "private" }),
            group: json!({ "id": GROUP, "title": "Colors", "type": "supergroup" }),
            at: wish.at_secs.unwrap_or(AT_SECS),
            id: number(sample.digits(6)),
            about: about.unwrap_or_else(|| number(sample.digits(5))),
            digits: sample.digits(18),
        }
    }

    fn text(&self, sample: &str) -> Value {
        self.wish.text.as_deref().unwrap_or(sample).into()
    }

    fn message(&self, chat: &Value) -> Value {
        json!({ "message_id": self.id, "from": self.person, "chat": chat, "date": self.at })
    }

    fn file(&self) -> Value {
        json!({ "file_id": format!("AgAD{}", self.digits), "file_unique_id": format!("AQAD{}", self.id),
            "file_size": 24_576 })
    }

    fn edited(&self, chat: &Value) -> Value {
        let mut item = self.message(chat);
        set(&mut item, "message_id", self.about.into());
        set(&mut item, "edit_date", (self.at + 60).into());
        set(
            &mut item,
            "text",
            self.text("Does it come in another colour?"),
        );
        item
    }

    fn post(&self, kind: &str) -> Value {
        let channel =
            json!({ "id": GROUP, "title": "News", "username": "news", "type": "channel" });
        let mut item = json!({ "message_id": self.id, "sender_chat": channel, "chat": channel,
            "date": self.at, "text": self.text("New colors are here") });
        if kind == "edited_channel_post" {
            set(&mut item, "message_id", self.about.into());
            set(&mut item, "edit_date", (self.at + 60).into());
        }
        item
    }

    fn business(&self, kind: &str) -> Value {
        let mut item = self.message(&self.private);
        set(&mut item, "business_connection_id", CONNECTION.into());
        set(
            &mut item,
            "text",
            self.text("Does it come in another color?"),
        );
        if kind == "business_echo" {
            let owner = json!({ "id": 777_777, "is_bot": false, "first_name": "Shop" });
            set(&mut item, "from", owner);
        }
        if kind == "edited_business_message" {
            set(&mut item, "message_id", self.about.into());
            set(&mut item, "edit_date", (self.at + 60).into());
        }
        item
    }

    fn reaction(&self, set: bool) -> Value {
        let thumb = json!([{ "type": "emoji", "emoji": "👍" }]);
        let (old, new) = if set {
            (json!([]), thumb)
        } else {
            (thumb, json!([]))
        };
        json!({ "chat": self.private, "message_id": self.about, "user": self.person, "date": self.at,
            "old_reaction": old, "new_reaction": new })
    }

    /// A message of a kind of content.
    fn content(&self, kind: &str) -> Value {
        let in_group = [
            "new_chat_members",
            "left_chat_member",
            "group_text",
            "service",
        ];
        let chat = if in_group.contains(&kind) {
            &self.group
        } else {
            &self.private
        };
        let mut item = self.message(chat);
        let (name, value) = self.part(kind);
        set(&mut item, name, value);
        if let Some(caption) = self
            .wish
            .text
            .as_deref()
            .filter(|_| item.get("text").is_none())
        {
            set(&mut item, "caption", caption.into());
        }
        if kind == "reply" || (self.wish.about.is_some() && name == "text") {
            let replied = json!({ "message_id": self.about, "chat": chat, "date": self.at - 60,
                "text": "We have it in blue" });
            set(&mut item, "reply_to_message", replied);
        }
        if kind == "forwarded" {
            let origin =
                json!({ "type": "hidden_user", "sender_user_name": "Ann", "date": self.at - 60 });
            set(&mut item, "forward_origin", origin);
        }
        item
    }

    fn part(&self, kind: &str) -> (&'static str, Value) {
        let with = |more: Value| {
            let mut file = self.file();
            for (name, value) in more.as_object().into_iter().flatten() {
                set(&mut file, name, value.clone());
            }
            file
        };
        match kind {
            "start" => ("text", self.text("/start spring-sale")),
            "photo" => {
                let small = json!({ "file_id": "AgADsmall", "file_unique_id": "s", "width": 90, "height": 67 });
                (
                    "photo",
                    json!([small, with(json!({ "width": 800, "height": 600 }))]),
                )
            }
            "video" => (
                "video",
                with(json!({ "mime_type": "video/mp4", "file_name": "coat.mp4" })),
            ),
            "animation" => (
                "animation",
                with(json!({ "mime_type": "video/mp4", "duration": 3 })),
            ),
            "video_note" => ("video_note", with(json!({ "length": 240, "duration": 5 }))),
            "voice" => (
                "voice",
                with(json!({ "mime_type": "audio/ogg", "duration": 4 })),
            ),
            "audio" => (
                "audio",
                with(json!({ "mime_type": "audio/mpeg", "title": "Song" })),
            ),
            "document" => {
                let more = json!({ "mime_type": "application/pdf", "file_name": "order.pdf" });
                ("document", with(more))
            }
            "sticker" => ("sticker", with(json!({ "type": "regular", "emoji": "👍" }))),
            "location" => ("location", place()),
            "venue" => {
                let venue =
                    json!({ "location": place(), "title": "Shop", "address": "Main Street 1" });
                ("venue", venue)
            }
            "contact" => {
                let contact = json!({ "phone_number": "16505551234", "first_name": "Ann", "last_name": "Li" });
                ("contact", contact)
            }
            "poll_message" => ("poll", poll()),
            "dice" => ("dice", json!({ "emoji": "🎲", "value": 4 })),
            "service" => ("new_chat_title", "Bright colors".into()),
            "new_chat_members" => ("new_chat_members", json!([self.person])),
            "left_chat_member" => ("left_chat_member", self.person.clone()),
            "unknown_content" => ("hologram", self.file()),
            _ => ("text", self.text("Does it come in another color?")),
        }
    }

    /// An update that is no message; none for the kinds of messages.
    fn notice(&self, kind: &str) -> Option<Value> {
        let (person, at) = (&self.person, self.at);
        let member = |status: &str| json!({ "user": person, "status": status });
        Some(match kind {
            "business_connection" => {
                json!({ "id": CONNECTION, "user": person, "user_chat_id": 1_111_111,
                "date": at, "rights": { "can_reply": true }, "is_enabled": true })
            }
            "deleted_business_messages" => json!({ "business_connection_id": CONNECTION,
                "chat": self.private, "message_ids": [self.about, self.about + 1] }),
            "message_reaction_count" => {
                json!({ "chat": self.group, "message_id": self.about, "date": at,
                "reactions": [{ "type": { "type": "emoji", "emoji": "🔥" }, "total_count": 2 },
                    { "type": { "type": "paid" }, "total_count": 1 }] })
            }
            "inline_query" => {
                json!({ "id": self.digits, "from": person, "query": self.text("coat"), "offset": "" })
            }
            "chosen_inline_result" => {
                json!({ "result_id": "coat-1", "from": person, "query": "coat" })
            }
            "callback_query" => self.callback(),
            "shipping_query" => {
                json!({ "id": self.digits, "from": person, "invoice_payload": "order-1",
                "shipping_address": { "country_code": "DE", "city": "Bonn" } })
            }
            "pre_checkout_query" => json!({ "id": self.digits, "from": person, "currency": "EUR",
                "total_amount": 4_900, "invoice_payload": "order-1" }),
            "purchased_paid_media" => json!({ "from": person, "paid_media_payload": "video-1" }),
            "poll" => poll(),
            "poll_answer" => {
                json!({ "poll_id": "5401234567890123456", "user": person, "option_ids": [1],
                "option_persistent_ids": ["b"] })
            }
            "my_chat_member" => json!({ "chat": self.private, "from": person, "date": at,
                "old_chat_member": bot("member"), "new_chat_member": bot("kicked") }),
            "chat_member" => json!({ "chat": self.group, "from": person, "date": at,
                "old_chat_member": member("left"), "new_chat_member": member("member") }),
            "chat_join_request" => {
                json!({ "chat": self.group, "from": person, "user_chat_id": 1_111_111,
                "date": at, "bio": "Loves colors" })
            }
            "chat_boost" => {
                json!({ "chat": self.group, "boost": { "boost_id": "b1", "add_date": at,
                "expiration_date": at + 86_400, "source": { "source": "premium", "user": person } } })
            }
            "removed_chat_boost" => {
                json!({ "chat": self.group, "boost_id": "b1", "remove_date": at,
                "source": { "source": "premium", "user": person } })
            }
            "managed_bot" => json!({ "user": person, "bot": { "id": 222_222, "is_bot": true,
                "first_name": "Helper", "username": "helper_bot" } }),
            "subscription" => {
                json!({ "user": person, "invoice_payload": "gold", "state": "canceled" })
            }
            "stopped_message_generation" => json!({ "chat": self.private, "draft_id": self.about }),
            _ => return None,
        })
    }

    fn callback(&self) -> Value {
        let markup = json!({ "inline_keyboard": [[{ "text": "Blue", "callback_data": "color-blue" }],
            [{ "text": "Red", "callback_data": "color-red" }]] });
        let message = json!({ "message_id": self.about, "from": bot("member").get("user"),
            "chat": self.private, "date": self.at - 60, "text": "Which color?", "reply_markup": markup });
        json!({ "id": self.digits, "from": self.person, "message": message,
            "chat_instance": "-4567", "data": self.text("color-blue") })
    }
}

fn bot(status: &str) -> Value {
    let user = json!({ "id": 110_201_543, "is_bot": true, "first_name": "Chatly" });
    json!({ "user": user, "status": status })
}

fn place() -> Value {
    json!({ "latitude": 50.7374, "longitude": 7.0982 })
}

fn poll() -> Value {
    json!({ "id": "5401234567890123456", "question": "Which color?", "total_voter_count": 1,
        "options": [{ "persistent_id": "a", "text": "Red", "voter_count": 0 },
            { "persistent_id": "b", "text": "Blue", "voter_count": 1 }],
        "is_closed": false, "is_anonymous": false, "type": "regular" })
}
