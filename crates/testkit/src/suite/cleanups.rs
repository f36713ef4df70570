//! Promises about concurrent ends and deletions of sessions: each counts once, and no caller blocks
//! another.

use gateward_domain::refresh::{Rotation, RotationDecision, judge};
use gateward_domain::{End, EndReason, SessionId, User};

use super::StoreFixture;
use super::fixture::{after, logout_after, race};
use crate::fixtures::{LIFETIME_SECONDS, presented, rotation};

/// A time at which all sessions of the fixtures have expired.
fn long_after() -> End {
    End { at: after(LIFETIME_SECONDS + 1), reason: EndReason::LogoutAll }
}

/// A user with this many sessions.
async fn callers(fixture: &StoreFixture, count: usize) -> (User, Vec<SessionId>) {
    let user = fixture.user().await;
    let mut ids = Vec::new();
    for _ in 0..count {
        ids.push(fixture.session_of(&user).await.id);
    }
    (user, ids)
}

/// Ends all sessions of the user, as a logout from all devices does.
async fn end_all(fixture: &StoreFixture, user: &User, end: End) -> Vec<SessionId> {
    let mut tx = fixture.write().await;
    tx.lock_user(user.id).await.unwrap();
    let ended = tx.end_sessions_of_user(user.id, None, end).await.unwrap();
    tx.commit().await.unwrap();
    ended
}

/// Presents a spent token, as a refresh does if the single statement returned nothing.
async fn replay(fixture: &StoreFixture, request: &Rotation) -> RotationDecision {
    assert_eq!(fixture.rotate(request).await, None);
    let mut tx = fixture.write().await;
    let session = tx.lock_session(request.presented.session_id).await.unwrap().unwrap();
    let decision = judge(&session, request);
    if decision == RotationDecision::Replay {
        let end = End { at: request.now, reason: EndReason::RefreshTokenReused };
        assert!(tx.end_session(session.id, end).await.unwrap());
        tx.commit().await.unwrap();
    }
    decision
}

promises! {
    __promises_cleanups;


    async fn of_racing_replays_one_ends_the_session_and_the_others_find_it_over(fixture: StoreFixture) {
        let user = fixture.user().await;
        let mut session = fixture.draft(&user);
        session.refresh_state.generation = 3;
        fixture.add_session(&session).await;
        let request = Rotation { presented: presented(&session, 1), ..rotation(&session) };
        let verdicts = race(8, |_| {
            let (fixture, request) = (fixture.clone(), request.clone());
            async move { replay(&fixture, &request).await }
        })
        .await;
        let end = End { at: request.now, reason: EndReason::RefreshTokenReused };
        assert_eq!(fixture.stored_session(session.id).await.ended, Some(end));
        let replays = verdicts.iter().filter(|decision| **decision == RotationDecision::Replay);
        assert_eq!(replays.count(), 1);
        let others = verdicts.iter().filter(|decision| **decision == RotationDecision::Ended(end));
        assert_eq!(others.count(), 7);
    }

    async fn racing_ends_of_one_and_of_all_give_each_session_once(fixture: StoreFixture) {
        for _ in 0..10 {
            let (user, mut ids) = callers(&fixture, 6).await;
            let ended = race(8, |index| {
                let (fixture, user) = (fixture.clone(), user.clone());
                let one = ids.get(index).copied();
                async move {
                    match one {
                        Some(id) if fixture.end(id, logout_after(5)).await => vec![id],
                        Some(_) => Vec::new(),
                        None => end_all(&fixture, &user, logout_after(6)).await,
                    }
                }
            })
            .await;
            let mut ended = ended.concat();
            ended.sort();
            ids.sort();
            assert_eq!(ended, ids);
        }
    }

    async fn racing_cleanups_count_each_session_once(fixture: StoreFixture) {
        let (_, ids) = callers(&fixture, 24).await;
        let counts = race(4, |_| {
            let fixture = fixture.clone();
            async move {
                let mut counts = Vec::new();
                for _ in 0..8 {
                    let mut tx = fixture.single().await;
                    counts.push(tx.delete_sessions(long_after().at, 5).await.unwrap());
                }
                counts
            }
        })
        .await
        .concat();
        assert_eq!(counts.iter().sum::<u64>(), 24, "{counts:?}");
        assert!(counts.iter().all(|count| *count <= 5), "{counts:?}");
        for id in ids {
            assert_eq!(fixture.read().await.find_session(id).await.unwrap(), None);
        }
    }

    async fn a_cleanup_and_an_end_of_the_same_sessions_get_past_each_other(fixture: StoreFixture) {
        for _ in 0..20 {
            let (user, ids) = callers(&fixture, 12).await;
            race(4, |index| {
                let (fixture, user) = (fixture.clone(), user.clone());
                async move {
                    if index % 2 == 0 {
                        let mut tx = fixture.single().await;
                        tx.delete_sessions(long_after().at, 12).await.unwrap();
                    } else {
                        end_all(&fixture, &user, long_after()).await;
                    }
                }
            })
            .await;
            // A cleanup may leave a locked row to the next one.
            fixture.single().await.delete_sessions(long_after().at, 100).await.unwrap();
            for id in ids {
                assert_eq!(fixture.read().await.find_session(id).await.unwrap(), None);
            }
        }
    }
}
