//! What the platform's answer to a send means: the codes of the Messenger Platform, which Instagram
//! shares. What all of Meta's channels share is in [`chatly_meta::graph`].

use chatly_channel::json::Object;
use chatly_channel::{Outcome, Response, Verdict};
use chatly_meta::graph::{self, Accepted, Rules};

/// What an answer means.
pub fn classify(response: &Response) -> Verdict {
    graph::classify(response, &Rules { of_code, accepted })
}

/// A sender action is accepted without an id, with the recipient's alone.
fn accepted(body: &Object) -> Option<Accepted> {
    let message_id = body.id("message_id");
    (message_id.is_some() || body.id("recipient_id").is_some()).then_some(Accepted {
        message_id,
        remark: None,
    })
}

/// The subcode tells what cannot be sent to one person from what the account may not do.
fn of_code(code: u64, subcode: Option<u64>) -> Option<Outcome> {
    Some(match (code, subcode) {
        (10 | 200, Some(2018065 | 2018278 | 2534022)) => Outcome::WindowClosed,
        // How often a person gets marketing messages; that they cannot be reached, or that they have
        // not agreed to be found.
        (4, Some(2018354)) | (9, Some(2018352)) => Outcome::Refused,
        (10 | 200, Some(1545041 | 2018108)) | (230 | 551, _) => Outcome::Refused,
        (9, _) => Outcome::RateLimited,
        (1200, _) => Outcome::Retry,
        _ => return None,
    })
}
