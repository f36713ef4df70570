//! `OutboxWorker`: leases emails from the outbox and delivers them, a few at once.

mod pace;
#[cfg(test)]
mod tests;

use std::future::Future;
use std::sync::atomic::{AtomicBool, Ordering};
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};
use std::time::Duration;

use async_trait::async_trait;
use gateward_app::domain::email::OutboxEmail;
use gateward_app::domain::ports::{Entropy, OutboxNotifier, StoreError};
use gateward_app::{App, Delivery};
use tokio::sync::{OwnedSemaphorePermit, Semaphore};
use tokio::time::{Instant, sleep, sleep_until, timeout};

use super::{Failed, Job, Work};
use crate::metrics::NodeMetrics;
use pace::Pace;

/// How many emails are delivered at once: enough for a slow SMTP server, and few enough for a small
/// one.
const SLOTS: u32 = 8;

/// How often the worker checks for a notification: users who wait for an email do not notice half a
/// second.
const POLL_INTERVAL: Duration = Duration::from_millis(500);

/// How often the worker polls without a notification: for emails that another process has queued
/// or could not send. An idle node queries the database rarely.
const IDLE_INTERVAL: Duration = Duration::from_secs(2);

/// The pause after the store has failed.
const STORE_PAUSE: Duration = Duration::from_secs(2);

/// How long shutdown waits for emails that are being sent: together with the running requests, less
/// than the 30 seconds in which a node must stop.
const GRACE: Duration = Duration::from_secs(3);

/// What to wait for before the next poll.
#[derive(Clone, Copy)]
enum Pause {
    /// Nothing: more emails may be due.
    None,
    /// A notification, or a while.
    Idle,
    /// The store to recover.
    Trouble,
}

/// The source of emails and their delivery: the use cases, or a fake in tests.
pub(crate) trait EmailSource: Send + Sync + 'static {
    /// Leases emails that are due, at most `limit`.
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

/// Leases emails and delivers each in its own task. An email that is being sent holds a slot; one
/// that probes an unreachable SMTP server holds all of them.
pub(crate) struct OutboxWorker<L = App> {
    source: Arc<L>,
    entropy: Arc<dyn Entropy>,
    slots: Arc<Semaphore>,
    pace: Mutex<Pace>,
    closed: AtomicBool,
    /// Whether the store has failed and not recovered yet.
    in_trouble: AtomicBool,
    notifier: Arc<WorkerNotifier>,
    metrics: NodeMetrics,
}

/// Delivers emails until the worker is closed.
pub(super) struct DeliverEmails<L = App> {
    worker: Arc<OutboxWorker<L>>,
    pause: Pause,
}

/// The job that delivers emails.
pub(super) fn job<L: EmailSource>(emails: DeliverEmails<L>) -> Job {
    Job {
        name: "deliver_emails",
        interval: IDLE_INTERVAL,
        back_off: STORE_PAUSE,
        gauge: None,
        work: Box::new(emails),
    }
}

impl<L: EmailSource> DeliverEmails<L> {
    pub(super) fn new(worker: Arc<OutboxWorker<L>>) -> Self {
        Self { worker, pause: Pause::None }
    }
}

#[async_trait]
impl<L: EmailSource> Work for DeliverEmails<L> {
    async fn run_once(&mut self) -> Result<(), Failed> {
        self.pause = self.worker.run_once().await;
        if matches!(self.pause, Pause::Trouble) { Err(Failed) } else { Ok(()) }
    }

    async fn wait(&mut self, due: Instant) {
        match self.pause {
            _ if self.worker.is_closed() => std::future::pending().await,
            Pause::None => {}
            Pause::Idle => self.worker.rest(due).await,
            Pause::Trouble => sleep_until(due).await,
        }
    }
}

/// Notifies the worker that this node has queued an email.
///
/// The worker does not start at once: its work for a registered email address would slow down the
/// next request, and so reveal that there is an account.
#[derive(Debug, Default)]
pub(crate) struct WorkerNotifier(AtomicBool);

impl WorkerNotifier {
    /// Whether there was a notification since the last call.
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
        metrics: NodeMetrics,
    ) -> Arc<Self> {
        Arc::new(Self {
            source,
            entropy,
            slots: Arc::new(Semaphore::new(SLOTS as usize)),
            pace: Mutex::default(),
            closed: AtomicBool::new(false),
            in_trouble: AtomicBool::new(false),
            notifier,
            metrics,
        })
    }

    /// Leases no more emails.
    pub(crate) fn close(&self) {
        self.closed.store(true, Ordering::Relaxed);
    }

    /// Leases no more emails, and waits a little for those that are being sent. Those that take
    /// longer are sent again after their lease has expired.
    pub(crate) async fn finish(&self) {
        self.close();
        if timeout(GRACE, self.slots.acquire_many(SLOTS)).await.is_err() {
            tracing::warn!("stopped while sending emails, they will be sent again");
        }
    }

    /// Leases as many emails as there are free slots, or waits a little. Returns what to wait for
    /// before the next poll.
    async fn run_once(self: &Arc<Self>) -> Pause {
        let probe_at = self.pace().probe_at();
        // An email in flight may reach an SMTP server meanwhile, so sleep in short steps.
        if let Some(at) = probe_at.filter(|at| Instant::now() < *at) {
            sleep_until(at.min(Instant::now() + POLL_INTERVAL)).await;
            return Pause::None;
        }
        let slots = match probe_at {
            None => self.free_slots().await,
            Some(_) => self.all_slots().await,
        };
        if self.is_closed() || self.pace().probe_at() != probe_at {
            return Pause::None;
        }
        self.take_into(slots).await
    }

    /// Waits until the next poll is due, or a notification arrives.
    async fn rest(&self, due: Instant) {
        while Instant::now() < due {
            sleep(POLL_INTERVAL).await;
            if self.notifier.was_notified() {
                return;
            }
        }
    }

    /// Fills the slots with emails that are due; returns what to wait for before the next poll.
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
            tracing::info!("outbox available again");
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

    /// Adapts the pace, and logs when it changes.
    fn record(&self, delivery: Delivery) {
        self.metrics.email_attempted(delivery);
        let mut random_byte = [0];
        self.entropy.fill(&mut random_byte);
        let mut pace = self.pace();
        let was_slow = pace.probe_at().is_some();
        pace.record(delivery, Instant::now(), random_byte[0]);
        match (was_slow, pace.probe_at().is_some()) {
            (false, true) => tracing::warn!("SMTP server unreachable, emails stay queued"),
            (true, false) => tracing::info!("SMTP server reachable again"),
            _ => {}
        }
    }

    /// Logs once that the store has failed.
    fn note_trouble(&self, error: StoreError) {
        if !self.in_trouble.swap(true, Ordering::Relaxed) {
            let cause = format!("{:#}", anyhow::Error::from(error));
            tracing::warn!(cause, "outbox unavailable, emails stay queued");
        }
    }

    /// All free slots, as soon as there is one.
    async fn free_slots(&self) -> Vec<OwnedSemaphorePermit> {
        let first = Arc::clone(&self.slots).acquire_owned().await;
        let mut slots: Vec<_> = first.into_iter().collect();
        while let Ok(slot) = Arc::clone(&self.slots).try_acquire_owned() {
            slots.push(slot);
        }
        slots
    }

    /// All slots as one, once no email is in flight.
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
