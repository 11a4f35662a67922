//! What the store needs of a database: one statement with parameters, rows back.

use std::future::Future;

use crate::Error;

/// A value of SQLite.
#[derive(Debug, Clone, PartialEq)]
pub enum Value {
    /// NULL.
    Null,
    /// INTEGER.
    Integer(i64),
    /// REAL.
    Real(f64),
    /// TEXT.
    Text(String),
    /// BLOB.
    Blob(Vec<u8>),
}

/// Why a statement failed.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Fault {
    /// The database is not granted.
    Denied,
    /// Locked by another writer for longer than the busy timeout.
    Busy,
    /// The disk or the quota is full.
    Full,
    /// Anything else.
    Failed,
}

/// An open database, with a transaction state of its own.
pub trait Connection {
    /// Runs one statement. All of its changes are made before it answers.
    fn execute(
        &self,
        sql: &str,
        parameters: Vec<Value>,
    ) -> impl Future<Output = Result<Vec<Row>, Fault>>;
}

/// A row of an answer.
#[derive(Debug, Clone, PartialEq)]
pub struct Row(pub Vec<Value>);

impl Row {
    pub(crate) fn text(&self, column: usize) -> Result<&str, Error> {
        self.optional(column)?.ok_or(UNEXPECTED)
    }

    pub(crate) fn optional(&self, column: usize) -> Result<Option<&str>, Error> {
        match self.0.get(column) {
            Some(Value::Text(text)) => Ok(Some(text)),
            Some(Value::Null) => Ok(None),
            _ => Err(UNEXPECTED),
        }
    }

    pub(crate) fn integer(&self, column: usize) -> Result<u64, Error> {
        match self.0.get(column) {
            Some(Value::Integer(number)) => u64::try_from(*number).map_err(|_| UNEXPECTED),
            _ => Err(UNEXPECTED),
        }
    }

    /// The column's JSON as a `T`.
    pub(crate) fn json<'a, T: serde::Deserialize<'a>>(&'a self, column: usize) -> Result<T, Error> {
        serde_json::from_str(self.text(column)?).map_err(|_| UNEXPECTED)
    }
}

/// A row that the schema cannot give.
pub(crate) const UNEXPECTED: Error = Error::Other("a row has an unexpected shape");

impl From<Fault> for Error {
    fn from(fault: Fault) -> Self {
        match fault {
            Fault::Denied => Error::Denied,
            Fault::Busy => Error::Busy,
            Fault::Full => Error::Other("the database is full"),
            Fault::Failed => Error::Other("the database failed"),
        }
    }
}

macro_rules! values {
    ($($type:ty: $value:ident => $case:expr;)*) => {
        $(impl From<$type> for Value { fn from($value: $type) -> Self { $case } })*
    };
}
values! {
    &str: value => Value::Text(value.to_owned());
    String: value => Value::Text(value);
    &String: value => Value::Text(value.clone());
    u64: value => Value::Integer(i64::try_from(value).unwrap_or(i64::MAX));
    u32: value => Value::Integer(value.into());
    u16: value => Value::Integer(value.into());
    u8: value => Value::Integer(value.into());
    i32: value => Value::Integer(value.into());
    bool: value => Value::Integer(value.into());
    Vec<u8>: value => Value::Blob(value);
}

impl<T: Into<Value>> From<Option<T>> for Value {
    fn from(value: Option<T>) -> Self {
        value.map_or(Value::Null, Into::into)
    }
}

/// The parameters of a statement, in order.
macro_rules! values_of {
    ($($value:expr),* $(,)?) => { vec![$($crate::connection::Value::from($value)),*] };
}
pub(crate) use values_of;

/// Runs `work` between `BEGIN IMMEDIATE` and `COMMIT`; its error rolls everything back.
pub(crate) async fn transaction<C: Connection, T>(
    connection: &C,
    work: impl AsyncFnOnce() -> Result<T, Error>,
) -> Result<T, Error> {
    connection.execute("BEGIN IMMEDIATE", vec![]).await?;
    let error = match work().await {
        Ok(done) => match connection.execute("COMMIT", vec![]).await {
            Ok(_) => return Ok(done),
            Err(fault) => fault.into(),
        },
        Err(error) => error,
    };
    match (connection.execute("ROLLBACK", vec![]).await, &error) {
        // The owner must not keep a connection whose transaction may still be open.
        (Err(fault), Error::Stale | Error::Invalid(_) | Error::InvalidCursor) => Err(fault.into()),
        _ => Err(error),
    }
}

/// JSON of anything that serialises; our own types always do.
pub(crate) fn to_json<T: serde::Serialize + ?Sized>(value: &T) -> Result<String, Error> {
    serde_json::to_string(value).map_err(|_| Error::Invalid("a value has no JSON form"))
}
