//! `Entropy`: randomness.

/// A source of random bytes that nobody can guess.
///
/// A source that fails must panic: nothing may go on with bytes that are not random.
#[cfg_attr(feature = "mock", mockall::automock)]
pub trait Entropy: Send + Sync {
    /// Fills the buffer.
    fn fill(&self, buffer: &mut [u8]);
}
