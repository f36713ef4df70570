//! `Pace`: how fast emails are leased. One at a time while no SMTP server can be reached.

use std::time::Duration;

use gateward_app::Delivery;
use tokio::time::Instant;

/// The first pause between two probes.
const PAUSE_MIN: Duration = Duration::from_secs(1);

/// The longest pause: half of the minute in which queued emails are retried after a recovery.
const PAUSE_MAX: Duration = Duration::from_secs(30);

/// How fast emails are leased.
#[derive(Debug, Default)]
pub(super) struct Pace {
    /// How many probes in a row have failed.
    failures: u32,
    probe_at: Option<Instant>,
}

impl Pace {
    /// When the next single email is tried; `None` while an SMTP server is reachable.
    pub(super) const fn probe_at(&self) -> Option<Instant> {
        self.probe_at
    }

    /// Records a delivery attempt. The pause grows with each failure, and `random_byte` shortens it
    /// by up to half, so that nodes do not retry at the same time.
    pub(super) fn record(&mut self, delivery: Delivery, now: Instant, random_byte: u8) {
        match delivery {
            // An SMTP server that refuses an email is reachable, and may accept others.
            Delivery::Sent | Delivery::Postponed => *self = Self::default(),
            // Emails in flight when the SMTP server went down count once.
            Delivery::Unreachable if self.probe_at.is_some_and(|at| now < at) => {}
            Delivery::Unreachable => {
                let pause = PAUSE_MIN.saturating_mul(1 << self.failures.min(16)).min(PAUSE_MAX);
                self.failures = self.failures.saturating_add(1);
                self.probe_at = Some(now + pause - pause * u32::from(random_byte) / 512);
            }
            // No SMTP server was asked, or its state is unknown.
            Delivery::Discarded | Delivery::Failed => {}
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    /// The pauses in seconds after this many failed probes in a row.
    fn pauses(count: usize, random_byte: u8) -> Vec<f64> {
        let (mut pace, mut now) = (Pace::default(), Instant::now());
        let pause = |_| {
            pace.record(Delivery::Unreachable, now, random_byte);
            let pause = pace.probe_at().unwrap() - now;
            now += pause;
            pause.as_secs_f64()
        };
        (0..count).map(pause).collect()
    }

    #[test]
    fn a_pause_doubles_up_to_half_a_minute() {
        assert_eq!(pauses(8, 0), [1.0, 2.0, 4.0, 8.0, 16.0, 30.0, 30.0, 30.0]);
        assert_eq!(pauses(1_000, 0).last(), Some(&30.0));
    }

    #[test]
    fn randomness_shortens_a_pause_by_less_than_half() {
        for (short, long) in pauses(8, 255).into_iter().zip(pauses(8, 0)) {
            assert!(short > long / 2.0 && short < long * 0.51, "{short} of {long}");
        }
    }

    #[test]
    fn emails_that_fail_together_count_once() {
        let (mut pace, now) = (Pace::default(), Instant::now());
        pace.record(Delivery::Unreachable, now, 0);
        let first = pace.probe_at();
        pace.record(Delivery::Unreachable, now + Duration::from_millis(900), 0);
        assert_eq!(pace.probe_at(), first);
    }

    #[test]
    fn an_smtp_server_that_responds_ends_the_pauses() {
        for delivery in [Delivery::Sent, Delivery::Postponed] {
            let (mut pace, now) = (Pace::default(), Instant::now());
            pace.record(Delivery::Unreachable, now, 0);
            pace.record(delivery, now, 0);
            assert_eq!(pace.probe_at(), None, "{delivery:?}");
            pace.record(Delivery::Unreachable, now, 0);
            assert_eq!(pace.probe_at(), Some(now + PAUSE_MIN), "the pauses start again");
        }
    }

    #[test]
    fn an_email_that_no_smtp_server_was_asked_to_take_changes_nothing() {
        for delivery in [Delivery::Discarded, Delivery::Failed] {
            let (mut pace, now) = (Pace::default(), Instant::now());
            pace.record(delivery, now, 0);
            assert_eq!(pace.probe_at(), None);
            pace.record(Delivery::Unreachable, now, 0);
            let at = pace.probe_at();
            pace.record(delivery, now, 0);
            assert_eq!(pace.probe_at(), at, "{delivery:?}");
        }
    }
}
