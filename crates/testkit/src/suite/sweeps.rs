//! Promises about sessions that several callers end or delete at once: each counts once, and nobody
//! stands in another's way.

use gateward_domain::refresh::{Rotation, Verdict, judge};
use gateward_domain::{End, EndReason, SessionId, User};

use super::Stage;
use super::stage::{after, logout_after, race};
use crate::fixtures::{LIFETIME_SECONDS, rotation, shown};

/// A time at which all sessions of fixtures are over.
fn long_after() -> End {
    End { at: after(LIFETIME_SECONDS + 1), reason: EndReason::LogoutAll }
}

/// A user with so many sessions.
async fn crowd(stage: &Stage, count: usize) -> (User, Vec<SessionId>) {
    let user = stage.user().await;
    let mut ids = Vec::new();
    for _ in 0..count {
        ids.push(stage.session_of(&user).await.id);
    }
    (user, ids)
}

/// Ends all sessions of the user, as a logout from everywhere does it.
async fn end_all(stage: &Stage, user: &User, end: End) -> Vec<SessionId> {
    let mut tx = stage.write().await;
    tx.lock_user(user.id).await.unwrap();
    let ended = tx.end_sessions_of_user(user.id, None, end).await.unwrap();
    tx.commit().await.unwrap();
    ended
}

/// Shows a spent token, as a refresh does where the one statement has given nothing.
async fn replay(stage: &Stage, request: &Rotation) -> Verdict {
    assert_eq!(stage.rotate(request).await, None);
    let mut tx = stage.write().await;
    let session = tx.lock_session(request.shown.session_id).await.unwrap().unwrap();
    let verdict = judge(&session, request);
    if verdict == Verdict::Replay {
        let end = End { at: request.now, reason: EndReason::RefreshTokenReused };
        assert!(tx.end_session(session.id, end).await.unwrap());
        tx.commit().await.unwrap();
    }
    verdict
}

promises! {
    __promises_sweeps;


    async fn of_racing_replays_one_ends_the_session_and_the_others_find_it_over(stage: Stage) {
        let user = stage.user().await;
        let mut session = stage.draft(&user);
        session.line.generation = 3;
        stage.add_session(&session).await;
        let request = Rotation { shown: shown(&session, 1), ..rotation(&session) };
        let verdicts = race(8, |_| {
            let (stage, request) = (stage.clone(), request.clone());
            async move { replay(&stage, &request).await }
        })
        .await;
        let end = End { at: request.now, reason: EndReason::RefreshTokenReused };
        assert_eq!(stage.stored_session(session.id).await.ended, Some(end));
        let replays = verdicts.iter().filter(|verdict| **verdict == Verdict::Replay);
        assert_eq!(replays.count(), 1);
        let others = verdicts.iter().filter(|verdict| **verdict == Verdict::Over(end));
        assert_eq!(others.count(), 7);
    }

    async fn racing_ends_of_one_and_of_all_give_each_session_once(stage: Stage) {
        for _ in 0..10 {
            let (user, mut ids) = crowd(&stage, 6).await;
            let ended = race(8, |index| {
                let (stage, user) = (stage.clone(), user.clone());
                let one = ids.get(index).copied();
                async move {
                    match one {
                        Some(id) if stage.end(id, logout_after(5)).await => vec![id],
                        Some(_) => Vec::new(),
                        None => end_all(&stage, &user, logout_after(6)).await,
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

    async fn racing_sweeps_count_each_session_once(stage: Stage) {
        let (_, ids) = crowd(&stage, 24).await;
        let counts = race(4, |_| {
            let stage = stage.clone();
            async move {
                let mut counts = Vec::new();
                for _ in 0..8 {
                    let mut tx = stage.single().await;
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
            assert_eq!(stage.read().await.find_session(id).await.unwrap(), None);
        }
    }

    async fn a_sweep_and_an_end_of_the_same_sessions_get_past_each_other(stage: Stage) {
        for _ in 0..20 {
            let (user, ids) = crowd(&stage, 12).await;
            race(4, |index| {
                let (stage, user) = (stage.clone(), user.clone());
                async move {
                    if index % 2 == 0 {
                        let mut tx = stage.single().await;
                        tx.delete_sessions(long_after().at, 12).await.unwrap();
                    } else {
                        end_all(&stage, &user, long_after()).await;
                    }
                }
            })
            .await;
            // A sweep may leave a row that was locked to the next one.
            stage.single().await.delete_sessions(long_after().at, 100).await.unwrap();
            for id in ids {
                assert_eq!(stage.read().await.find_session(id).await.unwrap(), None);
            }
        }
    }
}
