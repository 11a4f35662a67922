//! How a contact's lead came to be what it is: an entry whenever it differs from the newest one.

use serde::Deserialize;

use crate::Error;
use crate::commit::Writer;
use crate::connection::{Connection, values_of};
use crate::cursor::Page;
use crate::query::{Listed, Order, Query};

/// What version 9 adds for leads. A lead that is there already is the first entry of its history.
pub(crate) const SCHEMA: &[&str] = &[
    "CREATE TABLE lead_history (
        seq INTEGER PRIMARY KEY AUTOINCREMENT, platform_client_id TEXT NOT NULL, contact_id TEXT NOT NULL,
        message_id TEXT NOT NULL, lead TEXT NOT NULL, at INTEGER NOT NULL)",
    "CREATE INDEX lead_history_contact ON lead_history (contact_id, seq)",
    "INSERT INTO lead_history (platform_client_id, contact_id, message_id, lead, at)
        SELECT platform_client_id, id, '', lead, updated_at FROM social_contacts WHERE lead IS NOT NULL",
];

const HISTORY: Order = Order {
    list: 'l',
    by: &["seq"],
    newest_first: true,
};

/// An entry.
#[derive(Debug, Clone, PartialEq, Eq, Deserialize)]
pub struct LeadEntry {
    /// Unix milliseconds.
    pub at: u64,
    /// What it was understood from; empty for one from before this was kept.
    pub message_id: String,
    /// A JSON object.
    pub lead: String,
}

/// How a contact's lead changed, newest first.
pub async fn list_lead_history<C: Connection>(
    connection: &C,
    tenant: Option<&str>,
    contact: &str,
    page: &Page,
) -> Listed<LeadEntry> {
    Query::new(
        "SELECT json_object('at', at, 'message_id', message_id, 'lead', lead), seq, 0 FROM lead_history",
    )
    .contact("contact_id", Some(contact))
    .filter("platform_client_id = ?", tenant)
    .page(connection, &HISTORY, page, |row| row.json(0))
    .await
}

impl<C: Connection> Writer<'_, C> {
    /// Keeps a lead that differs from the newest entry.
    pub(crate) async fn keep_lead(
        &mut self,
        contact: &str,
        message: &str,
        lead: &str,
    ) -> Result<(), Error> {
        self.execute(
            "INSERT INTO lead_history (platform_client_id, contact_id, message_id, lead, at)
             SELECT ?1, ?2, ?3, ?4, ?5 WHERE ?4 IS NOT
                (SELECT lead FROM lead_history WHERE contact_id = ?2 ORDER BY seq DESC LIMIT 1)",
            values_of![&self.tenant, contact, message, lead, self.moment.now],
        )
        .await?;
        Ok(())
    }
}
