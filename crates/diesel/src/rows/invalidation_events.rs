//! The rows of `invalidation_events`.

use diesel::prelude::{Insertable, Queryable, Selectable};
use gateward_domain::feed::{FeedItem, InvalidationEvent};

use super::super::columns::Time;
use super::super::schema::invalidation_events;

/// A row of `invalidation_events`, without its sequence number, which the database assigns.
#[derive(Queryable, Selectable, Insertable)]
#[diesel(table_name = invalidation_events)]
pub struct InvalidationEventRow {
    kind: String,
    subject: Option<String>,
    revoked_before: Option<Time>,
    reason: Option<String>,
    happened_at: Time,
    expires_at: Time,
}

impl From<&FeedItem> for InvalidationEventRow {
    fn from(item: &FeedItem) -> Self {
        let invalidation = &item.invalidation;
        Self {
            kind: invalidation.kind().to_owned(),
            subject: invalidation.subject(),
            revoked_before: invalidation.before().map(Time),
            reason: invalidation.reason().map(|reason| reason.as_str().to_owned()),
            happened_at: Time(item.at),
            expires_at: Time(item.until),
        }
    }
}

impl From<InvalidationEventRow> for FeedItem {
    fn from(row: InvalidationEventRow) -> Self {
        let (subject, reason) = (row.subject.as_deref(), row.reason.as_deref());
        let invalidation = InvalidationEvent::read(
            &row.kind,
            subject,
            row.revoked_before.map(|before| before.0),
            reason,
        );
        if invalidation == InvalidationEvent::Unknown {
            tracing::error!(kind = row.kind, "unknown invalidation event");
        }
        Self { invalidation, at: row.happened_at.0, until: row.expires_at.0 }
    }
}
