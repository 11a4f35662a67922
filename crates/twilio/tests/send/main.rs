//! What goes out, what Twilio says to it, and what that means.

mod answers;
mod refusals;
mod requests;

use chatly_cases::Caller;
use chatly_cases::content::{self, media, message};
use chatly_channel::outbound::{Content, MediaLocation, Message};
use chatly_twilio::Twilio;

const CHAT: &str = "whatsapp:+14155238886/whatsapp:+16505551234";

fn twilio(account: &str) -> Caller<Twilio> {
    Caller::new(account, "https://api.example.org/", "token")
}

fn in_chat(content: Content) -> Message {
    Message {
        chat: Some(CHAT.into()),
        ..message("phone", "16505551234", content)
    }
}

fn image(caption: Option<&str>) -> Content {
    let url = MediaLocation::Url("https://example.org/a b.jpg?c=d&e".into());
    media("image", url, caption)
}

fn template(name: &str, components: Option<&str>) -> Content {
    content::template(name, "", components)
}

fn place(latitude: f64, name: Option<&str>) -> Content {
    content::place(latitude, -122.391664, name)
}
