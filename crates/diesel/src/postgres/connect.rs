//! Connects to a Postgres server.

use std::time::Duration;

use diesel::{ConnectionError, ConnectionResult};
use diesel_async::{AsyncPgConnection, SimpleAsyncConnection};
use tokio::time::timeout;
use tokio_postgres::NoTls;
use tokio_postgres_rustls::MakeRustlsConnect;

use super::settings::{Protection, Settings};
use super::tls;
use super::watch::Watch;
use crate::error::OpenError;

/// Timeout of the whole connection setup: name resolution, handshakes, login and the first
/// statements.
const SETUP_TIMEOUT: Duration = Duration::from_secs(5);

/// The first statements on every connection.
///
/// A statement times out before the request it serves does, a wait for a lock long before, and an
/// abandoned transaction does not hold its locks for ever. The isolation level is the one that the
/// conditional statements are written for, whatever the server's default.
const SETUP: &str = "\
    SET statement_timeout = '5s'; \
    SET lock_timeout = '2s'; \
    SET idle_in_transaction_session_timeout = '10s'; \
    SET default_transaction_isolation = 'read committed'";

/// Creates connections.
#[derive(Clone)]
pub struct Connector {
    settings: Settings,
    tls: Option<MakeRustlsConnect>,
}

impl Connector {
    /// Reads the certificates that the settings name.
    pub fn new(settings: Settings) -> Result<Self, OpenError> {
        let tls = match settings.protection {
            Protection::None => None,
            protection => {
                let roots = settings.root_certificates.as_deref();
                Some(MakeRustlsConnect::new(tls::client_config(protection, roots)?))
            }
        };
        Ok(Self { settings, tls })
    }

    /// Creates a connection for units of work.
    pub async fn connect(&self) -> ConnectionResult<AsyncPgConnection> {
        in_time(async {
            let mut conn = self.connect_plainly().await?;
            let setup = conn.batch_execute(SETUP).await;
            setup.map_err(ConnectionError::CouldntSetupConfiguration)?;
            Ok(conn)
        })
        .await
    }

    /// Creates a connection with the server's own limits, for migrations.
    pub async fn connect_unlimited(&self) -> ConnectionResult<AsyncPgConnection> {
        in_time(self.connect_plainly()).await
    }

    /// Creates a connection that listens for invalidation events.
    pub async fn watch(&self) -> ConnectionResult<Watch> {
        in_time(async {
            let config = &self.settings.config;
            match &self.tls {
                None => {
                    let (client, connection) = config.connect(NoTls).await.map_err(refused)?;
                    Watch::start(client, connection).await.map_err(refused)
                }
                Some(tls) => {
                    let (client, connection) =
                        config.connect(tls.clone()).await.map_err(refused)?;
                    Watch::start(client, connection).await.map_err(refused)
                }
            }
        })
        .await
    }

    /// Connects with or without TLS.
    async fn connect_plainly(&self) -> ConnectionResult<AsyncPgConnection> {
        let config = &self.settings.config;
        match &self.tls {
            None => {
                let (client, connection) = config.connect(NoTls).await.map_err(refused)?;
                AsyncPgConnection::try_from_client_and_connection(client, connection).await
            }
            Some(tls) => {
                let (client, connection) = config.connect(tls.clone()).await.map_err(refused)?;
                AsyncPgConnection::try_from_client_and_connection(client, connection).await
            }
        }
    }
}

/// Converts an error of the driver. It contains user and host, but no password.
#[expect(clippy::needless_pass_by_value, reason = "passed to `map_err` by name")]
fn refused(error: tokio_postgres::Error) -> ConnectionError {
    let cause = std::error::Error::source(&error).map(|cause| format!(": {cause}"));
    ConnectionError::BadConnection(format!("{error}{}", cause.unwrap_or_default()))
}

/// Applies the timeout [`SETUP_TIMEOUT`].
async fn in_time<T>(work: impl Future<Output = ConnectionResult<T>>) -> ConnectionResult<T> {
    timeout(SETUP_TIMEOUT, work)
        .await
        .unwrap_or_else(|_| Err(ConnectionError::BadConnection("no response in time".to_owned())))
}
