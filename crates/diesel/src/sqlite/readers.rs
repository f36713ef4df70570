//! The connections that read.

use std::sync::{Arc, Mutex, PoisonError};
use std::time::Duration;

use diesel::SqliteConnection;
use gateward_domain::ports::StoreError;
use tokio::sync::{OwnedSemaphorePermit, Semaphore};
use tokio::time::timeout;

use super::Conn;
use super::thread::Thread;

/// For how long a unit of work waits for a free connection.
const ACQUIRE_TIMEOUT: Duration = Duration::from_secs(1);

/// The connections that read, and who may take one.
pub struct Readers {
    free: Mutex<Vec<Conn>>,
    permits: Arc<Semaphore>,
}

impl Readers {
    /// Gives each connection its thread.
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
        // As many permits as connections, so there is one.
        let conn = Some(conn.ok_or(StoreError::Busy)?);
        Ok(Reader { conn, readers: Arc::clone(self), _permit: permit })
    }
}

/// A connection that reads; it is given back when this is dropped.
///
/// Whoever gets it next waits behind a query whose caller has gone away.
pub struct Reader {
    conn: Option<Conn>,
    readers: Arc<Readers>,
    _permit: OwnedSemaphorePermit,
}

impl Reader {
    /// The connection.
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
