//! Promises about counts of wrong secrets: none is missed, and none is remembered for too long.

use gateward_domain::Timestamp;
use gateward_domain::ports::Entropy;
use gateward_domain::throttle::{Strike, Strikes, ThrottleKey};

use super::Stage;
use super::stage::{after, race};
use crate::SeededEntropy;

/// A key that nobody has.
fn key(stage: &Stage) -> ThrottleKey {
    let mut key = ThrottleKey([0; 32]);
    SeededEntropy::new(stage.seed()).fill(&mut key.0);
    key
}

/// A strike so many seconds after the others, remembered for a minute; it renews.
fn strike(key: ThrottleKey, seconds: i64) -> Strike {
    Strike { key, at: after(seconds), expires_at: after(seconds + 60), renews: true }
}

/// What is counted after so many strikes, the last of which was this one.
fn counted(count: u32, last: Strike) -> Strikes {
    Strikes { key: last.key, count, last_at: last.at, expires_at: last.expires_at }
}

/// Counts one more.
async fn add(stage: &Stage, strike: Strike) -> Strikes {
    stage.single().await.add_strike(&strike).await.unwrap()
}

/// What is counted under these keys, in the order of the keys.
async fn find(stage: &Stage, keys: &[ThrottleKey]) -> Vec<Strikes> {
    let mut found = stage.read().await.find_strikes(keys).await.unwrap();
    found.sort_by_key(|strikes| strikes.key);
    found
}

/// Deletes counts whose time was over then; gives how many.
async fn sweep(stage: &Stage, before: Timestamp, limit: u32) -> u64 {
    stage.single().await.delete_strikes(before, limit).await.unwrap()
}

promises! {
    __promises_throttles;


    async fn strikes_are_counted_for_each_key_from_one_on(stage: Stage) {
        let mut keys = [key(&stage), key(&stage)];
        keys.sort();
        let [one, other] = keys;
        let unknown = key(&stage);
        assert!(find(&stage, &[one, other]).await.is_empty());
        for count in 1..=3 {
            let strike = strike(one, i64::from(count));
            assert_eq!(add(&stage, strike).await, counted(count, strike));
        }
        assert_eq!(add(&stage, strike(other, 9)).await, counted(1, strike(other, 9)));
        // Looking changes nothing.
        for _ in 0..2 {
            let expected = [counted(3, strike(one, 3)), counted(1, strike(other, 9))];
            assert_eq!(find(&stage, &[unknown, other, one]).await, expected);
        }
        assert_eq!(find(&stage, &[one]).await, [counted(3, strike(one, 3))]);
        assert!(find(&stage, &[unknown]).await.is_empty() && find(&stage, &[]).await.is_empty());
    }

    async fn racing_strikes_are_all_counted(stage: Stage) {
        for _ in 0..5 {
            let (one, other) = (key(&stage), key(&stage));
            let said = race(20, |index| {
                let stage = stage.clone();
                let key = if index % 2 == 0 { one } else { other };
                async move { (key, add(&stage, strike(key, 5)).await.count) }
            })
            .await;
            for key in [one, other] {
                let of_key = said.iter().filter(|(of, _)| *of == key);
                let mut counts: Vec<_> = of_key.map(|(_, count)| *count).collect();
                counts.sort_unstable();
                assert!(counts.iter().copied().eq(1..=10), "{counts:?}");
                assert_eq!(find(&stage, &[key]).await, [counted(10, strike(key, 5))]);
            }
        }
    }

    async fn strikes_past_their_time_are_forgotten(stage: Stage) {
        for renews in [true, false] {
            let key = key(&stage);
            let strike = |seconds| Strike { renews, ..strike(key, seconds) };
            assert_eq!(add(&stage, strike(0)).await.count, 1);
            let last = Timestamp::from_micros(after(60).micros() - 1);
            let in_time = Strike { at: last, expires_at: after(60), ..strike(0) };
            assert_eq!(add(&stage, in_time).await, counted(2, in_time));
            assert_eq!(add(&stage, strike(60)).await, counted(1, strike(60)));
            assert_eq!(add(&stage, strike(500)).await, counted(1, strike(500)));
        }
    }

    async fn a_strike_that_renews_keeps_those_before_it(stage: Stage) {
        let key = key(&stage);
        for (count, seconds) in [(1, 0), (2, 50), (3, 100)] {
            assert_eq!(add(&stage, strike(key, seconds)).await, counted(count, strike(key, seconds)));
        }
    }

    async fn a_strike_that_does_not_renew_leaves_their_time_as_it_is(stage: Stage) {
        let key = key(&stage);
        let strike = |seconds| Strike { renews: false, ..strike(key, seconds) };
        for (count, seconds) in [(1, 0), (2, 50)] {
            let last = Strike { expires_at: after(60), ..strike(seconds) };
            assert_eq!(add(&stage, strike(seconds)).await, counted(count, last));
        }
        assert_eq!(add(&stage, strike(100)).await, counted(1, strike(100)), "a new window");
    }

    async fn what_is_cleared_is_counted_from_one_again(stage: Stage) {
        let (one, other, unknown) = (key(&stage), key(&stage), key(&stage));
        for key in [one, other, one] {
            add(&stage, strike(key, 0)).await;
        }
        let clear = async |keys: &[ThrottleKey]| {
            stage.single().await.clear_strikes(keys).await.unwrap()
        };
        assert_eq!(clear(&[unknown]).await + clear(&[]).await, 0);
        assert_eq!(clear(&[one, unknown]).await, 1);
        assert_eq!(find(&stage, &[one, other]).await, [counted(1, strike(other, 0))]);
        assert_eq!(add(&stage, strike(one, 5)).await.count, 1);
        assert_eq!(clear(&[one, other]).await, 2);
    }

    async fn counts_are_swept_when_their_time_is_over(stage: Stage) {
        let keys: Vec<_> = (0..5).map(|_| key(&stage)).collect();
        let last = key(&stage);
        for key in &keys {
            add(&stage, strike(*key, 0)).await;
        }
        add(&stage, strike(last, 60)).await;
        assert_eq!(sweep(&stage, after(60), 10).await, 0);
        let mut counts = Vec::new();
        for _ in 0..4 {
            counts.push(sweep(&stage, after(61), 2).await);
        }
        assert_eq!(counts, [2, 2, 1, 0]);
        assert!(find(&stage, &keys).await.is_empty());
        assert_eq!(find(&stage, &[last]).await.len(), 1);
    }

    async fn strikes_are_undone_with_their_unit(stage: Stage) {
        let (one, other) = (key(&stage), key(&stage));
        add(&stage, strike(one, 0)).await;
        let mut tx = stage.write().await;
        assert_eq!(tx.add_strike(&strike(one, 5)).await.unwrap().count, 2);
        assert_eq!(tx.add_strike(&strike(other, 5)).await.unwrap().count, 1);
        assert_eq!(tx.clear_strikes(&[one]).await.unwrap(), 1);
        drop(tx);
        assert_eq!(find(&stage, &[one, other]).await, [counted(1, strike(one, 0))]);
    }
}
