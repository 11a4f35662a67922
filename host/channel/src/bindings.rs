//! The world `channel` of `wit/`, and the way between its types and the native ones.

use chatly_canonical::Convert;
use chatly_channel as native;
use chatly_channel::outbound as native_out;

use self::chatly::types::{outbound as out, types};
use self::exports::chatly::channel::channel as wit;

wasmtime::component::bindgen!({ path: "../../wit", world: "channel" });

chatly_canonical::wit_conversions!(super::bindings::chatly::types::types);

/// Records: what goes into a plugin, and what comes out of it.
macro_rules! record {
    ($from:path => $to:path { $($field:ident),* }) => {
        impl Convert<$to> for $from {
            fn convert(self) -> $to {
                $to { $($field: self.$field.convert()),* }
            }
        }
    };
}

/// Choices of equal names; `from` and `to` are the enums' own names in scope.
macro_rules! choice {
    ($from:ident => $to:ident in $($at:ident)::+: $($case:ident $(($value:ident))?),*) => {
        impl Convert<native::$to> for $($at)::+::$from {
            fn convert(self) -> native::$to {
                match self { $(Self::$case $(($value))? => native::$to::$case $(($value.convert()))?),* }
            }
        }
    };
}

record!(native::Header => types::Header { name, value });
record!(types::Header => native::Header { name, value });
record!(native::Delivery => types::Delivery { method, url, headers, body });
record!(native::Response => wit::Response { status, headers, body });
record!(types::Reply => native::Reply { status, headers, body });
record!(wit::Verdict => native::Verdict { outcome, message_id, retry_after_ms, code, reason });
record!(out::Request => native_out::Request { method, url, headers, body, auth });
record!(wit::LimitBreach => native::LimitBreach { limit, max, given });
record!(wit::Limits => native::Limits {
    text, text_unit, caption, buttons, button_title, list_rows, row_title, row_description,
    quick_replies, webhook_body_bytes
});
record!(wit::Window => native::Window { secs, after });
record!(wit::Rate => native::Rate { scope, count, per_ms });
record!(wit::Description => native::Description {
    name, label, account_in_route, kinds, sends, limits, window, rates, base_url
});
record!(native_out::Sender => out::Sender { account, base_url });
record!(native_out::MediaSource => out::MediaSource { kind, location, caption, filename });
record!(native_out::Template => out::Template { name, language, components });
record!(native_out::Button => out::Button { id, title });
record!(native_out::Row => out::Row { id, title, description });
record!(native_out::Section => out::Section { title, rows });
record!(native_out::Menu => out::Menu { button, sections });
record!(native_out::ReactionTo => out::ReactionTo { message_id, emoji });
record!(native_out::Message => out::Message { to, chat, content, reply_to, reference, tag });

choice!(Refusal => Refusal in wit: MissingHeader(v), MalformedHeader(v), Mismatch, Stale(v), NoSecret, Other(v));
choice!(RenderError => RenderError in wit: Unsupported(v), TooLong(v), Invalid(v));
choice!(Outcome => Outcome in wit: Sent, Retry, RateLimited, PairLimited, Refused, WindowClosed, AccountStopped, Uncertain);
choice!(TextUnit => TextUnit in wit: Characters, Bytes, Utf16Units);
choice!(RateScope => RateScope in wit: Account, Pair, Chat);
choice!(Auth => Auth in out: None, Bearer, Basic(v), Header(v), Path);

impl Convert<native::AfterWindow> for wit::AfterWindow {
    fn convert(self) -> native::AfterWindow {
        match self {
            Self::Refuse => native::AfterWindow::Refuse,
            Self::Template => native::AfterWindow::Template,
            Self::Tag((tag, secs)) => native::AfterWindow::Tag(tag, secs),
        }
    }
}

impl Convert<out::MediaLocation> for native_out::MediaLocation {
    fn convert(self) -> out::MediaLocation {
        match self {
            Self::Url(url) => out::MediaLocation::Url(url),
            Self::Id(id) => out::MediaLocation::Id(id),
        }
    }
}

impl Convert<out::Content> for native_out::Content {
    fn convert(self) -> out::Content {
        match self {
            Self::Text(text) => out::Content::Text(text),
            Self::Media(media) => out::Content::Media(media.convert()),
            Self::Location(location) => out::Content::Location(location.convert()),
            Self::Contacts(cards) => out::Content::Contacts(cards.convert()),
            Self::Reaction(reaction) => out::Content::Reaction(reaction.convert()),
            Self::Template(template) => out::Content::Template(template.convert()),
            Self::Buttons(text, buttons) => out::Content::Buttons((text, buttons.convert())),
            Self::Menu(text, menu) => out::Content::Menu((text, menu.convert())),
            Self::QuickReplies(text, buttons) => {
                out::Content::QuickReplies((text, buttons.convert()))
            }
            Self::MarkRead(id) => out::Content::MarkRead(id),
            Self::Typing(id) => out::Content::Typing(id),
        }
    }
}
