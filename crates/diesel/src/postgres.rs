//! Postgres: a pool of connections, and the queries compiled for them.

/// Locks the rows of a query until the transaction ends.
macro_rules! locked {
    ($query:expr) => {
        diesel::QueryDsl::for_no_key_update($query)
    };
}

/// The identifiers that a query finds, few of them, for a statement that reads their rows. As an
/// array they are found first, whatever number of rows the server estimates.
macro_rules! found_first {
    ($query:expr) => {
        diesel::dsl::array::<super::super::columns::sql::Ident, _>($query)
    };
}

/// The identifiers that a query finds, for a statement that changes their rows. They are locked in
/// the query's order, so that concurrent statements on the same rows do not deadlock.
///
/// They are an array, so that the query runs once. If it ran again for each row, it would see the
/// changes of the statement itself.
macro_rules! in_turn {
    ($query:expr) => {
        in_turn!($query, super::super::columns::sql::Ident)
    };
    ($query:expr, $key:ty) => {
        diesel::dsl::array::<$key, _>(diesel::QueryDsl::for_no_key_update($query))
    };
}

/// Like `in_turn`, but skips rows that another transaction has locked.
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
mod shown;
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
pub use shown::shown_url;
use unit::Tx;

/// Maximum wait of a unit of work for a free connection. Beyond it, refusing the caller is better
/// than a queue that only grows.
const ACQUIRE_TIMEOUT: Duration = Duration::from_secs(1);

/// A store on a Postgres server. Clones share the pool.
#[derive(Clone)]
pub struct PostgresStore {
    pool: Pool<AsyncPgConnection>,
    /// One connection for the reader of the feed, which does not queue behind requests.
    looks: Pool<AsyncPgConnection>,
    connector: Arc<Connector>,
}

impl PostgresStore {
    /// Opens the store at a `postgres://` URL. The server is not contacted yet.
    pub fn open(url: &str, pool_size: usize) -> Result<Self, OpenError> {
        match Target::parse(url)? {
            Target::Postgres(settings) => Self::on(*settings, pool_size),
            Target::Sqlite(_) => Err(OpenError::BadUrl("this store needs a postgres:// URL")),
        }
    }

    /// Opens the store on the server with these settings.
    pub(crate) fn on(settings: Settings, pool_size: usize) -> Result<Self, OpenError> {
        let connector = Arc::new(Connector::new(settings)?);
        let pool = pool(&connector, pool_size)?;
        let looks = self::pool(&connector, 1)?;
        Ok(Self { pool, looks, connector })
    }

    /// Returns a connection that is not known to be dead.
    async fn connection(&self) -> Result<Object<AsyncPgConnection>, StoreError> {
        self.pool.get().await.map_err(|error| match error {
            PoolError::Timeout(TimeoutType::Wait) => StoreError::Busy,
            PoolError::Backend(error) if is_busy(&error.to_string()) => StoreError::Busy,
            other => StoreError::Unavailable(Box::new(other)),
        })
    }
}

/// Creates a pool with this maximum number of connections.
fn pool(connector: &Arc<Connector>, size: usize) -> Result<Pool<AsyncPgConnection>, OpenError> {
    let setup = Arc::clone(connector);
    let mut config = ManagerConfig::default();
    // No query tests a connection before each use: one that the server has closed is known to be
    // closed, and a read that finds a dead one uses another.
    config.recycling_method = RecyclingMethod::Fast;
    config.custom_setup = Box::new(move |_| {
        let connector = Arc::clone(&setup);
        Box::pin(async move { connector.connect().await })
    });
    // The manager's own URL stays empty: only the connector knows the password.
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
