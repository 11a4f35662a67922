//! Who somebody is: identities to one contact, and contacts that turn out to be one person.
//!
//! 1. Any identity that is known finds the contact; those that are new are added to it.
//! 2. Several contacts become the oldest of them. The others' rows stay, and point to it.
//! 3. Queues follow: a pending event's identity keys become the contact, and merged contacts' keys
//!    become the oldest's, so what arrived first still goes first.

use chatly_canonical::Identity;

use crate::Error;
use crate::commit::{Data, Writer};
use crate::connection::{Connection, Row, to_json, values_of};
use crate::effects::*;
use crate::keys::identity_key;
use crate::schema::{behind_another, beside_a_running};

impl<C: Connection> Writer<'_, C> {
    pub(crate) async fn contact(&mut self, effect: &ContactEffect) -> Result<(), Error> {
        let keyed = self.keyed(effect);
        if keyed.is_empty() {
            return Err(Error::Invalid("a contact needs an identity"));
        }
        let keys: Vec<&String> = keyed.iter().map(|(key, ..)| key).collect();
        let known = self
            .execute(
                "SELECT c.id, json_group_array(json_array(i.key, i.current)), c.name, c.username
                 FROM contact_identities i JOIN social_contacts c ON c.id = i.contact_id
                 WHERE i.key IN (SELECT value FROM json_each(?)) GROUP BY c.seq ORDER BY c.seq",
                values_of![to_json(&keys)?],
            )
            .await?;
        let Some(oldest) = known.first() else {
            let id = self.create_contact(effect).await?;
            return self.link(&id, &effect.channel, &keyed, &[]).await;
        };
        let id = oldest.text(0)?.to_owned();
        self.contact = Some(id.clone());
        let others = known
            .iter()
            .skip(1)
            .map(|row| Ok(row.text(0)?.to_owned()))
            .collect::<Result<Vec<_>, Error>>()?;
        let mut stale = vec![];
        for (key, identity, current) in &keyed {
            if !holds(&known, key, *current)? {
                stale.push((key.clone(), *identity, *current));
            }
        }
        if !others.is_empty() {
            self.merge(&id, &others).await?;
        }
        if !stale.is_empty() || !others.is_empty() {
            self.link(&id, &effect.channel, &stale, &others).await?;
        }
        let differs = |new: &Option<String>, column: usize| -> Result<bool, Error> {
            Ok(new.is_some() && new.as_deref() != oldest.optional(column)?)
        };
        let renamed = differs(&effect.name, 2)? || differs(&effect.username, 3)?;
        if renamed {
            self.execute(
                "UPDATE social_contacts SET name = coalesce(?, name), username = coalesce(?, username), updated_at = ?
                 WHERE id = ?",
                values_of![effect.name.clone(), effect.username.clone(), self.moment.now, &id],
            )
            .await?;
        }
        if renamed || !stale.is_empty() {
            self.tell_contact("contact.updated", &id)?;
        }
        Ok(())
    }

    /// Every identity once, with its key and whether it is in use; in use wins.
    fn keyed<'e>(&self, effect: &'e ContactEffect) -> Vec<(String, &'e Identity, bool)> {
        let mut keyed: Vec<(String, &Identity, bool)> = vec![];
        let all = effect
            .identities
            .iter()
            .map(|i| (i, true))
            .chain(effect.previous.iter().map(|i| (i, false)));
        for (identity, current) in all {
            let key = identity_key(&self.tenant, &effect.channel, identity);
            if keyed.iter().all(|(known, ..)| *known != key) {
                keyed.push((key, identity, current));
            }
        }
        keyed
    }

    async fn create_contact(&mut self, effect: &ContactEffect) -> Result<String, Error> {
        let id = self.id();
        self.execute(
            "INSERT INTO social_contacts (id, platform_client_id, channel, name, username, created_at, updated_at)
             VALUES (?1, ?2, ?3, ?4, ?5, ?6, ?6)",
            values_of![
                &id,
                &self.tenant,
                &effect.channel,
                effect.name.clone(),
                effect.username.clone(),
                self.moment.now
            ],
        )
        .await?;
        self.contact = Some(id.clone());
        self.tell_contact("contact.created", &id)?;
        Ok(id)
    }

    /// Gives the identities to the contact, and the queues of them and of `merged` to its queue.
    async fn link(
        &mut self,
        id: &str,
        channel: &str,
        identities: &[(String, &Identity, bool)],
        merged: &[String],
    ) -> Result<(), Error> {
        let rows: Vec<_> = identities
            .iter()
            .map(|(key, identity, current)| {
                (key, &identity.scheme, &identity.id, u8::from(*current))
            })
            .collect();
        self.execute(
            "INSERT INTO contact_identities (key, platform_client_id, channel, scheme, id, current, contact_id, created_at)
             SELECT value ->> 0, ?, ?, value ->> 1, value ->> 2, value ->> 3, ?, ? FROM json_each(?) WHERE true
             ON CONFLICT (key) DO UPDATE SET current = excluded.current",
            values_of![&self.tenant, channel, id, self.moment.now, to_json(&rows)?],
        )
        .await?;
        let keys: Vec<&String> = identities
            .iter()
            .map(|(key, ..)| key)
            .chain(merged)
            .collect();
        self.move_queues("inbox", &to_json(&keys)?, id).await
    }

    /// Makes the queues `old` (a JSON array of keys) the queue `new`, in order of arrival.
    pub(crate) async fn move_queues(&self, table: &str, old: &str, new: &str) -> Result<(), Error> {
        let moved = self
            .execute(
                &format!(
                    "INSERT INTO {table}_keys (key, seq)
                     SELECT ?, seq FROM {table}_keys WHERE key IN (SELECT value FROM json_each(?))
                     ON CONFLICT DO NOTHING RETURNING seq"
                ),
                values_of![new, old],
            )
            .await?;
        self.execute(
            &format!("DELETE FROM {table}_keys WHERE key IN (SELECT value FROM json_each(?))"),
            values_of![old],
        )
        .await?;
        if moved.is_empty() {
            return Ok(());
        }
        self.execute(
            &format!(
                "UPDATE {table} SET ready = 0 WHERE ready = 1 AND state = 'pending'
                    AND seq IN (SELECT seq FROM {table}_keys WHERE key = ?) AND ({} OR {})",
                behind_another(table),
                beside_a_running(table)
            ),
            values_of![new],
        )
        .await?;
        Ok(())
    }

    /// Makes `others` one with the older contact `id`.
    async fn merge(&mut self, id: &str, others: &[String]) -> Result<(), Error> {
        let list = to_json(others)?;
        for sql in [
            "UPDATE contact_identities SET contact_id = ?1
             WHERE contact_id IN (SELECT value FROM json_each(?2))",
            "UPDATE social_contacts AS kept SET
                name = coalesce(kept.name, newest.name), username = coalesce(kept.username, newest.username),
                opt = coalesce(newest.opt, kept.opt),
                opt_granted = (SELECT min(c.opt_granted) FROM social_contacts c
                    WHERE c.id = ?1 OR c.id IN (SELECT value FROM json_each(?2))), lead = coalesce(kept.lead, newest.lead),
                stage = coalesce(kept.stage, newest.stage),
                attributes = json_patch(newest.attributes, kept.attributes),
                tags = (SELECT json_group_array(DISTINCT tag.value) FROM social_contacts c, json_each(c.tags) tag
                    WHERE c.id = ?1 OR c.id IN (SELECT value FROM json_each(?2)))
             FROM (SELECT name, username, opt, lead, stage, attributes FROM social_contacts
                WHERE id IN (SELECT value FROM json_each(?2)) ORDER BY updated_at DESC LIMIT 1) AS newest
             WHERE kept.id = ?1",
            "UPDATE social_contacts SET merged_into = ?1
             WHERE id IN (SELECT value FROM json_each(?2)) OR merged_into IN (SELECT value FROM json_each(?2))",
        ] {
            self.execute(sql, values_of![id, &list]).await?;
        }
        self.merge_conversations(id, others).await?;
        self.execute(
            "UPDATE messages SET contact_id = ?1 WHERE contact_id IN (SELECT value FROM json_each(?2))",
            values_of![id, &list],
        )
        .await?;
        self.execute(
            "UPDATE lead_history SET contact_id = ?1 WHERE contact_id IN (SELECT value FROM json_each(?2))",
            values_of![id, &list],
        )
        .await?;
        self.execute(
            "UPDATE OR REPLACE message_reactions SET by = ?1 WHERE by IN (SELECT value FROM json_each(?2))",
            values_of![id, &list],
        )
        .await?;
        let tenant = self.tenant.clone();
        let data = Data {
            platform_client_id: &tenant,
            contact_id: Some(id),
            merged: Some(others),
            ..Data::default()
        };
        self.tell("contact.merged", &data)
    }

    pub(crate) fn tell_contact(&mut self, kind: &str, id: &str) -> Result<(), Error> {
        let tenant = self.tenant.clone();
        self.tell(
            kind,
            &Data {
                platform_client_id: &tenant,
                contact_id: Some(id),
                ..Data::default()
            },
        )
    }

    pub(crate) async fn opt(&mut self, effect: &OptEffect) -> Result<(), Error> {
        let id = self.bound_contact()?.to_owned();
        self.execute(
            "UPDATE social_contacts SET opt = ?, opt_granted = coalesce(?, opt_granted), updated_at = ? WHERE id = ?",
            values_of![&effect.action, effect.granted, self.moment.now, &id],
        )
        .await?;
        self.tell_contact("contact.updated", &id)
    }

    pub(crate) async fn change_contact(&mut self, change: &ContactChange) -> Result<(), Error> {
        let id = self.bound_contact()?.to_owned();
        if let Some(attributes) = &change.attributes {
            serde_json::from_str::<serde_json::Map<String, serde_json::Value>>(attributes)
                .map_err(|_| Error::Invalid("attributes are a JSON object"))?;
        }
        self.execute(
            &format!(
                "UPDATE social_contacts SET tags = {CHANGED_TAGS}, attributes = json_patch(attributes, coalesce(?3, '{{}}')),
                    stage = coalesce(?4, stage), updated_at = ?5 WHERE id = ?6"
            ),
            values_of![
                to_json(&change.add_tags)?,
                to_json(&change.remove_tags)?,
                change.attributes.clone(),
                change.stage.clone(),
                self.moment.now,
                &id
            ],
        )
        .await?;
        self.tell_contact("contact.updated", &id)
    }
}

/// The column `tags` with the tags of `?1` added and those of `?2` removed, each once.
pub(crate) const CHANGED_TAGS: &str = "(SELECT json_group_array(value) FROM (
    SELECT value FROM json_each(tags) UNION SELECT value FROM json_each(?1)
    EXCEPT SELECT value FROM json_each(?2)))";

/// Whether a known contact has this identity, in use or not as given.
fn holds(known: &[Row], key: &str, current: bool) -> Result<bool, Error> {
    for row in known {
        let identities: Vec<(String, u8)> = row.json(1)?;
        if identities
            .iter()
            .any(|(known, flag)| known == key && (*flag != 0) == current)
        {
            return Ok(true);
        }
    }
    Ok(false)
}
