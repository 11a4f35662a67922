//! The channel crate's types and the contract's, field by field.

use chatly_canonical::Convert;
use chatly_channel::outbound as ours;
use chatly_channel::{AfterWindow, Header, MediaHost, Outcome, Response, Verdict, Window};

use crate::bindings::chatly::channel::channel as plugin;
use crate::bindings::chatly::store::store::{Pace, PaceScope};
use crate::bindings::chatly::types::{outbound as wit, types};

chatly_canonical::wit_conversions!(crate::bindings::chatly::types::types);

/// Records: `from => to { fields }`.
macro_rules! records {
    ($($from:ty => $to:ty { $($field:ident),* $(,)? })*) => {
        $(impl Convert<$to> for $from {
            fn convert(self) -> $to {
                type To = $to;
                To { $($field: self.$field.convert()),* }
            }
        })*
    };
}
records! {
    Header => types::Header { name, value }
    types::Header => Header { name, value }
    Response => plugin::Response { status, headers, body }
    plugin::Verdict => Verdict { outcome, message_id, retry_after_ms, code, reason }
    plugin::MediaHost => MediaHost { origin, trusted }
    ours::Sender => wit::Sender { account, base_url }
    ours::MediaSource => wit::MediaSource { kind, location, caption, filename }
    ours::Template => wit::Template { name, language, components }
    ours::Button => wit::Button { id, title }
    ours::Row => wit::Row { id, title, description }
    ours::Section => wit::Section { title, rows }
    ours::Menu => wit::Menu { button, sections }
    ours::ReactionTo => wit::ReactionTo { message_id, emoji }
    ours::Message => wit::Message { to, chat, content, reply_to, reference, tag }
}

impl Convert<Outcome> for plugin::Outcome {
    fn convert(self) -> Outcome {
        match self {
            plugin::Outcome::Sent => Outcome::Sent,
            plugin::Outcome::Retry => Outcome::Retry,
            plugin::Outcome::RateLimited => Outcome::RateLimited,
            plugin::Outcome::PairLimited => Outcome::PairLimited,
            plugin::Outcome::Refused => Outcome::Refused,
            plugin::Outcome::WindowClosed => Outcome::WindowClosed,
            plugin::Outcome::AccountStopped => Outcome::AccountStopped,
            plugin::Outcome::Uncertain => Outcome::Uncertain,
        }
    }
}

impl Convert<wit::MediaLocation> for ours::MediaLocation {
    fn convert(self) -> wit::MediaLocation {
        match self {
            ours::MediaLocation::Url(url) => wit::MediaLocation::Url(url),
            ours::MediaLocation::Id(id) => wit::MediaLocation::Id(id),
        }
    }
}

impl Convert<wit::Content> for ours::Content {
    fn convert(self) -> wit::Content {
        use ours::Content as Ours;
        use wit::Content as Theirs;
        match self {
            Ours::Text(text) => Theirs::Text(text),
            Ours::Media(media) => Theirs::Media(media.convert()),
            Ours::Location(location) => Theirs::Location(location.convert()),
            Ours::Contacts(cards) => Theirs::Contacts(cards.convert()),
            Ours::Reaction(reaction) => Theirs::Reaction(reaction.convert()),
            Ours::Template(template) => Theirs::Template(template.convert()),
            Ours::Buttons(text, buttons) => Theirs::Buttons((text, buttons.convert())),
            Ours::Menu(text, menu) => Theirs::Menu((text, menu.convert())),
            Ours::QuickReplies(text, buttons) => Theirs::QuickReplies((text, buttons.convert())),
            Ours::MarkRead(id) => Theirs::MarkRead(id),
            Ours::Typing(id) => Theirs::Typing(id),
        }
    }
}

impl Convert<Window> for plugin::Window {
    fn convert(self) -> Window {
        Window {
            secs: self.secs,
            after: match self.after {
                plugin::AfterWindow::Refuse => AfterWindow::Refuse,
                plugin::AfterWindow::Template => AfterWindow::Template,
                plugin::AfterWindow::Tag((tag, more_secs)) => AfterWindow::Tag(tag, more_secs),
            },
        }
    }
}

/// The same for the store: a chat and a pair are both a conversation there.
impl Convert<Pace> for plugin::Rate {
    fn convert(self) -> Pace {
        Pace {
            scope: match self.scope {
                plugin::RateScope::Account => PaceScope::Account,
                plugin::RateScope::Pair | plugin::RateScope::Chat => PaceScope::Conversation,
            },
            count: self.count,
            per_ms: self.per_ms,
        }
    }
}

/// A rendered request.
pub fn request(request: wit::Request) -> ours::Request {
    ours::Request {
        method: request.method,
        url: request.url,
        headers: request.headers.convert(),
        body: request.body,
        auth: match request.auth {
            wit::Auth::None => ours::Auth::None,
            wit::Auth::Bearer => ours::Auth::Bearer,
            wit::Auth::Basic(user) => ours::Auth::Basic(user),
            wit::Auth::Header(name) => ours::Auth::Header(name),
            wit::Auth::Path => ours::Auth::Path,
        },
    }
}

/// Why nothing was rendered, in words.
pub fn refusal(error: plugin::RenderError) -> String {
    let error = match error {
        plugin::RenderError::Unsupported(what) => ours::RenderError::Unsupported(what),
        plugin::RenderError::TooLong(breach) => ours::RenderError::TooLong(ours::LimitBreach {
            limit: breach.limit,
            max: breach.max,
            given: breach.given,
        }),
        plugin::RenderError::Invalid(why) => ours::RenderError::Invalid(why),
    };
    error.to_string()
}
