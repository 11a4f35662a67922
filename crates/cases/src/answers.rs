//! What must hold for what a channel makes of its platform's answers.

use chatly_channel::outbound::{Outcome, Response, Verdict};
use chatly_channel::{Channel, Header};

/// The most characters of a reason.
const MAX_REASON_CHARS: usize = 300;

/// What an answer means.
pub fn classify<C: Channel>(status: u16, headers: &[(&str, &str)], body: &str) -> Verdict {
    let headers = headers.iter();
    C::classify(&Response {
        status,
        headers: headers
            .map(|(name, value)| Header::new(name, value))
            .collect(),
        body: body.into(),
    })
}

/// What answers without headers mean: status, body, outcome.
#[track_caller]
pub fn outcomes<'a, C: Channel>(rows: impl IntoIterator<Item = (u16, &'a str, Outcome)>) {
    for (status, body, want) in rows {
        let verdict = classify::<C>(status, &[], body);
        assert_eq!(verdict.outcome, want, "{status} {body}");
    }
}

/// A success with any of these bodies is not in the platform's words: neither sent nor tried again.
#[track_caller]
pub fn unrecognised<'a, C: Channel>(status: u16, bodies: impl IntoIterator<Item = &'a str>) {
    for body in bodies {
        let verdict = classify::<C>(status, &[], body);
        assert_eq!(verdict, Verdict::unrecognised(status), "{body}");
    }
}

/// Any bytes at all are an answer, with a reason of no more than 300 characters.
#[track_caller]
pub fn any<C: Channel>(status: u16, body: Vec<u8>, wait: Vec<u8>) {
    let wait = Header {
        name: "retry-after".into(),
        value: wait,
    };
    short(&C::classify(&Response {
        status,
        headers: vec![wait],
        body,
    }));
}

/// The reason is no longer than may be kept.
#[track_caller]
pub fn short(verdict: &Verdict) {
    let length = verdict.reason.chars().count();
    assert!(length <= MAX_REASON_CHARS, "{length}: {}", verdict.reason);
}
