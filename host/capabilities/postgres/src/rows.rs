//! Rows on their way into a stream, in batches.
//!
//! What has come is handed over as soon as nothing more is there, so that a slow statement's rows
//! are seen as they come and a fast one's cost few wake-ups.

use std::sync::Arc;

use futures::{FutureExt as _, StreamExt as _};
use tokio::sync::{OwnedSemaphorePermit, Semaphore, mpsc, oneshot};
use tokio_postgres::RowStream;

use super::client::Inner;
use super::{Column, DbValue, Error, MAX_RESULT_BYTES, ParameterValue, failure, values};

/// Rows of a stream that are handed over at once, at most.
const BATCH_ROWS: usize = 256;

/// Bytes of rows that are handed over at once, about.
const BATCH_BYTES: usize = 64 << 10;

/// Batches that a stream runs ahead of its reader.
pub const BATCHES_AHEAD: usize = 4;

/// Bytes that a stream runs ahead of its reader. A row with more waits until nothing else does.
const BYTES_AHEAD: usize = 1 << 20;

/// Rows that come together. Their bytes count as waiting until it is dropped.
pub struct Batch {
    /// The rows.
    pub rows: Vec<Vec<DbValue>>,
    _room: Option<OwnedSemaphorePermit>,
}

/// Reads a statement's rows and hands them on.
pub struct Forward {
    /// Keeps the connection while the statement runs.
    connection: Arc<Inner>,
    opening: Option<oneshot::Sender<Vec<Column>>>,
    batches: mpsc::Sender<Batch>,
    room: Arc<Semaphore>,
    waiting: Vec<Vec<DbValue>>,
    bytes: usize,
}

impl Forward {
    /// Hands columns to `opening` and rows to `batches`.
    pub fn new(
        connection: Arc<Inner>,
        opening: oneshot::Sender<Vec<Column>>,
        batches: mpsc::Sender<Batch>,
    ) -> Self {
        Self {
            connection,
            opening: Some(opening),
            batches,
            room: Arc::new(Semaphore::new(BYTES_AHEAD)),
            waiting: Vec::new(),
            bytes: 0,
        }
    }

    /// Goes on until the statement ends or nobody reads any more; that is no error.
    pub async fn run(mut self, coming: RowStream) -> Result<(), Error> {
        let batches = self.batches.clone();
        let ended = tokio::select! {
            biased;
            () = batches.closed() => return Ok(()),
            ended = self.read(coming) => ended,
        };
        // What came before an error is still good.
        self.hand_over().await;
        ended
    }

    async fn read(&mut self, coming: RowStream) -> Result<(), Error> {
        let mut coming = std::pin::pin!(coming);
        loop {
            let next = match coming.next().now_or_never() {
                Some(next) => next,
                None => {
                    self.hand_over().await;
                    coming.next().await
                }
            };
            let Some(row) = next else {
                self.connection.ended();
                return Ok(());
            };
            let row = row.map_err(|error| self.connection.failed(&error))?;
            if let Some(opening) = self.opening.take() {
                let _ = opening.send(values::columns(&row));
            }
            let row = values::row(&row)?;
            let bytes = bytes(&row);
            if bytes > MAX_RESULT_BYTES {
                return Err(failure::too_large());
            }
            if self.bytes + bytes > BATCH_BYTES || self.waiting.len() >= BATCH_ROWS {
                self.hand_over().await;
            }
            self.bytes += bytes;
            self.waiting.push(row);
        }
    }

    /// Sends what waits, once there is room for it.
    async fn hand_over(&mut self) {
        if self.waiting.is_empty() {
            return;
        }
        let rows = std::mem::take(&mut self.waiting);
        let bytes = std::mem::take(&mut self.bytes).min(BYTES_AHEAD);
        let bytes = u32::try_from(bytes).unwrap_or(u32::MAX);
        let room = self.room.clone().acquire_many_owned(bytes).await;
        let batch = Batch {
            rows,
            _room: room.ok(),
        };
        let _ = self.batches.send(batch).await;
    }
}

/// What a row takes in memory, about: Spin's sum.
pub fn bytes(row: &[DbValue]) -> usize {
    row.iter().map(value_bytes).sum()
}

/// What parameters take in memory, about.
pub fn parameter_bytes(parameters: &[ParameterValue]) -> usize {
    let texts = |texts: &[Option<String>]| texts.iter().flatten().map(String::len).sum::<usize>();
    let held = |parameter: &ParameterValue| match parameter {
        ParameterValue::Str(text) | ParameterValue::Uuid(text) | ParameterValue::Decimal(text) => {
            text.len()
        }
        ParameterValue::Binary(bytes) | ParameterValue::Jsonb(bytes) => bytes.len(),
        ParameterValue::ArrayInt32(values) => size_of_val(values.as_slice()),
        ParameterValue::ArrayInt64(values) => size_of_val(values.as_slice()),
        ParameterValue::ArrayDecimal(values) | ParameterValue::ArrayStr(values) => {
            size_of_val(values.as_slice()) + texts(values)
        }
        ParameterValue::RangeDecimal((lower, upper)) => {
            let bounds = [lower, upper].into_iter().flatten();
            bounds.map(|(digits, _)| digits.len()).sum()
        }
        _ => 0,
    };
    size_of_val(parameters) + parameters.iter().map(held).sum::<usize>()
}

/// What a value takes in memory, about.
pub fn value_bytes(value: &DbValue) -> usize {
    let texts = |texts: &[Option<String>]| {
        let text = |text: &Option<String>| text.as_ref().map_or(0, String::len);
        let sum: usize = texts.iter().map(text).sum();
        size_of_val(texts) + sum
    };
    let held = match value {
        DbValue::Str(text) | DbValue::Uuid(text) | DbValue::Decimal(text) => text.len(),
        DbValue::Binary(bytes) | DbValue::Jsonb(bytes) | DbValue::Unsupported(bytes) => bytes.len(),
        DbValue::ArrayInt32(values) => size_of_val(values.as_slice()),
        DbValue::ArrayInt64(values) => size_of_val(values.as_slice()),
        DbValue::ArrayDecimal(values) | DbValue::ArrayStr(values) => texts(values),
        DbValue::RangeDecimal((lower, upper)) => {
            let bounds = [lower, upper].into_iter().flatten();
            bounds.map(|(digits, _)| digits.len()).sum()
        }
        _ => 0,
    };
    size_of::<DbValue>() + held
}
