//! `eventually`: waits for a condition, not for a time.

use std::time::{Duration, Instant};

/// How long an attempt is followed by nothing.
const PAUSE: Duration = Duration::from_millis(10);

/// Repeats an attempt until it succeeds, and returns what it found.
///
/// An attempt that fails says what it has seen instead. After `patience`, the test fails with that.
pub async fn eventually<T>(
    patience: Duration,
    mut attempt: impl AsyncFnMut() -> Result<T, String>,
) -> T {
    let started = Instant::now();
    loop {
        match attempt().await {
            Ok(found) => return found,
            Err(seen) => assert!(started.elapsed() < patience, "after {patience:?}: {seen}"),
        }
        tokio::time::sleep(PAUSE).await;
    }
}
