//! `OutboxNotifier`: wakes the outbox worker.

/// Notifies the outbox worker of this node that an email waits, so that it need not poll
/// constantly.
#[cfg_attr(feature = "mock", mockall::automock)]
pub trait OutboxNotifier: Send + Sync {
    /// Reports that an email was inserted and committed.
    fn notify(&self);
}

/// Notifies no worker: emails are found by polling.
#[derive(Clone, Copy, Debug, Default)]
pub struct NoOutboxNotifier;

impl OutboxNotifier for NoOutboxNotifier {
    fn notify(&self) {}
}
