//! `Streams`: the open streams of one node: their limit, and waking them.

use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering};
use std::time::Duration;

use tokio::sync::{OwnedSemaphorePermit, Semaphore, watch};
use tokio::time::timeout;

/// How many streams a node has open at once. Each of them reads from the store after every event;
/// for more clients, add nodes.
pub(crate) const STREAMS_MAX: usize = 100;

/// How often streams read the feed if they were never woken: an application that mounts the service
/// may have no task that calls `announce_invalidations`.
const LOOK_INTERVAL: Duration = Duration::from_secs(1);

/// The streams of one node.
#[derive(Clone)]
pub(crate) struct Streams {
    updates: watch::Sender<()>,
    /// Whether a task follows the feed and wakes the streams.
    is_followed: Arc<AtomicBool>,
    slots: Arc<Semaphore>,
}

impl Streams {
    pub(crate) fn new() -> Self {
        let slots = Arc::new(Semaphore::new(STREAMS_MAX));
        Self { updates: watch::Sender::new(()), is_followed: Arc::default(), slots }
    }

    /// Makes every stream read the feed.
    pub(crate) fn wake(&self) {
        self.is_followed.store(true, Ordering::Relaxed);
        self.updates.send_replace(());
    }

    /// Takes a slot for one more stream, if one is free.
    pub(crate) fn take_slot(&self) -> Option<StreamSlot> {
        let permit = Arc::clone(&self.slots).try_acquire_owned().ok()?;
        let is_followed = Arc::clone(&self.is_followed);
        Some(StreamSlot { updates: self.updates.subscribe(), is_followed, _permit: permit })
    }
}

/// The slot of one stream. Dropping it frees the slot.
pub(crate) struct StreamSlot {
    updates: watch::Receiver<()>,
    is_followed: Arc<AtomicBool>,
    _permit: OwnedSemaphorePermit,
}

impl StreamSlot {
    /// Waits until the stream is woken, at most this long; if no stream was ever woken, at most a
    /// second.
    pub(crate) async fn wait(&mut self, at_most: Duration) {
        let is_followed = self.is_followed.load(Ordering::Relaxed);
        let at_most = if is_followed { at_most } else { at_most.min(LOOK_INTERVAL) };
        // The caller reads the feed whether it was woken or timed out. The sender outlives all
        // slots.
        let _ = timeout(at_most, self.updates.changed()).await;
    }
}
