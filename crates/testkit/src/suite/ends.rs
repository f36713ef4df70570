//! Promises about ends: a session ends once, and the recorded reason is the first one.

use gateward_domain::{End, EndReason, Session, SessionId, Timestamp, User};

use super::StoreFixture;
use super::fixture::{after, logout_after, race};
use crate::fixtures::{IDLE_SECONDS, LIFETIME_SECONDS};

/// Stores a session that started at `created_at`.
async fn started_at(fixture: &StoreFixture, user: &User, created_at: Timestamp) -> Session {
    let session = Session { created_at, ..fixture.draft(user) };
    fixture.add_session(&session).await;
    session
}

/// Ends the user's oldest sessions, as a login does.
async fn end_oldest(fixture: &StoreFixture, user: &User, keep: u32, end: End) -> Vec<SessionId> {
    let mut tx = fixture.write().await;
    tx.lock_user(user.id).await.unwrap();
    let mut ended = tx.end_oldest_sessions(user.id, keep, end).await.unwrap();
    tx.commit().await.unwrap();
    ended.sort();
    ended
}

/// The end because of too many sessions.
fn limit_after(seconds: i64) -> End {
    End { at: after(seconds), reason: EndReason::SessionLimit }
}

promises! {
    __promises_ends;


    async fn a_session_ends_once_and_nothing_else_changes(fixture: StoreFixture) {
        let user = fixture.user().await;
        let (session, other) = (fixture.session_of(&user).await, fixture.session_of(&user).await);
        assert!(fixture.end(session.id, logout_after(5)).await);
        let again = End { at: after(9), reason: EndReason::EndedByAdmin };
        assert!(!fixture.end(session.id, again).await);
        let expected = Session { ended: Some(logout_after(5)), ..session };
        assert_eq!(fixture.stored_session(expected.id).await, expected);
        assert_eq!(fixture.stored_session(other.id).await, other);
    }

    async fn a_session_that_is_not_there_cannot_be_ended(fixture: StoreFixture) {
        let session = fixture.draft(&fixture.user().await);
        assert!(!fixture.end(session.id, logout_after(5)).await);
    }

    async fn an_end_after_the_time_ran_out_has_the_reason_of_that(fixture: StoreFixture) {
        let user = fixture.user().await;
        let idle = Timestamp::from_micros(after(IDLE_SECONDS).micros() - 1);
        for (at, reason) in [
            (idle, EndReason::Logout),
            (after(IDLE_SECONDS), EndReason::IdleTimeout),
            (after(LIFETIME_SECONDS - 1), EndReason::IdleTimeout),
            (after(LIFETIME_SECONDS), EndReason::LifetimeOver),
        ] {
            let session = fixture.session_of(&user).await;
            assert!(fixture.end(session.id, End { at, reason: EndReason::Logout }).await);
            let ended = fixture.stored_session(session.id).await.ended;
            assert_eq!(ended, Some(End { at, reason }), "the time is the one given");
        }
    }

    async fn of_racing_ends_exactly_one_ends_the_session(fixture: StoreFixture) {
        let session = fixture.session().await;
        let ends = race(16, |index| {
            let (fixture, id) = (fixture.clone(), session.id);
            let end = logout_after(i64::try_from(index).unwrap());
            async move { fixture.end(id, end).await.then_some(end) }
        })
        .await;
        let ends: Vec<_> = ends.into_iter().flatten().collect();
        assert_eq!(ends.len(), 1);
        assert_eq!(fixture.stored_session(session.id).await.ended, ends.first().copied());
    }

    async fn all_sessions_of_a_user_end_and_nobody_elses(fixture: StoreFixture) {
        let user = fixture.user().await;
        let others = fixture.session().await;
        let mut sessions = Vec::new();
        for _ in 0..3 {
            sessions.push(fixture.session_of(&user).await);
        }
        let end = End { at: after(60), reason: EndReason::LogoutAll };
        let ended = fixture.single().await.end_sessions_of_user(user.id, None, end).await.unwrap();
        sessions.sort_by_key(|session| session.id);
        assert_eq!(ended, sessions.iter().map(|session| session.id).collect::<Vec<_>>());
        for session in sessions {
            let expected = Session { ended: Some(end), ..session };
            assert_eq!(fixture.stored_session(expected.id).await, expected);
        }
        assert_eq!(fixture.stored_session(others.id).await, others);
        let again = fixture.single().await.end_sessions_of_user(user.id, None, end).await;
        assert!(again.unwrap().is_empty());
    }

    async fn one_session_can_be_spared(fixture: StoreFixture) {
        let user = fixture.user().await;
        let (spared, session) = (fixture.session_of(&user).await, fixture.session_of(&user).await);
        let end = End { at: after(60), reason: EndReason::PasswordChanged };
        let mut tx = fixture.single().await;
        let ended = tx.end_sessions_of_user(user.id, Some(spared.id), end).await.unwrap();
        assert_eq!(ended, [session.id]);
        drop(tx);
        assert_eq!(fixture.stored_session(spared.id).await, spared);
        assert_eq!(fixture.stored_session(session.id).await.ended, Some(end));
        let others = fixture.session().await;
        let mut tx = fixture.single().await;
        let ended = tx.end_sessions_of_user(user.id, Some(others.id), end).await.unwrap();
        assert_eq!(ended, [spared.id], "nothing of the user's is spared by another's session");
    }

    async fn the_sessions_of_a_user_that_end_are_given_oldest_first(fixture: StoreFixture) {
        let user = fixture.user().await;
        let mut started = Vec::new();
        for seconds in [30, 10, 40, 20, 10] {
            started.push(started_at(&fixture, &user, after(seconds)).await);
        }
        let over = started_at(&fixture, &user, after(0)).await;
        fixture.end(over.id, logout_after(5)).await;
        started.sort_by_key(|session| (session.created_at, session.id));
        let expected: Vec<_> = started.iter().map(|session| session.id).collect();
        let mut tx = fixture.single().await;
        let ended = tx.end_sessions_of_user(user.id, None, logout_after(60)).await.unwrap();
        assert_eq!(ended, expected, "without the one that was over");
    }

    async fn ends_of_all_sessions_keep_to_the_truth_of_each(fixture: StoreFixture) {
        let user = fixture.user().await;
        let ended = fixture.session_of(&user).await;
        fixture.end(ended.id, logout_after(5)).await;
        let idle = fixture.session_of(&user).await;
        let over = Session { lifetime_ends_at: after(IDLE_SECONDS - 1), ..fixture.draft(&user) };
        fixture.add_session(&over).await;
        let mut active = fixture.draft(&user);
        active.refresh_state.expires_at = after(IDLE_SECONDS + 1);
        fixture.add_session(&active).await;
        let at = after(IDLE_SECONDS);
        let end = End { at, reason: EndReason::AccountDisabled };
        let mut tx = fixture.single().await;
        let mut given = tx.end_sessions_of_user(user.id, None, end).await.unwrap();
        drop(tx);
        let mut expected = [idle.id, over.id, active.id];
        given.sort();
        expected.sort();
        assert_eq!(given, expected);
        for (id, expected) in [
            (ended.id, logout_after(5)),
            (idle.id, End { at, reason: EndReason::IdleTimeout }),
            (over.id, End { at, reason: EndReason::LifetimeOver }),
            (active.id, end),
        ] {
            assert_eq!(fixture.stored_session(id).await.ended, Some(expected));
        }
    }

    async fn the_oldest_sessions_end_first(fixture: StoreFixture) {
        let user = fixture.user().await;
        let others = started_at(&fixture, &fixture.user().await, after(-900)).await;
        let young = started_at(&fixture, &user, after(30)).await;
        let old = started_at(&fixture, &user, after(10)).await;
        let middle = started_at(&fixture, &user, after(20)).await;
        let ended = started_at(&fixture, &user, after(0)).await;
        fixture.end(ended.id, logout_after(5)).await;
        assert!(end_oldest(&fixture, &user, 3, limit_after(60)).await.is_empty());
        assert_eq!(end_oldest(&fixture, &user, 2, limit_after(60)).await, [old.id]);
        assert_eq!(end_oldest(&fixture, &user, 1, limit_after(61)).await, [middle.id]);
        for (session, expected) in [
            (&old, Some(limit_after(60))),
            (&middle, Some(limit_after(61))),
            (&ended, Some(logout_after(5))),
            (&young, None),
            (&others, None),
        ] {
            let expected = Session { ended: expected, ..session.clone() };
            assert_eq!(fixture.stored_session(session.id).await, expected);
        }
        assert_eq!(end_oldest(&fixture, &user, 0, limit_after(62)).await, [young.id]);
        assert!(end_oldest(&fixture, &user, 0, limit_after(63)).await.is_empty());
    }

    async fn among_sessions_of_one_moment_the_identifier_decides_who_is_oldest(fixture: StoreFixture) {
        let user = fixture.user().await;
        let mut ids = Vec::new();
        for _ in 0..5 {
            ids.push(fixture.session_of(&user).await.id);
        }
        ids.sort();
        let ended = end_oldest(&fixture, &user, 2, limit_after(60)).await;
        assert_eq!(Some(ended.as_slice()), ids.get(..3));
    }

    /// An expired session takes no slot: unused sessions must not cause a logout. The store may or
    /// may not record the end by expiry; if it does, it is that one.
    async fn a_session_whose_time_ran_out_takes_no_place_from_an_active_one(fixture: StoreFixture) {
        let user = fixture.user().await;
        let active_until = |created_at, expires_at| {
            let mut session = Session { created_at, ..fixture.draft(&user) };
            session.refresh_state.expires_at = expires_at;
            session
        };
        let old = active_until(after(0), after(100));
        let idle = active_until(after(1), after(60));
        let young = active_until(after(2), after(100));
        for session in [&old, &idle, &young] {
            fixture.add_session(session).await;
        }
        end_oldest(&fixture, &user, 2, limit_after(60)).await;
        assert_eq!(fixture.stored_session(old.id).await, old);
        assert_eq!(fixture.stored_session(young.id).await, young);
        assert!(end_oldest(&fixture, &user, 1, limit_after(60)).await.contains(&old.id));
        assert_eq!(fixture.stored_session(old.id).await.ended, Some(limit_after(60)));
        let idle_end = fixture.stored_session(idle.id).await.ended;
        let true_end = End { at: after(60), reason: EndReason::IdleTimeout };
        assert!(idle_end.is_none_or(|end| end == true_end), "{idle_end:?}");
    }

    async fn racing_logins_leave_no_more_sessions_than_allowed(fixture: StoreFixture) {
        let user = fixture.user().await;
        let ids = race(12, |index| {
            let (fixture, user) = (fixture.clone(), user.clone());
            let created_at = after(i64::try_from(index).unwrap());
            let session = Session { created_at, ..fixture.draft(&user) };
            async move {
                let mut tx = fixture.write().await;
                tx.lock_user(user.id).await.unwrap();
                tx.insert_session(&session).await.unwrap();
                tx.end_oldest_sessions(user.id, 3, limit_after(60)).await.unwrap();
                tx.commit().await.unwrap();
                session.id
            }
        })
        .await;
        let mut active = Vec::new();
        for id in &ids {
            if fixture.stored_session(*id).await.ended.is_none() {
                active.push(*id);
            }
        }
        assert_eq!(Some(active.as_slice()), ids.get(9..), "the youngest are left");
    }
}
