//! What went wrong, in the values that a component sees on Spin.

use std::error::Error as Cause;
use std::fmt::Display;

use tokio_postgres::error::DbError as Refusal;

use super::{DbError, Error, MAX_RESULT_BYTES, QueryError};

/// An error of the driver while a statement runs. `as-text` and `text` are its debug form, as
/// on Spin.
pub fn query(error: &tokio_postgres::Error) -> Error {
    let whole = format!("{error:?}");
    Error::QueryFailed(match error.as_db_error() {
        None => QueryError::Text(whole),
        Some(refusal) => QueryError::DbError(DbError {
            as_text: whole,
            severity: refusal.severity().to_owned(),
            code: refusal.code().code().to_owned(),
            message: refusal.message().to_owned(),
            detail: refusal.detail().map(str::to_owned),
            extras: extras(refusal),
        }),
    })
}

/// The fields that have no place of their own, in Spin's order.
fn extras(refusal: &Refusal) -> Vec<(String, String)> {
    let line = refusal.line().map(|line| line.to_string());
    let fields = [
        ("column", refusal.column()),
        ("constraint", refusal.constraint()),
        ("routine", refusal.routine()),
        ("hint", refusal.hint()),
        ("table", refusal.table()),
        ("datatype", refusal.datatype()),
        ("schema", refusal.schema()),
        ("file", refusal.file()),
        ("line", line.as_deref()),
        ("where_", refusal.where_()),
    ];
    let set = fields.into_iter();
    set.filter_map(|(name, value)| Some((name.to_owned(), value?.to_owned())))
        .collect()
}

/// A value of a row that cannot be read.
pub fn unreadable(error: &(dyn Cause + 'static)) -> Error {
    text(with_causes(error, error.source()))
}

/// A result past the limit, in Spin's words.
pub fn too_large() -> Error {
    text(format!(
        "query result exceeds limit of {MAX_RESULT_BYTES} bytes"
    ))
}

/// A query that failed, in words only.
pub fn text(words: String) -> Error {
    Error::QueryFailed(QueryError::Text(words))
}

/// A connection that cannot be made.
pub fn connection(cause: &dyn Display) -> Error {
    Error::ConnectionFailed(cause.to_string())
}

/// What is wrong and why, in one line.
pub fn in_a_line(error: &(dyn Cause + 'static)) -> String {
    let mut line = error.to_string();
    for cause in std::iter::successors(error.source(), |&cause| cause.source()) {
        let cause = cause.to_string();
        // Some print their cause themselves.
        if !line.ends_with(&cause) {
            line = format!("{line}: {cause}");
        }
    }
    line
}

/// What is wrong, and below it why, as `anyhow` prints it.
pub fn with_causes(what: impl Display, why: Option<&(dyn Cause + 'static)>) -> String {
    let causes: Vec<_> = std::iter::successors(why, |&cause| cause.source()).collect();
    let mut printed = what.to_string();
    for (at, cause) in causes.iter().enumerate() {
        printed.push_str(if at == 0 { "\n\nCaused by:\n" } else { "\n" });
        printed.push_str(&match causes.len() {
            1 => format!("    {cause}"),
            _ => format!("    {at}: {cause}"),
        });
    }
    printed
}
