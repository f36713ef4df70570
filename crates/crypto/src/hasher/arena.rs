//! The memory in which one thread hashes, reused from hash to hash.

use argon2::Block;
use gateward_domain::ports::HashError;

/// The memory of one hash thread.
///
/// Allocating 19 MiB for each hash would cost up to a seventh of its time. A hash with larger
/// parameters (an imported one) gets memory of its own, which is freed at once.
pub(super) struct Arena {
    blocks: Vec<Block>,
    kept_max: usize,
}

impl Arena {
    /// Minimum size of the allocation, in blocks. An allocation of more than 32 MiB returns to the
    /// system when it is freed; glibc keeps smaller ones from the second time on (measured: at rest
    /// 43 MiB after the second busy phase and 81 after the third, instead of 5). Untouched address
    /// space costs no memory.
    const CAPACITY_MIN: usize = 33 * 1024 * 1024 / Block::SIZE;

    /// Creates an arena that keeps at most this many blocks of 1 KiB.
    pub(super) const fn new(kept_max: usize) -> Self {
        Self { blocks: Vec::new(), kept_max }
    }

    /// Runs `hash` with this many blocks. Their previous content is overwritten before it is read.
    pub(super) fn with<T>(
        &mut self,
        count: usize,
        hash: impl FnOnce(&mut [Block]) -> Result<T, HashError>,
    ) -> Result<T, HashError> {
        if count > self.kept_max {
            return hash(&mut allocate(count)?);
        }
        if self.blocks.is_empty() {
            self.blocks = allocate(self.kept_max)?;
        }
        hash(self.blocks.get_mut(..count).ok_or(HashError::Failed)?)
    }

    /// Returns whether the arena holds memory.
    pub(super) const fn is_filled(&self) -> bool {
        !self.blocks.is_empty()
    }

    /// Frees the memory.
    pub(super) fn release(&mut self) {
        self.blocks = Vec::new();
    }
}

/// Allocates blocks. A lack of memory is an error and does not abort the process.
fn allocate(count: usize) -> Result<Vec<Block>, HashError> {
    let mut blocks = Vec::new();
    let capacity = count.max(Arena::CAPACITY_MIN);
    blocks.try_reserve_exact(capacity).map_err(|_| HashError::Failed)?;
    blocks.resize(count, Block::new());
    Ok(blocks)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_same_memory_serves_every_hash_until_it_is_given_back() {
        let mut arena = Arena::new(64);
        let address = |arena: &mut Arena, count| {
            arena.with(count, |blocks| Ok((blocks.as_ptr() as usize, blocks.len()))).unwrap()
        };
        let (first, _) = address(&mut arena, 64);
        assert_eq!(address(&mut arena, 64), (first, 64));
        assert_eq!(address(&mut arena, 8), (first, 8));
        assert!(arena.is_filled());
        arena.release();
        assert!(!arena.is_filled());
    }

    #[test]
    fn a_larger_hash_leaves_nothing_behind() {
        let mut arena = Arena::new(64);
        assert_eq!(arena.with(65, |blocks| Ok(blocks.len())), Ok(65));
        assert!(!arena.is_filled());
    }
}
