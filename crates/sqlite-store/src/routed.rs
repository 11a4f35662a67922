//! What customers wrote, with what routing it anew needs.
//!
//! Contact and conversation are read as they are now; how long the conversation was and who had
//! answered last are counted as of the message.

use std::collections::{BTreeMap, BTreeSet};

use serde::Deserialize;
use serde::de::DeserializeOwned;

use crate::Error;
use crate::connection::{Connection, UNEXPECTED, to_json, values_of};
use crate::cursor::Page;
use crate::list::{CONTACT, CONVERSATION, MESSAGE, message};
use crate::model::{Contact, Conversation, StoredMessage};
use crate::query::{Listed, Order, Query};

/// Which messages.
#[derive(Debug, Clone, Default, PartialEq)]
pub struct RoutedFilter {
    /// Of this tenant.
    pub platform_client_id: Option<String>,
    /// On this channel.
    pub channel: Option<String>,
    /// Of this conversation, or of what it was merged into.
    pub conversation_id: Option<String>,
    /// Stored at this time or later, Unix milliseconds.
    pub since: Option<u64>,
    /// Stored before this time, Unix milliseconds.
    pub until: Option<u64>,
}

/// A message that rules were tried for.
#[derive(Debug, Clone, PartialEq)]
pub struct Routed {
    /// As it is stored.
    pub message: StoredMessage,
    /// Who wrote it, as they are now.
    pub contact: Option<Contact>,
    /// Where it stands, as it is now.
    pub conversation: Conversation,
    /// Messages of the conversation up to this one.
    pub message_count: u64,
    /// When a person on our side, or the business from another app, had written last.
    pub last_human_at: Option<u64>,
    /// The same for an automatic answer.
    pub last_bot_at: Option<u64>,
}

const ORDER: Order = Order {
    list: 'r',
    by: &["m.seq"],
    newest_first: true,
};

/// What customers wrote, newest first: four statements, however many rows.
pub async fn list_routed<C: Connection>(
    connection: &C,
    filter: &RoutedFilter,
    page: &Page,
) -> Listed<Routed> {
    let (messages, next) = Query::new(MESSAGE)
        .and("m.author = 'contact' AND m.standby = 0", [])
        .filter(
            "m.platform_client_id = ?",
            filter.platform_client_id.as_deref(),
        )
        .filter("m.channel = ?", filter.channel.as_deref())
        .filter("m.created_at >= ?", filter.since)
        .filter("m.created_at < ?", filter.until)
        .conversation("m.conversation_id", filter.conversation_id.as_deref())
        .page(connection, &ORDER, page, message)
        .await?;
    let ids = |of: fn(&StoredMessage) -> Option<&String>| -> BTreeSet<&String> {
        messages.iter().filter_map(of).collect()
    };
    let senders = to_json(&ids(|message| message.contact_id.as_ref()))?;
    let threads = to_json(&ids(|message| Some(&message.conversation_id)))?;
    let contacts: BTreeMap<String, Contact> =
        found(connection, CONTACT, "c.id", senders, |it: &Contact| &it.id).await?;
    let conversations: BTreeMap<String, Conversation> = found(
        connection,
        CONVERSATION,
        "v.id",
        threads,
        |it: &Conversation| &it.id,
    )
    .await?;
    let mut then = then(connection, &to_json(&ids(|message| Some(&message.id)))?).await?;
    let mut rows = Vec::with_capacity(messages.len());
    for message in messages {
        // One that was merged into another between two statements comes with a later call.
        let Some(conversation) = conversations.get(&message.conversation_id).cloned() else {
            continue;
        };
        let then = then.remove(&message.id).ok_or(UNEXPECTED)?;
        let sender = message.contact_id.as_ref();
        rows.push(Routed {
            contact: sender.and_then(|id| contacts.get(id)).cloned(),
            conversation,
            message_count: then.message_count,
            last_human_at: then.last_human_at,
            last_bot_at: then.last_bot_at,
            message,
        });
    }
    Ok((rows, next))
}

/// The rows of these ids, a JSON array, by id.
async fn found<C: Connection, T: DeserializeOwned>(
    connection: &C,
    statement: &str,
    column: &str,
    ids: String,
    id: fn(&T) -> &String,
) -> Result<BTreeMap<String, T>, Error> {
    let condition = format!("{column} IN (SELECT value FROM json_each(?))");
    let query = Query::new(statement).and(&condition, values_of![ids]);
    let rows = query.run(connection, "").await?;
    let rows = rows.iter().map(|row| {
        let row: T = row.json(0)?;
        Ok((id(&row).clone(), row))
    });
    rows.collect()
}

/// What was so when a message was stored.
#[derive(Deserialize)]
struct Then {
    id: String,
    message_count: u64,
    last_human_at: Option<u64>,
    last_bot_at: Option<u64>,
}

async fn then<C: Connection>(connection: &C, ids: &str) -> Result<BTreeMap<String, Then>, Error> {
    let last = |authors: &str| {
        format!(
            "(SELECT b.created_at FROM messages b WHERE b.conversation_id = m.conversation_id
                AND b.seq < m.seq AND b.author IN ({authors}) ORDER BY b.seq DESC LIMIT 1)"
        )
    };
    let (human, bot) = (last("'agent', 'external'"), last("'bot'"));
    let sql = format!(
        "SELECT json_object('id', m.id, 'message_count',
            (SELECT count(*) FROM messages b WHERE b.conversation_id = m.conversation_id AND b.seq <= m.seq),
            'last_human_at', {human}, 'last_bot_at', {bot})
         FROM messages m WHERE m.id IN (SELECT value FROM json_each(?))"
    );
    let rows = connection.execute(&sql, values_of![ids]).await?;
    let rows = rows.iter().map(|row| {
        let then: Then = row.json(0)?;
        Ok((then.id.clone(), then))
    });
    rows.collect()
}
