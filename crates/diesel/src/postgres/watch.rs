//! Listens for invalidation events, on a dedicated connection that the server wakes.

use std::future::poll_fn;

use async_trait::async_trait;
use gateward_domain::ports::{FeedWatch, StoreError};
use tokio::io::{AsyncRead, AsyncWrite};
use tokio::sync::mpsc;
use tokio_postgres::{AsyncMessage, Client, Connection, Socket};

/// The first statements on the connection: they turn off the idle timeout and subscribe to the
/// channel.
///
/// A database restored from another server's dump contains transaction numbers that this server has
/// not assigned yet. Those rows receive the current number. Otherwise readers would treat them as
/// future entries.
const LISTEN: &str = "\
    SET idle_session_timeout = 0; \
    UPDATE invalidation_events SET xid = pg_current_xact_id()::text::bigint \
    WHERE xid >= pg_snapshot_xmax(pg_current_snapshot())::text::bigint; \
    LISTEN gateward_invalidations";

/// A listening connection, closed when this is dropped.
pub struct Watch {
    /// The connection ends with its client.
    _client: Client,
    rung: mpsc::Receiver<()>,
}

impl Watch {
    /// Starts listening on a connection.
    pub async fn start<T>(
        client: Client,
        connection: Connection<Socket, T>,
    ) -> Result<Self, tokio_postgres::Error>
    where
        T: AsyncRead + AsyncWrite + Unpin + Send + 'static,
    {
        // One slot: a single read of the feed covers all wake-ups before it.
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

/// Forwards the server's notifications, until the connection ends.
async fn pass_on<T>(mut connection: Connection<Socket, T>, wake: mpsc::Sender<()>)
where
    T: AsyncRead + AsyncWrite + Unpin,
{
    while let Some(Ok(message)) = poll_fn(|context| connection.poll_message(context)).await {
        if matches!(message, AsyncMessage::Notification(_)) {
            // If the slot is taken, a wake-up is already pending.
            let _ = wake.try_send(());
        }
    }
}
