//! What is put into requests, that Telegram takes them, and what its answers mean.

mod answers;
mod refusals;
mod requests;

use chatly_canonical::ContactCard;
use chatly_cases::Caller;
use chatly_cases::content::message;
use chatly_channel::outbound::{Content, Message};
use chatly_telegram::Telegram;

const BUSINESS: &str = "bc_Q2hhdGx5:1111111";

fn telegram() -> Caller<Telegram> {
    let token = "110201543:AAHdqTcvCH1vGWJxfSeofSAs0K5PALDsaw";
    Caller::new("110201543", "https://api.telegram.org/", token)
}

fn to(content: Content) -> Message {
    Message {
        reference: Some("job-1".into()),
        ..message("telegram", "1111111", content)
    }
}

fn in_chat(chat: &str, content: Content) -> Message {
    Message {
        chat: Some(chat.into()),
        ..to(content)
    }
}

fn card() -> ContactCard {
    ContactCard {
        name: Some("Ann; Li".into()),
        phones: vec!["+1".into(), "+2".into()],
        emails: vec!["a@example.org".into()],
        org: None,
    }
}
