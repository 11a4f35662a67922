//! The requests of one fetch: who is asked, with what, and what is written down about it.
//!
//! 1. A host that is not on the list is not asked. The token goes to trusted hosts only, and never over
//!    a redirect to another origin.
//! 2. Every request leaves one row for `external_calls`, without a query, since that may be a
//!    signature.
//! 3. All of a fetch has one deadline.

use std::pin::{Pin, pin};
use std::time::{Duration, Instant};

use bytes::Bytes;
use chatly_accounts::Secret;
use chatly_channel::outbound::{Auth, Request};
use chatly_media::answer::{Meaning, read};
use chatly_media::origin::{Allowed, MAX_REDIRECTS, Origin, Trust, follow};
use chatly_send::{Lost, authorise, shown};
use futures::future::{Either, select};
use http::header::{CONTENT_LENGTH, LOCATION, RETRY_AFTER};
use http::{HeaderMap, HeaderName};
use http_body::Body;
use http_body_util::{BodyExt, Limited};
use spin_sdk::time;

use crate::bindings::chatly::store::rows::ExternalCall;
use crate::clock::unix_millis;
use crate::send::{build, lost};

/// The most of an answer that only says where a medium is.
const MAX_ANSWER_BYTES: usize = 64 << 10;

/// Why a fetch ended without the medium.
pub enum Missed {
    /// Another try may do better; with what the platform says about when.
    Later(String, Option<String>),
    /// The bytes are not what they should be; another transfer may do better.
    Broken(String),
    /// It never will.
    Never(String),
    /// There is none to fetch, and nothing is wrong.
    Absent(String),
}

/// The bytes of an answer, as they come.
pub type Bodies =
    Pin<Box<dyn Body<Data = Bytes, Error = Box<dyn std::error::Error + Send + Sync>>>>;

/// An answer with 200.
pub struct Answer {
    /// What it says of its size.
    pub bytes: Option<u64>,
    body: Bodies,
}

/// The requests of one fetch.
pub struct Exchange<'a> {
    /// Who may be asked.
    pub allowed: Allowed,
    /// The account's token.
    pub token: Option<&'a Secret>,
    /// When the fetch ends.
    pub deadline: Instant,
    /// What is about the same in all rows.
    pub row: ExternalCall,
    /// The requests so far.
    pub calls: Vec<ExternalCall>,
}

impl Exchange<'_> {
    /// Sends a request and follows where it leads.
    pub async fn open(&mut self, mut request: Request) -> Result<Answer, Missed> {
        let was_bearer = request.auth == Auth::Bearer;
        for _ in 0..=MAX_REDIRECTS {
            let (headers, meaning, body) = self.send(&request).await?;
            match meaning {
                Meaning::Body => {
                    let bytes = text(&headers, CONTENT_LENGTH);
                    let bytes = bytes.and_then(|text| text.parse().ok());
                    return Ok(Answer { bytes, body });
                }
                Meaning::Elsewhere => {
                    let location = text(&headers, LOCATION).unwrap_or_default();
                    let next = follow(&request.url, &location)
                        .ok_or_else(|| never("the redirect leads nowhere"))?;
                    // With the token in its path, an address is not ours to make out of another.
                    if Origin::of(&next) != Origin::of(&request.url) || request.auth == Auth::Path {
                        request.auth = Auth::None;
                    }
                    // A token that does not count is sent to a page where a person signs in.
                    if was_bearer && self.allowed.trust(&next) == Trust::Refused {
                        let reason = "token_refused: sent to another host".to_owned();
                        return Err(Missed::Later(reason, None));
                    }
                    request.url = next;
                }
                Meaning::Later(reason) => {
                    return Err(Missed::Later(reason, text(&headers, RETRY_AFTER)));
                }
                Meaning::Never(reason) => return Err(Missed::Never(reason)),
            }
        }
        Err(never("too many redirects"))
    }

    /// One request.
    async fn send(&mut self, request: &Request) -> Result<(HeaderMap, Meaning, Bodies), Missed> {
        let mut request = request.clone();
        match self.allowed.trust(&request.url) {
            Trust::Trusted => {}
            Trust::Open if request.auth != Auth::Path => request.auth = Auth::None,
            _ => return Err(never("host_refused: no host of this channel's media")),
        }
        let (target, with_token) = (shown(&request), request.auth != Auth::None);
        let ready = authorise(request, self.token)
            .map_err(|error| Missed::Later(format!("no_token: {error}"), None))?;
        let request = build(ready, self.left())
            .ok_or_else(|| never("the address cannot be put into HTTP"))?;
        let (at, started) = (unix_millis(), Instant::now());
        let answer = self.within(spin_sdk::http::send(request)).await;
        let outcome = match answer {
            Some(Ok(answer)) => {
                let (head, body) = answer.into_parts();
                let body: Bodies = Box::pin(body.map_err(Into::into));
                let meaning = read(head.status.as_u16(), with_token);
                Ok((head.status.as_u16(), head.headers, meaning, body))
            }
            Some(Err(code)) => Err(match lost(&code) {
                Lost::Unsent(reason) | Lost::Unanswered(reason) => reason,
            }),
            None => Err("no answer in time"),
        };
        let error = match &outcome {
            Ok((_, _, Meaning::Later(reason) | Meaning::Never(reason), _)) => Some(reason.clone()),
            Ok(_) => None,
            Err(reason) => Some((*reason).to_owned()),
        };
        self.calls.push(ExternalCall {
            target,
            status: outcome.as_ref().ok().map(|outcome| outcome.0),
            millis: u64::try_from(started.elapsed().as_millis()).unwrap_or(u64::MAX),
            at,
            error,
            ..self.row.clone()
        });
        match outcome {
            Ok((_, headers, meaning, body)) => Ok((headers, meaning, body)),
            Err(reason) => Err(Missed::Later(reason.to_owned(), None)),
        }
    }

    /// A small body as a whole.
    pub async fn whole(&self, answer: Answer) -> Result<Vec<u8>, Missed> {
        let body = Limited::new(answer.body, MAX_ANSWER_BYTES).collect();
        match self.within(body).await {
            Some(Ok(body)) => Ok(body.to_bytes().to_vec()),
            Some(Err(_)) => Err(later("the answer was cut off or too long")),
            None => Err(later("no answer in time")),
        }
    }

    /// The next bytes of a body; none at its end.
    pub async fn next(&self, answer: &mut Answer) -> Result<Option<Bytes>, Missed> {
        loop {
            match self.within(answer.body.frame()).await {
                None => return Err(later("the medium did not come in time")),
                Some(None) => return Ok(None),
                Some(Some(Err(_))) => return Err(later("the connection broke")),
                Some(Some(Ok(frame))) => {
                    if let Ok(bytes) = frame.into_data() {
                        return Ok(Some(bytes));
                    }
                }
            }
        }
    }

    /// What is left until the deadline.
    fn left(&self) -> Duration {
        self.deadline.saturating_duration_since(Instant::now())
    }

    /// What a future gives before the deadline.
    async fn within<T>(&self, future: impl Future<Output = T>) -> Option<T> {
        match select(pin!(future), pin!(time::sleep(self.left()))).await {
            Either::Left((value, _)) => Some(value),
            Either::Right(((), _)) => None,
        }
    }
}

/// May be better another time.
pub fn later(reason: &str) -> Missed {
    Missed::Later(reason.to_owned(), None)
}

/// Will never be better.
pub fn never(reason: &str) -> Missed {
    Missed::Never(reason.to_owned())
}

fn text(headers: &HeaderMap, name: HeaderName) -> Option<String> {
    let value = headers.get(name)?.to_str().ok()?;
    Some(value.to_owned())
}
