//! Promises about bulk ends: old sessions, and everything that depends on a key.

use gateward_domain::key::KeyId;
use gateward_domain::link::{Link, LinkPurpose};
use gateward_domain::{End, EndReason, Session, SessionId, Timestamp, User};

use super::StoreFixture;
use super::fixture::{after, logout_after, race};
use crate::SeededEntropy;
use crate::fixtures::{IDLE_SECONDS, KEY};

/// The end of a session `seconds` after the fixtures' time.
fn cut_after(seconds: i64) -> End {
    End { at: after(seconds), reason: EndReason::KeyCompromised }
}

/// A session with an identifier of one time that started at another.
async fn session_at(
    fixture: &StoreFixture,
    user: &User,
    id: i64,
    created_at: Timestamp,
) -> Session {
    let id = SessionId::new(after(id), &SeededEntropy::new(fixture.seed()));
    let session = Session { id, created_at, ..fixture.draft(user) };
    fixture.add_session(&session).await;
    session
}

/// A session whose current token is signed by a key with this name. It is not stored yet.
fn draft_of_key(fixture: &StoreFixture, user: &User, key: &str) -> Session {
    let mut session = fixture.draft(user);
    session.refresh_state.key_id = KeyId(key.to_owned());
    session
}

/// The same, stored.
async fn session_of_key(fixture: &StoreFixture, user: &User, key: &str) -> Session {
    let session = draft_of_key(fixture, user, key);
    fixture.add_session(&session).await;
    session
}

/// Ends the sessions that started before some time.
async fn cut(
    fixture: &StoreFixture,
    before: Timestamp,
    last: Option<SessionId>,
    end: End,
    limit: u32,
) -> Vec<SessionId> {
    let mut tx = fixture.single().await;
    tx.end_sessions_started_before(before, last, end, limit).await.unwrap()
}

/// Ends the sessions of a key, and returns them ordered by identifier.
async fn cut_key(fixture: &StoreFixture, key: &str, end: End, limit: u32) -> Vec<Session> {
    let mut tx = fixture.single().await;
    let mut ended = tx.end_sessions_of_key(&KeyId(key.to_owned()), end, limit).await.unwrap();
    ended.sort_by_key(|session| session.id);
    ended
}

/// Asserts that the stored sessions equal the given ones.
async fn stand(fixture: &StoreFixture, sessions: &[Session]) {
    for session in sessions {
        assert_eq!(fixture.stored_session(session.id).await, *session);
    }
}

/// Ends, five at a time, the sessions started before some time or of the fixtures' key.
async fn cut_all(fixture: &StoreFixture, of_key: bool) -> Vec<SessionId> {
    let (mut ended, mut last) = (Vec::new(), None);
    loop {
        let page = if of_key {
            let sessions = cut_key(fixture, KEY, cut_after(60), 5).await;
            sessions.iter().map(|session| session.id).collect()
        } else {
            cut(fixture, after(1), last, cut_after(60), 5).await
        };
        let Some(newest) = page.last() else { return ended };
        last = Some(*newest);
        ended.extend(page);
    }
}

promises! {
    __promises_cuts;


    async fn the_sessions_that_began_before_some_time_end_and_no_others(fixture: StoreFixture) {
        let (one, other) = (fixture.user().await, fixture.user().await);
        let at = after(100);
        let just_before = Timestamp::from_micros(at.micros() - 1);
        // The order of the identifiers differs from that of the start times.
        let mut old = vec![
            session_at(&fixture, &one, 30, just_before).await,
            session_at(&fixture, &other, 10, after(99)).await,
            session_at(&fixture, &one, 20, after(-900)).await,
        ];
        let young = [
            session_at(&fixture, &one, 15, at).await,
            session_at(&fixture, &other, 5, after(101)).await,
        ];
        old.sort_by_key(|session| session.id);
        let expected: Vec<_> = old.iter().map(|session| session.id).collect();
        assert_eq!(cut(&fixture, at, None, cut_after(110), 10).await, expected);
        for session in &mut old {
            session.ended = Some(cut_after(110));
        }
        stand(&fixture, &old).await;
        stand(&fixture, &young).await;
        assert!(cut(&fixture, at, None, cut_after(111), 10).await.is_empty());
    }

    async fn old_sessions_end_page_by_page(fixture: StoreFixture) {
        let user = fixture.user().await;
        for limit in [1, 2, 3, 7, 100] {
            let mut ids = Vec::new();
            for id in [4, 1, 7, 3, 6, 2, 5] {
                let session = session_at(&fixture, &user, id, after(-id)).await;
                ids.push(session.id);
            }
            ids.sort();
            assert!(cut(&fixture, after(0), None, cut_after(60), 0).await.is_empty());
            let (mut ended, mut last) = (Vec::new(), None);
            for _ in 0..9 {
                let page = cut(&fixture, after(0), last, cut_after(60), limit).await;
                assert!(page.len() <= usize::try_from(limit).unwrap());
                let Some(newest) = page.last() else { break };
                last = Some(*newest);
                ended.extend(page);
            }
            assert_eq!(ended, ids, "{limit} at a time");
        }
    }

    async fn sessions_up_to_the_last_one_named_are_left_alone(fixture: StoreFixture) {
        let user = fixture.user().await;
        let mut sessions = Vec::new();
        for id in 0..4 {
            sessions.push(session_at(&fixture, &user, id, after(0)).await);
        }
        let [one, two, three, four] = sessions.as_slice() else { unreachable!() };
        let ended = cut(&fixture, after(9), Some(two.id), cut_after(60), 10).await;
        assert_eq!(ended, [three.id, four.id]);
        stand(&fixture, &[one.clone(), two.clone()]).await;
    }

    async fn a_cut_keeps_to_the_truth_of_each_session(fixture: StoreFixture) {
        let user = fixture.user().await;
        let end = cut_after(IDLE_SECONDS);
        for by_key in [false, true] {
            let mut sessions = [0; 4].map(|_| draft_of_key(&fixture, &user, "lost"));
            let [gone, idle, over, active] = &mut sessions;
            gone.ended = Some(logout_after(5));
            idle.refresh_state.expires_at = end.at;
            over.lifetime_ends_at = after(IDLE_SECONDS - 1);
            active.refresh_state.expires_at = after(IDLE_SECONDS + 1);
            for session in [&*gone, &*idle, &*over, &*active] {
                fixture.add_session(session).await;
            }
            idle.ended = Some(End { at: end.at, reason: EndReason::IdleTimeout });
            over.ended = Some(End { at: end.at, reason: EndReason::LifetimeOver });
            active.ended = Some(end);
            let mut expected = [idle.id, over.id, active.id];
            expected.sort();
            let ids: Vec<_> = if by_key {
                cut_key(&fixture, "lost", end, 10).await.iter().map(|session| session.id).collect()
            } else {
                cut(&fixture, after(9), None, end, 10).await
            };
            assert_eq!(ids, expected);
            stand(&fixture, &sessions).await;
        }
    }

    async fn the_sessions_of_a_key_end_and_are_given_as_they_are_then(fixture: StoreFixture) {
        let (one, other) = (fixture.user().await, fixture.user().await);
        let mut of_key = vec![
            session_of_key(&fixture, &one, "lost").await,
            session_of_key(&fixture, &other, "lost").await,
            session_of_key(&fixture, &one, "lost").await,
        ];
        let others =
            [session_of_key(&fixture, &one, KEY).await, session_of_key(&fixture, &one, "lost-2").await];
        for session in &mut of_key {
            session.ended = Some(cut_after(60));
        }
        of_key.sort_by_key(|session| session.id);
        assert_eq!(cut_key(&fixture, "lost", cut_after(60), 10).await, of_key);
        stand(&fixture, &of_key).await;
        stand(&fixture, &others).await;
        assert!(cut_key(&fixture, "lost", cut_after(61), 10).await.is_empty());
    }

    async fn no_more_sessions_of_a_key_end_than_asked(fixture: StoreFixture) {
        let user = fixture.user().await;
        for _ in 0..7 {
            session_of_key(&fixture, &user, "lost").await;
        }
        for (limit, count) in [(0, 0), (3, 3), (3, 3), (3, 1), (3, 0)] {
            assert_eq!(cut_key(&fixture, "lost", cut_after(60), limit).await.len(), count);
        }
    }

    async fn a_cut_is_undone_with_its_unit(fixture: StoreFixture) {
        let user = fixture.user().await;
        let session = session_of_key(&fixture, &user, "lost").await;
        let (key, end) = (KeyId("lost".to_owned()), cut_after(60));
        let mut tx = fixture.write().await;
        let ended = tx.end_sessions_started_before(after(9), None, end, 10).await.unwrap();
        assert_eq!(ended, [session.id]);
        assert!(tx.end_sessions_of_key(&key, end, 10).await.unwrap().is_empty());
        drop(tx);
        stand(&fixture, &[session]).await;
    }

    async fn racing_cuts_and_ends_give_each_session_once(fixture: StoreFixture) {
        for _ in 0..10 {
            let user = fixture.user().await;
            let mut ids = Vec::new();
            for _ in 0..24 {
                ids.push(fixture.session_of(&user).await.id);
            }
            let one = ids.first().copied().unwrap();
            let ended = race(6, |index| {
                let (fixture, id) = (fixture.clone(), user.id);
                async move {
                    match index {
                        0 | 1 => cut_all(&fixture, false).await,
                        2 | 3 => cut_all(&fixture, true).await,
                        4 => {
                            let mut tx = fixture.write().await;
                            tx.lock_user(id).await.unwrap();
                            let ended = tx.end_sessions_of_user(id, None, cut_after(60)).await;
                            tx.commit().await.unwrap();
                            ended.unwrap()
                        }
                        _ if fixture.end(one, cut_after(60)).await => vec![one],
                        _ => vec![],
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

    async fn links_whose_secrets_follow_from_a_key_are_deleted(fixture: StoreFixture) {
        let user = fixture.user().await;
        let with_key = |key: &str| {
            let link = fixture.link(LinkPurpose::UndoEmail, &user);
            Link { key_id: KeyId(key.to_owned()), ..link }
        };
        for _ in 0..7 {
            fixture.put_link(&with_key("lost")).await;
        }
        let mut others = [with_key("lost-2"), fixture.link(LinkPurpose::ResetPassword, &user)];
        for link in &others {
            fixture.put_link(link).await;
        }
        for (limit, deleted) in [(0, 0), (3, 3), (3, 3), (3, 1), (3, 0)] {
            let mut tx = fixture.single().await;
            let count = tx.delete_links_of_key(&KeyId("lost".to_owned()), limit).await.unwrap();
            assert_eq!(count, deleted);
        }
        others.sort_by_key(|link| link.id);
        let mut left = fixture.read().await.list_user_links(user.id, 100).await.unwrap();
        left.sort_by_key(|link| link.id);
        assert_eq!(left, others);
    }
}
