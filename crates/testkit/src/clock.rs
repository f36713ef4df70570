//! `FixedClock`: a clock that only the test advances.

use std::sync::Arc;
use std::sync::atomic::{AtomicI64, Ordering};

use gateward_domain::Timestamp;
use gateward_domain::ports::Clock;

use crate::fixtures;

/// A clock that only the test advances. Clones share the same time.
#[derive(Clone, Debug)]
pub struct FixedClock(Arc<AtomicI64>);

impl FixedClock {
    /// Creates a clock that shows `now`.
    #[must_use]
    pub fn new(now: Timestamp) -> Self {
        Self(Arc::new(AtomicI64::new(now.micros())))
    }

    /// Sets the clock to `now`, earlier or later.
    pub fn set(&self, now: Timestamp) {
        self.0.store(now.micros(), Ordering::SeqCst);
    }

    /// Advances the clock by `seconds`.
    pub fn advance_seconds(&self, seconds: i64) {
        self.0.fetch_add(Timestamp::from_seconds(seconds).micros(), Ordering::SeqCst);
    }
}

impl Default for FixedClock {
    /// A clock that shows [`fixtures::NOW`].
    fn default() -> Self {
        Self::new(fixtures::NOW)
    }
}

impl Clock for FixedClock {
    fn now(&self) -> Timestamp {
        Timestamp::from_micros(self.0.load(Ordering::SeqCst))
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn time_passes_when_the_test_says_so() {
        let clock = FixedClock::default();
        let shared = clock.clone();
        assert_eq!(clock.now(), fixtures::NOW);
        shared.advance_seconds(90);
        assert_eq!(clock.now(), fixtures::NOW.plus_seconds(90));
        clock.set(fixtures::NOW.minus_seconds(1));
        assert_eq!(shared.now(), fixtures::NOW.minus_seconds(1));
    }
}
