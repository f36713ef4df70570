//! `RevocationStream`: the feed as server-sent events (HTML, section 9.2).
//!
//! The connection pulls: the feed is read when what was read before is on its way, and nothing is
//! kept for readers that are slow.

use std::convert::Infallible;
use std::time::Duration;

use actix_web::web::Bytes;
use futures_util::{Stream, StreamExt, stream};
use gateward_app::domain::feed::{FeedCursor, FeedEntry};
use gateward_app::domain::ports::StoreError;
use tokio::time::Instant;

use super::entry::EntryBody;
use crate::App;
use crate::problem::Chain;
use crate::streams::StreamSlot;

/// How many entries are read at once.
const PAGE: u32 = 100;

/// How often something is sent although nothing happens, so that both ends notice a line that is
/// dead.
const HEARTBEAT_INTERVAL: Duration = Duration::from_secs(15);

/// What is sent then.
const HEARTBEAT: Bytes = Bytes::from_static(b": beat\n\n");

/// A reader of the feed, and where it stands.
pub(super) struct RevocationStream {
    app: App,
    slot: StreamSlot,
    last: Option<FeedCursor>,
    /// What was read and not sent yet.
    ready: Bytes,
    /// Whether there was more to be read.
    is_behind: bool,
    beat_at: Instant,
}

impl RevocationStream {
    /// Reads what is there already, so that a store that fails is told of by the status.
    pub(super) async fn open(
        app: App,
        slot: StreamSlot,
        since: Option<FeedCursor>,
    ) -> Result<Self, StoreError> {
        let beat_at = Instant::now() + HEARTBEAT_INTERVAL;
        let ready = Bytes::new();
        let mut opened = Self { app, slot, last: since, ready, is_behind: false, beat_at };
        opened.ready = opened.read().await?;
        Ok(opened)
    }

    /// The events, until the node stops or its store fails: then the client goes on from the last
    /// one.
    pub(super) fn events(self) -> impl Stream<Item = Result<Bytes, Infallible>> {
        stream::unfold(self, Self::next).map(Ok)
    }

    /// What is sent next. It is never empty, which would end the answer.
    async fn next(mut self) -> Option<(Bytes, Self)> {
        loop {
            if self.app.is_draining() {
                return None;
            }
            if !self.ready.is_empty() {
                return Some((std::mem::take(&mut self.ready), self));
            }
            let beat_in = self.beat_at.saturating_duration_since(Instant::now());
            if beat_in.is_zero() {
                self.beat_at = Instant::now() + HEARTBEAT_INTERVAL;
                return Some((HEARTBEAT, self));
            }
            if !self.is_behind {
                self.slot.wait(beat_in).await;
            }
            match self.read().await {
                Ok(ready) => self.ready = ready,
                Err(error) => {
                    tracing::warn!(cause = %Chain(&error), "a stream of revocations breaks off");
                    return None;
                }
            }
        }
    }

    /// Reads on in the feed.
    async fn read(&mut self) -> Result<Bytes, StoreError> {
        let page = self.app.core().read_feed(self.last.clone(), PAGE).await?;
        self.is_behind = page.entries.len() >= PAGE as usize;
        let events: String = page.entries.iter().filter_map(event).collect();
        if let Some(last) = page.entries.into_iter().last() {
            self.last = Some(last.cursor);
        }
        Ok(Bytes::from(events))
    }
}

/// An entry as an event. Neither a cursor nor JSON of this form holds a line break.
fn event(entry: &FeedEntry) -> Option<String> {
    let body = serde_json::to_string(&EntryBody::of(entry)?).ok()?;
    Some(format!("id: {}\ndata: {body}\n\n", entry.cursor.as_str()))
}
