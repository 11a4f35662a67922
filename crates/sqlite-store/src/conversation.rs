//! Conversations: one per contact, or per group, on each account.

use crate::Error;
use crate::commit::{Data, Writer};
use crate::connection::{Connection, values_of};
use crate::effects::ConversationEffect;

impl<C: Connection> Writer<'_, C> {
    pub(crate) async fn conversation(&mut self, effect: &ConversationEffect) -> Result<(), Error> {
        let (column, value) = match &effect.chat {
            Some(chat) => ("chat", chat.clone()),
            None => (
                "chat IS NULL AND contact_id",
                self.bound_contact()?.to_owned(),
            ),
        };
        let sql = format!(
            "SELECT id, contact_id FROM conversations
             WHERE {column} = ? AND account = ? AND channel = ? AND platform_client_id = ?"
        );
        let values = values_of![value, &effect.account, &effect.channel, &self.tenant];
        let found = self.execute(&sql, values).await?;
        let Some(row) = found.first() else {
            return self.create_conversation(effect).await;
        };
        let id = row.text(0)?.to_owned();
        // The first who speaks in a group.
        if row.optional(1)?.is_none() && self.contact.is_some() {
            let sql = "UPDATE conversations SET contact_id = ?, updated_at = ? WHERE id = ?";
            self.execute(sql, values_of![self.contact.clone(), self.moment.now, &id])
                .await?;
        }
        self.conversation = Some(id);
        Ok(())
    }

    async fn create_conversation(&mut self, effect: &ConversationEffect) -> Result<(), Error> {
        let id = self.id();
        let now = self.moment.now;
        self.execute(
            "INSERT INTO conversations (id, platform_client_id, channel, account, chat, contact_id,
                active_at, created_at, updated_at) VALUES (?1, ?2, ?3, ?4, ?5, ?6, ?7, ?7, ?7)",
            values_of![
                &id,
                &self.tenant,
                &effect.channel,
                &effect.account,
                effect.chat.clone(),
                self.contact.clone(),
                now
            ],
        )
        .await?;
        self.execute(
            "INSERT INTO channel_accounts (platform_client_id, channel, account, created_at) VALUES (?, ?, ?, ?)
             ON CONFLICT DO NOTHING",
            values_of![&self.tenant, &effect.channel, &effect.account, now],
        )
        .await?;
        self.conversation = Some(id);
        self.tell_conversation("conversation.created")
    }

    /// Binds a conversation by our id, with its contact.
    pub(crate) async fn bind_conversation(&mut self, id: &str) -> Result<(), Error> {
        let rows = self
            .execute(
                "SELECT id, contact_id FROM conversations
                 WHERE id = coalesce((SELECT into_id FROM merged_conversations WHERE id = ?1), ?1)",
                values_of![id],
            )
            .await?;
        if let Some(row) = rows.first() {
            self.conversation = Some(row.text(0)?.to_owned());
            self.contact = row.optional(1)?.map(str::to_owned);
        }
        Ok(())
    }

    /// The same for a caller's id, which must be one of the tenant's.
    pub(crate) async fn bind_own_conversation(&mut self, id: &str) -> Result<(), Error> {
        let rows = self
            .execute(
                "SELECT 1 FROM conversations WHERE platform_client_id = ?2
                    AND id = coalesce((SELECT into_id FROM merged_conversations WHERE id = ?1), ?1)",
                values_of![id, &self.tenant],
            )
            .await?;
        if rows.is_empty() {
            return Err(Error::Invalid("there is no such conversation"));
        }
        self.bind_conversation(id).await
    }

    pub(crate) fn tell_conversation(&mut self, kind: &str) -> Result<(), Error> {
        let (tenant, contact, conversation) = (
            self.tenant.clone(),
            self.contact.clone(),
            self.conversation.clone(),
        );
        let data = Data {
            platform_client_id: &tenant,
            contact_id: contact.as_deref(),
            conversation_id: conversation.as_deref(),
            ..Data::default()
        };
        self.tell(kind, &data)
    }
}
