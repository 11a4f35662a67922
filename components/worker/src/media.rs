//! The media that a new message brings are fetched at once, each by a job of its own.

use chatly_canonical::{Event, Message};

use crate::bindings::chatly::store::effects::{Effect, MediaEffect};
use crate::bindings::chatly::store::rows::{MediaState, StoredMedia};
use crate::route::Jobs;

/// Media of one message that are fetched: no platform lets people send more at once.
const MAX_MEDIA: u32 = 32;

/// One job a medium, with an ordering key of its own: none waits for another, and nobody for them.
pub fn fetches(event: &Event, message: &Message, make: &Jobs) -> Vec<Effect> {
    // The business has what it sent itself.
    if message.echo {
        return vec![];
    }
    let named = |index: &u32| {
        let media = message
            .media
            .get(usize::try_from(*index).unwrap_or(usize::MAX));
        media.is_some_and(|media| media.id.is_some() || media.url.is_some())
    };
    let fetch = |index: u32| {
        let own = format!("media:{}:{index}", message.id);
        let payload = format!(r#"{{"index":{index}}}"#);
        let kind = format!("media-{}", event.channel);
        let job = make.enqueue(&kind, payload, &index.to_string(), Some(own));
        [Effect::Media(pending(index)), job]
    };
    (0..MAX_MEDIA).filter(named).flat_map(fetch).collect()
}

fn pending(index: u32) -> MediaEffect {
    let media = StoredMedia {
        index,
        state: MediaState::Pending,
        path: None,
        mime_type: None,
        bytes: None,
        sha256: None,
        error: None,
    };
    let message_id = None;
    MediaEffect { message_id, media }
}
