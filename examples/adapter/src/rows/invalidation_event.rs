//! The row of an item of the feed.

use gateward_domain::Timestamp;
use gateward_domain::feed::{FeedCursor, FeedEntry, FeedItem, InvalidationEvent};
use serde::{Deserialize, Serialize};

use super::Row;

/// The row of an item, with its sequence number.
#[derive(Serialize, Deserialize)]
pub struct InvalidationEventRow {
    cursor: String,
    kind: String,
    subject: Option<String>,
    before: Option<i64>,
    reason: Option<String>,
    at: i64,
    until: i64,
}

impl Row for InvalidationEventRow {
    type Noun = FeedEntry;
    type Key = u128;
    const TABLE: &'static str = "invalidation_events";

    fn of(FeedEntry { cursor, item }: &FeedEntry) -> Self {
        Self {
            cursor: cursor.as_str().to_owned(),
            kind: item.invalidation.kind().to_owned(),
            subject: item.invalidation.subject(),
            before: item.invalidation.before().map(Timestamp::micros),
            reason: item.invalidation.reason().map(|reason| reason.as_str().to_owned()),
            at: item.at.micros(),
            until: item.until.micros(),
        }
    }

    fn into_noun(self) -> Result<FeedEntry, &'static str> {
        let before = self.before.map(Timestamp::from_micros);
        let (subject, reason) = (self.subject.as_deref(), self.reason.as_deref());
        let item = FeedItem {
            invalidation: InvalidationEvent::read(&self.kind, subject, before, reason),
            at: Timestamp::from_micros(self.at),
            until: Timestamp::from_micros(self.until),
        };
        Ok(FeedEntry { cursor: FeedCursor::parse(&self.cursor).map_err(|_| "cursor")?, item })
    }
}
