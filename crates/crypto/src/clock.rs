//! `SystemClock`: the time of the operating system.

use std::time::{SystemTime, UNIX_EPOCH};

use gateward_domain::Timestamp;
use gateward_domain::ports::Clock;

/// The time of the operating system.
#[derive(Clone, Copy, Debug, Default)]
pub struct SystemClock;

impl Clock for SystemClock {
    fn now(&self) -> Timestamp {
        #[expect(clippy::disallowed_methods, reason = "this is the port's one adapter")]
        let now = SystemTime::now();
        let micros = match now.duration_since(UNIX_EPOCH) {
            Ok(after) => i64::try_from(after.as_micros()).unwrap_or(i64::MAX),
            Err(before) => {
                i64::try_from(before.duration().as_micros()).map_or(i64::MIN, |micros| -micros)
            }
        };
        Timestamp::from_micros(micros)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_system_clock_goes_forward_from_a_time_after_this_was_written() {
        let earlier = SystemClock.now();
        assert!(earlier > Timestamp::from_seconds(1_750_000_000));
        assert!(SystemClock.now() >= earlier);
    }
}
