//! How the API fails, and what the caller reads then.

use chatly_respond::{
    Response, bad_request, content, internal_error, method_not_allowed, not_found, problem,
    unavailable,
};
use http::StatusCode;
use serde::Serialize;

/// How long a caller waits before it tries again while another writer holds the database.
const BUSY_RETRY_SECS: u32 = 1;
/// The same when a person has to act first.
const DENIED_RETRY_SECS: u32 = 60;

/// Where a rule is wrong. Lines and columns count from 1 in the condition; 0 where something else
/// is wrong, which the reason names.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
pub struct Defect {
    /// Which rule.
    pub rule_id: String,
    /// Line in the condition, or 0.
    pub line: u32,
    /// Column in the condition, or 0.
    pub column: u32,
    /// For people.
    pub reason: String,
}

/// Why a request was not served. Safe to log: a parameter's name is held only when it is a plain
/// word, and no value is.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub enum Error {
    /// There is no such address.
    #[error("no such address")]
    NoRoute,
    /// The address takes other methods, these.
    #[error("method not allowed, only {0}")]
    Method(&'static str),
    /// A query parameter that the address does not take.
    #[error("unknown parameter")]
    UnknownParameter {
        /// Its name, where it is a plain word.
        name: Option<String>,
        /// The parameters that the address takes.
        known: &'static [&'static str],
    },
    /// A parameter that was given twice.
    #[error("parameter {0} is repeated")]
    RepeatedParameter(&'static str),
    /// A parameter with a value that it cannot have.
    #[error("parameter {name} must be {want}")]
    Parameter {
        /// Its name.
        name: &'static str,
        /// What it can be, in words.
        want: String,
    },
    /// The cursor is not one that a list answered.
    #[error("invalid cursor")]
    Cursor,
    /// There is no such row; what it would have been, in words.
    #[error("no such {0}")]
    Absent(&'static str),
    /// The body is not what the address takes; why, in words that hold no value of the body.
    #[error("the body is refused")]
    Body(String),
    /// What is asked for cannot be done; why, in words that hold no value of the request.
    #[error("it cannot be done")]
    Unprocessable(&'static str),
    /// The same idempotency key came with another request.
    #[error("the idempotency key was used for another request")]
    KeyReused,
    /// The body is too large.
    #[error("the body is too large")]
    TooLarge,
    /// The job is running or finished, so it cannot be cancelled.
    #[error("the job does not wait")]
    NotWaiting,
    /// There is a row with that id already; what it is, in words.
    #[error("there is such a {0}")]
    Conflict(&'static str),
    /// The router refuses the rule.
    #[error("the rule is unsound")]
    Unsound(Vec<Defect>),
    /// The store refused an argument.
    #[error("the store refused an argument")]
    Argument,
    /// The database is held by another writer.
    #[error("the store is busy")]
    Busy,
    /// The database is not granted.
    #[error("the store has no database")]
    Denied,
    /// The database does not answer.
    #[error("the store is not ready")]
    NotReady,
    /// The database failed.
    #[error("the store failed")]
    Store,
}

impl Error {
    /// The answer for the caller.
    pub fn response(&self) -> Response {
        match self {
            Error::NoRoute => not_found("There is nothing at this address."),
            Error::Method(allow) => method_not_allowed(allow),
            Error::UnknownParameter { name, known } => {
                let name = name
                    .as_ref()
                    .map(|name| format!(" \"{name}\""))
                    .unwrap_or_default();
                let known = match known {
                    [] => "This address takes none.".to_owned(),
                    known => format!("This address takes: {}.", known.join(", ")),
                };
                bad_request(
                    "unknown_parameter",
                    &format!("Unknown query parameter{name}. {known}"),
                )
            }
            Error::RepeatedParameter(name) => bad_request(
                "invalid_parameter",
                &format!("The query parameter {name} can be given once."),
            ),
            Error::Parameter { name, want } => bad_request(
                "invalid_parameter",
                &format!("The query parameter {name} must be {want}."),
            ),
            Error::Cursor => bad_request(
                "invalid_cursor",
                "The query parameter cursor must be a next_cursor that this list answered.",
            ),
            Error::Absent(what) => not_found(&format!("There is no such {what}.")),
            Error::Body(why) => bad_request("invalid_body", why),
            Error::Unprocessable(why) => {
                problem(StatusCode::UNPROCESSABLE_ENTITY, "unprocessable", why)
            }
            Error::KeyReused => problem(
                StatusCode::UNPROCESSABLE_ENTITY,
                "idempotency_key_reused",
                "The Idempotency-Key was used for another message within the last day.",
            ),
            Error::TooLarge => problem(
                StatusCode::PAYLOAD_TOO_LARGE,
                "too_large",
                "The body is larger than this address takes: 64 KiB, or 1 MiB for rules to be tried.",
            ),
            Error::NotWaiting => problem(
                StatusCode::CONFLICT,
                "not_waiting",
                "The job is running, done or buried; only one that waits can be cancelled.",
            ),
            Error::Conflict(what) => problem(
                StatusCode::CONFLICT,
                "conflict",
                &format!("There is a {what} with that id already."),
            ),
            Error::Unsound(defects) => unsound(defects),
            Error::Argument => bad_request(
                "invalid_argument",
                "The request holds a value that cannot be looked up.",
            ),
            Error::Busy => unavailable(
                "busy",
                "The database is busy. Trying again helps.",
                BUSY_RETRY_SECS,
            ),
            Error::Denied => unavailable(
                "not_configured",
                "This service has no database granted.",
                DENIED_RETRY_SECS,
            ),
            Error::NotReady => unavailable(
                "not_ready",
                "The database does not answer.",
                BUSY_RETRY_SECS,
            ),
            Error::Store => internal_error(),
        }
    }
}

/// 422 with each defect (RFC 9457, section 3.2: an extension member).
fn unsound(defects: &[Defect]) -> Response {
    #[derive(Serialize)]
    struct Problem<'a> {
        r#type: &'static str,
        title: &'static str,
        status: u16,
        code: &'static str,
        detail: &'static str,
        defects: &'a [Defect],
    }
    let status = StatusCode::UNPROCESSABLE_ENTITY;
    let problem = Problem {
        r#type: "about:blank",
        title: status.canonical_reason().unwrap_or("Error"),
        status: status.as_u16(),
        code: "unsound_rule",
        detail: "The rule is refused: each defect says where and why.",
        defects,
    };
    match serde_json::to_vec(&problem) {
        Ok(body) => content(status, "application/problem+json", body),
        Err(_) => internal_error(),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn an_unsound_rule_is_answered_with_its_defects() {
        let defect = Defect {
            rule_id: "r".into(),
            line: 1,
            column: 7,
            reason: "unknown fact".into(),
        };
        let response = Error::Unsound(vec![defect]).response();
        assert_eq!(response.status(), 422);
        assert_eq!(
            response.headers()["content-type"],
            "application/problem+json"
        );
    }

    #[test]
    fn each_failure_has_its_status() {
        for (error, want) in [
            (Error::NoRoute, 404),
            (Error::Method("GET"), 405),
            (
                Error::UnknownParameter {
                    name: None,
                    known: &[],
                },
                400,
            ),
            (Error::RepeatedParameter("limit"), 400),
            (
                Error::Parameter {
                    name: "limit",
                    want: "1".into(),
                },
                400,
            ),
            (Error::Cursor, 400),
            (Error::Absent("contact"), 404),
            (Error::Argument, 400),
            (Error::Body("no".into()), 400),
            (Error::TooLarge, 413),
            (Error::Unprocessable("no"), 422),
            (Error::KeyReused, 422),
            (Error::Conflict("rule"), 409),
            (Error::NotWaiting, 409),
            (Error::Unsound(vec![]), 422),
            (Error::Busy, 503),
            (Error::Denied, 503),
            (Error::NotReady, 503),
            (Error::Store, 500),
        ] {
            assert_eq!(error.response().status(), want, "{error}");
        }
    }
}
