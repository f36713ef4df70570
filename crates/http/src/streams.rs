//! `Streams`: what the open streams of one node share: how many there may be, and what wakes them.

use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering};
use std::time::Duration;

use tokio::sync::{OwnedSemaphorePermit, Semaphore, watch};
use tokio::time::timeout;

/// How many streams a node has open at once. Each asks the store when something is new; a service
/// whose checkers are more than that has other nodes.
pub(crate) const STREAMS_MAX: usize = 100;

/// How long nobody looks into the feed if nobody is woken: an application that mounts the service
/// may have no task that follows the feed.
const LOOK_INTERVAL: Duration = Duration::from_secs(1);

/// The streams of one node.
#[derive(Clone)]
pub(crate) struct Streams {
    updates: watch::Sender<()>,
    /// Whether somebody follows the feed and wakes the streams.
    is_followed: Arc<AtomicBool>,
    slots: Arc<Semaphore>,
}

impl Streams {
    pub(crate) fn new() -> Self {
        let slots = Arc::new(Semaphore::new(STREAMS_MAX));
        Self { updates: watch::Sender::new(()), is_followed: Arc::default(), slots }
    }

    /// Has every stream look for something new.
    pub(crate) fn wake(&self) {
        self.is_followed.store(true, Ordering::Relaxed);
        self.updates.send_replace(());
    }

    /// A place for one more stream, if there is one.
    pub(crate) fn take_slot(&self) -> Option<StreamSlot> {
        let permit = Arc::clone(&self.slots).try_acquire_owned().ok()?;
        let is_followed = Arc::clone(&self.is_followed);
        Some(StreamSlot { updates: self.updates.subscribe(), is_followed, _permit: permit })
    }
}

/// The place of one stream, free again when it is dropped.
pub(crate) struct StreamSlot {
    updates: watch::Receiver<()>,
    is_followed: Arc<AtomicBool>,
    _permit: OwnedSemaphorePermit,
}

impl StreamSlot {
    /// Waits until the stream was woken since the last call, but no longer than this; where nobody
    /// has ever woken one, no longer than a second.
    pub(crate) async fn wait(&mut self, at_most: Duration) {
        let is_followed = self.is_followed.load(Ordering::Relaxed);
        let at_most = if is_followed { at_most } else { at_most.min(LOOK_INTERVAL) };
        // Being woken and being late are the same to whoever looks anyway; and what would wake is
        // not dropped while a stream is open.
        let _ = timeout(at_most, self.updates.changed()).await;
    }
}
