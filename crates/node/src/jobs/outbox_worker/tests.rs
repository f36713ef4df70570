//! Tests of the worker, on a clock that jumps from one deadline to the next.

use std::collections::VecDeque;
use std::sync::atomic::{AtomicU32, Ordering};

use gateward_app::domain::email::{EmailKind, EmailState};
use gateward_app::domain::{EmailAddress, EmailId, Timestamp};
use gateward_crypto::SystemEntropy;

use super::*;

/// How a fake SMTP server treats an email.
#[derive(Clone, Copy, PartialEq, Eq)]
enum SmtpServer {
    /// Takes it after a second.
    Up,
    /// Cannot be reached, which shows at once.
    Down,
    /// Does not respond, which shows after 40 seconds.
    Hanging,
}

/// Emails in memory and a configurable SMTP server; an email that fails is due again at once.
struct Fake {
    waiting: Mutex<VecDeque<OutboxEmail>>,
    smtp_server: Mutex<SmtpServer>,
    /// Those that never come back, whatever the SMTP server does.
    stuck: Vec<EmailId>,
    store_fails: AtomicBool,
    takes: AtomicU32,
    under_way: AtomicU32,
    most_under_way: AtomicU32,
    tries: AtomicU32,
    sent: AtomicU32,
}

impl Fake {
    fn new(count: usize, smtp_server: SmtpServer) -> Self {
        Self {
            waiting: Mutex::new((0..count).map(|_| email()).collect()),
            smtp_server: Mutex::new(smtp_server),
            stuck: Vec::new(),
            store_fails: AtomicBool::new(false),
            takes: AtomicU32::new(0),
            under_way: AtomicU32::new(0),
            most_under_way: AtomicU32::new(0),
            tries: AtomicU32::new(0),
            sent: AtomicU32::new(0),
        }
    }

    fn turn(&self, smtp_server: SmtpServer) {
        *self.smtp_server.lock().unwrap() = smtp_server;
    }

    fn sent(&self) -> u32 {
        self.sent.load(Ordering::Relaxed)
    }

    fn tries(&self) -> u32 {
        self.tries.load(Ordering::Relaxed)
    }
}

impl EmailSource for Fake {
    async fn take(&self, limit: u32) -> Result<Vec<OutboxEmail>, StoreError> {
        self.takes.fetch_add(1, Ordering::Relaxed);
        if self.store_fails.load(Ordering::Relaxed) {
            return Err(StoreError::Busy);
        }
        let mut waiting = self.waiting.lock().unwrap();
        let count = waiting.len().min(limit as usize);
        Ok(waiting.drain(..count).collect())
    }

    async fn deliver(&self, email: OutboxEmail) -> Result<Delivery, StoreError> {
        self.tries.fetch_add(1, Ordering::Relaxed);
        let now = self.under_way.fetch_add(1, Ordering::Relaxed) + 1;
        self.most_under_way.fetch_max(now, Ordering::Relaxed);
        if self.stuck.contains(&email.id) {
            std::future::pending::<()>().await;
        }
        let smtp_server = *self.smtp_server.lock().unwrap();
        sleep(Duration::from_secs(match smtp_server {
            SmtpServer::Up => 1,
            SmtpServer::Down => 0,
            SmtpServer::Hanging => 40,
        }))
        .await;
        self.under_way.fetch_sub(1, Ordering::Relaxed);
        if smtp_server == SmtpServer::Up {
            self.sent.fetch_add(1, Ordering::Relaxed);
            return Ok(Delivery::Sent);
        }
        self.waiting.lock().unwrap().push_back(email);
        Ok(Delivery::Unreachable)
    }
}

fn email() -> OutboxEmail {
    let now = Timestamp::from_seconds(0);
    OutboxEmail {
        id: EmailId::new(now, &SystemEntropy::new()),
        kind: EmailKind::PasswordChanged,
        recipient: EmailAddress::parse("ada@example.org").unwrap(),
        user_id: None,
        signup_id: None,
        link_id: None,
        created_at: now,
        ip: None,
        slot: None,
        scheduled_at: now,
        next_attempt_at: now,
        attempts: 1,
        state: EmailState::Waiting,
        finished_at: None,
        failure: None,
    }
}

fn at_work(fake: Fake) -> (Arc<Fake>, Arc<OutboxWorker<Fake>>) {
    let fake = Arc::new(fake);
    let entropy = Arc::new(SystemEntropy::new());
    let metrics = NodeMetrics::off();
    let worker = OutboxWorker::new(Arc::clone(&fake), entropy, Arc::default(), metrics.clone());
    tokio::spawn(job(DeliverEmails::new(Arc::clone(&worker))).run(metrics));
    (fake, worker)
}

async fn seconds(count: f64) {
    sleep(Duration::from_secs_f64(count)).await;
}

#[tokio::test(start_paused = true)]
async fn as_many_emails_go_at_once_as_there_are_slots() {
    let (fake, _worker) = at_work(Fake::new(20, SmtpServer::Up));
    seconds(2.9).await;
    assert_eq!(fake.sent(), 16);
    seconds(0.2).await;
    assert_eq!(fake.sent(), 20, "three rounds of a second each");
    assert_eq!(fake.most_under_way.load(Ordering::Relaxed), SLOTS);
}

#[tokio::test(start_paused = true)]
async fn an_idle_worker_looks_every_other_second() {
    let (fake, _worker) = at_work(Fake::new(0, SmtpServer::Up));
    seconds(10.1).await;
    assert_eq!(fake.takes.load(Ordering::Relaxed), 6);
    fake.waiting.lock().unwrap().push_back(email());
    seconds(3.1).await;
    assert_eq!(fake.sent(), 1);
}

#[tokio::test(start_paused = true)]
async fn a_worker_who_is_rung_for_looks_at_the_next_beat() {
    let (fake, worker) = at_work(Fake::new(0, SmtpServer::Up));
    seconds(0.6).await;
    fake.waiting.lock().unwrap().push_back(email());
    worker.notifier.notify();
    seconds(0.3).await;
    assert_eq!(fake.takes.load(Ordering::Relaxed), 1, "not at once");
    seconds(0.2).await;
    assert_eq!(fake.takes.load(Ordering::Relaxed), 2);
    seconds(1.0).await;
    assert_eq!(fake.sent(), 1, "the email itself takes a second");
}

#[tokio::test(start_paused = true)]
async fn an_email_that_is_stuck_blocks_its_slot_alone() {
    let mut fake = Fake::new(30, SmtpServer::Up);
    fake.stuck = fake.waiting.lock().unwrap().iter().take(3).map(|email| email.id).collect();
    let (fake, _worker) = at_work(fake);
    seconds(10.0).await;
    assert_eq!(fake.sent(), 27);
}

#[tokio::test(start_paused = true)]
async fn one_email_at_a_time_is_tried_while_no_smtp_server_is_reached() {
    for smtp_server in [SmtpServer::Down, SmtpServer::Hanging] {
        let (fake, _worker) = at_work(Fake::new(100, smtp_server));
        // The first emails went out together, before anybody knew.
        seconds(41.0).await;
        fake.most_under_way.store(0, Ordering::Relaxed);
        let before = fake.tries();
        seconds(600.0).await;
        let tries = fake.tries() - before;
        assert_eq!(fake.most_under_way.load(Ordering::Relaxed), 1);
        // Every 15 to 30 seconds once the pause has grown, and 40 seconds more for one that hangs.
        let expected = if smtp_server == SmtpServer::Down { 19..=45 } else { 8..=13 };
        assert!(expected.contains(&tries), "{tries} tries in ten minutes");
    }
}

#[tokio::test(start_paused = true)]
async fn an_smtp_server_that_is_back_gets_every_email_within_a_minute() {
    let (fake, _worker) = at_work(Fake::new(100, SmtpServer::Down));
    seconds(900.0).await;
    assert_eq!(fake.sent(), 0);
    fake.turn(SmtpServer::Up);
    seconds(60.0).await;
    assert_eq!(fake.sent(), 100);
    assert_eq!(fake.most_under_way.load(Ordering::Relaxed), SLOTS);
}

#[tokio::test(start_paused = true)]
async fn a_store_that_fails_is_left_alone_for_a_while_and_then_asked_again() {
    let fake = Fake::new(1, SmtpServer::Up);
    fake.store_fails.store(true, Ordering::Relaxed);
    let (fake, worker) = at_work(fake);
    seconds(10.1).await;
    assert_eq!(fake.takes.load(Ordering::Relaxed), 6);
    assert!(worker.in_trouble.load(Ordering::Relaxed));
    fake.store_fails.store(false, Ordering::Relaxed);
    seconds(3.1).await;
    assert_eq!(fake.sent(), 1);
    assert!(!worker.in_trouble.load(Ordering::Relaxed));
}

#[tokio::test(start_paused = true)]
async fn a_worker_that_is_closed_takes_nothing_and_waits_for_what_is_under_way() {
    let (fake, worker) = at_work(Fake::new(20, SmtpServer::Up));
    seconds(0.5).await;
    let started = Instant::now();
    worker.finish().await;
    assert_eq!(started.elapsed().as_millis() / 10, 50, "the half second that was left");
    assert_eq!(fake.sent(), 8);
    seconds(60.0).await;
    assert_eq!(fake.tries(), 8);
}

#[tokio::test(start_paused = true)]
async fn an_email_that_hangs_does_not_keep_a_worker_from_finishing() {
    for emails in [1, 20] {
        let (fake, worker) = at_work(Fake::new(emails, SmtpServer::Hanging));
        seconds(0.5).await;
        let started = Instant::now();
        worker.finish().await;
        assert_eq!(started.elapsed().as_secs(), GRACE.as_secs());
        let tries = fake.tries();
        seconds(120.0).await;
        assert_eq!(fake.tries(), tries);
    }
}

#[tokio::test(start_paused = true)]
async fn a_worker_without_emails_finishes_at_once() {
    let (_fake, worker) = at_work(Fake::new(0, SmtpServer::Up));
    seconds(1.0).await;
    let started = Instant::now();
    worker.finish().await;
    assert_eq!(started.elapsed(), Duration::ZERO);
}
