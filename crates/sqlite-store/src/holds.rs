//! Exclusive rights by name, and whether the database answers.

use crate::connection::{Connection, values_of};
use crate::{Error, Moment};

/// Takes or prolongs the right called `name`; none while another has it.
pub async fn hold<C: Connection>(
    connection: &C,
    moment: Moment,
    name: &str,
    token: Option<&str>,
    for_ms: u32,
) -> Result<Option<String>, Error> {
    crate::clock::look(connection, moment).await?;
    let fresh = format!("{:032x}", moment.seed);
    let rows = connection
        .execute(
            "INSERT INTO holds (name, token, until) VALUES (?1, ?2, ?3)
             ON CONFLICT DO UPDATE SET until = excluded.until, token = iif(token IS ?4, token, excluded.token)
             WHERE token IS ?4 OR until <= ?5 RETURNING token",
            values_of![name, fresh, moment.now.saturating_add(for_ms.into()), token, moment.now],
        )
        .await?;
    rows.first()
        .map(|row| row.text(0).map(str::to_owned))
        .transpose()
}

/// Gives the right back; no error when it was lost already.
pub async fn release<C: Connection>(connection: &C, name: &str, token: &str) -> Result<(), Error> {
    connection
        .execute(
            "DELETE FROM holds WHERE name = ? AND token = ?",
            values_of![name, token],
        )
        .await?;
    Ok(())
}

/// Checks that the database answers.
pub async fn check_ready<C: Connection>(connection: &C) -> Result<(), Error> {
    connection
        .execute("SELECT count(*) FROM holds", vec![])
        .await?;
    Ok(())
}
