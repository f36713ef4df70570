//! `SystemEntropy`: the random generator of aws-lc, seeded by the operating system.

use aws_lc_rs::rand::{SecureRandom, SystemRandom};
use gateward_domain::ports::Entropy;

/// A cryptographically secure source of random bytes.
#[derive(Clone, Debug, Default)]
pub struct SystemEntropy(SystemRandom);

impl SystemEntropy {
    /// Creates the source.
    #[must_use]
    pub fn new() -> Self {
        Self::default()
    }
}

impl Entropy for SystemEntropy {
    /// Fills the buffer.
    ///
    /// # Panics
    ///
    /// Panics if the source fails: the port requires that nothing continues without random bytes.
    fn fill(&self, buffer: &mut [u8]) {
        assert!(self.0.fill(buffer).is_ok(), "the source of random bytes has failed");
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn no_two_buffers_are_alike() {
        let (mut one, mut other) = ([0; 32], [0; 32]);
        SystemEntropy::new().fill(&mut one);
        SystemEntropy::new().fill(&mut other);
        assert!(one != other && one != [0; 32]);
    }
}
