//! The time in which a platform lets us write freely, counted from the customer's last message.
//!
//! | the window | what goes out |
//! |---|---|
//! | none, or still open | the message |
//! | closed, the message is a template, a read marker or typing | the message: these are not bound to it |
//! | closed, the platform lets a person go on for a while (`tag`), and a person wrote it | the message, with that tag |
//! | closed, a fallback is named | the fallback |
//! | closed | nothing: the platform would refuse it |
//!
//! A customer who never wrote has opened no window.

use chatly_channel::outbound::Content;
use chatly_channel::{AfterWindow, Window};

use crate::{Draft, Job};

/// What goes out.
#[derive(Debug, Clone, Copy, PartialEq)]
pub enum Passage<'a> {
    /// The message.
    Message(&'a Draft),
    /// The message, with the tag that lets it out.
    Tagged(&'a Draft, &'a str),
    /// The template in its place.
    Fallback(&'a Draft),
    /// Nothing.
    Closed,
}

/// What of `job` may go out at `now` to a customer who wrote last at `last_inbound_at`, both in Unix
/// milliseconds.
pub fn passage<'a>(
    window: Option<&'a Window>,
    last_inbound_at: Option<u64>,
    now: u64,
    job: &'a Job,
) -> Passage<'a> {
    let Some(window) = window else {
        return Passage::Message(&job.draft);
    };
    let age_ms = last_inbound_at.map(|at| now.saturating_sub(at));
    let within = |secs: u64| age_ms.is_some_and(|age| age <= secs.saturating_mul(1000));
    let is_free = matches!(
        job.draft.content,
        Content::Template(_) | Content::MarkRead(_) | Content::Typing(_)
    );
    if is_free || within(window.secs) {
        return Passage::Message(&job.draft);
    }
    match (&window.after, &job.automatic, &job.fallback) {
        (AfterWindow::Tag(tag, more), None, _) if within(window.secs.saturating_add(*more)) => {
            Passage::Tagged(&job.draft, tag)
        }
        (_, _, Some(fallback)) => Passage::Fallback(fallback),
        _ => Passage::Closed,
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::Automatic;

    const DAY_MS: u64 = 24 * 3_600_000;
    const TEXT: &str = r#"{"type":"text","text":"Hi"}"#;
    const TEMPLATE: &str = r#"{"type":"template","template":{"name":"n","language":"en"}}"#;

    fn job(draft: &str, is_automatic: bool, fallback: Option<&str>) -> Job {
        Job {
            draft: Draft::parse(draft).unwrap(),
            message_id: None,
            automatic: is_automatic.then(|| Automatic {
                rule: "r".into(),
                decided_at: 1,
                announces: false,
            }),
            fallback: fallback.map(|json| Draft::parse(json).unwrap()),
        }
    }

    #[test]
    fn what_goes_out_depends_on_the_last_message_of_the_customer() {
        let of = |after| {
            Some(Window {
                secs: 24 * 3600,
                after,
            })
        };
        let template = of(AfterWindow::Template);
        let tag = of(AfterWindow::Tag("HUMAN_AGENT".into(), 6 * 24 * 3600));
        let now = 100 * DAY_MS;
        let (message, fallback, closed) = ("message", "fallback", "closed");
        let tagged = "tagged";
        for (name, window, age_ms, job, want) in [
            ("no window", &None, None, job(TEXT, true, None), message),
            (
                "in time",
                &template,
                Some(DAY_MS),
                job(TEXT, true, None),
                message,
            ),
            (
                "too late",
                &template,
                Some(DAY_MS + 1),
                job(TEXT, true, None),
                closed,
            ),
            (
                "a person, too late",
                &template,
                Some(DAY_MS + 1),
                job(TEXT, false, None),
                closed,
            ),
            (
                "with a fallback",
                &template,
                Some(DAY_MS + 1),
                job(TEXT, true, Some(TEMPLATE)),
                fallback,
            ),
            (
                "a fallback in time",
                &template,
                Some(0),
                job(TEXT, true, Some(TEMPLATE)),
                message,
            ),
            (
                "a template",
                &template,
                Some(DAY_MS * 9),
                job(TEMPLATE, true, None),
                message,
            ),
            (
                "never wrote",
                &template,
                None,
                job(TEXT, true, None),
                closed,
            ),
            (
                "a person with a tag",
                &tag,
                Some(DAY_MS * 7),
                job(TEXT, false, None),
                tagged,
            ),
            (
                "a person in time needs no tag",
                &tag,
                Some(DAY_MS),
                job(TEXT, false, None),
                message,
            ),
            (
                "a template needs no tag",
                &tag,
                Some(DAY_MS * 2),
                job(TEMPLATE, false, None),
                message,
            ),
            (
                "a tag before a fallback",
                &tag,
                Some(DAY_MS + 1),
                job(TEXT, false, Some(TEMPLATE)),
                tagged,
            ),
            (
                "a person past the tag",
                &tag,
                Some(DAY_MS * 7 + 1),
                job(TEXT, false, None),
                closed,
            ),
            (
                "no person has no tag",
                &tag,
                Some(DAY_MS + 1),
                job(TEXT, true, None),
                closed,
            ),
        ] {
            let last = age_ms.map(|age| now - age);
            let seen = match passage(window.as_ref(), last, now, &job) {
                Passage::Message(draft) => {
                    assert_eq!(draft, &job.draft, "{name}");
                    message
                }
                Passage::Tagged(draft, tag) => {
                    assert_eq!((draft, tag), (&job.draft, "HUMAN_AGENT"), "{name}");
                    tagged
                }
                Passage::Fallback(draft) => {
                    assert_eq!(Some(draft), job.fallback.as_ref(), "{name}");
                    fallback
                }
                Passage::Closed => closed,
            };
            assert_eq!(seen, want, "{name}");
        }
    }

    #[test]
    fn a_clock_behind_the_platforms_keeps_the_window_open() {
        let window = Window {
            secs: 1,
            after: AfterWindow::Refuse,
        };
        let job = job(TEXT, true, None);
        let seen = passage(Some(&window), Some(9_000), 5, &job);
        assert_eq!(seen, Passage::Message(&job.draft));
    }
}
