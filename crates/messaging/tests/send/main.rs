//! What is sent, what is refused, and what the platform's answers mean: the same tests for both
//! channels, each with tables of its own.
#![expect(
    clippy::unwrap_used,
    reason = "what a test's own functions cannot read fails the test"
)]

mod answers;
mod instagram;
mod messenger;
mod requests;

use chatly_cases::Caller;
use chatly_cases::content::message;
use chatly_channel::outbound::{Auth, Content, Menu, Message, RenderError, Row, Section};
use chatly_channel::{Channel, Header, Outcome};
use chatly_instagram::Instagram;
use chatly_messenger::Messenger;
use chatly_simulator::Mood;
use serde_json::{Value, json};

/// A channel, and what is its own in what both do.
pub trait Side: Channel {
    const HOST: &str;
    const ACCOUNT: &str;
    const PERSON: &str;
    /// Of people's ids.
    const SCHEME: &str;
    /// A body that sends this as a message.
    fn says(message: Value) -> Value;
    /// What only this platform takes, and its requests.
    fn contents() -> Vec<(&'static str, Content, Vec<Value>)>;
    /// Long texts, and how many requests each one is.
    fn long_texts() -> Vec<(&'static str, String, usize)>;
    /// Whether our reference goes with each request of a message.
    const TAKES_A_REFERENCE: bool;
    /// What only this platform refuses.
    fn refusals() -> Vec<(Content, &'static str)>;
    /// Schemes and ids, and the recipients that they are.
    fn people() -> Vec<(&'static str, &'static str, Option<Value>)>;
}

/// Each test once for each channel.
macro_rules! suite {
    ($($module:ident: $($test:ident)*;)*) => {
        mod of_messenger {
            $($(#[test]
            fn $test() {
                super::$module::$test::<super::Messenger>();
            })*)*
        }
        mod of_instagram {
            $($(#[test]
            fn $test() {
                super::$module::$test::<super::Instagram>();
            })*)*
        }
    };
}

suite! {
    requests:
        each_content_is_the_documented_request
        a_long_text_is_several_and_only_the_first_one_replies
        what_the_platform_would_refuse_is_refused_here
        only_people_of_this_platform_are_written_to
        an_account_that_is_no_id_reaches_no_path
        a_tag_lets_a_persons_message_out_after_the_window;
    answers:
        each_mood_of_the_platform_is_understood
        a_success_that_is_not_metas_is_not_sent_and_not_tried_again
        every_code_of_the_reference_has_its_outcome;
}

pub fn caller<C: Side>() -> Caller<C> {
    Caller::new(C::ACCOUNT, &C::describe().base_url, "token")
}

pub fn to_person<C: Side>(content: Content) -> Message {
    message(C::SCHEME, C::PERSON, content)
}

pub fn menu(rows: usize, title: &str, description: Option<&str>) -> Content {
    let row = |at: usize| Row {
        id: format!("row-{at}"),
        title: title.into(),
        description: description.map(Into::into),
    };
    let section = Section {
        title: Some("Plants".into()),
        rows: (0..rows).map(row).collect(),
    };
    let menu = Menu {
        button: "Choose".into(),
        sections: vec![section],
    };
    Content::Menu("Which one?".into(), menu)
}

/// The bodies of a message's requests, each of which the platform accepts.
pub fn rendered<C: Side>(message: &Message) -> Result<Vec<Value>, RenderError> {
    let requests = caller::<C>().render(message)?;
    let mut bodies = Vec::new();
    for request in &requests {
        assert_eq!(request.method, "POST");
        assert_eq!(
            request.url,
            format!("{}/v26.0/{}/messages", C::HOST, C::ACCOUNT)
        );
        assert_eq!(
            request.headers,
            [Header::new("content-type", "application/json")]
        );
        assert_eq!(request.auth, Auth::Bearer);
        let body: Value = serde_json::from_slice(&request.body).unwrap();
        let verdict = caller::<C>().send(request, Mood::Well);
        assert_eq!(verdict.outcome, Outcome::Sent, "{body}: {verdict:?}");
        assert_eq!(
            verdict.message_id.is_some(),
            body.get("message").is_some(),
            "{body}"
        );
        bodies.push(body);
    }
    Ok(bodies)
}

/// A body that sends an attachment.
pub fn attached<C: Side>(kind: &str, payload: Value) -> Value {
    C::says(json!({ "attachment": { "type": kind, "payload": payload } }))
}
