//! Where the rows of a statement go: gathered into one result, or into a stream in batches.
//!
//! A short answer costs a stream one wake-up of its reader: the first batch, the outcome and
//! the end of the stream are there before the reader hears of any.

use tokio::sync::{mpsc, oneshot};

use super::worker::Sink;
use super::{Error, MAX_RESULT_BYTES, QueryResult, RowResult, Rows, Value};

/// Rows of a stream that are handed over at once, at most.
const BATCH_ROWS: usize = 256;

/// Bytes of rows that are handed over at once, about.
const BATCH_BYTES: usize = 64 << 10;

/// Batches that a stream runs ahead of its reader.
const BATCHES_AHEAD: usize = 4;

/// All rows, up to [`MAX_RESULT_BYTES`].
#[derive(Default)]
pub struct Gathered {
    columns: Vec<String>,
    rows: Vec<RowResult>,
    bytes: usize,
}

impl Gathered {
    /// What has been gathered.
    pub fn into_result(self) -> QueryResult {
        QueryResult {
            columns: self.columns,
            rows: self.rows,
        }
    }
}

impl Sink for Gathered {
    fn columns(&mut self, names: Vec<String>) {
        self.columns = names;
    }

    fn row(&mut self, row: RowResult) -> Result<(), Error> {
        self.bytes += value_bytes(&row.values);
        if self.bytes > MAX_RESULT_BYTES {
            return Err(too_big());
        }
        self.rows.push(row);
        Ok(())
    }
}

/// What the reader gets to start with: column names and batches.
type Opening = (Vec<String>, mpsc::Receiver<Vec<RowResult>>);

/// Rows on their way into a stream.
pub struct Batches {
    columns: Vec<String>,
    reader: Option<(oneshot::Sender<Opening>, mpsc::Receiver<Vec<RowResult>>)>,
    sender: mpsc::Sender<Vec<RowResult>>,
    batch: Vec<RowResult>,
    bytes: usize,
}

impl Batches {
    /// A stream whose reader waits for `opening`.
    pub fn new(opening: oneshot::Sender<Opening>) -> Self {
        let (sender, receiver) = mpsc::channel(BATCHES_AHEAD);
        let reader = Some((opening, receiver));
        Self {
            columns: Vec::new(),
            reader,
            sender,
            batch: Vec::new(),
            bytes: 0,
        }
    }

    /// Ends the stream; the statement has `ended`.
    pub fn finish(mut self, ended: Result<(), Error>, outcome: oneshot::Sender<Result<(), Error>>) {
        let sent = if self.batch.is_empty() {
            Ok(())
        } else {
            self.send()
        };
        let _ = outcome.send(ended.and(sent));
        let Self {
            columns,
            reader,
            sender,
            ..
        } = self;
        drop(sender);
        open(columns, reader);
    }

    fn send(&mut self) -> Result<(), Error> {
        self.bytes = 0;
        // The first batch finds room, so nobody has to read it for this to return.
        self.sender
            .blocking_send(std::mem::take(&mut self.batch))
            .map_err(|_| Error::Io("row send error".to_owned()))
    }
}

impl Sink for Batches {
    fn columns(&mut self, names: Vec<String>) {
        self.columns = names;
    }

    fn row(&mut self, row: RowResult) -> Result<(), Error> {
        let bytes = value_bytes(&row.values);
        if bytes > MAX_RESULT_BYTES {
            return Err(too_big());
        }
        self.bytes += bytes;
        self.batch.push(row);
        if self.batch.len() >= BATCH_ROWS || self.bytes >= BATCH_BYTES {
            self.send()?;
            open(std::mem::take(&mut self.columns), self.reader.take());
        }
        Ok(())
    }
}

fn open(
    columns: Vec<String>,
    reader: Option<(oneshot::Sender<Opening>, mpsc::Receiver<Vec<RowResult>>)>,
) {
    if let Some((opening, receiver)) = reader {
        let _ = opening.send((columns, receiver));
    }
}

/// A stream of rows that are there already.
pub fn ended(columns: Vec<String>, rows: Vec<RowResult>, outcome: Result<(), Error>) -> Rows {
    let (ending, ended) = oneshot::channel();
    let (sender, batches) = mpsc::channel(1);
    // There is room for one batch, and both readers are in this function.
    if !rows.is_empty() {
        let _ = sender.try_send(rows);
    }
    let _ = ending.send(outcome);
    Rows {
        columns,
        batches,
        outcome: ended,
    }
}

/// What values take in memory, about.
pub fn value_bytes(values: &[Value]) -> usize {
    let heap_bytes = |value: &Value| match value {
        Value::Text(text) => text.len(),
        Value::Blob(blob) => blob.len(),
        Value::Null | Value::Integer(_) | Value::Real(_) => 0,
    };
    size_of_val(values) + values.iter().map(heap_bytes).sum::<usize>()
}

fn too_big() -> Error {
    Error::Io(format!(
        "query result exceeds limit of {MAX_RESULT_BYTES} bytes"
    ))
}
