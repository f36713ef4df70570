//! Tests of the postman, on a clock that jumps from one deadline to the next.

use std::collections::VecDeque;
use std::sync::atomic::{AtomicU32, Ordering};

use gateward_app::domain::mail::{LetterKind, LetterState};
use gateward_app::domain::{Email, LetterId, Timestamp};
use gateward_crypto::SystemEntropy;

use super::*;

/// How a fake relay treats a letter.
#[derive(Clone, Copy, PartialEq, Eq)]
enum Relay {
    /// Takes it after a second.
    Up,
    /// Cannot be reached, which shows at once.
    Down,
    /// Does not answer, which shows after 40 seconds.
    Hanging,
}

/// Letters in memory and a relay that does as it is told; a letter that fails is due again at once.
struct Fake {
    waiting: Mutex<VecDeque<QueuedLetter>>,
    relay: Mutex<Relay>,
    /// Those that never come back, whatever the relay does.
    stuck: Vec<LetterId>,
    store_fails: AtomicBool,
    takes: AtomicU32,
    under_way: AtomicU32,
    most_under_way: AtomicU32,
    tries: AtomicU32,
    sent: AtomicU32,
}

impl Fake {
    fn new(count: usize, relay: Relay) -> Self {
        Self {
            waiting: Mutex::new((0..count).map(|_| letter()).collect()),
            relay: Mutex::new(relay),
            stuck: Vec::new(),
            store_fails: AtomicBool::new(false),
            takes: AtomicU32::new(0),
            under_way: AtomicU32::new(0),
            most_under_way: AtomicU32::new(0),
            tries: AtomicU32::new(0),
            sent: AtomicU32::new(0),
        }
    }

    fn turn(&self, relay: Relay) {
        *self.relay.lock().unwrap() = relay;
    }

    fn sent(&self) -> u32 {
        self.sent.load(Ordering::Relaxed)
    }

    fn tries(&self) -> u32 {
        self.tries.load(Ordering::Relaxed)
    }
}

impl Letters for Fake {
    async fn take(&self, limit: u32) -> Result<Vec<QueuedLetter>, StoreError> {
        self.takes.fetch_add(1, Ordering::Relaxed);
        if self.store_fails.load(Ordering::Relaxed) {
            return Err(StoreError::Busy);
        }
        let mut waiting = self.waiting.lock().unwrap();
        let count = waiting.len().min(limit as usize);
        Ok(waiting.drain(..count).collect())
    }

    async fn deliver(&self, letter: QueuedLetter) -> Result<Delivery, StoreError> {
        self.tries.fetch_add(1, Ordering::Relaxed);
        let now = self.under_way.fetch_add(1, Ordering::Relaxed) + 1;
        self.most_under_way.fetch_max(now, Ordering::Relaxed);
        if self.stuck.contains(&letter.id) {
            std::future::pending::<()>().await;
        }
        let relay = *self.relay.lock().unwrap();
        sleep(Duration::from_secs(match relay {
            Relay::Up => 1,
            Relay::Down => 0,
            Relay::Hanging => 40,
        }))
        .await;
        self.under_way.fetch_sub(1, Ordering::Relaxed);
        if relay == Relay::Up {
            self.sent.fetch_add(1, Ordering::Relaxed);
            return Ok(Delivery::Sent);
        }
        self.waiting.lock().unwrap().push_back(letter);
        Ok(Delivery::Unreachable)
    }
}

fn letter() -> QueuedLetter {
    let now = Timestamp::from_seconds(0);
    QueuedLetter {
        id: LetterId::new(now, &SystemEntropy::new()),
        kind: LetterKind::PasswordChanged,
        recipient: Email::parse("ada@example.org").unwrap(),
        user_id: None,
        signup_id: None,
        link_id: None,
        caused_at: now,
        ip: None,
        slot: None,
        planned_at: now,
        due_at: now,
        attempts: 1,
        state: LetterState::Waiting,
        finished_at: None,
        failure: None,
    }
}

/// A postman at work.
fn at_work(fake: Fake) -> (Arc<Fake>, Arc<Postman<Fake>>) {
    let fake = Arc::new(fake);
    let entropy = Arc::new(SystemEntropy::new());
    let postman = Postman::new(Arc::clone(&fake), entropy, Arc::default());
    let runner = Arc::clone(&postman);
    tokio::spawn(async move { runner.run().await });
    (fake, postman)
}

async fn seconds(count: f64) {
    sleep(Duration::from_secs_f64(count)).await;
}

#[tokio::test(start_paused = true)]
async fn as_many_letters_go_at_once_as_there_are_slots() {
    let (fake, _postman) = at_work(Fake::new(20, Relay::Up));
    seconds(2.9).await;
    assert_eq!(fake.sent(), 16);
    seconds(0.2).await;
    assert_eq!(fake.sent(), 20, "three rounds of a second each");
    assert_eq!(fake.most_under_way.load(Ordering::Relaxed), SLOTS);
}

#[tokio::test(start_paused = true)]
async fn an_idle_postman_looks_every_other_second() {
    let (fake, _postman) = at_work(Fake::new(0, Relay::Up));
    seconds(10.1).await;
    assert_eq!(fake.takes.load(Ordering::Relaxed), 6);
    fake.waiting.lock().unwrap().push_back(letter());
    seconds(3.1).await;
    assert_eq!(fake.sent(), 1);
}

#[tokio::test(start_paused = true)]
async fn a_postman_who_is_rung_for_looks_at_the_next_beat() {
    let (fake, postman) = at_work(Fake::new(0, Relay::Up));
    seconds(0.6).await;
    fake.waiting.lock().unwrap().push_back(letter());
    postman.doorbell.ring();
    seconds(0.3).await;
    assert_eq!(fake.takes.load(Ordering::Relaxed), 1, "not at once");
    seconds(0.2).await;
    assert_eq!(fake.takes.load(Ordering::Relaxed), 2);
    seconds(1.0).await;
    assert_eq!(fake.sent(), 1, "the letter itself takes a second");
}

#[tokio::test(start_paused = true)]
async fn a_letter_that_is_stuck_blocks_its_slot_alone() {
    let mut fake = Fake::new(30, Relay::Up);
    fake.stuck = fake.waiting.lock().unwrap().iter().take(3).map(|letter| letter.id).collect();
    let (fake, _postman) = at_work(fake);
    seconds(10.0).await;
    assert_eq!(fake.sent(), 27);
}

#[tokio::test(start_paused = true)]
async fn one_letter_at_a_time_is_tried_while_no_relay_is_reached() {
    for relay in [Relay::Down, Relay::Hanging] {
        let (fake, _postman) = at_work(Fake::new(100, relay));
        // The first letters went out together, before anybody knew.
        seconds(41.0).await;
        fake.most_under_way.store(0, Ordering::Relaxed);
        let before = fake.tries();
        seconds(600.0).await;
        let tries = fake.tries() - before;
        assert_eq!(fake.most_under_way.load(Ordering::Relaxed), 1);
        // Every 15 to 30 seconds once the pause has grown, and 40 seconds more for one that hangs.
        let expected = if relay == Relay::Down { 19..=45 } else { 8..=13 };
        assert!(expected.contains(&tries), "{tries} tries in ten minutes");
    }
}

#[tokio::test(start_paused = true)]
async fn a_relay_that_is_back_gets_every_letter_within_a_minute() {
    let (fake, _postman) = at_work(Fake::new(100, Relay::Down));
    seconds(900.0).await;
    assert_eq!(fake.sent(), 0);
    fake.turn(Relay::Up);
    seconds(60.0).await;
    assert_eq!(fake.sent(), 100);
    assert_eq!(fake.most_under_way.load(Ordering::Relaxed), SLOTS);
}

#[tokio::test(start_paused = true)]
async fn a_store_that_fails_is_left_alone_for_a_while_and_then_asked_again() {
    let fake = Fake::new(1, Relay::Up);
    fake.store_fails.store(true, Ordering::Relaxed);
    let (fake, postman) = at_work(fake);
    seconds(10.1).await;
    assert_eq!(fake.takes.load(Ordering::Relaxed), 6);
    assert!(postman.in_trouble.load(Ordering::Relaxed));
    fake.store_fails.store(false, Ordering::Relaxed);
    seconds(3.1).await;
    assert_eq!(fake.sent(), 1);
    assert!(!postman.in_trouble.load(Ordering::Relaxed));
}

#[tokio::test(start_paused = true)]
async fn a_postman_that_is_closed_takes_nothing_and_waits_for_what_is_under_way() {
    let (fake, postman) = at_work(Fake::new(20, Relay::Up));
    seconds(0.5).await;
    let begun = Instant::now();
    postman.finish().await;
    assert_eq!(begun.elapsed().as_millis() / 10, 50, "the half second that was left");
    assert_eq!(fake.sent(), 8);
    seconds(60.0).await;
    assert_eq!(fake.tries(), 8);
}

#[tokio::test(start_paused = true)]
async fn a_letter_that_hangs_does_not_keep_a_postman_from_finishing() {
    for letters in [1, 20] {
        let (fake, postman) = at_work(Fake::new(letters, Relay::Hanging));
        seconds(0.5).await;
        let begun = Instant::now();
        postman.finish().await;
        assert_eq!(begun.elapsed().as_secs(), GRACE.as_secs());
        let tries = fake.tries();
        seconds(120.0).await;
        assert_eq!(fake.tries(), tries);
    }
}

#[tokio::test(start_paused = true)]
async fn a_postman_without_letters_finishes_at_once() {
    let (_fake, postman) = at_work(Fake::new(0, Relay::Up));
    seconds(1.0).await;
    let begun = Instant::now();
    postman.finish().await;
    assert_eq!(begun.elapsed(), Duration::ZERO);
}
