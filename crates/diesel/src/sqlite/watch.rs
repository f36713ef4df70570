//! Watches the file. SQLite sends no notifications, but can report whether another connection has
//! written.

use std::time::Duration;

use async_trait::async_trait;
use diesel::SqliteConnection;
use diesel::dsl::sql;
use diesel::sql_types::BigInt;
use diesel_async::RunQueryDsl;
use gateward_domain::ports::{FeedWatch, StoreError};
use tokio::time::sleep;

use super::Conn;
use super::thread::Thread;
use crate::error::store_error;

/// Poll interval: a tenth of the second within which a node must apply invalidation events, for a
/// query that is answered from memory.
const PERIOD: Duration = Duration::from_millis(100);

/// A connection that watches the file.
pub struct Watch {
    conn: Conn,
    /// The last data version.
    version: i64,
}

impl Watch {
    /// Starts watching on a connection.
    pub async fn start(conn: SqliteConnection) -> Result<Self, StoreError> {
        let mut conn = Conn::with_runtime(conn, Thread::start("watch"));
        let version = data_version(&mut conn).await?;
        Ok(Self { conn, version })
    }
}

#[async_trait]
impl FeedWatch for Watch {
    async fn changed(&mut self) -> Result<(), StoreError> {
        loop {
            let version = data_version(&mut self.conn).await?;
            if version != self.version {
                self.version = version;
                return Ok(());
            }
            sleep(PERIOD).await;
        }
    }
}

/// Returns a number that changes when another connection has written.
async fn data_version(conn: &mut Conn) -> Result<i64, StoreError> {
    let version = sql::<BigInt>("PRAGMA data_version").get_result(conn).await;
    version.map_err(|error| store_error("(none)", error))
}
