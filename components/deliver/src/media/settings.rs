//! The variables that are about media. Read once, as those about sends.

use std::cell::RefCell;
use std::ops::RangeInclusive;
use std::rc::Rc;
use std::time::Duration;

use anyhow::Context;
use chatly_canonical::Convert;
use chatly_channel::MediaHost;
use chatly_channel::outbound::Sender;
use chatly_media::kind::Types;
use chatly_media::origin::Allowed;

use crate::bindings::chatly::channel::channel;
use crate::settings::variable;

/// The most of one medium: what Messenger and Instagram let people send, and more than most do.
const MAX_BYTES: u64 = 25 << 20;
/// What an operator may set: WhatsApp's largest documents have 100 MB, Discord's files 500.
const MOST_BYTES: RangeInclusive<u64> = 1..=512 << 20;
/// From the first request to the last byte: 25 MiB at 4 Mbit/s.
const TIMEOUT_MS: u64 = 60_000;
const TIMEOUTS_MS: RangeInclusive<u64> = 100..=600_000;

/// What the operator decided about media.
pub struct Media {
    /// The most of one medium.
    pub max_bytes: u64,
    /// What is taken in.
    pub types: Types,
    /// From the first request to the last byte.
    pub timeout: Duration,
    hosts: Vec<MediaHost>,
    more_hosts: String,
}

thread_local! {
    static MEDIA: RefCell<Option<Rc<Media>>> = const { RefCell::new(None) };
}

/// The settings; none, with a line in the log, when they cannot be used.
pub async fn load() -> Option<Rc<Media>> {
    if let Some(media) = MEDIA.with_borrow(Option::clone) {
        return Some(media);
    }
    match read().await {
        Ok(media) => {
            let media = Rc::new(media);
            MEDIA.set(Some(media.clone()));
            Some(media)
        }
        Err(error) => {
            eprintln!("error: settings of media cannot be used: {error:#}");
            None
        }
    }
}

impl Media {
    /// One attempt, and as much again for a slow store.
    pub fn lease_ms(&self) -> u32 {
        let millis = self.timeout.as_millis().saturating_mul(2);
        u32::try_from(millis).unwrap_or(u32::MAX)
    }

    /// Where media of an account may be fetched.
    pub fn allowed(&self, sender: &Sender) -> Allowed {
        Allowed::new(&sender.base_url, &self.hosts, &self.more_hosts)
    }
}

async fn read() -> anyhow::Result<Media> {
    let number = async |name, default, range: RangeInclusive<u64>| {
        let text = variable(name).await?;
        parse(name, text.trim(), default, range)
    };
    let timeout_ms = number("media_timeout_ms", TIMEOUT_MS, TIMEOUTS_MS).await?;
    Ok(Media {
        max_bytes: number("media_max_bytes", MAX_BYTES, MOST_BYTES).await?,
        types: Types::read(&variable("media_types").await?),
        timeout: Duration::from_millis(timeout_ms),
        hosts: channel::media_hosts()
            .into_iter()
            .map(Convert::convert)
            .collect(),
        more_hosts: variable("media_hosts").await?,
    })
}

fn parse(name: &str, text: &str, default: u64, range: RangeInclusive<u64>) -> anyhow::Result<u64> {
    if text.is_empty() {
        return Ok(default);
    }
    let number = text.parse().ok().filter(|number| range.contains(number));
    number.with_context(|| {
        let (least, most) = range.into_inner();
        format!("the variable {name} is not a number from {least} to {most}")
    })
}
