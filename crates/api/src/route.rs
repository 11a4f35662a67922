//! Addresses.

use percent_encoding::percent_decode_str;

use crate::Error;
use crate::query::number;

/// Databases count rows in signed 64 bits.
const MAX_SEQ: u64 = i64::MAX.unsigned_abs();

/// What an address means.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Route {
    /// `GET /healthz`
    Health,
    /// `GET /readyz`
    Ready,
    /// `GET /v1/conversations`
    Conversations,
    /// `GET /v1/conversations/{id}`
    Conversation(String),
    /// `PATCH /v1/conversations/{id}`
    ChangeConversation(String),
    /// `GET /v1/conversations/{id}/messages`
    Messages(String),
    /// `POST /v1/conversations/{id}/messages`
    SendMessage(String),
    /// `POST /v1/messages`
    Send,
    /// `GET /v1/accounts`
    Accounts,
    /// `POST /v1/accounts/{channel}/{account}/resume`
    ResumeAccount {
        /// The channel.
        channel: String,
        /// The account.
        account: String,
    },
    /// `GET /v1/contacts`
    Contacts,
    /// `GET /v1/contacts/{id}`
    Contact(String),
    /// `GET /v1/contacts/{id}/lead-history`
    LeadHistory(String),
    /// `POST /v1/messages/{id}/enrich`
    Enrich(String),
    /// `GET /v1/usage`
    Usage,
    /// `GET /v1/inbox`
    Inbox,
    /// `GET /v1/outbox`
    Outbox,
    /// `POST /v1/inbox/{seq}/replay`
    ReplayInbox(u64),
    /// `POST /v1/outbox/{seq}/replay`
    ReplayOutbox(u64),
    /// `GET /v1/inbox/{seq}`
    InboxJob(u64),
    /// `GET /v1/outbox/{seq}`
    OutboxJob(u64),
    /// `POST /v1/outbox/{seq}/cancel`
    CancelOutbox(u64),
    /// `POST /v1/outbox/replay`
    ReplayMany,
    /// `GET /v1/external-calls`
    ExternalCalls,
    /// `GET /v1/refused`
    Refused,
    /// `GET /v1/rules`
    Rules,
    /// `POST /v1/rules`
    MakeRule,
    /// `GET /v1/rules/{id}`
    Rule(String),
    /// `PUT /v1/rules/{id}`
    PutRule(String),
    /// `DELETE /v1/rules/{id}`
    DeleteRule(String),
    /// `POST /v1/rules/test`
    TestRules,
    /// `GET /v1/endpoints`
    Endpoints,
    /// `POST /v1/endpoints/enable`
    EnableEndpoint,
    /// `POST /v1/events/ticket`
    Ticket,
}

impl Route {
    /// The route of a path as it was sent, percent-encoded.
    pub fn find(method: &str, path: &str) -> Result<Route, Error> {
        let segments: Option<Vec<String>> = path
            .strip_prefix('/')
            .and_then(|path| path.split('/').map(decode).collect());
        let segments = segments.ok_or(Error::NoRoute)?;
        let segments: Vec<&str> = segments.iter().map(String::as_str).collect();
        let seq = |text| {
            number(text)
                .filter(|seq| *seq <= MAX_SEQ)
                .ok_or(Error::NoRoute)
        };
        let route = match segments.as_slice() {
            ["healthz"] => Route::Health,
            ["readyz"] => Route::Ready,
            ["v1", "conversations"] => Route::Conversations,
            ["v1", "conversations", id] if method == "PATCH" => {
                Route::ChangeConversation((*id).to_owned())
            }
            ["v1", "conversations", id] => Route::Conversation((*id).to_owned()),
            ["v1", "conversations", id, "messages"] if method == "POST" => {
                Route::SendMessage((*id).to_owned())
            }
            ["v1", "conversations", id, "messages"] => Route::Messages((*id).to_owned()),
            ["v1", "messages"] => Route::Send,
            ["v1", "messages", id, "enrich"] => Route::Enrich((*id).to_owned()),
            ["v1", "usage"] => Route::Usage,
            ["v1", "accounts"] => Route::Accounts,
            ["v1", "accounts", channel, account, "resume"] => Route::ResumeAccount {
                channel: (*channel).to_owned(),
                account: (*account).to_owned(),
            },
            ["v1", "contacts"] => Route::Contacts,
            ["v1", "contacts", id] => Route::Contact((*id).to_owned()),
            ["v1", "contacts", id, "lead-history"] => Route::LeadHistory((*id).to_owned()),
            ["v1", "inbox"] => Route::Inbox,
            ["v1", "outbox"] => Route::Outbox,
            ["v1", "outbox", "replay"] => Route::ReplayMany,
            ["v1", "inbox", text] => Route::InboxJob(seq(text)?),
            ["v1", "outbox", text] => Route::OutboxJob(seq(text)?),
            ["v1", "outbox", text, "cancel"] => Route::CancelOutbox(seq(text)?),
            ["v1", "inbox", text, "replay"] => Route::ReplayInbox(seq(text)?),
            ["v1", "outbox", text, "replay"] => Route::ReplayOutbox(seq(text)?),
            ["v1", "external-calls"] => Route::ExternalCalls,
            ["v1", "refused"] => Route::Refused,
            ["v1", "rules"] if method == "POST" => Route::MakeRule,
            ["v1", "rules"] => Route::Rules,
            // A rule may have this id: what it takes beside `POST` is about that rule.
            ["v1", "rules", "test"] if method == "POST" => Route::TestRules,
            ["v1", "rules", id] if method == "PUT" => Route::PutRule((*id).to_owned()),
            ["v1", "rules", id] if method == "DELETE" => Route::DeleteRule((*id).to_owned()),
            ["v1", "rules", id] => Route::Rule((*id).to_owned()),
            ["v1", "endpoints"] => Route::Endpoints,
            ["v1", "endpoints", "enable"] => Route::EnableEndpoint,
            ["v1", "events", "ticket"] => Route::Ticket,
            _ => return Err(Error::NoRoute),
        };
        if method == route.method() {
            return Ok(route);
        }
        Err(Error::Method(match route {
            Route::Rules | Route::Messages(_) => "GET, POST",
            Route::Conversation(_) => "GET, PATCH",
            Route::Rule(_) => "GET, PUT, DELETE",
            route => route.method(),
        }))
    }

    /// The method that the route takes.
    fn method(&self) -> &'static str {
        match self {
            Route::ReplayInbox(_)
            | Route::ReplayOutbox(_)
            | Route::CancelOutbox(_)
            | Route::ReplayMany
            | Route::Ticket
            | Route::Enrich(_)
            | Route::Send
            | Route::SendMessage(_)
            | Route::ResumeAccount { .. }
            | Route::MakeRule
            | Route::TestRules
            | Route::EnableEndpoint => "POST",
            Route::ChangeConversation(_) => "PATCH",
            Route::PutRule(_) => "PUT",
            Route::DeleteRule(_) => "DELETE",
            _ => "GET",
        }
    }

    /// The query parameters that the address takes.
    pub fn parameters(&self) -> &'static [&'static str] {
        match self {
            Route::Conversations => &[
                "platform_client_id",
                "status",
                "channel",
                "account",
                "contact_id",
                "limit",
                "cursor",
            ],
            Route::Usage => &["platform_client_id", "from", "to"],
            Route::LeadHistory(_) => &["platform_client_id", "limit", "cursor"],
            Route::Messages(_) => &["platform_client_id", "order", "limit", "cursor"],
            Route::TestRules => &[
                "platform_client_id",
                "channel",
                "conversation_id",
                "since",
                "until",
                "limit",
                "cursor",
            ],
            Route::ExternalCalls => &[
                "platform_client_id",
                "conversation_id",
                "message_id",
                "limit",
                "cursor",
            ],
            // These give all there is at once, and take what every list takes.
            Route::Accounts => &["platform_client_id", "channel", "limit", "cursor"],
            Route::Rules | Route::Endpoints => &["platform_client_id", "limit", "cursor"],
            Route::ReplayMany => &[
                "platform_client_id",
                "kind",
                "error",
                "url",
                "created_from",
                "created_before",
                "plan",
            ],
            Route::Conversation(_)
            | Route::ChangeConversation(_)
            | Route::Contact(_)
            | Route::InboxJob(_)
            | Route::OutboxJob(_)
            | Route::CancelOutbox(_)
            | Route::Enrich(_)
            | Route::Send
            | Route::SendMessage(_)
            | Route::ResumeAccount { .. }
            | Route::MakeRule
            | Route::Rule(_)
            | Route::PutRule(_)
            | Route::DeleteRule(_)
            | Route::EnableEndpoint => &["platform_client_id"],
            Route::Contacts => &[
                "platform_client_id",
                "channel",
                "identity",
                "limit",
                "cursor",
            ],
            Route::Inbox | Route::Outbox => &[
                "platform_client_id",
                "kind",
                "event_kind",
                "state",
                "limit",
                "cursor",
            ],
            Route::Health
            | Route::Ready
            | Route::ReplayInbox(_)
            | Route::ReplayOutbox(_)
            | Route::Refused
            | Route::Ticket => &[],
        }
    }
}

/// One segment, or none where it can name nothing: empty, not UTF-8, or with a control character.
fn decode(segment: &str) -> Option<String> {
    let text = percent_decode_str(segment).decode_utf8().ok()?;
    (!text.is_empty() && !text.chars().any(char::is_control)).then(|| text.into_owned())
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    #[test]
    fn an_address_has_one_meaning_and_one_method() {
        for (method, path, want) in [
            ("GET", "/healthz", Ok(Route::Health)),
            ("GET", "/readyz", Ok(Route::Ready)),
            ("GET", "/v1/conversations", Ok(Route::Conversations)),
            (
                "GET",
                "/v1/conversations/c1",
                Ok(Route::Conversation("c1".into())),
            ),
            (
                "PATCH",
                "/v1/conversations/c1",
                Ok(Route::ChangeConversation("c1".into())),
            ),
            (
                "PUT",
                "/v1/conversations/c1",
                Err(Error::Method("GET, PATCH")),
            ),
            (
                "GET",
                "/v1/conversations/a%2Fb/messages",
                Ok(Route::Messages("a/b".into())),
            ),
            (
                "POST",
                "/v1/conversations/c1/messages",
                Ok(Route::SendMessage("c1".into())),
            ),
            (
                "PUT",
                "/v1/conversations/c1/messages",
                Err(Error::Method("GET, POST")),
            ),
            ("POST", "/v1/messages", Ok(Route::Send)),
            ("GET", "/v1/messages", Err(Error::Method("POST"))),
            (
                "POST",
                "/v1/messages/m1/enrich",
                Ok(Route::Enrich("m1".into())),
            ),
            ("GET", "/v1/messages/m1/enrich", Err(Error::Method("POST"))),
            ("GET", "/v1/usage", Ok(Route::Usage)),
            (
                "GET",
                "/v1/contacts/c1/lead-history",
                Ok(Route::LeadHistory("c1".into())),
            ),
            ("GET", "/v1/accounts", Ok(Route::Accounts)),
            (
                "POST",
                "/v1/accounts/whatsapp/1%2F2/resume",
                Ok(Route::ResumeAccount {
                    channel: "whatsapp".into(),
                    account: "1/2".into(),
                }),
            ),
            (
                "GET",
                "/v1/accounts/whatsapp/1/resume",
                Err(Error::Method("POST")),
            ),
            ("GET", "/v1/accounts/whatsapp", Err(Error::NoRoute)),
            ("GET", "/v1/contacts", Ok(Route::Contacts)),
            ("GET", "/v1/contacts/c1", Ok(Route::Contact("c1".into()))),
            ("GET", "/v1/inbox", Ok(Route::Inbox)),
            ("GET", "/v1/outbox", Ok(Route::Outbox)),
            ("POST", "/v1/inbox/7/replay", Ok(Route::ReplayInbox(7))),
            ("POST", "/v1/outbox/7/replay", Ok(Route::ReplayOutbox(7))),
            ("GET", "/v1/inbox/7", Ok(Route::InboxJob(7))),
            ("GET", "/v1/outbox/7", Ok(Route::OutboxJob(7))),
            ("GET", "/v1/outbox/x", Err(Error::NoRoute)),
            ("POST", "/v1/outbox/7", Err(Error::Method("GET"))),
            ("POST", "/v1/outbox/7/cancel", Ok(Route::CancelOutbox(7))),
            ("GET", "/v1/outbox/7/cancel", Err(Error::Method("POST"))),
            ("POST", "/v1/inbox/7/cancel", Err(Error::NoRoute)),
            ("POST", "/v1/outbox/replay", Ok(Route::ReplayMany)),
            ("GET", "/v1/outbox/replay", Err(Error::Method("POST"))),
            ("GET", "/v1/external-calls", Ok(Route::ExternalCalls)),
            ("GET", "/v1/refused", Ok(Route::Refused)),
            ("POST", "/v1/events/ticket", Ok(Route::Ticket)),
            ("GET", "/v1/rules", Ok(Route::Rules)),
            ("POST", "/v1/rules", Ok(Route::MakeRule)),
            ("PUT", "/v1/rules", Err(Error::Method("GET, POST"))),
            ("GET", "/v1/rules/r1", Ok(Route::Rule("r1".into()))),
            ("PUT", "/v1/rules/r1", Ok(Route::PutRule("r1".into()))),
            ("DELETE", "/v1/rules/r1", Ok(Route::DeleteRule("r1".into()))),
            (
                "POST",
                "/v1/rules/r1",
                Err(Error::Method("GET, PUT, DELETE")),
            ),
            ("POST", "/v1/rules/test", Ok(Route::TestRules)),
            ("GET", "/v1/rules/test", Ok(Route::Rule("test".into()))),
            (
                "PATCH",
                "/v1/rules/test",
                Err(Error::Method("GET, PUT, DELETE")),
            ),
            ("GET", "/v1/endpoints", Ok(Route::Endpoints)),
            ("POST", "/v1/endpoints/enable", Ok(Route::EnableEndpoint)),
            ("GET", "/v1/endpoints/enable", Err(Error::Method("POST"))),
            ("POST", "/v1/conversations", Err(Error::Method("GET"))),
            ("HEAD", "/v1/conversations", Err(Error::Method("GET"))),
            ("get", "/v1/conversations", Err(Error::Method("GET"))),
            ("GET", "/v1/inbox/7/replay", Err(Error::Method("POST"))),
            ("POST", "/v1/inbox/x/replay", Err(Error::NoRoute)),
            ("POST", "/v1/inbox/-1/replay", Err(Error::NoRoute)),
            (
                "POST",
                "/v1/inbox/9223372036854775807/replay",
                Ok(Route::ReplayInbox(MAX_SEQ)),
            ),
            (
                "POST",
                "/v1/inbox/9223372036854775808/replay",
                Err(Error::NoRoute),
            ),
            ("GET", "/v1/conversations/", Err(Error::NoRoute)),
            ("GET", "/v1/conversations//messages", Err(Error::NoRoute)),
            ("GET", "/v1/conversations/%FF", Err(Error::NoRoute)),
            ("GET", "/v1/conversations/%00", Err(Error::NoRoute)),
            ("GET", "/v1/conversations/a/messages/b", Err(Error::NoRoute)),
            ("GET", "/v2/conversations", Err(Error::NoRoute)),
            ("GET", "/v1", Err(Error::NoRoute)),
            ("GET", "/", Err(Error::NoRoute)),
            ("GET", "", Err(Error::NoRoute)),
        ] {
            assert_eq!(Route::find(method, path), want, "{method} {path}");
        }
    }

    proptest! {
        #[test]
        fn no_path_makes_it_panic(method in "[A-Z]{0,5}", path in "/?.{0,60}") {
            let _ = Route::find(&method, &path);
        }
    }
}
