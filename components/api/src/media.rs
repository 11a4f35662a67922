//! Links to media that are stored. A link is made when a message is read, and ends.

use std::time::{SystemTime, UNIX_EPOCH};

use chatly_api::{Error, StoredMessage};
use chatly_media::link::{self, DEFAULT_LIFE_SECS};
use spin_sdk::variables;

use crate::bindings::chatly::media::media::{self, Target};
use crate::bindings::chatly::store::rows;
use crate::rows::Row;

/// Messages as the API shows them. One without stored media costs nothing.
///
/// A message that its sender took back has no links: its media are kept with its text and its earlier
/// texts, as what was said and done here, and are shown to nobody. A link that was made before is good
/// until its end.
pub async fn messages(rows: Vec<rows::StoredMessage>) -> Result<Vec<StoredMessage>, Error> {
    let mut links = None;
    let mut messages = Vec::with_capacity(rows.len());
    for row in rows {
        let is_taken_back = row.deleted_at.is_some();
        let paths: Vec<_> = row
            .stored_media
            .iter()
            .map(|media| media.path.clone().filter(|_| !is_taken_back))
            .collect();
        let mut message: StoredMessage = row.row();
        for (media, path) in message.stored_media.iter_mut().zip(paths) {
            let Some(path) = path else {
                continue;
            };
            let links = match &mut links {
                Some(links) => links,
                none => none.insert(Links::load().await),
            };
            if let Some(url) = links.make(path).await? {
                media.url = Some(url);
                media.expires_at = Some(links.expires_at);
            }
        }
        messages.push(message);
    }
    Ok(messages)
}

struct Links {
    target: Target,
    secs: u32,
    /// Unix milliseconds; a link may be good for a moment longer.
    expires_at: u64,
}

impl Links {
    async fn load() -> Self {
        let text = async |name| variables::get(name).await.unwrap_or_default();
        // Current first.
        let keys = text("media_signing_keys").await;
        let key = keys.split(',').next().unwrap_or_default().trim().to_owned();
        let now = SystemTime::now()
            .duration_since(UNIX_EPOCH)
            .unwrap_or_default()
            .as_secs();
        let life = link::life(&text("media_link_secs").await).unwrap_or_else(|error| {
            eprintln!("error: media_link_secs: {error}; links are good for {DEFAULT_LIFE_SECS} s");
            DEFAULT_LIFE_SECS
        });
        let secs = link::secs(now, life);
        Self {
            target: Target {
                base_url: text("public_base_url").await,
                key,
                bucket: String::new(),
            },
            secs,
            expires_at: now.saturating_add(u64::from(secs)).saturating_mul(1000),
        }
    }

    /// A link; none without a key.
    async fn make(&self, path: String) -> Result<Option<String>, Error> {
        match media::signed_link(self.target.clone(), path, self.secs).await {
            Ok(link) => Ok(Some(link)),
            Err(media::Error::Denied) => Ok(None),
            Err(error) => {
                eprintln!("error: no link to a medium error={error:?}");
                Err(Error::Store)
            }
        }
    }
}
