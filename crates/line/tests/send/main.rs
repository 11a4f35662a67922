//! What is put into requests, that LINE takes them, and what its answers mean.

mod answers;
mod refusals;
mod requests;

use chatly_cases::Caller;
use chatly_cases::content::{self, menu, message, rows};
use chatly_channel::Verdict;
use chatly_channel::outbound::{Auth, Content, Message, Request};
use chatly_line::Line;
use chatly_simulator::Mood;

const GROUP: &str = "C4af4980629d0a1f5e2b6c7d8e9f00112";

fn line() -> Caller<Line> {
    let bot = "U8e742f61d673b39c7fff3cecb7536ef0";
    Caller::new(bot, "https://api.line.me/", "token")
}

fn to(content: Content) -> Message {
    Message {
        reply_to: Some("325708".into()),
        reference: Some("job-1".into()),
        ..message("line", "U1", content)
    }
}

fn choice_of(count: usize, description: Option<&str>) -> Content {
    menu("Which?", "Choose", rows(count, "Blue", description))
}

fn place(name: Option<&str>) -> Content {
    content::place(50.5, -7.25, name)
}

/// What LINE says to a request that got its token as a bearer's.
fn send(request: &Request, mood: Mood) -> Verdict {
    assert_eq!(request.auth, Auth::Bearer);
    line().send(request, mood)
}
