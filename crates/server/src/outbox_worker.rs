//! `OutboxWorker`: takes emails from the outbox and has them delivered, a few at once.

mod pace;
#[cfg(test)]
mod tests;

use std::future::Future;
use std::sync::atomic::{AtomicBool, Ordering};
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};
use std::time::Duration;

use gateward_app::domain::email::OutboxEmail;
use gateward_app::domain::ports::{Entropy, OutboxNotifier, StoreError};
use gateward_app::{App, Delivery};
use tokio::sync::{OwnedSemaphorePermit, Semaphore};
use tokio::time::{Instant, sleep, sleep_until, timeout};

use crate::metrics;
use pace::Pace;

/// How many emails are delivered at once: an SMTP server that is slow delays as many, and a small
/// one is not flooded.
const SLOTS: u32 = 8;

/// How soon after an email was written the outbox is looked into at the most: whoever waits for one
/// does not notice half a second.
const POLL_INTERVAL: Duration = Duration::from_millis(500);

/// After how many beats it is looked into although nobody has rung: for emails that another process
/// has written or could not send. An idle node asks the database little.
const POLLS_IDLE: u32 = 4;

/// How long a store that has failed is left alone.
const STORE_PAUSE: Duration = Duration::from_secs(2);

/// How long emails under way are waited for once all else has stopped: together with the running
/// requests, less than the 30 seconds in which a node that was told to stop is gone.
const GRACE: Duration = Duration::from_secs(3);

/// What is waited for before the next look.
enum Pause {
    /// Nothing: more emails may be due.
    None,
    /// The bell, or a while.
    Idle,
    /// The store.
    Trouble,
}

/// Where emails come from, and who delivers one: the use cases, or a fake in the tests.
pub(crate) trait EmailSource: Send + Sync + 'static {
    /// Takes emails that are due, at most `limit`.
    fn take(&self, limit: u32)
    -> impl Future<Output = Result<Vec<OutboxEmail>, StoreError>> + Send;

    /// Delivers one.
    fn deliver(
        &self,
        message: OutboxEmail,
    ) -> impl Future<Output = Result<Delivery, StoreError>> + Send;
}

impl EmailSource for App {
    async fn take(&self, limit: u32) -> Result<Vec<OutboxEmail>, StoreError> {
        self.lease_outbox_emails(limit).await
    }

    async fn deliver(&self, message: OutboxEmail) -> Result<Delivery, StoreError> {
        App::deliver(self, message).await
    }
}

/// Takes emails and has each delivered by a task of its own. An email under way holds a slot, and
/// one that probes for an SMTP server holds all of them.
pub(crate) struct OutboxWorker<L = App> {
    source: Arc<L>,
    entropy: Arc<dyn Entropy>,
    slots: Arc<Semaphore>,
    pace: Mutex<Pace>,
    closed: AtomicBool,
    /// Whether the store has failed and nothing was heard of it since.
    in_trouble: AtomicBool,
    notifier: Arc<WorkerNotifier>,
}

/// Tells the worker that this node has written an email.
///
/// He does not come at once: what he does for an address that is known would fall into the next
/// request, and its time would tell.
#[derive(Debug, Default)]
pub(crate) struct WorkerNotifier(AtomicBool);

impl WorkerNotifier {
    /// Whether it was rung since the last time this was asked.
    fn was_notified(&self) -> bool {
        self.0.swap(false, Ordering::Relaxed)
    }
}

impl OutboxNotifier for WorkerNotifier {
    fn notify(&self) {
        self.0.store(true, Ordering::Relaxed);
    }
}

impl<L: EmailSource> OutboxWorker<L> {
    pub(crate) fn new(
        source: Arc<L>,
        entropy: Arc<dyn Entropy>,
        notifier: Arc<WorkerNotifier>,
    ) -> Arc<Self> {
        Arc::new(Self {
            source,
            entropy,
            slots: Arc::new(Semaphore::new(SLOTS as usize)),
            pace: Mutex::default(),
            closed: AtomicBool::new(false),
            in_trouble: AtomicBool::new(false),
            notifier,
        })
    }

    /// Takes emails until it is closed.
    pub(crate) async fn run(self: &Arc<Self>) {
        while !self.is_closed() {
            self.run_once().await;
        }
    }

    /// Takes no more emails.
    pub(crate) fn close(&self) {
        self.closed.store(true, Ordering::Relaxed);
    }

    /// Takes no more emails, and waits a little for those under way. Those that take longer are
    /// sent again when their lease is over.
    pub(crate) async fn finish(&self) {
        self.close();
        if timeout(GRACE, self.slots.acquire_many(SLOTS)).await.is_err() {
            tracing::warn!("some emails were under way; they are sent again");
        }
    }

    /// Takes as many emails as may be taken now, or waits a little.
    async fn run_once(self: &Arc<Self>) {
        let probe_at = self.pace().probe_at();
        // An email under way may reach an SMTP server meanwhile, so not the whole pause at once.
        if let Some(at) = probe_at.filter(|at| Instant::now() < *at) {
            return sleep_until(at.min(Instant::now() + POLL_INTERVAL)).await;
        }
        let slots = match probe_at {
            None => self.free_slots().await,
            Some(_) => self.all_slots().await,
        };
        if self.is_closed() || self.pace().probe_at() != probe_at {
            return;
        }
        match self.take_into(slots).await {
            Pause::None => {}
            Pause::Idle => self.rest().await,
            Pause::Trouble => sleep(STORE_PAUSE).await,
        }
    }

    /// Waits until it is time to look again, or the bell was rung.
    async fn rest(&self) {
        for _ in 0..POLLS_IDLE {
            sleep(POLL_INTERVAL).await;
            if self.notifier.was_notified() {
                return;
            }
        }
    }

    /// Fills the slots with emails that are due; gives what to wait for before the next look.
    async fn take_into(self: &Arc<Self>, slots: Vec<OwnedSemaphorePermit>) -> Pause {
        let limit = u32::try_from(slots.len()).unwrap_or(SLOTS);
        let source = match self.source.take(limit).await {
            Ok(source) => source,
            Err(error) => {
                self.note_trouble(error);
                return Pause::Trouble;
            }
        };
        if self.in_trouble.swap(false, Ordering::Relaxed) {
            tracing::info!("the outbox can be read again");
        }
        let was_last = source.len() < slots.len();
        for (message, slot) in source.into_iter().zip(slots) {
            tokio::spawn(Arc::clone(self).deliver(message, slot));
        }
        if was_last { Pause::Idle } else { Pause::None }
    }

    async fn deliver(self: Arc<Self>, message: OutboxEmail, slot: OwnedSemaphorePermit) {
        match self.source.deliver(message).await {
            Ok(delivery) => self.record(delivery),
            Err(error) => self.note_trouble(error),
        }
        drop(slot);
    }

    /// Goes slower or faster, and says so when that changes.
    fn record(&self, delivery: Delivery) {
        metrics::email_attempted(delivery);
        let mut random_byte = [0];
        self.entropy.fill(&mut random_byte);
        let mut pace = self.pace();
        let was_slow = pace.probe_at().is_some();
        pace.record(delivery, Instant::now(), random_byte[0]);
        match (was_slow, pace.probe_at().is_some()) {
            (false, true) => tracing::warn!("no SMTP server can be reached; emails wait"),
            (true, false) => tracing::info!("an SMTP server can be reached again"),
            _ => {}
        }
    }

    /// Says once that the store has failed.
    fn note_trouble(&self, error: StoreError) {
        if !self.in_trouble.swap(true, Ordering::Relaxed) {
            let cause = format!("{:#}", anyhow::Error::from(error));
            tracing::warn!(cause, "the outbox cannot be read; emails wait");
        }
    }

    /// The slots that are free, once there is one.
    async fn free_slots(&self) -> Vec<OwnedSemaphorePermit> {
        let first = Arc::clone(&self.slots).acquire_owned().await;
        let mut slots: Vec<_> = first.into_iter().collect();
        while let Ok(slot) = Arc::clone(&self.slots).try_acquire_owned() {
            slots.push(slot);
        }
        slots
    }

    /// All slots as one, once no email is under way.
    async fn all_slots(&self) -> Vec<OwnedSemaphorePermit> {
        Arc::clone(&self.slots).acquire_many_owned(SLOTS).await.into_iter().collect()
    }

    fn pace(&self) -> MutexGuard<'_, Pace> {
        self.pace.lock().unwrap_or_else(PoisonError::into_inner)
    }

    fn is_closed(&self) -> bool {
        self.closed.load(Ordering::Relaxed)
    }
}
