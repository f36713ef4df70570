//! Reading the audit trail.

use gateward_domain::audit::EventRange;
use gateward_domain::ports::{Access, StoreError};
use gateward_domain::{Event, EventId, Timestamp, UserId};

use crate::App;

/// Maximum number of events that one page reads.
const LOOKED_AT_MAX: usize = 1000;

/// Number of events read at once.
const CHUNK: u32 = 100;

/// Selects events for a list.
#[derive(Clone, Copy, Debug, Default)]
pub struct EventFilter {
    /// Events about this account.
    pub subject: Option<UserId>,
    /// Events that this account caused.
    pub actor: Option<UserId>,
    /// Events of this kind.
    pub event: Option<&'static str>,
    /// Events from this time on (inclusive), UTC, to the millisecond.
    pub from: Option<Timestamp>,
    /// Events before this time (exclusive), UTC, to the millisecond.
    pub to: Option<Timestamp>,
}

/// A page of matching events, newest first.
#[derive(Debug)]
pub struct EventPage {
    /// The events of the page.
    pub events: Vec<Event>,
    /// Where the next page continues. `None` on the last page.
    pub next: Option<EventId>,
}

impl EventFilter {
    /// Returns the smallest range that contains all matching events.
    fn range(&self) -> EventRange {
        match (self.subject, self.actor, self.event) {
            (Some(id), ..) => EventRange::About(id),
            (None, Some(id), _) => EventRange::CausedBy(id),
            (None, None, Some(name)) => EventRange::Named(name),
            (None, None, None) => EventRange::All,
        }
    }

    /// Returns whether an event of the range matches.
    fn wants(&self, event: &Event) -> bool {
        self.actor.is_none_or(|id| EventRange::CausedBy(id).contains(event))
            && self.event.is_none_or(|name| EventRange::Named(name).contains(event))
    }
}

impl App {
    /// Returns at most `limit` matching events before `before`.
    ///
    /// A page reads at most a thousand events, however many there are.
    pub async fn list_events(
        &self,
        filter: &EventFilter,
        before: Option<EventId>,
        limit: usize,
    ) -> Result<EventPage, StoreError> {
        let (range, since) = (filter.range(), filter.from.map(EventId::before_all_at));
        let until = filter.to.map(EventId::before_all_at);
        let mut before = before.into_iter().chain(until).min();
        let (mut events, mut looked_at) = (Vec::new(), 0);
        let mut tx = self.ports.store.begin(Access::Read).await?;
        loop {
            let chunk = tx.list_events(range, since, before, CHUNK).await?;
            let is_last = chunk.len() < CHUNK as usize;
            looked_at += chunk.len();
            for event in chunk {
                if events.len() == limit {
                    return Ok(EventPage { events, next: before });
                }
                before = Some(event.id);
                if filter.wants(&event) {
                    events.push(event);
                }
            }
            if is_last {
                return Ok(EventPage { events, next: None });
            }
            if looked_at >= LOOKED_AT_MAX {
                return Ok(EventPage { events, next: before });
            }
        }
    }
}
