//! Turns generated bindings into the model and back.

use crate::message::Raw;

/// A conversion that reaches into options and lists. [`wit_conversions!`](crate::wit_conversions)
/// implements it both ways.
pub trait Convert<T> {
    /// The same value as a `T`.
    fn convert(self) -> T;
}

macro_rules! same {
    ($($type:ty)*) => { $(impl Convert<$type> for $type { fn convert(self) -> $type { self } })* };
}
same!(String bool u8 u16 u32 u64 i32 f64);

impl<A: Convert<B>, B> Convert<Option<B>> for Option<A> {
    fn convert(self) -> Option<B> {
        self.map(A::convert)
    }
}

impl<A: Convert<B>, B> Convert<Vec<B>> for Vec<A> {
    fn convert(self) -> Vec<B> {
        self.into_iter().map(A::convert).collect()
    }
}

impl Convert<String> for Raw {
    fn convert(self) -> String {
        self.get().to_owned()
    }
}

impl Convert<Raw> for String {
    fn convert(self) -> Raw {
        Raw::json(&self)
    }
}

/// Implements [`Convert`](crate::Convert) both ways between the model and the module that a
/// bindings generator made of `chatly:types/types`: `wit_conversions!(crate::bindings::chatly::types::types);`
#[macro_export]
macro_rules! wit_conversions {
    ($wit:path) => {
        const _: () = {
            use $wit as wit;
            use $crate::Convert;
            $crate::wit_conversions!(@record Identity { scheme = scheme, id = id });
            $crate::wit_conversions!(@record Party { identities = identities, name = name, username = username });
            $crate::wit_conversions!(@record Message {
                id = id, kind = type_, text = text, media = media, reply_to = reply_to, forwarded = forwarded,
                echo = echo, referral = referral, reply = reply, location = location, contacts = contacts,
                order = order, share = share, story = story, raw = raw,
                reference = reference
            });
            $crate::wit_conversions!(@record Media {
                kind = kind, id = id, url = url, mime_type = mime_type, sha256 = sha256, filename = filename,
                caption = caption, bytes = bytes
            });
            $crate::wit_conversions!(@record InteractiveReply { id = id, title = title });
            $crate::wit_conversions!(@record Location {
                latitude = latitude, longitude = longitude, name = name, address = address
            });
            $crate::wit_conversions!(@record ContactCard { name = name, phones = phones, emails = emails, org = org });
            $crate::wit_conversions!(@record OrderItem {
                product_id = product_id, quantity = quantity, price = price, currency = currency
            });
            $crate::wit_conversions!(@record Order { catalog_id = catalog_id, text = text, items = items });
            $crate::wit_conversions!(@record Share { kind = kind, url = url, title = title });
            $crate::wit_conversions!(@record Story { id = id, url = url });
            $crate::wit_conversions!(@record Referral {
                source = source, id = id, reference = ref_, url = url, headline = headline, body = body,
                media_url = media_url, click_id = click_id
            });
            $crate::wit_conversions!(@record Reaction {
                message_id = message_id, emoji = emoji, emojis = emojis, count = count
            });
            $crate::wit_conversions!(@record Status {
                target = target, state = state, error = error, reference = reference
            });
            $crate::wit_conversions!(@record ErrorDetail { code = code, title = title, detail = detail });
            $crate::wit_conversions!(@record Opt { action = action, granted = granted, topic = topic, payload = payload });
            $crate::wit_conversions!(@record IdentityChange { previous = previous, current = current, detail = detail });
            $crate::wit_conversions!(@record Membership { joined = joined, members = members });
            $crate::wit_conversions!(@record Handover {
                action = action, previous_owner = previous_owner, new_owner = new_owner, metadata = metadata
            });
            $crate::wit_conversions!(@record Call {
                id = id, action = action, direction = direction, status = status, duration_secs = duration_secs
            });
            $crate::wit_conversions!(@record Comment { id = id, parent_id = parent_id, post_id = post_id, text = text });
            $crate::wit_conversions!(@record Notice { action = action, subject = subject, detail = detail });
            $crate::wit_conversions!(@record External { kind = type_, data = data });
            $crate::wit_conversions!(@record Event {
                key = key, channel = channel, account = account, account_scope = account_scope, at = at,
                standby = standby, sender = sender, recipient = recipient, chat = chat, body = body, raw = raw
            });
            $crate::wit_conversions!(@choice AccountScope = AccountScope { Account, Business });
            $crate::wit_conversions!(@choice MessageType = MessageType {
                Text, Image, Audio, Video, Document, Sticker, Location, Contacts, Reply, Order, Share,
                StoryMention, StoryReply, System, Unsupported
            });
            $crate::wit_conversions!(@choice DeliveryState = DeliveryState {
                Accepted, Uncertain, Sent, Delivered, Read, Played, Failed, Deleted
            });
            $crate::wit_conversions!(@choice Target = ReceiptTarget { MessageId(v), Watermark(v) });
            $crate::wit_conversions!(@choice Body = EventBody {
                Message(v), MessageEdited(v), MessageDeleted(v), Reaction(v), Status(v), Read(v), Referral(v),
                Opt(v), IdentityChanged(v), Membership(v), Handover(v), Call(v), Comment(v), Template(v),
                Account(v), Error(v), External(v), Unknown, Unparsable
            });
        };
    };
    (@record $name:ident { $($ours:ident = $theirs:ident),* }) => {
        impl Convert<$crate::$name> for wit::$name {
            fn convert(self) -> $crate::$name {
                $crate::$name { $($ours: self.$theirs.convert()),* }
            }
        }
        impl Convert<wit::$name> for $crate::$name {
            fn convert(self) -> wit::$name {
                wit::$name { $($theirs: self.$ours.convert()),* }
            }
        }
    };
    (@choice $ours:ident = $theirs:ident { $($case:ident $(($value:ident))?),* }) => {
        impl Convert<$crate::$ours> for wit::$theirs {
            fn convert(self) -> $crate::$ours {
                match self { $(wit::$theirs::$case $(($value))? => $crate::$ours::$case $(($value.convert()))?),* }
            }
        }
        impl Convert<wit::$theirs> for $crate::$ours {
            fn convert(self) -> wit::$theirs {
                match self { $($crate::$ours::$case $(($value))? => wit::$theirs::$case $(($value.convert()))?),* }
            }
        }
    };
}
