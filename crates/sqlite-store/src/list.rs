//! Lists and single rows for readers: keyset pages, a constant number of statements each.

use serde::de::DeserializeOwned;

use crate::Error;
use crate::connection::{Connection, Row, values_of};
use crate::cursor::Page;
use crate::jobs::payload;
use crate::model::*;
use crate::query::*;

pub(crate) const CONTACT: &str = "SELECT json_object('id', c.id, 'platform_client_id', c.platform_client_id,
    'channel', c.channel, 'name', c.name, 'username', c.username, 'tags', json(c.tags),
    'attributes', c.attributes, 'opt', c.opt,
    'lead', iif(c.stage IS NULL, c.lead, json_set(coalesce(c.lead, '{}'), '$.stage', c.stage) || ''), 'created_at', c.created_at, 'updated_at', c.updated_at,
    'identities', json((SELECT json_group_array(json_object('scheme', i.scheme, 'id', i.id))
        FROM contact_identities i WHERE i.contact_id = c.id AND i.current = 1))), c.seq, 0 FROM social_contacts c";

pub(crate) const CONVERSATION: &str = "SELECT json_object('id', v.id, 'platform_client_id', v.platform_client_id,
    'channel', v.channel, 'account', v.account, 'chat', v.chat, 'contact_id', v.contact_id,
    'contact_name', (SELECT name FROM social_contacts WHERE id = v.contact_id), 'status', v.status,
    'snoozed_until', v.snoozed_until, 'priority', v.priority, 'assignee', v.assignee, 'tags', json(v.tags),
    'message_count', v.message_count, 'preview', v.preview, 'last_message_at', v.last_message_at,
    'last_inbound_at', v.last_inbound_at, 'created_at', v.created_at, 'updated_at', v.updated_at, 'team', v.team,
    'handover', v.handover, 'handed_over_at', v.handed_over_at, 'muted_until', v.muted_until,
    'last_human_at', v.last_human_at, 'last_bot_at', v.last_bot_at, 'bot_run', v.bot_run,
    'bot_times', json(v.bot_times)),
    v.active_at, v.seq FROM conversations v";

pub(crate) const MESSAGE: &str = "SELECT json_object('id', m.id, 'seq', m.seq, 'conversation_id', m.conversation_id,
    'contact_id', m.contact_id, 'platform_client_id', m.platform_client_id, 'channel', m.channel,
    'account', m.account, 'direction', m.direction, 'author', m.author, 'standby', m.standby,
    'state', m.state, 'error', json(m.error), 'edited_at', m.edited_at, 'deleted_at', m.deleted_at,
    'previous_texts', json(m.previous_texts), 'explanation', m.explanation, 'sent_at', m.sent_at,
    'enrichment', (SELECT json FROM enrichments e WHERE e.message_id = m.id ORDER BY e.seq DESC LIMIT 1),
    'created_at', m.created_at,
    'stored_media', json((SELECT json_group_array(json_object('index', k.position, 'state', k.state, 'path', k.path,
        'mime_type', k.mime_type, 'bytes', k.bytes, 'sha256', k.sha256, 'error', k.error))
        FROM message_media k WHERE k.message_id = m.id)),
    'reactions', json((SELECT json_group_array(json_object('by', r.by, 'emoji', r.emoji)) FROM message_reactions r
        WHERE r.external_id = m.external_id AND r.account = m.account AND r.channel = m.channel
            AND r.platform_client_id = m.platform_client_id))), m.seq, 0, m.content FROM messages m";

const CONVERSATIONS: Order = Order {
    list: 'c',
    by: &["v.active_at", "v.seq"],
    newest_first: true,
};
const MESSAGES: Order = Order {
    list: 'm',
    by: &["m.seq"],
    newest_first: false,
};
const NEWEST_MESSAGES: Order = Order {
    list: 'n',
    newest_first: true,
    ..MESSAGES
};
const CONTACTS: Order = Order {
    list: 'p',
    by: &["c.seq"],
    newest_first: true,
};
const EXTERNAL_CALLS: Order = Order {
    list: 'x',
    by: &["seq"],
    newest_first: true,
};

fn row<T: DeserializeOwned>(row: &Row) -> Result<T, Error> {
    row.json(0)
}

fn job(row: &Row) -> Result<StoredJob, Error> {
    let mut job: StoredJob = row.json(0)?;
    job.payload = payload(&job.kind, row, 3)?;
    Ok(job)
}

pub(crate) fn message(row: &Row) -> Result<StoredMessage, Error> {
    let mut message: StoredMessage = row.json(0)?;
    message.content = row.json(3)?;
    Ok(message)
}

/// Conversations, newest activity first.
pub async fn list_conversations<C: Connection>(
    connection: &C,
    filter: &ConversationFilter,
    page: &Page,
) -> Listed<Conversation> {
    Query::new(CONVERSATION)
        .filter(
            "v.platform_client_id = ?",
            filter.platform_client_id.as_deref(),
        )
        .filter("v.status = ?", filter.status.map(|status| status.as_str()))
        .filter("v.channel = ?", filter.channel.as_deref())
        .filter("v.account = ?", filter.account.as_deref())
        .contact("v.contact_id", filter.contact_id.as_deref())
        .page(connection, &CONVERSATIONS, page, row)
        .await
}

/// One conversation; none for another tenant's.
pub async fn find_conversation<C: Connection>(
    connection: &C,
    tenant: Option<&str>,
    id: &str,
) -> Result<Option<Conversation>, Error> {
    Query::new(CONVERSATION)
        .conversation("v.id", Some(id))
        .filter("v.platform_client_id = ?", tenant)
        .one(connection, row)
        .await
}

/// Messages of a conversation by arrival.
pub async fn list_messages<C: Connection>(
    connection: &C,
    tenant: Option<&str>,
    conversation: &str,
    order: MessageOrder,
    page: &Page,
) -> Listed<StoredMessage> {
    let order = match order {
        MessageOrder::Oldest => &MESSAGES,
        MessageOrder::Newest => &NEWEST_MESSAGES,
    };
    Query::new(MESSAGE)
        .conversation("m.conversation_id", Some(conversation))
        .filter("m.platform_client_id = ?", tenant)
        .page(connection, order, page, message)
        .await
}

/// The newest `max` messages of a conversation, up to this place, oldest first.
pub(crate) async fn recent_messages<C: Connection>(
    connection: &C,
    conversation: &str,
    up_to: Option<u64>,
    max: u32,
) -> Result<Vec<StoredMessage>, Error> {
    let query = Query::new(MESSAGE)
        .and("m.conversation_id = ?", values_of![conversation])
        .filter("m.seq <= ?", up_to);
    let rows = query
        .run(connection, &format!(" ORDER BY m.seq DESC LIMIT {max}"))
        .await?;
    rows.iter().rev().map(message).collect()
}

/// One message by our id.
pub async fn find_message<C: Connection>(
    connection: &C,
    tenant: Option<&str>,
    id: &str,
) -> Result<Option<StoredMessage>, Error> {
    Query::new(MESSAGE)
        .and("m.id = ?", values_of![id])
        .filter("m.platform_client_id = ?", tenant)
        .one(connection, message)
        .await
}

/// Contacts, newest first.
pub async fn list_contacts<C: Connection>(
    connection: &C,
    filter: &ContactFilter,
    page: &Page,
) -> Listed<Contact> {
    Query::new(CONTACT)
        .and("c.merged_into IS NULL", [])
        .filter(
            "c.platform_client_id = ?",
            filter.platform_client_id.as_deref(),
        )
        .filter("c.channel = ?", filter.channel.as_deref())
        .filter(
            "c.id IN (SELECT contact_id FROM contact_identities WHERE id = ?)",
            filter.identity.as_deref(),
        )
        .page(connection, &CONTACTS, page, row)
        .await
}

/// One contact; none for another tenant's. The id of a merged one gives what it became.
pub async fn find_contact<C: Connection>(
    connection: &C,
    tenant: Option<&str>,
    id: &str,
) -> Result<Option<Contact>, Error> {
    Query::new(CONTACT)
        .contact("c.id", Some(id))
        .filter("c.platform_client_id = ?", tenant)
        .one(connection, row)
        .await
}

/// The inbox, newest first.
pub async fn list_inbox<C: Connection>(
    connection: &C,
    filter: &JobFilter,
    page: &Page,
) -> Listed<StoredJob> {
    list_jobs(connection, "inbox", filter, page).await
}

/// The outbox, newest first.
pub async fn list_outbox<C: Connection>(
    connection: &C,
    filter: &JobFilter,
    page: &Page,
) -> Listed<StoredJob> {
    if filter.event_kind.is_some() {
        return Ok((vec![], None));
    }
    list_jobs(connection, "outbox", filter, page).await
}

async fn list_jobs<C: Connection>(
    connection: &C,
    table: &str,
    filter: &JobFilter,
    page: &Page,
) -> Listed<StoredJob> {
    let order = Order {
        list: if table == "inbox" { 'i' } else { 'o' },
        by: &["seq"],
        newest_first: true,
    };
    let sql = format!(
        "SELECT json_object('seq', seq, 'kind', kind, 'platform_client_id', platform_client_id,
            'state', state, 'attempts', attempts, 'due_at', due_at, 'created_at', created_at, 'error', error),
            seq, 0, payload FROM {table}"
    );
    let mut query = Query::new(sql)
        .filter(
            "platform_client_id = ?",
            filter.platform_client_id.as_deref(),
        )
        .filter("kind = ?", filter.kind.as_deref())
        .filter("event_kind = ?", filter.event_kind.as_deref());
    // As text, because a partial index is used for a constant only.
    if let Some(state) = filter.state {
        query = query.and(&format!("state = '{}'", state.as_str()), []);
    }
    query.page(connection, &order, page, job).await
}

/// Calls to the outside, newest first.
pub async fn list_external_calls<C: Connection>(
    connection: &C,
    filter: &CallFilter,
    page: &Page,
) -> Listed<ExternalCall> {
    Query::new(
        "SELECT json_object('kind', kind, 'target', target, 'status', status, 'millis', millis, 'attempt', attempt,
            'at', at, 'error', error, 'conversation_id', conversation_id, 'message_id', message_id,
            'details', details), seq, 0
         FROM external_calls",
    )
    .filter("platform_client_id = ?", filter.platform_client_id.as_deref())
    .filter("message_id = ?", filter.message_id.as_deref())
    .conversation("conversation_id", filter.conversation_id.as_deref())
    .page(connection, &EXTERNAL_CALLS, page, row)
    .await
}

/// Changes after `after`, oldest first; `max` is 1–1000.
pub async fn list_changes<C: Connection>(
    connection: &C,
    tenant: Option<&str>,
    after: u64,
    max: u32,
) -> Result<Vec<Change>, Error> {
    let max = max.clamp(1, 1000);
    let query = Query::new(
        "SELECT json_object('seq', seq, 'platform_client_id', platform_client_id, 'kind', kind, 'at', at,
            'data', data) FROM changes",
    )
    .and("seq > ?", values_of![after])
    .filter("platform_client_id = ?", tenant);
    let rows = query
        .run(connection, &format!(" ORDER BY seq LIMIT {max}"))
        .await?;
    rows.iter().map(row).collect()
}

/// The newest change's `seq`; 0 when there is none.
pub async fn find_last_change<C: Connection>(connection: &C) -> Result<u64, Error> {
    let rows = connection
        .execute("SELECT coalesce(max(seq), 0) FROM changes", vec![])
        .await?;
    rows.first().map_or(Ok(0), |row| row.integer(0))
}
