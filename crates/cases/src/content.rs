//! What the channels' tests send, and why it cannot be sent: in as few words as a table's row has room
//! for.

use chatly_canonical::{Identity, Location};
use chatly_channel::outbound::{
    Button, Content, LimitBreach, MediaLocation, MediaSource, Menu, Message, ReactionTo,
    RenderError, Row, Section, Template,
};

/// A message to a person, and nothing else of it.
pub fn message(scheme: &str, id: &str, content: Content) -> Message {
    Message {
        to: Identity::new(scheme, id),
        chat: None,
        content,
        reply_to: None,
        reference: None,
        tag: None,
    }
}

/// A text.
pub fn text(text: &str) -> Content {
    Content::Text(text.into())
}

/// A medium without a file name.
pub fn media(kind: &str, location: MediaLocation, caption: Option<&str>) -> Content {
    Content::Media(MediaSource {
        kind: kind.into(),
        location,
        caption: caption.map(Into::into),
        filename: None,
    })
}

/// A medium at `https://example.org/a`.
pub fn by_url(kind: &str, caption: Option<&str>) -> Content {
    let location = MediaLocation::Url("https://example.org/a".into());
    media(kind, location, caption)
}

/// An image with the file name `a.png`.
pub fn image(location: MediaLocation, caption: Option<&str>) -> Content {
    Content::Media(MediaSource {
        kind: "image".into(),
        location,
        caption: caption.map(Into::into),
        filename: Some("a.png".into()),
    })
}

/// A medium that the platform has.
pub fn by_id(kind: &str, id: &str) -> Content {
    media(kind, MediaLocation::Id(id.into()), None)
}

/// A button or quick reply.
pub fn button(id: &str, title: &str) -> Button {
    Button {
        id: id.into(),
        title: title.into(),
    }
}

/// So many buttons, `id-0` and so on, all with one title.
pub fn choices(count: usize, title: &str) -> Vec<Button> {
    let choice = |at: usize| button(&format!("id-{at}"), title);
    (0..count).map(choice).collect()
}

/// A line of a list.
pub fn row(id: &str, title: &str, description: Option<&str>) -> Row {
    Row {
        id: id.into(),
        title: title.into(),
        description: description.map(Into::into),
    }
}

/// So many lines of a list, `id-0` and so on, all with one title and description.
pub fn rows(count: usize, title: &str, description: Option<&str>) -> Vec<Row> {
    let line = |at: usize| row(&format!("id-{at}"), title, description);
    (0..count).map(line).collect()
}

/// A list in one section without a title.
pub fn menu(text: &str, button: &str, rows: Vec<Row>) -> Content {
    let sections = vec![Section { title: None, rows }];
    let menu = Menu {
        button: button.into(),
        sections,
    };
    Content::Menu(text.into(), menu)
}

/// A reaction, or none any more.
pub fn reaction(message_id: &str, emoji: Option<&str>) -> Content {
    Content::Reaction(ReactionTo {
        message_id: message_id.into(),
        emoji: emoji.map(Into::into),
    })
}

/// A place without an address.
pub fn place(latitude: f64, longitude: f64, name: Option<&str>) -> Content {
    Content::Location(Location {
        latitude,
        longitude,
        name: name.map(Into::into),
        address: None,
    })
}

/// A template.
pub fn template(name: &str, language: &str, components: Option<&str>) -> Content {
    Content::Template(Template {
        name: name.into(),
        language: language.into(),
        components: components.map(Into::into),
    })
}

/// That a field is missing or wrong, in words.
pub fn invalid(words: &str) -> RenderError {
    RenderError::Invalid(words.into())
}

/// That the platform has no such content.
pub fn unsupported(words: &str) -> RenderError {
    RenderError::Unsupported(words.into())
}

/// That a limit of the platform is broken.
pub fn too_long(limit: &str, max: u64, given: u64) -> RenderError {
    RenderError::TooLong(LimitBreach {
        limit: limit.into(),
        max,
        given,
    })
}
