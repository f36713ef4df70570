//! Reading the audit trail.

use gateward_domain::audit::EventRange;
use gateward_domain::ports::{Access, StoreError};
use gateward_domain::{Event, EventId, Timestamp, UserId};

use crate::App;

/// How many events one page looks at, at most.
const LOOKED_AT_MAX: usize = 1000;

/// How many events are read at once.
const CHUNK: u32 = 100;

/// Which events are wanted.
#[derive(Clone, Copy, Debug, Default)]
pub struct EventFilter {
    /// Those about this account.
    pub subject: Option<UserId>,
    /// Those that this account has caused.
    pub actor: Option<UserId>,
    /// Those of this name.
    pub event: Option<&'static str>,
    /// Those from this time on, to the millisecond.
    pub from: Option<Timestamp>,
    /// Those before this time, to the millisecond.
    pub to: Option<Timestamp>,
}

/// Some of the wanted events, the newest first.
#[derive(Debug)]
pub struct EventPage {
    /// The events.
    pub events: Vec<Event>,
    /// Where the next page goes on; `None` where there is nothing more.
    pub next: Option<EventId>,
}

impl EventFilter {
    /// The range with the fewest events that holds all that are wanted.
    fn range(&self) -> EventRange {
        match (self.subject, self.actor, self.event) {
            (Some(id), ..) => EventRange::About(id),
            (None, Some(id), _) => EventRange::CausedBy(id),
            (None, None, Some(name)) => EventRange::Named(name),
            (None, None, None) => EventRange::All,
        }
    }

    /// Whether an event of the range is wanted.
    fn wants(&self, event: &Event) -> bool {
        self.actor.is_none_or(|id| EventRange::CausedBy(id).contains(event))
            && self.event.is_none_or(|name| EventRange::Named(name).contains(event))
    }
}

impl App {
    /// Some of the events that are wanted, those that stand before `before`, at most `limit`.
    ///
    /// A page looks at a thousand events at most, however many there are.
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
