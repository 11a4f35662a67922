//! A Redis server behind a label, as `runtime-config.toml` names it.
//!
//! As on Spin all labels of one server share its keys, and integers are Redis's own, in decimal.
//! The connection is made with the first call and again whenever it is lost.

use std::sync::Arc;
use std::time::Duration;

use async_trait::async_trait;
use redis::aio::{ConnectionManager, ConnectionManagerConfig};
use redis::{AsyncCommands as _, Client, RedisError, Script};
use tokio::sync::{OnceCell, mpsc, oneshot};

use super::{Backend, Error, Keys, MAX_RESULT_BYTES, check_key, too_large};

/// Puts ARGV[3] in place of what is at KEYS[1], if that is ARGV[2], or nothing when ARGV[1] is 0.
const SWAP: &str = "local value = redis.call('GET', KEYS[1])
    if (ARGV[1] == '0' and value == false) or (ARGV[1] == '1' and value == ARGV[2]) then
        redis.call('SET', KEYS[1], ARGV[3])
        return 1
    end
    return 0";
/// How long a command may take; a server that has not answered by then is down.
const TIMEOUT: Duration = Duration::from_secs(10);
/// Keys of one step of a listing; Redis takes it as a hint.
const PAGE_KEYS: usize = 512;

/// A store on a Redis server.
#[derive(Clone)]
pub struct Redis {
    client: Client,
    connection: Arc<OnceCell<ConnectionManager>>,
}

impl Redis {
    /// A store at `redis://…` or `rediss://…`; connects later.
    ///
    /// # Errors
    ///
    /// [`Error::Other`] when the URL is none. Its text does not repeat the URL, which may hold a
    /// password.
    pub fn new(url: &str) -> Result<Self, Error> {
        Ok(Self {
            client: Client::open(url).map_err(other)?,
            connection: Arc::default(),
        })
    }

    async fn connection(&self) -> Result<ConnectionManager, Error> {
        let connect = || async {
            let config = ConnectionManagerConfig::new()
                .set_connection_timeout(Some(TIMEOUT))
                .set_response_timeout(Some(TIMEOUT))
                .set_number_of_retries(1);
            ConnectionManager::new_with_config(self.client.clone(), config).await
        };
        let connection = self.connection.get_or_try_init(connect).await;
        connection.cloned().map_err(other)
    }
}

fn other(error: RedisError) -> Error {
    tracing::warn!(%error, "a key-value store on Redis failed");
    Error::Other(error.to_string())
}

fn within(value: Option<Vec<u8>>) -> Result<Option<Vec<u8>>, Error> {
    match value {
        Some(value) if value.len() > MAX_RESULT_BYTES => Err(too_large()),
        value => Ok(value),
    }
}

#[async_trait]
impl Backend for Redis {
    async fn get(&self, key: String) -> Result<Option<Vec<u8>>, Error> {
        within(self.connection().await?.get(key).await.map_err(other)?)
    }

    async fn exists(&self, key: String) -> Result<bool, Error> {
        self.connection().await?.exists(key).await.map_err(other)
    }

    async fn keys(&self) -> Result<Keys, Error> {
        let mut connection = self.connection().await?;
        let (send, batches) = mpsc::channel(1);
        let (end, outcome) = oneshot::channel();
        tokio::spawn(async move {
            let mut cursor = 0_u64;
            let ended = loop {
                let mut scan = redis::cmd("SCAN");
                scan.arg(cursor).arg("COUNT").arg(PAGE_KEYS);
                let page = scan
                    .query_async::<(u64, Vec<String>)>(&mut connection)
                    .await;
                let (next, keys) = match page {
                    Ok(page) => page,
                    Err(error) => break Err(other(error)),
                };
                let left = !keys.is_empty() && send.send(keys).await.is_err();
                if left || next == 0 {
                    break Ok(());
                }
                cursor = next;
            };
            _ = end.send(ended);
        });
        Ok(Keys { batches, outcome })
    }

    async fn get_many(&self, keys: Vec<String>) -> Result<Vec<Option<Vec<u8>>>, Error> {
        if keys.is_empty() {
            return Ok(Vec::new());
        }
        let values: Vec<Option<Vec<u8>>> =
            self.connection().await?.mget(keys).await.map_err(other)?;
        let bytes: usize = values.iter().flatten().map(Vec::len).sum();
        if bytes > MAX_RESULT_BYTES {
            return Err(too_large());
        }
        Ok(values)
    }

    async fn set_many(&self, entries: Vec<(String, Vec<u8>)>) -> Result<(), Error> {
        if entries.is_empty() {
            return Ok(());
        }
        entries.iter().try_for_each(|(key, _)| check_key(key))?;
        self.connection().await?.mset(&entries).await.map_err(other)
    }

    async fn delete_many(&self, keys: Vec<String>) -> Result<(), Error> {
        if keys.is_empty() {
            return Ok(());
        }
        self.connection().await?.del(keys).await.map_err(other)
    }

    async fn increment(&self, key: String, delta: i64) -> Result<i64, Error> {
        self.connection()
            .await?
            .incr(key, delta)
            .await
            .map_err(other)
    }

    async fn swap(
        &self,
        key: String,
        expected: Option<Vec<u8>>,
        value: Vec<u8>,
    ) -> Result<bool, Error> {
        let mut connection = self.connection().await?;
        let swapped: i64 = Script::new(SWAP)
            .key(key)
            .arg(u8::from(expected.is_some()))
            .arg(expected.unwrap_or_default())
            .arg(value)
            .invoke_async(&mut connection)
            .await
            .map_err(other)?;
        Ok(swapped == 1)
    }
}
