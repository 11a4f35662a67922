//! A connection over tokio-postgres.
//!
//! What runs on it here ends with it: the task that moves bytes is stopped when the last user is
//! gone, whether or not the server still has something to say.

use std::sync::Arc;
use std::sync::atomic::Ordering;

use async_trait::async_trait;
use futures::StreamExt as _;
use tokio::sync::{mpsc, oneshot};
use tokio::task::JoinHandle;
use tokio_postgres::RowStream;

use super::frame::TooLong;
use super::rows::{BATCHES_AHEAD, Forward};
use super::{
    Connection, Error, MAX_RESULT_BYTES, ParameterValue, RowSet, Rows, failure, rows, values,
};

/// An open connection.
pub struct Client(Arc<Inner>);

/// The driver's half that takes statements, and the task of the other half.
pub struct Inner {
    driver: tokio_postgres::Client,
    moving: JoinHandle<Result<(), tokio_postgres::Error>>,
    too_long: TooLong,
}

impl Drop for Inner {
    fn drop(&mut self) {
        self.moving.abort();
    }
}

impl Client {
    /// A connection whose bytes are moved by `moving`.
    pub fn new(
        driver: tokio_postgres::Client,
        moving: JoinHandle<Result<(), tokio_postgres::Error>>,
        too_long: TooLong,
    ) -> Self {
        Self(Arc::new(Inner {
            driver,
            moving,
            too_long,
        }))
    }

    /// The driver.
    pub fn driver(&self) -> &tokio_postgres::Client {
        &self.0.driver
    }

    async fn start(
        &self,
        statement: &str,
        parameters: Vec<ParameterValue>,
    ) -> Result<RowStream, Error> {
        let parameters = values::parameters(parameters).map_err(Error::BadParameter)?;
        let started = self.0.driver.query_raw(statement, parameters).await;
        started.map_err(|error| self.0.failed(&error))
    }
}

impl Inner {
    /// The error of a statement. A message that is too long ends the connection, so that the
    /// driver knows only that it is closed.
    pub fn failed(&self, error: &tokio_postgres::Error) -> Error {
        match self.too_long.load(Ordering::Relaxed) {
            true => failure::too_large(),
            false => failure::query(error),
        }
    }
}

#[async_trait]
impl Connection for Client {
    async fn execute(
        &self,
        statement: String,
        parameters: Vec<ParameterValue>,
    ) -> Result<u64, Error> {
        let parameters = values::parameters(parameters).map_err(Error::ValueConversionFailed)?;
        let done = self.0.driver.execute_raw(&statement, parameters).await;
        done.map_err(|error| self.0.failed(&error))
    }

    async fn query(
        &self,
        statement: String,
        parameters: Vec<ParameterValue>,
    ) -> Result<RowSet, Error> {
        let mut coming = std::pin::pin!(self.start(&statement, parameters).await?);
        let mut result = RowSet {
            columns: Vec::new(),
            rows: Vec::new(),
        };
        let mut bytes = size_of::<RowSet>();
        while let Some(row) = coming.next().await {
            let row = row.map_err(|error| self.0.failed(&error))?;
            if result.rows.is_empty() {
                result.columns = values::columns(&row);
            }
            let row = values::row(&row)?;
            bytes += rows::bytes(&row);
            if bytes > MAX_RESULT_BYTES {
                return Err(failure::too_large());
            }
            result.rows.push(row);
        }
        Ok(result)
    }

    async fn stream(
        &self,
        statement: String,
        parameters: Vec<ParameterValue>,
    ) -> Result<Rows, Error> {
        let coming = self.start(&statement, parameters).await?;
        let (opening, opened) = oneshot::channel();
        let (outcome, ended) = oneshot::channel();
        let (batches, receiver) = mpsc::channel(BATCHES_AHEAD);
        let forward = Forward::new(self.0.clone(), opening, batches);
        tokio::spawn(async move {
            let _ = outcome.send(forward.run(coming).await);
        });
        Ok(Rows {
            // Without a first row there are no columns.
            columns: opened.await.unwrap_or_default(),
            batches: receiver,
            outcome: ended,
        })
    }
}
