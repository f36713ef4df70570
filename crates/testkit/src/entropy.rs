//! `SeededEntropy`: reproducible randomness.

use std::sync::atomic::{AtomicU64, Ordering};

use gateward_domain::ports::Entropy;

/// Increment of the counter per step: 2^64 divided by the golden ratio, as in `SplitMix64`.
const STEP: u64 = 0x9e37_79b9_7f4a_7c15;

/// Reproducible randomness: a stream of bytes that depends only on the seed.
///
/// Do not use it for secrets. If several threads draw at once, each receives different bytes; only
/// their order varies between runs.
#[derive(Debug)]
pub struct SeededEntropy(AtomicU64);

impl SeededEntropy {
    /// Creates a source from a seed. Different seeds yield different streams.
    #[must_use]
    pub const fn new(seed: u64) -> Self {
        Self(AtomicU64::new(mix(seed)))
    }

    /// Returns the next eight bytes of the stream.
    pub fn next_u64(&self) -> u64 {
        mix(self.0.fetch_add(STEP, Ordering::SeqCst).wrapping_add(STEP))
    }
}

impl Entropy for SeededEntropy {
    fn fill(&self, buffer: &mut [u8]) {
        for chunk in buffer.chunks_mut(8) {
            for (byte, random) in chunk.iter_mut().zip(self.next_u64().to_be_bytes()) {
                *byte = random;
            }
        }
    }
}

/// Mixes the bits of a number bijectively (the finalizer of `SplitMix64`).
pub(crate) const fn mix(number: u64) -> u64 {
    let number = (number ^ (number >> 30)).wrapping_mul(0xbf58_476d_1ce4_e5b9);
    let number = (number ^ (number >> 27)).wrapping_mul(0x94d0_49bb_1331_11eb);
    number ^ (number >> 31)
}

#[cfg(test)]
mod tests {
    use std::collections::HashSet;

    use super::*;

    fn bytes(seed: u64) -> [u8; 37] {
        let mut bytes = [0; 37];
        SeededEntropy::new(seed).fill(&mut bytes);
        bytes
    }

    #[test]
    fn a_seed_gives_the_same_bytes_again() {
        assert_eq!(bytes(1), bytes(1));
        assert_ne!(bytes(1), bytes(2));
    }

    #[test]
    fn threads_draw_different_bytes() {
        let entropy = SeededEntropy::new(7);
        let drawn: Vec<u64> = std::thread::scope(|scope| {
            let draw = || (0..1000).map(|_| entropy.next_u64()).collect::<Vec<_>>();
            let threads: Vec<_> = (0..4).map(|_| scope.spawn(draw)).collect();
            threads.into_iter().flat_map(|thread| thread.join().unwrap()).collect()
        });
        assert_eq!(drawn.iter().collect::<HashSet<_>>().len(), 4000);
    }
}
