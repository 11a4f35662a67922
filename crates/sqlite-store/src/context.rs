//! What is known about a leased job's contact and conversation.
//!
//! Reads without a transaction: the lease keeps everybody else from this queue, and a merge that
//! comes between two statements is followed by id.

use chatly_canonical::Event;

use crate::connection::{Connection, to_json, values_of};
use crate::jobs::parse_token;
use crate::keys::{customer, identity_key, message_id};
use crate::list::{find_contact, find_conversation, find_message, recent_messages};
use crate::model::Context;
use crate::{Error, Moment};

/// Messages that one call may read.
const MAX_RECENT: u32 = 1000;

/// The contact, the conversation and the `max` newest messages of a leased job.
pub async fn read_context<C: Connection>(
    connection: &C,
    moment: Moment,
    token: &str,
    max: u32,
) -> Result<Context, Error> {
    let (table, seq) = parse_token(token)?;
    let sql = format!(
        "SELECT platform_client_id, payload, {} FROM {table}
         WHERE seq = ? AND token = ? AND state IN ('leased', 'sending') AND due_at > ?",
        if table == "outbox" {
            "conversation_id, message_id"
        } else {
            "NULL, NULL"
        },
    );
    let rows = connection
        .execute(&sql, values_of![seq, token, moment.now])
        .await?;
    let row = rows.first().ok_or(Error::Stale)?;
    let tenant = row.text(0)?;
    let message = match row.optional(3)? {
        Some(id) => find_message(connection, Some(tenant), id).await?,
        None => None,
    };
    let (contact, conversation) = match (table, &message) {
        ("inbox", _) => of_event(connection, tenant, &row.json(1)?).await?,
        (_, Some(message)) => (
            message.contact_id.clone(),
            Some(message.conversation_id.clone()),
        ),
        _ => (None, row.optional(2)?.map(str::to_owned)),
    };
    let conversation = match &conversation {
        Some(id) => find_conversation(connection, Some(tenant), id).await?,
        None => None,
    };
    // In a group somebody else may have spoken first.
    let of_pair = conversation.as_ref().filter(|it| it.chat.is_none());
    let contact = contact.or_else(|| of_pair?.contact_id.clone());
    let contact = match &contact {
        Some(id) => find_contact(connection, Some(tenant), id).await?,
        None => None,
    };
    let recent = match &conversation {
        Some(conversation) => {
            let up_to = message.as_ref().map(|message| message.seq);
            recent_messages(connection, &conversation.id, up_to, max.min(MAX_RECENT)).await?
        }
        None => vec![],
    };
    Ok(Context {
        contact,
        conversation,
        message,
        recent,
    })
}

/// The ids of an event's contact and conversation: by who it is about, else by the message.
async fn of_event<C: Connection>(
    connection: &C,
    tenant: &str,
    event: &Event,
) -> Result<(Option<String>, Option<String>), Error> {
    let keys: Vec<String> = customer(event)
        .into_iter()
        .map(|identity| identity_key(tenant, &event.channel, identity))
        .collect();
    let rows = connection
        .execute(
            "WITH person (id) AS (
                SELECT c.id FROM contact_identities i JOIN social_contacts c ON c.id = i.contact_id
                WHERE i.key IN (SELECT value FROM json_each(?1)) ORDER BY c.seq LIMIT 1)
             SELECT (SELECT id FROM person), coalesce(
                (SELECT id FROM conversations WHERE platform_client_id = ?2 AND channel = ?3 AND account = ?4
                    AND iif(?5 IS NULL, chat IS NULL AND contact_id = (SELECT id FROM person), false)),
                (SELECT id FROM conversations WHERE platform_client_id = ?2 AND channel = ?3 AND account = ?4
                    AND chat = ?5),
                (SELECT conversation_id FROM messages WHERE platform_client_id = ?2 AND channel = ?3
                    AND account = ?4 AND external_id = ?6))",
            values_of![
                to_json(&keys)?,
                tenant,
                &event.channel,
                &event.account,
                event.chat.clone(),
                message_id(event).filter(|id| !id.is_empty())
            ],
        )
        .await?;
    let row = rows.first().ok_or(crate::connection::UNEXPECTED)?;
    Ok((
        row.optional(0)?.map(str::to_owned),
        row.optional(1)?.map(str::to_owned),
    ))
}
