//! `MemoryStore`: a store without a database, for tests of the layers above the ports.

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

/// Maximum wait of a unit of work for the one before it. This crate's own tests use less.
const WAIT_MAX: Duration = Duration::from_millis(if cfg!(test) { 50 } else { 10_000 });

/// A store without a database. Clones share the same data.
///
/// It simplifies one thing: writers take turns, as if every row were locked at once. A unit of
/// several writes works on a copy, which replaces the data on commit. A unit that violates its
/// [`Access`] panics, because another store might accept it.
#[derive(Clone, Debug, Default)]
pub struct MemoryStore {
    /// The committed state.
    published: Arc<Mutex<State>>,
    /// Held by the current writer, so that copies never diverge.
    writer: Arc<tokio::sync::Mutex<()>>,
    /// Wakes the watchers of the feed.
    herald: watch::Sender<()>,
}

impl MemoryStore {
    /// Creates an empty store.
    #[must_use]
    pub fn new() -> Self {
        Self::default()
    }

    /// Copies the committed data into a store of its own.
    #[must_use]
    pub fn snapshot(&self) -> Self {
        Self { published: Arc::new(Mutex::new(self.published().clone())), ..Self::default() }
    }

    /// Replaces the committed data with that of a snapshot. No unit of work may be open.
    pub fn restore(&self, snapshot: &Self) {
        let state = snapshot.published().clone();
        *self.published() = state;
    }

    /// Returns all committed accounts, with the permissions of their roles.
    #[must_use]
    pub fn users(&self) -> Vec<User> {
        let state = self.published();
        state.users.values().map(|user| state.as_read(user)).collect()
    }

    /// Returns all committed sessions, including ended ones.
    #[must_use]
    pub fn sessions(&self) -> Vec<Session> {
        self.published().sessions.values().cloned().collect()
    }

    /// Returns all committed events, in the order in which they were written.
    #[must_use]
    pub fn events(&self) -> Vec<Event> {
        self.published().events().cloned().collect()
    }

    /// Returns all committed sign-ups, including expired ones, in the order in which they were
    /// written.
    #[must_use]
    pub fn signups(&self) -> Vec<PendingSignup> {
        self.published().signups.clone()
    }

    /// Returns all committed links, including expired ones, in the order in which they were
    /// written.
    #[must_use]
    pub fn links(&self) -> Vec<Link> {
        self.published().links.clone()
    }

    /// Returns all committed emails, including sent ones, in the order in which they were written.
    #[must_use]
    pub fn outbox_emails(&self) -> Vec<OutboxEmail> {
        self.published().outbox_emails.clone()
    }

    /// Returns all committed devices, including expired ones, in the order in which they were
    /// written.
    #[must_use]
    pub fn known_devices(&self) -> Vec<KnownDevice> {
        self.published().known_devices.clone()
    }

    /// Returns all committed keys, in the order in which they become active.
    #[must_use]
    pub fn keys(&self) -> Vec<StoredKey> {
        self.published().keys.clone()
    }

    /// Returns all committed invalidation events, in the order in which they were written.
    #[must_use]
    pub fn invalidation_events(&self) -> Vec<FeedItem> {
        self.published().invalidation_events.values().cloned().collect()
    }

    /// Locks the committed state. No test continues after a panic in here, so poison is ignored.
    fn published(&self) -> MutexGuard<'_, State> {
        self.published.lock().unwrap_or_else(PoisonError::into_inner)
    }

    /// Changes the committed state, and wakes the watchers of the feed if it has new items.
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

    /// Waits until there is no other writer.
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
    /// Each method reads the state committed at that moment.
    Reads,
    /// The single method works on the committed state.
    OneWrite {
        /// Whether it was called.
        done: bool,
    },
    /// All methods work on a copy.
    Writes {
        /// The future state.
        copy: Box<State>,
        /// The right to publish the copy.
        _turn: OwnedMutexGuard<()>,
    },
}

/// A unit of work on a [`MemoryStore`].
struct MemoryTx {
    store: MemoryStore,
    work: Work,
}

impl MemoryTx {
    /// Reads the state that this unit of work sees.
    fn read<T>(&mut self, read: impl FnOnce(&State) -> T) -> T {
        match &self.work {
            Work::Reads => read(&self.store.published()),
            Work::OneWrite { .. } => panic!("a unit with Access::SingleWrite reads nothing"),
            Work::Writes { copy, .. } => read(copy),
        }
    }

    /// Changes the state that this unit of work sees.
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

    /// Returns the state that this unit of work sees, which stays locked until its end.
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
