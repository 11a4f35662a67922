//! Media in our own keeping: what became of each medium of a message.

use crate::Error;
use crate::commit::Writer;
use crate::connection::{Connection, values_of};
use crate::effects::MediaEffect;

/// What version 7 adds. A job that is given up, for whatever reason, shows at the medium in the
/// statement that buries it: nobody else may be there to write it.
pub(crate) const SCHEMA: &[&str] = &[
    "CREATE TABLE message_media (
        message_id TEXT NOT NULL REFERENCES messages (id) ON DELETE CASCADE, position INTEGER NOT NULL,
        state TEXT NOT NULL, path TEXT, mime_type TEXT, bytes INTEGER, sha256 TEXT, error TEXT,
        updated_at INTEGER NOT NULL, PRIMARY KEY (message_id, position)) WITHOUT ROWID",
    "CREATE TRIGGER outbox_media_buried AFTER UPDATE OF state ON outbox
        WHEN NEW.state = 'buried' AND OLD.state <> 'buried' AND NEW.kind GLOB 'media-*' BEGIN
        UPDATE message_media SET state = 'failed', error = NEW.error
            WHERE message_id = NEW.message_id AND position = NEW.payload ->> '$.index' AND state = 'pending';
     END",
    "CREATE TRIGGER outbox_media_replayed AFTER UPDATE OF state ON outbox
        WHEN OLD.state = 'buried' AND NEW.state = 'pending' AND NEW.kind GLOB 'media-*' BEGIN
        UPDATE message_media SET state = 'pending'
            WHERE message_id = NEW.message_id AND position = NEW.payload ->> '$.index' AND state = 'failed';
     END",
    "PRAGMA user_version=7",
];

/// What version 10 adds: who reads `changes` is told when a medium is given up, or to be fetched again.
pub(crate) const TOLD: &[&str] = &[
    "DROP TRIGGER outbox_media_buried",
    "DROP TRIGGER outbox_media_replayed",
    "CREATE TRIGGER outbox_media_buried AFTER UPDATE OF state ON outbox
        WHEN NEW.state = 'buried' AND OLD.state <> 'buried' AND NEW.kind GLOB 'media-*' BEGIN
        UPDATE message_media SET state = 'failed', error = NEW.error
            WHERE message_id = NEW.message_id AND position = NEW.payload ->> '$.index' AND state = 'pending';
        INSERT INTO changes (platform_client_id, kind, data, at)
            SELECT platform_client_id, 'message.updated', json_object('platform_client_id', platform_client_id,
                'conversation_id', conversation_id, 'message_id', id), coalesce(NEW.finished_at, 0)
            FROM messages WHERE id = NEW.message_id AND changes() > 0;
     END",
    "CREATE TRIGGER outbox_media_replayed AFTER UPDATE OF state ON outbox
        WHEN OLD.state = 'buried' AND NEW.state = 'pending' AND NEW.kind GLOB 'media-*' BEGIN
        UPDATE message_media SET state = 'pending'
            WHERE message_id = NEW.message_id AND position = NEW.payload ->> '$.index' AND state = 'failed';
        INSERT INTO changes (platform_client_id, kind, data, at)
            SELECT platform_client_id, 'message.updated', json_object('platform_client_id', platform_client_id,
                'conversation_id', conversation_id, 'message_id', id), coalesce(NEW.replayed_at, 0)
            FROM messages WHERE id = NEW.message_id AND changes() > 0;
     END",
    "PRAGMA user_version=10",
];

impl<C: Connection> Writer<'_, C> {
    /// Readers are told of what is stored or failed; that it is pending comes with the message.
    pub(crate) async fn media(&mut self, effect: &MediaEffect) -> Result<(), Error> {
        let id = effect.message_id.clone().or_else(|| self.message.clone());
        let Some(id) = id else {
            return Err(Error::Invalid("a medium needs a message before it"));
        };
        let media = &effect.media;
        let rows = self
            .execute(
                "INSERT INTO message_media (message_id, position, state, path, mime_type, bytes, sha256, error, updated_at)
                 SELECT id, ?2, ?3, ?4, ?5, ?6, ?7, ?8, ?9 FROM messages WHERE id = ?1 AND platform_client_id = ?10
                 ON CONFLICT (message_id, position) DO UPDATE SET state = excluded.state, path = excluded.path,
                    mime_type = excluded.mime_type, bytes = excluded.bytes, sha256 = excluded.sha256,
                    error = excluded.error, updated_at = excluded.updated_at
                    WHERE excluded.state = 'stored' OR message_media.state <> 'stored'
                 RETURNING message_id, (SELECT conversation_id FROM messages m WHERE m.id = message_id),
                    state = 'pending' AND error IS NULL",
                values_of![
                    id,
                    u64::from(media.index),
                    media.state.as_str(),
                    media.path.clone(),
                    media.mime_type.clone(),
                    media.bytes,
                    media.sha256.clone(),
                    media.error.clone(),
                    self.moment.now,
                    &self.tenant
                ],
            )
            .await?;
        match rows.first() {
            Some(row) if row.integer(2)? == 0 => self.tell_updated(&rows),
            _ => Ok(()),
        }
    }
}
