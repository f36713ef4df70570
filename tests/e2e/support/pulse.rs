//! `Pulse`: how long the machine suspended this process, which separates bugs from noise.

use std::sync::Arc;
use std::sync::atomic::{AtomicBool, AtomicU64, Ordering};
use std::time::{Duration, Instant};

/// How long the thread sleeps.
const POLL_INTERVAL: Duration = Duration::from_millis(10);

/// Delays up to this are ignored.
const TOLERATED: Duration = Duration::from_millis(50);

/// A thread that only sleeps and measures how late it wakes.
pub(crate) struct Pulse {
    missed_micros: Arc<AtomicU64>,
    over: Arc<AtomicBool>,
}

impl Pulse {
    pub(crate) fn start() -> Self {
        let pulse = Self { missed_micros: Arc::default(), over: Arc::default() };
        let (missed, over) = (Arc::clone(&pulse.missed_micros), Arc::clone(&pulse.over));
        std::thread::spawn(move || {
            while !over.load(Ordering::Relaxed) {
                let started = Instant::now();
                std::thread::sleep(POLL_INTERVAL);
                let late = started.elapsed().saturating_sub(POLL_INTERVAL);
                if late > TOLERATED {
                    let micros = u64::try_from(late.as_micros()).unwrap();
                    missed.fetch_add(micros, Ordering::Relaxed);
                }
            }
        });
        pulse
    }

    /// The total time in which nothing ran.
    pub(crate) fn missed(&self) -> Duration {
        Duration::from_micros(self.missed_micros.load(Ordering::Relaxed))
    }

    /// The part of a period in which the machine ran this process, given the missed time at its
    /// start.
    pub(crate) fn net(&self, time: Duration, missed_before: Duration) -> Duration {
        time.saturating_sub(self.missed().saturating_sub(missed_before))
    }
}

impl Drop for Pulse {
    fn drop(&mut self) {
        self.over.store(true, Ordering::Relaxed);
    }
}
