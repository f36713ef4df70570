//! `OutboxNotifier`: wakes whoever delivers emails.

/// Tells whoever delivers emails on this node that one waits, so that it need not look all the
/// time.
#[cfg_attr(feature = "mock", mockall::automock)]
pub trait OutboxNotifier: Send + Sync {
    /// An email was written and committed.
    fn notify(&self);
}

/// A bell that nobody hears: emails are found when the outbox is looked into.
#[derive(Clone, Copy, Debug, Default)]
pub struct NoOutboxNotifier;

impl OutboxNotifier for NoOutboxNotifier {
    fn notify(&self) {}
}
