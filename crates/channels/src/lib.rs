//! All channels of this repository in one list, for what looks at each of them: documentation,
//! fuzzing and benches. A host composes them by its manifest instead.
#![deny(missing_docs)]

mod table;

use chatly_canonical::{Event, Media};
use chatly_channel::outbound::{Message, Request, Sender};
use chatly_channel::{
    Channel, Delivery, Description, MediaHost, MediaStep, Refusal, RenderError, Reply, Response,
    Verdict,
};

pub use table::table;

/// A channel as a value: the functions of [`Channel`].
#[derive(Clone, Copy)]
#[expect(missing_docs, reason = "every function is documented at `Channel`")]
pub struct Plugin {
    pub describe: fn() -> Description,
    pub handshake: fn(&Delivery, &[String], &[String], u64) -> Option<Reply>,
    pub verify: fn(&Delivery, &[String], u64) -> Result<(), Refusal>,
    pub parse: fn(&Delivery, Option<&str>) -> Vec<Event>,
    pub acknowledge: fn(&Delivery) -> Reply,
    pub render: fn(&Sender, &Message) -> Result<Vec<Request>, RenderError>,
    pub classify: fn(&Response) -> Verdict,
    pub media_hosts: fn() -> Vec<MediaHost>,
    pub fetch_media: fn(&Sender, &Media) -> MediaStep,
}

const fn plugin<C: Channel>() -> Plugin {
    Plugin {
        describe: C::describe,
        handshake: C::handshake,
        verify: C::verify,
        parse: C::parse,
        acknowledge: C::acknowledge,
        render: C::render,
        classify: C::classify,
        media_hosts: C::media_hosts,
        fetch_media: C::fetch_media,
    }
}

/// All channels, in the order of the documentation.
pub const ALL: &[Plugin] = &[
    plugin::<chatly_whatsapp::WhatsApp>(),
    plugin::<chatly_messenger::Messenger>(),
    plugin::<chatly_instagram::Instagram>(),
    plugin::<chatly_telegram::Telegram>(),
    plugin::<chatly_line::Line>(),
    plugin::<chatly_twilio::Twilio>(),
    plugin::<chatly_slack::Slack>(),
    plugin::<chatly_viber::Viber>(),
    plugin::<chatly_discord::Discord>(),
    plugin::<chatly_standard::Standard>(),
];

/// A channel by its name.
pub fn find(name: &str) -> Option<Plugin> {
    ALL.iter()
        .copied()
        .find(|plugin| (plugin.describe)().name == name)
}
