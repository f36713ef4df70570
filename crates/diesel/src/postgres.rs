//! Postgres: a pool of connections, and the queries compiled for them.

/// Locks the rows of a query until the transaction ends.
macro_rules! locked {
    ($query:expr) => {
        diesel::QueryDsl::for_no_key_update($query)
    };
}

/// The identifiers that a query finds, few of them, for a statement that reads their rows: as an
/// array they are found first, whatever the server guesses of how many there are.
macro_rules! found_first {
    ($query:expr) => {
        diesel::dsl::array::<super::super::columns::sql::Ident, _>($query)
    };
}

/// The identifiers that a query finds, for a statement that changes their rows: locked in the
/// query's order, so that statements that meet on some rows wait for each other in one direction.
///
/// They are an array, so that the query runs once: run again for each row, it would see what the
/// statement has changed so far.
macro_rules! in_turn {
    ($query:expr) => {
        in_turn!($query, super::super::columns::sql::Ident)
    };
    ($query:expr, $key:ty) => {
        diesel::dsl::array::<$key, _>(diesel::QueryDsl::for_no_key_update($query))
    };
}

/// The same, but without those that somebody else has locked: they are theirs.
macro_rules! unclaimed {
    ($query:expr) => {
        unclaimed!($query, super::super::columns::sql::Ident)
    };
    ($query:expr, $key:ty) => {
        diesel::dsl::array::<$key, _>(diesel::QueryDsl::for_no_key_update($query).skip_locked())
    };
}

mod audit_chain;
mod columns;
mod connect;
mod cursor;
mod feed;
pub mod inspect;
mod load;
pub mod migrate;
#[path = "repos/mod.rs"]
mod repos;
mod rotate;
#[path = "rows/mod.rs"]
mod rows;
#[path = "schema.rs"]
mod schema;
mod settings;
mod tls;
mod unit;
mod watch;

use std::fmt;
use std::sync::Arc;
use std::time::Duration;

use async_trait::async_trait;
use deadpool::Runtime;
use deadpool::managed::{QueueMode, TimeoutType};
use diesel_async::AsyncPgConnection;
use diesel_async::pooled_connection::deadpool::{Object, Pool, PoolError};
use diesel_async::pooled_connection::{
    AsyncDieselConnectionManager, ManagerConfig, RecyclingMethod,
};
use gateward_domain::ports::{self, Access, FeedWatch, Store, StoreError};

use crate::error::{OpenError, is_busy};
use crate::target::Target;
pub use connect::Connector;
pub use load::PoolLoad;
pub use settings::Settings;
use unit::Tx;

/// For how long a unit of work waits for a free connection: whoever waits longer is better told to
/// come back than kept in a queue that only grows.
const ACQUIRE_TIMEOUT: Duration = Duration::from_secs(1);

/// A store on a Postgres server. Clones share the pool.
#[derive(Clone)]
pub struct PostgresStore {
    pool: Pool<AsyncPgConnection>,
    /// One connection for whoever follows the feed, which does not wait behind requests.
    looks: Pool<AsyncPgConnection>,
    connector: Arc<Connector>,
}

impl PostgresStore {
    /// Opens the store that a `postgres://` URL names. The server is not asked yet.
    pub fn open(url: &str, pool_size: usize) -> Result<Self, OpenError> {
        match Target::parse(url)? {
            Target::Postgres(settings) => Self::on(*settings, pool_size),
            Target::Sqlite(_) => Err(OpenError::BadUrl("postgres:// is wanted here")),
        }
    }

    /// Opens the store on the server of these settings.
    pub(crate) fn on(settings: Settings, pool_size: usize) -> Result<Self, OpenError> {
        let connector = Arc::new(Connector::new(settings)?);
        let pool = pool(&connector, pool_size)?;
        let looks = self::pool(&connector, 1)?;
        Ok(Self { pool, looks, connector })
    }

    /// A connection that is not known to be dead.
    async fn connection(&self) -> Result<Object<AsyncPgConnection>, StoreError> {
        self.pool.get().await.map_err(|error| match error {
            PoolError::Timeout(TimeoutType::Wait) => StoreError::Busy,
            PoolError::Backend(error) if is_busy(&error.to_string()) => StoreError::Busy,
            other => StoreError::Unavailable(Box::new(other)),
        })
    }
}

/// A pool of at most so many connections.
fn pool(connector: &Arc<Connector>, size: usize) -> Result<Pool<AsyncPgConnection>, OpenError> {
    let setup = Arc::clone(connector);
    let mut config = ManagerConfig::default();
    // No query to test a connection before each use: one that the server has closed is known
    // to be closed, and a read that finds a dead one takes another.
    config.recycling_method = RecyclingMethod::Fast;
    config.custom_setup = Box::new(move |_| {
        let connector = Arc::clone(&setup);
        Box::pin(async move { connector.connect().await })
    });
    // The manager's own URL stays empty: nothing but the connector knows the password.
    let manager = AsyncDieselConnectionManager::new_with_config("", config);
    Pool::builder(manager)
        .max_size(size.max(1))
        .wait_timeout(Some(ACQUIRE_TIMEOUT))
        .queue_mode(QueueMode::Lifo)
        .runtime(Runtime::Tokio1)
        .build()
        .map_err(|error| OpenError::Failed(Box::new(error)))
}

impl fmt::Debug for PostgresStore {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        formatter.debug_struct("PostgresStore").finish_non_exhaustive()
    }
}

#[async_trait]
impl Store for PostgresStore {
    async fn begin(&self, access: Access) -> Result<Box<dyn ports::Tx>, StoreError> {
        Ok(Box::new(Tx::begin(self.clone(), access).await?))
    }

    async fn begin_feed_read(&self) -> Result<Box<dyn ports::Tx>, StoreError> {
        let looking = Self { pool: self.looks.clone(), ..self.clone() };
        Ok(Box::new(Tx::begin(looking, Access::Read).await?))
    }

    async fn watch_feed(&self) -> Result<Box<dyn FeedWatch>, StoreError> {
        match self.connector.watch().await {
            Ok(watch) => Ok(Box::new(watch)),
            Err(error) if is_busy(&error.to_string()) => Err(StoreError::Busy),
            Err(error) => Err(StoreError::Unavailable(Box::new(error))),
        }
    }
}

#[cfg(test)]
mod tests;
