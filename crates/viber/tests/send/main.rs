//! What goes out, what Viber says to it, and what that means.

mod answers;
mod refusals;
mod requests;

use chatly_canonical::ContactCard;
use chatly_cases::Caller;
use chatly_cases::content::{self, message};
use chatly_channel::outbound::{Content, MediaLocation, MediaSource, Message};
use chatly_viber::Viber;

fn viber(account: &str) -> Caller<Viber> {
    Caller::new(account, "https://api.example.org/", "token")
}

fn to_user(content: Content) -> Message {
    message("viber", "01234567890A=", content)
}

/// A medium with a file name.
fn media(kind: &str, url: &str, caption: Option<&str>) -> Content {
    Content::Media(MediaSource {
        kind: kind.into(),
        location: MediaLocation::Url(url.into()),
        caption: caption.map(Into::into),
        filename: Some("a".into()),
    })
}

fn card(name: &str, phone: &str) -> ContactCard {
    ContactCard {
        name: Some(name.into()),
        phones: vec![phone.into()],
        ..ContactCard::default()
    }
}

fn place(latitude: f64) -> Content {
    content::place(latitude, -77.5, None)
}
