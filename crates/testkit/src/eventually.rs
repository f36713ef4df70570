//! `eventually`: waits for a condition, not for a time.

use std::time::Duration;

use tokio::time::{Instant, sleep};

/// The pause after the first attempt. It doubles after each one, because an attempt may be costly.
const PAUSE_MIN: Duration = Duration::from_millis(5);

/// The longest pause.
const PAUSE_MAX: Duration = Duration::from_millis(100);

/// Tries until an attempt succeeds, and returns its value.
///
/// A failed attempt returns what it saw instead. If `patience` runs out, this panics with what the
/// last attempt saw. It waits on the clock of Tokio, which a test can pause.
pub async fn eventually<T>(
    patience: Duration,
    mut attempt: impl AsyncFnMut() -> Result<T, String>,
) -> T {
    let deadline = Instant::now() + patience;
    let mut pause = PAUSE_MIN;
    loop {
        match attempt().await {
            Ok(value) => return value,
            Err(seen) => assert!(Instant::now() < deadline, "not within {patience:?}: {seen}"),
        }
        sleep(pause).await;
        pause = PAUSE_MAX.min(pause * 2);
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[tokio::test]
    async fn an_attempt_is_repeated_until_it_succeeds() {
        let mut attempts = 0;
        let value = eventually(Duration::from_mins(1), async || {
            attempts += 1;
            if attempts == 3 { Ok("done") } else { Err(format!("{attempts} attempts")) }
        });
        assert_eq!(value.await, "done");
        assert_eq!(attempts, 3);
    }

    #[tokio::test]
    #[should_panic(expected = "not within 20ms: the door is closed")]
    async fn when_the_patience_ends_the_last_attempt_says_what_it_saw() {
        let closed = async || Err::<(), _>("the door is closed".to_owned());
        eventually(Duration::from_millis(20), closed).await;
    }
}
