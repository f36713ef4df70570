//! The limit of logins: password hashes on every core, in memory that is allocated once.

use std::num::NonZero;
use std::thread;
use std::time::{Duration, Instant};

use anyhow::Context;
use argon2::{Algorithm, Argon2, Block, Params, Version};

use crate::load::PASSWORD;

/// The default of `password.argon2_memory_kib`.
const MEMORY_KIB: u32 = 19_456;

/// The default of `password.argon2_iterations`.
const ITERATIONS: u32 = 2;

const OUTPUT_LEN: usize = 32;

/// Hashes for this time, and returns the number of hashes per second of all cores together.
pub(crate) fn hashes_per_second(measured: Duration) -> anyhow::Result<f64> {
    let threads = thread::available_parallelism().map_or(1, NonZero::get);
    let handles: Vec<_> = (0..threads).map(|_| thread::spawn(move || hash_for(measured))).collect();
    let mut sum = 0.0;
    for handle in handles {
        sum += handle.join().ok().context("a hash thread panicked")??;
    }
    Ok(sum)
}

/// Hashes on the calling thread, and returns its number of hashes per second.
fn hash_for(measured: Duration) -> anyhow::Result<f64> {
    let params = Params::new(MEMORY_KIB, ITERATIONS, 1, Some(OUTPUT_LEN));
    let params = params.map_err(|error| anyhow::anyhow!("bad Argon2 parameters: {error}"))?;
    let mut blocks = vec![Block::new(); params.block_count()];
    let argon2 = Argon2::new(Algorithm::Argon2id, Version::V0x13, params);
    let mut output = [0; OUTPUT_LEN];
    let mut hash = || {
        let password = PASSWORD.as_bytes();
        argon2
            .hash_password_into_with_memory(password, &[7; 16], &mut output, &mut blocks)
            .map_err(|error| anyhow::anyhow!("cannot hash: {error}"))
    };
    // The first hash also pays for the memory.
    hash()?;
    let started = Instant::now();
    let mut count = 0_u32;
    while started.elapsed() < measured {
        hash()?;
        count += 1;
    }
    Ok(f64::from(count) / started.elapsed().as_secs_f64())
}
