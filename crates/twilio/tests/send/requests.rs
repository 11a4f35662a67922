//! What becomes of contents, and who sends them.

use chatly_canonical::Identity;
use chatly_cases::content::text;
use chatly_cases::post;
use chatly_channel::form;
use chatly_channel::outbound::{Auth, Message, Outcome, Request};
use chatly_simulator::Mood;
use proptest::prelude::*;

use crate::{image, in_chat, place, template, twilio};

const URL: &str = "https://api.example.org/2010-04-01/Accounts/AC1/Messages.json";

/// The request that sends a form.
fn form_of(body: &str) -> Request {
    let content_type = "application/x-www-form-urlencoded";
    post(URL, content_type, Auth::Basic("AC1".into()), body)
}

#[test]
fn a_content_becomes_the_documented_form_and_is_accepted() {
    let to = "To=whatsapp%3A%2B16505551234&From=whatsapp%3A%2B14155238886";
    for (name, content, want) in [
        (
            "text",
            text("Größe 42? a+b"),
            "&Body=Gr%C3%B6%C3%9Fe+42%3F+a%2Bb",
        ),
        (
            "image",
            image(None),
            "&MediaUrl=https%3A%2F%2Fexample.org%2Fa+b.jpg%3Fc%3Dd%26e",
        ),
        (
            "caption",
            image(Some("Look")),
            "&Body=Look&MediaUrl=https%3A%2F%2Fexample.org%2Fa+b.jpg%3Fc%3Dd%26e",
        ),
        (
            "place",
            place(37.78789, Some("375 Beale St")),
            "&Body=375+Beale+St&PersistentAction=geo%3A37.78789%2C-122.391664%7C375+Beale+St",
        ),
        (
            "place without a name",
            place(0.0, None),
            "&Body=0%2C-122.391664&PersistentAction=geo%3A0%2C-122.391664",
        ),
        (
            "template",
            template("HXb5b62575e6e4ff6129ad7c8efe1f983e", None),
            "&ContentSid=HXb5b62575e6e4ff6129ad7c8efe1f983e",
        ),
        (
            "variables by name",
            template("HX1", Some(r#"{"1":"22 July 2026"}"#)),
            "&ContentSid=HX1&ContentVariables=%7B%221%22%3A%2222+July+2026%22%7D",
        ),
        (
            "variables in order",
            template("HX1", Some(r#"["a","b"]"#)),
            "&ContentSid=HX1&ContentVariables=%7B%221%22%3A%22a%22%2C%222%22%3A%22b%22%7D",
        ),
    ] {
        let request = form_of(&format!("{to}{want}"));
        let verdict = twilio("AC1")
            .becomes(name, &in_chat(content), &[request])
            .remove(0);
        let prefix = if want.contains("MediaUrl") {
            "MM"
        } else {
            "SM"
        };
        assert!(verdict.message_id.unwrap().starts_with(prefix), "{name}");
    }
}

#[test]
fn a_chat_or_the_account_names_the_sender() {
    let phone = Identity::new("phone", "16505551234");
    let bsuid = Identity::new("bsuid", "US.1349");
    for (name, account, to, chat, want) in [
        (
            "sms",
            "AC1:+14155238886",
            &phone,
            None,
            "To=%2B16505551234&From=%2B14155238886",
        ),
        (
            "whatsapp",
            "AC1:whatsapp:+1415",
            &phone,
            None,
            "To=whatsapp%3A%2B16505551234&From=whatsapp%3A%2B1415",
        ),
        (
            "bsuid",
            "AC1:whatsapp:+1415",
            &bsuid,
            None,
            "To=whatsapp%3AUS.1349&From=whatsapp%3A%2B1415",
        ),
        (
            "service",
            "AC1:MG2",
            &phone,
            None,
            "To=%2B16505551234&MessagingServiceSid=MG2",
        ),
        (
            "chat before account",
            "AC1:MG2",
            &phone,
            Some("+1415/+1999"),
            "To=%2B1999&From=%2B1415",
        ),
        ("nobody", "AC1", &phone, None, "To=%2B16505551234"),
    ] {
        let message = Message {
            to: to.clone(),
            chat: chat.map(Into::into),
            ..in_chat(text("Hi"))
        };
        let request = form_of(&format!("{want}&Body=Hi"));
        if name == "nobody" {
            let rendered = twilio(account).render(&message);
            assert_eq!(rendered, Ok(vec![request.clone()]), "{name}");
            let verdict = twilio(account).send(&request, Mood::Well);
            assert_eq!(verdict.code.as_deref(), Some("21603"));
            assert_eq!(verdict.outcome, Outcome::Refused);
        } else {
            twilio(account).becomes(name, &message, &[request]);
        }
    }
}

proptest! {
    #[test]
    fn a_text_of_any_length_arrives_whole(words in "(\\PC|\n){1,40}", times in 1usize..200) {
        let words = words.repeat(times);
        prop_assume!(!words.trim().is_empty());
        twilio("AC1").arrives_whole(&words, &in_chat(text(&words)), |request| {
            let pairs = form::pairs(&request.body);
            let body = pairs.into_iter().find(|(name, _)| name == b"Body").unwrap().1;
            String::from_utf8(body).unwrap()
        });
    }
}
