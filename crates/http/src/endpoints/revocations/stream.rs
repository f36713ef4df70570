//! `RevocationStream`: the revocation feed as server-sent events (HTML, section 9.2).
//!
//! The connection pulls: the feed is read again once the previous events are sent, so nothing is
//! buffered for slow readers.

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

/// The number of entries per read.
const PAGE: u32 = 100;

/// How often a comment is sent, so that both ends notice a dead connection.
const HEARTBEAT_INTERVAL: Duration = Duration::from_secs(15);

const HEARTBEAT: Bytes = Bytes::from_static(b": beat\n\n");

/// A reader of the feed and its position.
pub(super) struct RevocationStream {
    app: App,
    slot: StreamSlot,
    last: Option<FeedCursor>,
    /// Events that were read and not sent yet.
    ready: Bytes,
    /// Whether there is more to read.
    is_behind: bool,
    beat_at: Instant,
}

impl RevocationStream {
    /// Reads the existing entries, so that a failing store is reported by the HTTP status.
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

    /// The events, until the node stops or its store fails. The client then resumes after the last
    /// one.
    pub(super) fn events(self) -> impl Stream<Item = Result<Bytes, Infallible>> {
        stream::unfold(self, Self::next).map(Ok)
    }

    /// The next chunk. It is never empty, because that would end the response.
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
                    tracing::warn!(cause = %Chain(&error), "revocation stream interrupted");
                    return None;
                }
            }
        }
    }

    /// Reads the next entries of the feed.
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

/// Formats an entry as an event. Cursors and this JSON contain no line breaks.
fn event(entry: &FeedEntry) -> Option<String> {
    let body = serde_json::to_string(&EntryBody::of(entry)?).ok()?;
    Some(format!("id: {}\ndata: {body}\n\n", entry.cursor.as_str()))
}
