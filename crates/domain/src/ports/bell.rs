//! `Bell`: wakes whoever delivers letters.

/// Tells whoever delivers letters on this node that one waits, so that it need not look all the time.
#[cfg_attr(feature = "mock", mockall::automock)]
pub trait Bell: Send + Sync {
    /// A letter was written and committed.
    fn ring(&self);
}

/// A bell that nobody hears: letters are found when the outbox is looked into.
#[derive(Clone, Copy, Debug, Default)]
pub struct NoBell;

impl Bell for NoBell {
    fn ring(&self) {}
}
