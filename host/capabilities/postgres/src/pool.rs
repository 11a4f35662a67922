//! Connections that wait to be used again: signing in costs a server and the host milliseconds.
//!
//! 1. A connection waits only if nothing runs on it, and after everything that a session can set
//!    was set back.
//! 2. It is used again for the same address, password and root included, and only by a component
//!    whose grant reaches where it leads.
//! 3. At most [`MAX_WAITING`] wait, each for [`PATIENCE`] at most.

use std::collections::HashMap;
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};
use std::time::Duration;

use async_trait::async_trait;
use ring::digest;
use tokio::sync::OwnedSemaphorePermit;
use tokio::time::Instant;

use super::client::{Client, Driver};
use super::dial;
use super::{Address, Backend, Connection, Error, Grant, Root, SCHEME};

/// Connections that wait, at most: Spin's size of a pool.
pub const MAX_WAITING: usize = 64;

/// How long a connection waits. A server closes what it does not like to keep much later.
const PATIENCE: Duration = Duration::from_secs(60);

/// How long setting back may take.
const RESET_LIMIT: Duration = Duration::from_secs(5);

/// What `DISCARD ALL` does, but for the statements and plans that the driver prepared and counts
/// on, and after the end of a transaction.
const RESET: &str = "ROLLBACK; CLOSE ALL; SET SESSION AUTHORIZATION DEFAULT; RESET ALL; \
    UNLISTEN *; SELECT pg_advisory_unlock_all(); DISCARD TEMP; DISCARD SEQUENCES; \
    DO $$ DECLARE one text; BEGIN \
    FOR one IN SELECT name FROM pg_prepared_statements WHERE from_sql LOOP \
    EXECUTE 'DEALLOCATE ' || quote_ident(one); END LOOP; END $$";

/// A hash of what two connections must have in common: the address as written, and the root.
type Key = Vec<u8>;

fn key(address: &Address, root: Option<&Root>) -> Key {
    let mut hash = digest::Context::new(&digest::SHA256);
    // With its length in front, no address runs on into a root.
    hash.update(&address.text().len().to_be_bytes());
    hash.update(address.text().as_bytes());
    hash.update(root.map_or(&[][..], Root::der));
    hash.finish().as_ref().to_vec()
}

/// Makes connections, and keeps them for the next.
#[derive(Default)]
pub struct Pool {
    waiting: Arc<Waiting>,
}

#[derive(Default)]
struct Waiting(Mutex<HashMap<Key, Vec<Idle>>>);

struct Idle {
    driver: Arc<Driver>,
    until: Instant,
}

#[async_trait]
impl Backend for Pool {
    async fn open(
        &self,
        address: &Address,
        root: Option<Root>,
        grant: &Grant,
    ) -> Result<Arc<dyn Connection>, Error> {
        let key = key(address, root.as_ref());
        let driver = match self.waiting.take(&key, grant) {
            Some(driver) => driver,
            None => Arc::new(dial::connect(address, root, grant).await?),
        };
        let home = Home {
            waiting: self.waiting.clone(),
            key,
        };
        Ok(Arc::new(Client::new(driver, Some(home))))
    }
}

impl Waiting {
    fn lock(&self) -> MutexGuard<'_, HashMap<Key, Vec<Idle>>> {
        self.0.lock().unwrap_or_else(PoisonError::into_inner)
    }

    /// The connection that came last, if it is still good and `grant` reaches its end.
    fn take(&self, key: &Key, grant: &Grant) -> Option<Arc<Driver>> {
        let mut waiting = self.lock();
        let idle = waiting.get_mut(key)?;
        idle.retain(|idle| !idle.driver.is_closed() && idle.until > Instant::now());
        let reaches = |idle: &Idle| {
            let (host, peer) = idle.driver.peer();
            grant.reaches(SCHEME, &host.target(), Some(host.port), peer)
        };
        let at = idle.iter().rposition(reaches)?;
        Some(idle.swap_remove(at).driver)
    }

    fn put(&self, key: Key, driver: Arc<Driver>) {
        let mut waiting = self.lock();
        Self::tidy(&mut waiting);
        if waiting.values().map(Vec::len).sum::<usize>() < MAX_WAITING {
            let until = Instant::now() + PATIENCE;
            waiting.entry(key).or_default().push(Idle { driver, until });
        }
    }

    fn tidy(waiting: &mut HashMap<Key, Vec<Idle>>) {
        let now = Instant::now();
        waiting.retain(|_, idle| {
            idle.retain(|idle| !idle.driver.is_closed() && idle.until > now);
            !idle.is_empty()
        });
    }
}

/// Where a connection goes when it is not used any more.
pub struct Home {
    waiting: Arc<Waiting>,
    key: Key,
}

impl Home {
    /// Sets `driver` back and lets it wait. Its last user's leave to have a `socket` is used up
    /// until then, so that nobody has more by leaving them fast.
    pub async fn take_back(self, driver: Arc<Driver>, socket: Option<OwnedSemaphorePermit>) {
        let reset = driver.client().batch_execute(RESET);
        let reset = tokio::time::timeout(RESET_LIMIT, reset).await;
        if !matches!(reset, Ok(Ok(()))) {
            drop(driver);
            return;
        }
        self.waiting.put(self.key, driver);
        drop(socket);
        let waiting = Arc::downgrade(&self.waiting);
        drop(self.waiting);
        tokio::time::sleep(PATIENCE).await;
        if let Some(waiting) = waiting.upgrade() {
            Waiting::tidy(&mut waiting.lock());
        }
    }
}
