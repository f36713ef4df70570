//! `MemoryStore`: a store without a database, for the tests of what stands above the ports.

mod events;
mod feed;
mod known_devices;
mod links;
mod mail_ports;
mod outbox_emails;
mod ports;
mod rate_limits;
mod roles;
mod sessions;
mod signups;
mod state;

use std::sync::{Arc, Mutex, MutexGuard, PoisonError};
use std::time::Duration;

use async_trait::async_trait;
use gateward_domain::email::OutboxEmail;
use gateward_domain::feed::FeedItem;
use gateward_domain::key::StoredKey;
use gateward_domain::known_device::KnownDevice;
use gateward_domain::link::Link;
use gateward_domain::ports::{Access, FeedWatch, Store, StoreError, Tx};
use gateward_domain::signup::PendingSignup;
use gateward_domain::{Event, Session, User};
use tokio::sync::{OwnedMutexGuard, watch};
use tokio::time::timeout;

use feed::MemoryWatch;
use state::State;

/// For how long a unit of work waits for the one before it; this crate's own tests have less time.
const WAIT_MAX: Duration = Duration::from_millis(if cfg!(test) { 50 } else { 10_000 });

/// A store without a database. Clones are the same store.
///
/// It cheats in one thing: writers stand in one line, as if every row were locked at once. A unit
/// of several writes works on a copy, which becomes the store when it is committed. A unit that
/// does what its [`Access`] does not allow panics, because another store might let it pass.
#[derive(Clone, Debug, Default)]
pub struct MemoryStore {
    /// What is committed.
    published: Arc<Mutex<State>>,
    /// Held by whoever writes, so that copies never diverge.
    writer: Arc<tokio::sync::Mutex<()>>,
    /// Wakes those who watch the feed.
    herald: watch::Sender<()>,
}

impl MemoryStore {
    /// Makes an empty store.
    #[must_use]
    pub fn new() -> Self {
        Self::default()
    }

    /// All accounts that are committed, with what their roles give.
    #[must_use]
    pub fn users(&self) -> Vec<User> {
        let state = self.published();
        state.users.values().map(|user| state.as_read(user)).collect()
    }

    /// All sessions that are committed, ended ones too.
    #[must_use]
    pub fn sessions(&self) -> Vec<Session> {
        self.published().sessions.values().cloned().collect()
    }

    /// All events that are committed, in the order in which they were written.
    #[must_use]
    pub fn events(&self) -> Vec<Event> {
        self.published().events().cloned().collect()
    }

    /// All sign-ups that are committed, out of time or not, in the order in which they were
    /// written.
    #[must_use]
    pub fn signups(&self) -> Vec<PendingSignup> {
        self.published().signups.clone()
    }

    /// All links that are committed, out of time or not, in the order in which they were written.
    #[must_use]
    pub fn links(&self) -> Vec<Link> {
        self.published().links.clone()
    }

    /// All emails that are committed, sent ones too, in the order in which they were written.
    #[must_use]
    pub fn outbox_emails(&self) -> Vec<OutboxEmail> {
        self.published().outbox_emails.clone()
    }

    /// All clients that are committed, in time or not, in the order in which they were written.
    #[must_use]
    pub fn known_devices(&self) -> Vec<KnownDevice> {
        self.published().known_devices.clone()
    }

    /// All keys that are committed, in the order in which they become active.
    #[must_use]
    pub fn keys(&self) -> Vec<StoredKey> {
        self.published().keys.clone()
    }

    /// All invalidation events that are committed, in the order in which they were written.
    #[must_use]
    pub fn invalidation_events(&self) -> Vec<FeedItem> {
        self.published().invalidation_events.values().cloned().collect()
    }

    /// What is committed. No test goes on after a panic in here, so poison means nothing.
    fn published(&self) -> MutexGuard<'_, State> {
        self.published.lock().unwrap_or_else(PoisonError::into_inner)
    }

    /// Changes what is committed, and wakes those who watch the feed if something new is in it.
    fn publish<T>(
        &self,
        change: impl FnOnce(&mut State) -> Result<T, StoreError>,
    ) -> Result<T, StoreError> {
        let mut state = self.published();
        let told = state.last_sequence;
        let response = change(&mut state)?;
        if state.last_sequence > told {
            self.herald.send_replace(());
        }
        Ok(response)
    }

    /// Waits until nobody else writes.
    async fn line_up(&self) -> Result<OwnedMutexGuard<()>, StoreError> {
        let turn = Arc::clone(&self.writer).lock_owned();
        timeout(WAIT_MAX, turn).await.map_err(|_| StoreError::Busy)
    }
}

#[async_trait]
impl Store for MemoryStore {
    async fn begin(&self, access: Access) -> Result<Box<dyn Tx>, StoreError> {
        let work = match access {
            Access::Read => Work::Reads,
            Access::SingleWrite => Work::OneWrite { done: false },
            Access::Write => {
                let turn = self.line_up().await?;
                Work::Writes { copy: Box::new(self.published().clone()), _turn: turn }
            }
        };
        Ok(Box::new(MemoryTx { store: self.clone(), work }))
    }

    async fn watch_feed(&self) -> Result<Box<dyn FeedWatch>, StoreError> {
        Ok(Box::new(MemoryWatch(self.herald.subscribe())))
    }
}

/// What a unit of work may do, and what it has done so far.
enum Work {
    /// Each method reads what is committed at that moment.
    Reads,
    /// The one method works on the store itself.
    OneWrite {
        /// Whether it was called.
        done: bool,
    },
    /// All methods work on a copy.
    Writes {
        /// The store as it will be.
        copy: Box<State>,
        /// The right to publish it.
        _turn: OwnedMutexGuard<()>,
    },
}

/// A unit of work on a [`MemoryStore`].
struct MemoryTx {
    store: MemoryStore,
    work: Work,
}

impl MemoryTx {
    /// Reads from what this unit of work sees.
    fn read<T>(&mut self, read: impl FnOnce(&State) -> T) -> T {
        match &self.work {
            Work::Reads => read(&self.store.published()),
            Work::OneWrite { .. } => panic!("a unit with Access::SingleWrite reads nothing"),
            Work::Writes { copy, .. } => read(copy),
        }
    }

    /// Changes what this unit of work sees.
    async fn write<T: Send>(
        &mut self,
        write: impl FnOnce(&mut State) -> Result<T, StoreError> + Send,
    ) -> Result<T, StoreError> {
        match &mut self.work {
            Work::Reads => panic!("a unit with Access::Read writes nothing"),
            Work::OneWrite { done } => {
                assert!(!*done, "a unit with Access::SingleWrite calls one method");
                *done = true;
                let _turn = self.store.line_up().await?;
                self.store.publish(write)
            }
            Work::Writes { copy, .. } => write(copy),
        }
    }

    /// What this unit of work sees, where it holds what it reads until its end.
    fn locked(&mut self) -> &mut State {
        match &mut self.work {
            Work::Writes { copy, .. } => copy,
            Work::Reads | Work::OneWrite { .. } => panic!("only Access::Write can hold a lock"),
        }
    }
}

#[async_trait]
impl Tx for MemoryTx {
    async fn commit(self: Box<Self>) -> Result<(), StoreError> {
        if let Work::Writes { copy, _turn } = self.work {
            self.store.publish(|state| {
                *state = *copy;
                Ok(())
            })?;
        }
        Ok(())
    }
}

#[cfg(test)]
mod tests;
