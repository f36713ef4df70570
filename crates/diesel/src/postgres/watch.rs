//! Listening for invalidation events: a connection of its own, which the server wakes.

use std::future::poll_fn;

use async_trait::async_trait;
use gateward_domain::ports::{FeedWatch, StoreError};
use tokio::io::{AsyncRead, AsyncWrite};
use tokio::sync::mpsc;
use tokio_postgres::{AsyncMessage, Client, Connection, Socket};

/// What the connection is told first: the server may not take its silence for idleness, and wakes
/// it from now on.
///
/// A database that was restored from another server's dump holds numbers that this server has not
/// given yet. Such rows are given the present one: readers would take them for what is to come.
const LISTEN: &str = "\
    SET idle_session_timeout = 0; \
    UPDATE invalidation_events SET xid = pg_current_xact_id()::text::bigint \
    WHERE xid >= pg_snapshot_xmax(pg_current_snapshot())::text::bigint; \
    LISTEN gateward_invalidations";

/// A connection that listens; it is closed when this is dropped.
pub struct Watch {
    /// The connection ends with its client.
    _client: Client,
    rung: mpsc::Receiver<()>,
}

impl Watch {
    /// Has a connection listen.
    pub async fn start<T>(
        client: Client,
        connection: Connection<Socket, T>,
    ) -> Result<Self, tokio_postgres::Error>
    where
        T: AsyncRead + AsyncWrite + Unpin + Send + 'static,
    {
        // One place: whoever looks once has seen all that they were woken for.
        let (wake, rung) = mpsc::channel(1);
        tokio::spawn(pass_on(connection, wake));
        client.batch_execute(LISTEN).await?;
        Ok(Self { _client: client, rung })
    }
}

#[async_trait]
impl FeedWatch for Watch {
    async fn changed(&mut self) -> Result<(), StoreError> {
        let closed = || StoreError::Unavailable("the connection that listened is closed".into());
        self.rung.recv().await.ok_or_else(closed)
    }
}

/// Passes on what the server says, until the connection ends.
async fn pass_on<T>(mut connection: Connection<Socket, T>, wake: mpsc::Sender<()>)
where
    T: AsyncRead + AsyncWrite + Unpin,
{
    while let Some(Ok(message)) = poll_fn(|context| connection.poll_message(context)).await {
        if matches!(message, AsyncMessage::Notification(_)) {
            // It is rung already where there is no room.
            let _ = wake.try_send(());
        }
    }
}
