//! What the channels' tests send: contents in as few words as a table's row has room for.

use chatly_channel::outbound::{
    Button, Content, MediaLocation, MediaSource, Menu, ReactionTo, Row, Section,
};

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
