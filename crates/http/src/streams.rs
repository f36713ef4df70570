//! `Streams`: what the open streams of one node share: how many there may be, and what wakes them.

use std::sync::Arc;
use std::time::Duration;

use tokio::sync::{OwnedSemaphorePermit, Semaphore, watch};
use tokio::time::timeout;

/// How many streams a node has open at once. Each asks the store about once a second; a service
/// whose checkers are more than that has other nodes.
pub(crate) const STREAMS_MAX: usize = 100;

/// The streams of one node.
#[derive(Clone)]
pub(crate) struct Streams {
    news: watch::Sender<()>,
    places: Arc<Semaphore>,
}

impl Streams {
    pub(crate) fn new() -> Self {
        let places = Arc::new(Semaphore::new(STREAMS_MAX));
        Self { news: watch::Sender::new(()), places }
    }

    /// Has every stream look for something new.
    pub(crate) fn wake(&self) {
        self.news.send_replace(());
    }

    /// A place for one more stream, if there is one.
    pub(crate) fn take_place(&self) -> Option<Place> {
        let permit = Arc::clone(&self.places).try_acquire_owned().ok()?;
        Some(Place { news: self.news.subscribe(), _permit: permit })
    }
}

/// The place of one stream, free again when it is dropped.
pub(crate) struct Place {
    news: watch::Receiver<()>,
    _permit: OwnedSemaphorePermit,
}

impl Place {
    /// Waits until the stream was woken since the last call, but no longer than this.
    pub(crate) async fn wait(&mut self, at_most: Duration) {
        // Being woken and being late are the same to whoever looks anyway; and what would wake is
        // not dropped while a stream is open.
        let _ = timeout(at_most, self.news.changed()).await;
    }
}
