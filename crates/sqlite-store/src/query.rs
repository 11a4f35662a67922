//! Which rows of a list, and which page of them.
//!
//! 1. A list goes by columns that are different for each row, one way; a page begins after the place
//!    where the one before ended. So each page is one statement, whatever is before it, and shows
//!    no row twice when others come or move.
//! 2. A filter that is not there is not in the statement either, so that the others find their index.

use crate::connection::{Connection, Row, values_of};
use crate::cursor::{Page, encode};
use crate::model::{ConversationStatus, JobState};
use crate::{Error, Value};

/// A page and the cursor of the next one.
pub(crate) type Listed<T> = Result<(Vec<T>, Option<String>), Error>;

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

/// Which buried jobs of the outbox.
#[derive(Debug, Clone, Default, PartialEq)]
pub struct BuriedFilter {
    /// Of this tenant.
    pub platform_client_id: Option<String>,
    /// Of this kind.
    pub kind: Option<String>,
    /// With this reason; without it, none that was cancelled or is uncertain.
    pub error: Option<String>,
    /// Forwarding to this address.
    pub url: Option<String>,
    /// Made at this time or later, Unix milliseconds.
    pub created_from: Option<u64>,
    /// Made before this time, Unix milliseconds.
    pub created_before: Option<u64>,
}

/// Where jobs are.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Queue {
    /// Stored events.
    Inbox,
    /// What is to be done.
    Outbox,
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

/// How a list goes.
pub(crate) struct Order {
    /// Marks its cursors, which no other list takes.
    pub(crate) list: char,
    /// What it goes by: one column, or two. Columns 1 and 2 of a row are its place.
    pub(crate) by: &'static [&'static str],
    /// Which way.
    pub(crate) newest_first: bool,
}

/// A query that is built from the filters that are there, so that each can use its index.
pub(crate) struct Query {
    sql: String,
    values: Vec<Value>,
    joint: &'static str,
}

impl Query {
    pub(crate) fn new(sql: impl Into<String>) -> Self {
        Query {
            sql: sql.into(),
            values: vec![],
            joint: " WHERE ",
        }
    }

    pub(crate) fn and(mut self, condition: &str, values: impl IntoIterator<Item = Value>) -> Self {
        self.sql
            .push_str(std::mem::replace(&mut self.joint, " AND "));
        self.sql.push_str(condition);
        self.values.extend(values);
        self
    }

    pub(crate) fn filter<V: Into<Value>>(self, condition: &str, value: Option<V>) -> Self {
        match value {
            Some(value) => self.and(condition, [value.into()]),
            None => self,
        }
    }

    /// Where `column` is this conversation, or what it was merged into.
    pub(crate) fn conversation(self, column: &str, id: Option<&str>) -> Self {
        self.living(column, "into_id FROM merged_conversations", id)
    }

    /// Where `column` is this contact, or what it was merged into.
    pub(crate) fn contact(self, column: &str, id: Option<&str>) -> Self {
        self.living(column, "merged_into FROM social_contacts", id)
    }

    fn living(self, column: &str, into: &str, id: Option<&str>) -> Self {
        match id {
            Some(id) => self.and(
                &format!("{column} = coalesce((SELECT {into} WHERE id = ?), ?)"),
                values_of![id, id],
            ),
            None => self,
        }
    }

    pub(crate) async fn run<C: Connection>(
        self,
        connection: &C,
        end: &str,
    ) -> Result<Vec<Row>, Error> {
        Ok(connection
            .execute(&format!("{}{end}", self.sql), self.values)
            .await?)
    }

    /// The only row.
    pub(crate) async fn one<C: Connection, T>(
        self,
        connection: &C,
        read: impl Fn(&Row) -> Result<T, Error>,
    ) -> Result<Option<T>, Error> {
        let rows = self.run(connection, "").await?;
        rows.first().map(read).transpose()
    }

    /// The page; one row more than asked for says that there is a next one.
    pub(crate) async fn page<C: Connection, T>(
        self,
        connection: &C,
        order: &Order,
        page: &Page,
        read: impl Fn(&Row) -> Result<T, Error>,
    ) -> Listed<T> {
        let (limit, after) = (page.size()?, page.position(order.list)?);
        let (beyond, way) = if order.newest_first {
            ("<", " DESC")
        } else {
            (">", "")
        };
        let query = match after {
            Some((first, second)) => {
                let places = vec!["?"; order.by.len()].join(", ");
                let condition = format!("({}) {beyond} ({places})", order.by.join(", "));
                let place = values_of![first, second].into_iter();
                self.and(&condition, place.take(order.by.len()))
            }
            None => self,
        };
        let by = order.by.join(&format!("{way}, "));
        let end = format!(" ORDER BY {by}{way} LIMIT {limit} + 1");
        let rows = query.run(connection, &end).await?;
        let size = usize::try_from(limit).unwrap_or(usize::MAX);
        let shown = rows.get(..size).unwrap_or(&rows);
        let next = match (rows.len() > size, shown.last()) {
            (true, Some(last)) => Some(encode(order.list, (last.integer(1)?, last.integer(2)?))),
            _ => None,
        };
        Ok((shown.iter().map(read).collect::<Result<_, _>>()?, next))
    }
}
