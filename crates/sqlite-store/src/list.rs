//! Lists and single rows for readers: keyset pages, a constant number of statements each.

use serde::de::DeserializeOwned;

use crate::connection::{Connection, Row, values_of};
use crate::cursor::{Page, encode};
use crate::jobs::payload;
use crate::model::*;
use crate::{Error, Value};

/// A page and the cursor of the next one.
type Listed<T> = Result<(Vec<T>, Option<String>), Error>;

/// Which conversations.
#[derive(Debug, Clone, Default, PartialEq)]
pub struct ConversationFilter {
    /// Of this tenant.
    pub platform_client_id: Option<String>,
    /// With this status.
    pub status: Option<ConversationStatus>,
    /// On this channel.
    pub channel: Option<String>,
    /// On this account.
    pub account: Option<String>,
    /// Of this contact, or of one that was merged into it.
    pub contact_id: Option<String>,
}

/// Which contacts.
#[derive(Debug, Clone, Default, PartialEq)]
pub struct ContactFilter {
    /// Of this tenant.
    pub platform_client_id: Option<String>,
    /// On this channel.
    pub channel: Option<String>,
    /// With this id, in any scheme.
    pub identity: Option<String>,
}

/// Which jobs.
#[derive(Debug, Clone, Default, PartialEq)]
pub struct JobFilter {
    /// Of this tenant.
    pub platform_client_id: Option<String>,
    /// Of this kind.
    pub kind: Option<String>,
    /// Holding an event of this kind.
    pub event_kind: Option<String>,
    /// In this state.
    pub state: Option<JobState>,
}

/// Which end of the order of arrival comes first.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
pub enum MessageOrder {
    /// What came first.
    #[default]
    Oldest,
    /// What came last.
    Newest,
}

/// Which calls to the outside.
#[derive(Debug, Clone, Default, PartialEq)]
pub struct CallFilter {
    /// Of this tenant.
    pub platform_client_id: Option<String>,
    /// For this conversation, or one that it was merged from.
    pub conversation_id: Option<String>,
    /// For this message.
    pub message_id: Option<String>,
}

/// A query that is built from the filters that are there, so that each can use its index.
struct Query {
    sql: String,
    values: Vec<Value>,
    joint: &'static str,
}

impl Query {
    fn new(sql: impl Into<String>) -> Self {
        Query {
            sql: sql.into(),
            values: vec![],
            joint: " WHERE ",
        }
    }

    fn and(mut self, condition: &str, values: impl IntoIterator<Item = Value>) -> Self {
        self.sql
            .push_str(std::mem::replace(&mut self.joint, " AND "));
        self.sql.push_str(condition);
        self.values.extend(values);
        self
    }

    fn filter<V: Into<Value>>(self, condition: &str, value: Option<V>) -> Self {
        match value {
            Some(value) => self.and(condition, [value.into()]),
            None => self,
        }
    }

    async fn run<C: Connection>(self, connection: &C, end: &str) -> Result<Vec<Row>, Error> {
        Ok(connection
            .execute(&format!("{}{end}", self.sql), self.values)
            .await?)
    }
}

const CONTACT: &str = "SELECT json_object('id', c.id, 'platform_client_id', c.platform_client_id,
    'channel', c.channel, 'name', c.name, 'username', c.username, 'tags', json(c.tags),
    'attributes', c.attributes, 'opt', c.opt, 'lead', c.lead, 'created_at', c.created_at, 'updated_at', c.updated_at,
    'identities', json((SELECT json_group_array(json_object('scheme', i.scheme, 'id', i.id))
        FROM contact_identities i WHERE i.contact_id = c.id AND i.current = 1))), c.seq, 0 FROM social_contacts c";

const CONVERSATION: &str = "SELECT json_object('id', v.id, 'platform_client_id', v.platform_client_id,
    'channel', v.channel, 'account', v.account, 'chat', v.chat, 'contact_id', v.contact_id,
    'contact_name', (SELECT name FROM social_contacts WHERE id = v.contact_id), 'status', v.status,
    'snoozed_until', v.snoozed_until, 'priority', v.priority, 'assignee', v.assignee, 'tags', json(v.tags),
    'message_count', v.message_count, 'preview', v.preview, 'last_message_at', v.last_message_at,
    'last_inbound_at', v.last_inbound_at, 'created_at', v.created_at, 'updated_at', v.updated_at),
    v.active_at, v.seq FROM conversations v";

const MESSAGE: &str = "SELECT json_object('id', m.id, 'seq', m.seq, 'conversation_id', m.conversation_id,
    'contact_id', m.contact_id, 'platform_client_id', m.platform_client_id, 'channel', m.channel,
    'account', m.account, 'direction', m.direction, 'author', m.author, 'standby', m.standby,
    'state', m.state, 'error', json(m.error), 'edited_at', m.edited_at, 'deleted_at', m.deleted_at,
    'previous_texts', json(m.previous_texts), 'explanation', m.explanation, 'sent_at', m.sent_at,
    'enrichment', (SELECT json FROM enrichments e WHERE e.message_id = m.id ORDER BY e.seq DESC LIMIT 1),
    'created_at', m.created_at,
    'reactions', json((SELECT json_group_array(json_object('by', r.by, 'emoji', r.emoji)) FROM message_reactions r
        WHERE r.external_id = m.external_id AND r.account = m.account AND r.channel = m.channel
            AND r.platform_client_id = m.platform_client_id))), m.seq, 0, m.content FROM messages m";

/// The id that a merged conversation or contact became, or the id itself.
const LIVING_CONVERSATION: &str =
    "v.id = coalesce((SELECT into_id FROM merged_conversations WHERE id = ?), ?)";
const LIVING_CONTACT: &str =
    "c.id = coalesce((SELECT merged_into FROM social_contacts WHERE id = ?), ?)";

/// Ends a page: one row more than asked for says that there is a next one. Rows have their
/// position in columns 1 and 2.
fn finish<T>(
    list: char,
    page: &Page,
    rows: &[Row],
    read: impl Fn(&Row) -> Result<T, Error>,
) -> Listed<T> {
    let size = usize::try_from(page.limit).unwrap_or(usize::MAX);
    let shown = rows.get(..size).unwrap_or(rows);
    let next = match (rows.len() > size, shown.last()) {
        (true, Some(last)) => Some(encode(list, (last.integer(1)?, last.integer(2)?))),
        _ => None,
    };
    Ok((shown.iter().map(read).collect::<Result<_, _>>()?, next))
}

fn row<T: DeserializeOwned>(row: &Row) -> Result<T, Error> {
    row.json(0)
}

fn message(row: &Row) -> Result<StoredMessage, Error> {
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
    let (limit, after) = (page.size()?, page.position('c')?);
    let mut query = Query::new(CONVERSATION)
        .filter(
            "v.platform_client_id = ?",
            filter.platform_client_id.as_deref(),
        )
        .filter("v.status = ?", filter.status.map(|status| status.as_str()))
        .filter("v.channel = ?", filter.channel.as_deref())
        .filter("v.account = ?", filter.account.as_deref());
    if let Some(id) = &filter.contact_id {
        let living =
            "v.contact_id = coalesce((SELECT merged_into FROM social_contacts WHERE id = ?), ?)";
        query = query.and(living, values_of![id, id]);
    }
    if let Some((at, seq)) = after {
        query = query.and("(v.active_at, v.seq) < (?, ?)", values_of![at, seq]);
    }
    let end = format!(" ORDER BY v.active_at DESC, v.seq DESC LIMIT {limit} + 1");
    finish('c', page, &query.run(connection, &end).await?, row)
}

/// One conversation; none for another tenant's.
pub async fn find_conversation<C: Connection>(
    connection: &C,
    tenant: Option<&str>,
    id: &str,
) -> Result<Option<Conversation>, Error> {
    let query = Query::new(CONVERSATION)
        .and(LIVING_CONVERSATION, values_of![id, id])
        .filter("v.platform_client_id = ?", tenant);
    query
        .run(connection, "")
        .await?
        .first()
        .map(row)
        .transpose()
}

/// Messages of a conversation by arrival.
pub async fn list_messages<C: Connection>(
    connection: &C,
    tenant: Option<&str>,
    conversation: &str,
    order: MessageOrder,
    page: &Page,
) -> Listed<StoredMessage> {
    let (list, beyond, direction) = match order {
        MessageOrder::Oldest => ('m', "m.seq > ?", "ASC"),
        MessageOrder::Newest => ('n', "m.seq < ?", "DESC"),
    };
    let (limit, place) = (page.size()?, page.position(list)?);
    let living =
        "m.conversation_id = coalesce((SELECT into_id FROM merged_conversations WHERE id = ?), ?)";
    let query = Query::new(MESSAGE)
        .and(living, values_of![conversation, conversation])
        .filter("m.platform_client_id = ?", tenant)
        .filter(beyond, place.map(|(seq, _)| seq));
    let end = format!(" ORDER BY m.seq {direction} LIMIT {limit} + 1");
    finish(list, page, &query.run(connection, &end).await?, message)
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
pub(crate) async fn find_message<C: Connection>(
    connection: &C,
    tenant: &str,
    id: &str,
) -> Result<Option<StoredMessage>, Error> {
    let query = Query::new(MESSAGE)
        .and("m.id = ?", values_of![id])
        .and("m.platform_client_id = ?", values_of![tenant]);
    let rows = query.run(connection, "").await?;
    rows.first().map(message).transpose()
}

/// Contacts, newest first.
pub async fn list_contacts<C: Connection>(
    connection: &C,
    filter: &ContactFilter,
    page: &Page,
) -> Listed<Contact> {
    let (limit, before) = (page.size()?, page.position('p')?);
    let query = Query::new(CONTACT)
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
        .filter("c.seq < ?", before.map(|(seq, _)| seq));
    let rows = query
        .run(
            connection,
            &format!(" ORDER BY c.seq DESC LIMIT {limit} + 1"),
        )
        .await?;
    finish('p', page, &rows, row)
}

/// One contact; none for another tenant's. The id of a merged one gives what it became.
pub async fn find_contact<C: Connection>(
    connection: &C,
    tenant: Option<&str>,
    id: &str,
) -> Result<Option<Contact>, Error> {
    let query = Query::new(CONTACT)
        .and(LIVING_CONTACT, values_of![id, id])
        .filter("c.platform_client_id = ?", tenant);
    query
        .run(connection, "")
        .await?
        .first()
        .map(row)
        .transpose()
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
    let list = if table == "inbox" { 'i' } else { 'o' };
    let (limit, before) = (page.size()?, page.position(list)?);
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
        .filter("event_kind = ?", filter.event_kind.as_deref())
        .filter("seq < ?", before.map(|(seq, _)| seq));
    // As text, because a partial index is used for a constant only.
    query = match filter.state {
        Some(state) => query.and(&format!("state = '{}'", state.as_str()), []),
        None => query,
    };
    let rows = query
        .run(connection, &format!(" ORDER BY seq DESC LIMIT {limit} + 1"))
        .await?;
    finish(list, page, &rows, |row| {
        let mut job: StoredJob = row.json(0)?;
        job.payload = payload(&job.kind, row, 3)?;
        Ok(job)
    })
}

/// Calls to the outside, newest first.
pub async fn list_external_calls<C: Connection>(
    connection: &C,
    filter: &CallFilter,
    page: &Page,
) -> Listed<ExternalCall> {
    let (limit, before) = (page.size()?, page.position('x')?);
    let mut query = Query::new(
        "SELECT json_object('kind', kind, 'target', target, 'status', status, 'millis', millis, 'attempt', attempt,
            'at', at, 'error', error, 'conversation_id', conversation_id, 'message_id', message_id), seq, 0
         FROM external_calls",
    )
    .filter("platform_client_id = ?", filter.platform_client_id.as_deref())
    .filter("message_id = ?", filter.message_id.as_deref());
    if let Some(id) = &filter.conversation_id {
        let living = "conversation_id = coalesce((SELECT into_id FROM merged_conversations WHERE id = ?), ?)";
        query = query.and(living, values_of![id, id]);
    }
    let query = query.filter("seq < ?", before.map(|(seq, _)| seq));
    let rows = query
        .run(connection, &format!(" ORDER BY seq DESC LIMIT {limit} + 1"))
        .await?;
    finish('x', page, &rows, row)
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
