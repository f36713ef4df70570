//! The reading connections.

use std::sync::{Arc, Mutex, PoisonError};
use std::time::Duration;

use diesel::SqliteConnection;
use gateward_domain::ports::StoreError;
use tokio::sync::{OwnedSemaphorePermit, Semaphore};
use tokio::time::timeout;

use super::Conn;
use super::thread::Thread;

/// Maximum wait of a unit of work for a free connection.
const ACQUIRE_TIMEOUT: Duration = Duration::from_secs(1);

/// The reading connections, and the permits to take one.
pub struct Readers {
    free: Mutex<Vec<Conn>>,
    permits: Arc<Semaphore>,
}

impl Readers {
    /// Starts a thread for each connection.
    pub fn new(connections: Vec<SqliteConnection>) -> Self {
        let permits = Arc::new(Semaphore::new(connections.len()));
        let on_thread = |conn| Conn::with_runtime(conn, Thread::start("reader"));
        Self { free: Mutex::new(connections.into_iter().map(on_thread).collect()), permits }
    }

    /// Takes a connection.
    pub async fn take(self: &Arc<Self>) -> Result<Reader, StoreError> {
        let permit = timeout(ACQUIRE_TIMEOUT, Arc::clone(&self.permits).acquire_owned()).await;
        let permit = permit.ok().and_then(Result::ok).ok_or(StoreError::Busy)?;
        let conn = self.free.lock().unwrap_or_else(PoisonError::into_inner).pop();
        // There are as many permits as connections, so one is free.
        let conn = Some(conn.ok_or(StoreError::Busy)?);
        Ok(Reader { conn, readers: Arc::clone(self), _permit: permit })
    }
}

/// A reading connection, returned to the pool when this is dropped.
///
/// Its next user waits for a running query whose caller has gone away.
pub struct Reader {
    conn: Option<Conn>,
    readers: Arc<Readers>,
    _permit: OwnedSemaphorePermit,
}

impl Reader {
    /// Returns the connection.
    pub const fn conn(&mut self) -> Option<&mut Conn> {
        self.conn.as_mut()
    }
}

impl Drop for Reader {
    fn drop(&mut self) {
        let mut free = self.readers.free.lock().unwrap_or_else(PoisonError::into_inner);
        free.extend(self.conn.take());
    }
}
