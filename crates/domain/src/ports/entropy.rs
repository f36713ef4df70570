//! `Entropy`: randomness.

/// A source of unpredictable random bytes.
///
/// A source that fails must panic: nothing may continue with bytes that are not random.
#[cfg_attr(feature = "mock", mockall::automock)]
pub trait Entropy: Send + Sync {
    /// Fills the buffer with random bytes.
    fn fill(&self, buffer: &mut [u8]);
}
