//! The media that came in from the channel's platform, as a queue that can be drained.
//!
//! 1. Apart from the sends: another queue, another right, places in flight of its own. A medium that
//!    does not come holds up neither an answer nor, since each has an ordering key of its own, another
//!    medium.
//! 2. What is fetched is never in memory as a whole; see [`fetch`].

mod exchange;
mod fetch;
mod settings;

use std::rc::Rc;

use chatly_drain::{Line, Places, Terms, Work};

use self::settings::Media;
use crate::Store;
use crate::bindings::chatly::store::store::Job;
use crate::settings::{self as shared, Settings};

/// Media at once: enough for the pictures of one message, few enough that sends have the network.
const MAX_IN_FLIGHT: u32 = 4;

thread_local! {
    static PLACES: Rc<Places> = Rc::default();
}

/// Empties the queue, unless this instance is at it already.
pub async fn drain() {
    let (Some(sending), Some(media)) = (shared::load().await, settings::load().await) else {
        return;
    };
    // The exclusive right and the kind of the jobs have one name.
    let name = format!("media-{}", sending.channel);
    let terms = Terms {
        right: name.clone(),
        kinds: vec![name],
        at_once: MAX_IN_FLIGHT,
        lease_ms: media.lease_ms(),
    };
    let line = Rc::new(Line::new(Store, terms, Fetches { sending, media }));
    line.drain_in_flight(PLACES.with(Rc::clone)).await;
}

struct Fetches {
    sending: Rc<Settings>,
    media: Rc<Media>,
}

impl Work<Job> for Fetches {
    async fn run(&self, job: Job) {
        fetch::run(job, &self.sending, &self.media).await;
    }
}
