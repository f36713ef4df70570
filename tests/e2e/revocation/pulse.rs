//! `Pulse`: for how long the machine did not let this process run, which tells a bug from noise.

use std::sync::Arc;
use std::sync::atomic::{AtomicBool, AtomicU64, Ordering};
use std::time::{Duration, Instant};

/// How long the thread sleeps.
const POLL_INTERVAL: Duration = Duration::from_millis(10);

/// How late it may wake without that being told.
const TOLERATED: Duration = Duration::from_millis(50);

/// A thread that does nothing but sleep and see how late it wakes.
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

    /// For how long nothing ran, in all.
    pub(crate) fn missed(&self) -> Duration {
        Duration::from_micros(self.missed_micros.load(Ordering::Relaxed))
    }

    /// How much of a time that began when so much was missed the machine let this process run.
    pub(crate) fn net(&self, time: Duration, missed_before: Duration) -> Duration {
        time.saturating_sub(self.missed().saturating_sub(missed_before))
    }
}

impl Drop for Pulse {
    fn drop(&mut self) {
        self.over.store(true, Ordering::Relaxed);
    }
}
