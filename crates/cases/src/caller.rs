//! A message on its way: what a channel makes of it, what the platform says to that, and what the
//! channel understands.
//!
//! 1. The platform is the simulator of the channel's name, the one that the end-to-end tests speak to.
//! 2. The token is put in by [`authorise`], as it is for what really goes out.
//! 3. What does not hold fails the test, with the name of its row.
#![expect(
    clippy::unwrap_used,
    reason = "a test that panics has failed, which is all that it is for"
)]

use std::marker::PhantomData;

use chatly_accounts::Secret;
use chatly_channel::outbound::{
    Auth, Message, Outcome, RenderError, Request, Response, Sender, Verdict,
};
use chatly_channel::{Channel, Header};
use chatly_send::authorise;
use chatly_simulator::{Mood, Sent, find};

use crate::content::too_long;

/// An account of a channel, and its token.
pub struct Caller<C> {
    from: Sender,
    token: Secret,
    channel: PhantomData<C>,
}

/// A `POST`, to be compared with what a channel renders.
pub fn post(url: &str, content_type: &str, auth: Auth, body: &str) -> Request {
    Request {
        method: "POST".into(),
        url: url.into(),
        headers: vec![Header::new("content-type", content_type)],
        body: body.into(),
        auth,
    }
}

impl<C: Channel> Caller<C> {
    /// Sends from `account` to the platform at `base_url`.
    pub fn new(account: &str, base_url: &str, token: &str) -> Self {
        Caller {
            from: Sender {
                account: account.into(),
                base_url: base_url.into(),
            },
            token: Secret::new(token),
            channel: PhantomData,
        }
    }

    /// The channel's requests of a message.
    ///
    /// # Errors
    /// The channel's own.
    pub fn render(&self, message: &Message) -> Result<Vec<Request>, RenderError> {
        C::render(&self.from, message)
    }

    /// What the platform answers to a request.
    pub fn answer(&self, request: &Request, mood: Mood) -> Response {
        let ready = authorise(request.clone(), Some(&self.token)).unwrap();
        let base_url = self.from.base_url.trim_end_matches('/');
        let headers = ready.headers.iter().map(|header| {
            let value = String::from_utf8(header.value.clone()).unwrap();
            (header.name.clone(), value)
        });
        let sent = Sent {
            method: ready.method,
            path: ready.url.strip_prefix(base_url).unwrap().to_owned(),
            headers: headers.collect(),
            body: ready.body,
        };
        let answer = find(&C::describe().name).unwrap().answer(&sent, mood, 7);
        let headers = answer.headers.iter();
        Response {
            status: answer.status,
            headers: headers
                .map(|(name, value)| Header::new(name, value))
                .collect(),
            body: answer.body,
        }
    }

    /// What the channel understands of the platform's answer to a request.
    pub fn send(&self, request: &Request, mood: Mood) -> Verdict {
        C::classify(&self.answer(request, mood))
    }

    /// The requests of a message, each of which the platform accepts.
    #[track_caller]
    pub fn takes(&self, name: &str, message: &Message) -> Vec<(Request, Verdict)> {
        let requests = self.render(message);
        let requests = requests
            .map_err(|error| format!("{name}: {error}"))
            .unwrap();
        assert!(!requests.is_empty(), "{name}");
        let sent = requests.into_iter().map(|request| {
            let verdict = self.send(&request, Mood::Well);
            assert_eq!(verdict.outcome, Outcome::Sent, "{name}: {verdict:?}");
            (request, verdict)
        });
        sent.collect()
    }

    /// A message becomes these requests, to the byte, each of which the platform accepts.
    #[track_caller]
    pub fn becomes(&self, name: &str, message: &Message, want: &[Request]) -> Vec<Verdict> {
        let (requests, verdicts): (Vec<_>, Vec<_>) = self.takes(name, message).into_iter().unzip();
        assert_eq!(requests.len(), want.len(), "{name}");
        for (request, want) in requests.iter().zip(want) {
            assert_eq!(words(request), words(want), "{name}");
            assert_eq!(request, want, "{name}");
        }
        verdicts
    }

    /// The limit is broken by one more than `max`.
    #[track_caller]
    pub fn breaks(&self, limit: &str, max: u64, message: &Message) {
        let want = too_long(limit, max, max + 1);
        assert_eq!(self.render(message), Err(want), "{limit}");
    }

    /// The answer to a request in each mood of the platform: what it means, with which code, how many
    /// milliseconds to wait; and a message has an id where it is sent.
    #[track_caller]
    pub fn understands<'a>(
        &self,
        request: &Request,
        moods: impl IntoIterator<Item = (Mood, Outcome, Option<&'a str>, Option<u64>)>,
    ) {
        for (mood, outcome, code, wait) in moods {
            let verdict = self.send(request, mood);
            assert_eq!(
                (
                    verdict.outcome,
                    verdict.code.as_deref(),
                    verdict.retry_after_ms
                ),
                (outcome, code, wait),
                "{mood:?}"
            );
            let is_sent = outcome == Outcome::Sent;
            assert_eq!(verdict.message_id.is_some(), is_sent, "{mood:?}");
        }
    }

    /// The platform accepts each request of a text, and `text_of` of them is the whole text but for its
    /// white space.
    #[track_caller]
    pub fn arrives_whole(
        &self,
        text: &str,
        message: &Message,
        text_of: impl Fn(&Request) -> String,
    ) {
        let pieces = self.takes("a text", message);
        let pieces: String = pieces.iter().map(|(request, _)| text_of(request)).collect();
        let visible = |text: &str| text.split_whitespace().collect::<String>();
        assert_eq!(visible(&pieces), visible(text));
    }
}

/// Method, address and body in words, for a difference that can be read.
fn words(request: &Request) -> String {
    let body = String::from_utf8_lossy(&request.body);
    format!("{} {}\n{body}", request.method, request.url)
}
