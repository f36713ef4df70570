//! Promises about rate-limit counters: every attempt counts, and none counts for too long.

use gateward_domain::Timestamp;
use gateward_domain::ports::Entropy;
use gateward_domain::rate_limit::{AttemptCounter, FailedAttempt, RateLimitKey};

use super::StoreFixture;
use super::fixture::{after, race};
use crate::SeededEntropy;

/// An unused key.
fn key(fixture: &StoreFixture) -> RateLimitKey {
    let mut key = RateLimitKey([0; 32]);
    SeededEntropy::new(fixture.seed()).fill(&mut key.0);
    key
}

/// A failed attempt `seconds` after the others that expires after a minute and renews.
fn attempt(key: RateLimitKey, seconds: i64) -> FailedAttempt {
    FailedAttempt { key, at: after(seconds), expires_at: after(seconds + 60), renews: true }
}

/// The counter after this many failed attempts, the last of which is `last`.
fn counted(count: u32, last: FailedAttempt) -> AttemptCounter {
    AttemptCounter { key: last.key, count, last_at: last.at, expires_at: last.expires_at }
}

async fn add(fixture: &StoreFixture, attempt: FailedAttempt) -> AttemptCounter {
    fixture.single().await.record_failed_attempt(&attempt).await.unwrap()
}

/// Returns the counters of these keys, ordered by key.
async fn find(fixture: &StoreFixture, keys: &[RateLimitKey]) -> Vec<AttemptCounter> {
    let mut found = fixture.read().await.find_attempt_counters(keys).await.unwrap();
    found.sort_by_key(|counter| counter.key);
    found
}

/// Deletes counters that had expired then. Returns their number.
async fn clean_up(fixture: &StoreFixture, before: Timestamp, limit: u32) -> u64 {
    fixture.single().await.delete_attempt_counters(before, limit).await.unwrap()
}

promises! {
    __promises_rate_limits;


    async fn failed_attempts_are_counted_for_each_key_from_one_on(fixture: StoreFixture) {
        let mut keys = [key(&fixture), key(&fixture)];
        keys.sort();
        let [one, other] = keys;
        let unknown = key(&fixture);
        assert!(find(&fixture, &[one, other]).await.is_empty());
        for count in 1..=3 {
            let attempt = attempt(one, i64::from(count));
            assert_eq!(add(&fixture, attempt).await, counted(count, attempt));
        }
        assert_eq!(add(&fixture, attempt(other, 9)).await, counted(1, attempt(other, 9)));
        // A read changes nothing.
        for _ in 0..2 {
            let expected = [counted(3, attempt(one, 3)), counted(1, attempt(other, 9))];
            assert_eq!(find(&fixture, &[unknown, other, one]).await, expected);
        }
        assert_eq!(find(&fixture, &[one]).await, [counted(3, attempt(one, 3))]);
        assert!(find(&fixture, &[unknown]).await.is_empty() && find(&fixture, &[]).await.is_empty());
    }

    async fn racing_failed_attempts_are_all_counted(fixture: StoreFixture) {
        for _ in 0..5 {
            let (one, other) = (key(&fixture), key(&fixture));
            let said = race(20, |index| {
                let fixture = fixture.clone();
                let key = if index % 2 == 0 { one } else { other };
                async move { (key, add(&fixture, attempt(key, 5)).await.count) }
            })
            .await;
            for key in [one, other] {
                let of_key = said.iter().filter(|(of, _)| *of == key);
                let mut counts: Vec<_> = of_key.map(|(_, count)| *count).collect();
                counts.sort_unstable();
                assert!(counts.iter().copied().eq(1..=10), "{counts:?}");
                assert_eq!(find(&fixture, &[key]).await, [counted(10, attempt(key, 5))]);
            }
        }
    }

    async fn failed_attempts_past_their_time_are_forgotten(fixture: StoreFixture) {
        for renews in [true, false] {
            let key = key(&fixture);
            let attempt = |seconds| FailedAttempt { renews, ..attempt(key, seconds) };
            assert_eq!(add(&fixture, attempt(0)).await.count, 1);
            let last = Timestamp::from_micros(after(60).micros() - 1);
            let in_time = FailedAttempt { at: last, expires_at: after(60), ..attempt(0) };
            assert_eq!(add(&fixture, in_time).await, counted(2, in_time));
            assert_eq!(add(&fixture, attempt(60)).await, counted(1, attempt(60)));
            assert_eq!(add(&fixture, attempt(500)).await, counted(1, attempt(500)));
        }
    }

    async fn a_failed_attempt_that_renews_keeps_those_before_it(fixture: StoreFixture) {
        let key = key(&fixture);
        for (count, seconds) in [(1, 0), (2, 50), (3, 100)] {
            assert_eq!(add(&fixture, attempt(key, seconds)).await, counted(count, attempt(key, seconds)));
        }
    }

    async fn a_failed_attempt_that_does_not_renew_leaves_their_time_as_it_is(fixture: StoreFixture) {
        let key = key(&fixture);
        let attempt = |seconds| FailedAttempt { renews: false, ..attempt(key, seconds) };
        for (count, seconds) in [(1, 0), (2, 50)] {
            let last = FailedAttempt { expires_at: after(60), ..attempt(seconds) };
            assert_eq!(add(&fixture, attempt(seconds)).await, counted(count, last));
        }
        assert_eq!(add(&fixture, attempt(100)).await, counted(1, attempt(100)), "a new window");
    }

    async fn what_is_cleared_is_counted_from_one_again(fixture: StoreFixture) {
        let (one, other, unknown) = (key(&fixture), key(&fixture), key(&fixture));
        for key in [one, other, one] {
            add(&fixture, attempt(key, 0)).await;
        }
        let clear = async |keys: &[RateLimitKey]| {
            fixture.single().await.reset_attempt_counters(keys).await.unwrap()
        };
        assert_eq!(clear(&[unknown]).await + clear(&[]).await, 0);
        assert_eq!(clear(&[one, unknown]).await, 1);
        assert_eq!(find(&fixture, &[one, other]).await, [counted(1, attempt(other, 0))]);
        assert_eq!(add(&fixture, attempt(one, 5)).await.count, 1);
        assert_eq!(clear(&[one, other]).await, 2);
    }

    async fn counts_are_cleaned_up_when_their_time_is_over(fixture: StoreFixture) {
        let keys: Vec<_> = (0..5).map(|_| key(&fixture)).collect();
        let last = key(&fixture);
        for key in &keys {
            add(&fixture, attempt(*key, 0)).await;
        }
        add(&fixture, attempt(last, 60)).await;
        assert_eq!(clean_up(&fixture, after(60), 10).await, 0);
        let mut counts = Vec::new();
        for _ in 0..4 {
            counts.push(clean_up(&fixture, after(61), 2).await);
        }
        assert_eq!(counts, [2, 2, 1, 0]);
        assert!(find(&fixture, &keys).await.is_empty());
        assert_eq!(find(&fixture, &[last]).await.len(), 1);
    }

    async fn failed_attempts_are_undone_with_their_unit(fixture: StoreFixture) {
        let (one, other) = (key(&fixture), key(&fixture));
        add(&fixture, attempt(one, 0)).await;
        let mut tx = fixture.write().await;
        assert_eq!(tx.record_failed_attempt(&attempt(one, 5)).await.unwrap().count, 2);
        assert_eq!(tx.record_failed_attempt(&attempt(other, 5)).await.unwrap().count, 1);
        assert_eq!(tx.reset_attempt_counters(&[one]).await.unwrap(), 1);
        drop(tx);
        assert_eq!(find(&fixture, &[one, other]).await, [counted(1, attempt(one, 0))]);
    }
}
