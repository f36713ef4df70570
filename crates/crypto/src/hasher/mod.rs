//! `Argon2Hasher`: hashes passwords with Argon2id (RFC 9106) on dedicated threads.

mod arena;
mod phc;
mod pool;

use std::io;
use std::num::NonZeroUsize;
use std::sync::Arc;
use std::thread::available_parallelism;

use argon2::{Algorithm, Argon2, Version};
use async_trait::async_trait;
use aws_lc_rs::constant_time::verify_slices_are_equal;
use gateward_domain::ports::{Entropy, HashError, PasswordHasher};
use gateward_domain::{Password, PasswordHash};

use self::arena::Arena;
use self::phc::{Cost, Phc};
use self::pool::{Compute, Pool, PoolSize, Work};

/// Length of a new salt in bytes, as RFC 9106, section 3.1 recommends.
const SALT_LEN: usize = 16;

/// Length of a new hash in bytes: 256 bits, as RFC 9106, section 4 recommends.
const OUTPUT_LEN: usize = 32;

/// The parameters of password hashing.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Argon2Settings {
    /// Memory of one hash, in KiB.
    pub memory_kib: u32,
    /// Number of passes over the memory.
    pub iterations: u32,
    /// Number of hashes computed at a time. `None` means one per core.
    pub threads: Option<NonZeroUsize>,
    /// Maximum number of passwords waiting per thread.
    pub queue_max_per_thread: usize,
}

impl Default for Argon2Settings {
    /// 19 MiB and two passes, one thread per core, 64 waiting passwords per thread.
    fn default() -> Self {
        Self { memory_kib: 19_456, iterations: 2, threads: None, queue_max_per_thread: 64 }
    }
}

/// Why a hasher could not be created.
#[derive(Debug, thiserror::Error)]
pub enum Argon2Error {
    /// Memory or iterations are outside the range that Argon2 and this service allow.
    #[error("the Argon2 parameters are out of range")]
    Parameters,
    /// A thread could not be started.
    #[error("a hash thread could not be started")]
    Thread(#[source] io::Error),
}

/// The load of the hash threads.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct HashLoad {
    /// Number of waiting passwords.
    pub queued: usize,
    /// Maximum number of waiting passwords. Beyond it, passwords are refused.
    pub queue_max: usize,
    /// Number of threads that are hashing.
    pub busy: usize,
    /// Total number of threads.
    pub threads: usize,
}

/// Hashes and verifies passwords with Argon2id. Its threads end when it is dropped.
pub struct Argon2Hasher {
    cost: Cost,
    entropy: Arc<dyn Entropy>,
    pool: Pool,
}

impl Argon2Hasher {
    /// Creates a hasher and starts its threads. Memory is allocated for the first password.
    pub fn new(settings: Argon2Settings, entropy: Arc<dyn Entropy>) -> Result<Self, Argon2Error> {
        let Argon2Settings { memory_kib, iterations, threads, queue_max_per_thread } = settings;
        let cost = Cost { memory_kib, iterations, lanes: 1 };
        let params = cost.params(OUTPUT_LEN).ok_or(Argon2Error::Parameters)?;
        let threads = threads.or_else(|| available_parallelism().ok()).unwrap_or(NonZeroUsize::MIN);
        let size = PoolSize {
            threads,
            queue_max: queue_max_per_thread.saturating_mul(threads.get()),
            arena_blocks: params.block_count(),
        };
        let pool = {
            let compute: Arc<Compute> = Arc::new(compute);
            Pool::start(size, &compute).map_err(Argon2Error::Thread)?
        };
        Ok(Self { cost, entropy, pool })
    }

    /// Returns the load, for the metrics.
    #[must_use]
    pub fn load(&self) -> HashLoad {
        self.pool.load()
    }
}

#[async_trait]
impl PasswordHasher for Argon2Hasher {
    async fn hash(&self, password: &Password) -> Result<PasswordHash, HashError> {
        let (cost, password) = (self.cost, password.clone());
        let mut salt = vec![0; SALT_LEN];
        self.entropy.fill(&mut salt);
        let work = Work { password, salt: salt.clone(), cost, output_len: OUTPUT_LEN };
        let output = self.pool.run(work).await?;
        let phc = Phc { cost, salt, output }.write().ok_or(HashError::Failed)?;
        Ok(PasswordHash::from_phc(phc))
    }

    async fn verify(&self, password: &Password, hash: &PasswordHash) -> Result<bool, HashError> {
        let Phc { cost, salt, output } = Phc::parse(hash.expose()).ok_or(HashError::Malformed)?;
        let work = Work { password: password.clone(), salt, cost, output_len: output.len() };
        let computed = self.pool.run(work).await?;
        Ok(verify_slices_are_equal(&computed, &output).is_ok())
    }

    fn needs_rehash(&self, hash: &PasswordHash) -> bool {
        Phc::parse(hash.expose()).is_none_or(|phc| {
            phc.cost != self.cost || phc.salt.len() < SALT_LEN || phc.output.len() != OUTPUT_LEN
        })
    }
}

/// Computes one hash.
fn compute(work: &Work, arena: &mut Arena) -> Result<Vec<u8>, HashError> {
    let params = work.cost.params(work.output_len).ok_or(HashError::Malformed)?;
    let count = params.block_count();
    let argon2 = Argon2::new(Algorithm::Argon2id, Version::V0x13, params);
    arena.with(count, |blocks| {
        let mut output = vec![0; work.output_len];
        let password = work.password.expose().as_bytes();
        argon2
            .hash_password_into_with_memory(password, &work.salt, &mut output, blocks)
            .map_err(|_| HashError::Failed)?;
        Ok(output)
    })
}

#[cfg(test)]
mod tests;
