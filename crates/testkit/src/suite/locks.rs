//! Promises about locks: a value read by a `lock_…` method does not change until the unit of work
//! ends.

use std::time::Duration;

use gateward_domain::audit::{Chain, Checkpoint, Digest, SignedCheckpoint};
use gateward_domain::key::KeyId;
use gateward_domain::ports::{Instance, Tx};
use gateward_domain::refresh::{RefreshState, Rotation};
use gateward_domain::{EndReason, Session, User};
use tokio::time::{sleep, timeout};

use super::StoreFixture;
use super::fixture::{after, logout_after, race};
use crate::fixtures::{password_hash, rotation};

/// How long the test watches a caller that must wait.
const WATCHED: Duration = Duration::from_millis(100);

/// How a unit of work ends.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Ending {
    Committed,
    Dropped,
}

const ENDINGS: [Ending; 2] = [Ending::Committed, Ending::Dropped];

/// Starts `act`, asserts that it waits until the holder's unit of work ends, and returns its
/// result.
async fn waiting_for<T: Send + 'static>(
    holder: Box<dyn Tx>,
    ending: Ending,
    act: impl Future<Output = T> + Send + 'static,
) -> T {
    let waiting = tokio::spawn(act);
    sleep(WATCHED).await;
    assert!(!waiting.is_finished(), "no unit of work passes a lock");
    match ending {
        Ending::Committed => holder.commit().await.unwrap(),
        Ending::Dropped => drop(holder),
    }
    timeout(Duration::from_secs(5), waiting).await.unwrap().unwrap()
}

/// What a node proposes.
fn proposal(issuer: &str) -> Instance {
    Instance { issuer: issuer.to_owned(), created_at: after(0) }
}

/// Proposes and commits.
async fn propose(fixture: StoreFixture, proposed: Instance) -> Instance {
    let mut tx = fixture.write().await;
    let instance = tx.lock_instance(&proposed).await.unwrap();
    tx.commit().await.unwrap();
    instance
}

promises! {
    __promises_locks;


    async fn whoever_locks_a_user_waits_for_the_lock_before(fixture: StoreFixture) {
        for ending in ENDINGS {
            let user = fixture.user().await;
            let mut holder = fixture.write().await;
            holder.lock_user(user.id).await.unwrap();
            holder.set_user_disabled(user.id, true, after(5)).await.unwrap();
            let (theirs, id) = (fixture.clone(), user.id);
            let found = waiting_for(holder, ending, async move {
                theirs.write().await.lock_user(id).await.unwrap().unwrap()
            })
            .await;
            let changed = User { disabled: true, updated_at: after(5), ..user.clone() };
            assert_eq!(found, if ending == Ending::Committed { changed } else { user });
        }
    }

    async fn a_locked_user_is_changed_by_nobody_else(fixture: StoreFixture) {
        for ending in ENDINGS {
            let user = fixture.user().await;
            let mut holder = fixture.write().await;
            holder.lock_user(user.id).await.unwrap();
            holder.set_password(user.id, 1, &password_hash(1), after(5)).await.unwrap();
            let (theirs, id) = (fixture.clone(), user.id);
            let changed = waiting_for(holder, ending, async move {
                theirs.single().await.set_password(id, 1, &password_hash(2), after(6)).await
            })
            .await;
            let first_won = ending == Ending::Committed;
            assert_eq!(changed.unwrap(), !first_won, "by the version as it is then");
            let hash = password_hash(if first_won { 1 } else { 2 });
            assert_eq!(fixture.stored_user(&user).await.password_hash, hash);
        }
    }

    async fn a_locked_user_keeps_the_address_and_the_account(fixture: StoreFixture) {
        for ending in ENDINGS {
            let user = fixture.user().await;
            let mut holder = fixture.write().await;
            holder.lock_user(user.id).await.unwrap();
            holder.delete_user(user.id).await.unwrap();
            let (theirs, id, email) = (fixture.clone(), user.id, fixture.stranger().email);
            let changed = waiting_for(holder, ending, async move {
                theirs.single().await.set_email(id, &email, true, after(6)).await
            })
            .await;
            assert_eq!(changed.unwrap(), ending == Ending::Dropped);
            let user = fixture.user().await;
            let mut holder = fixture.write().await;
            holder.lock_user(user.id).await.unwrap();
            let (theirs, id) = (fixture.clone(), user.id);
            let act = async move { theirs.single().await.delete_user(id).await };
            assert!(waiting_for(holder, ending, act).await.unwrap());
        }
    }

    async fn whoever_locks_a_session_waits_for_the_lock_before(fixture: StoreFixture) {
        for ending in ENDINGS {
            let session = fixture.session().await;
            let mut holder = fixture.write().await;
            holder.lock_session(session.id).await.unwrap();
            holder.end_session(session.id, logout_after(5)).await.unwrap();
            let (theirs, id) = (fixture.clone(), session.id);
            let found = waiting_for(holder, ending, async move {
                theirs.write().await.lock_session(id).await.unwrap().unwrap()
            })
            .await;
            let ended = (ending == Ending::Committed).then_some(logout_after(5));
            assert_eq!(found.ended, ended);
        }
    }

    async fn a_rotation_waits_for_a_locked_session_and_goes_by_what_came_of_it(fixture: StoreFixture) {
        for ending in ENDINGS {
            let session = fixture.session().await;
            let mut holder = fixture.write().await;
            holder.lock_session(session.id).await.unwrap();
            holder.end_session(session.id, logout_after(5)).await.unwrap();
            let (theirs, request) = (fixture.clone(), rotation(&session));
            let rotated =
                waiting_for(holder, ending, async move { theirs.rotate(&request).await }).await;
            assert_eq!(rotated.is_some(), ending == Ending::Dropped);
        }
    }

    async fn a_rotation_repeats_the_refresh_state_that_a_lock_holder_has_set(fixture: StoreFixture) {
        let session = fixture.session().await;
        let request = Rotation { leeway_seconds: 30, ..rotation(&session) };
        let refresh_state = session.refresh_state.after(&request, session.lifetime_ends_at);
        let mut holder = fixture.write().await;
        holder.lock_session(session.id).await.unwrap();
        holder.set_refresh_state(session.id, &refresh_state).await.unwrap();
        let theirs = fixture.clone();
        let act = async move { theirs.rotate(&request).await };
        let rotated = waiting_for(holder, Ending::Committed, act).await;
        assert_eq!(rotated.unwrap().0.refresh_state, refresh_state);
    }

    async fn an_end_waits_for_a_locked_session_and_goes_by_what_came_of_it(fixture: StoreFixture) {
        for ending in ENDINGS {
            let session = fixture.session().await;
            let mut holder = fixture.write().await;
            holder.lock_session(session.id).await.unwrap();
            holder.end_session(session.id, logout_after(5)).await.unwrap();
            let (theirs, id) = (fixture.clone(), session.id);
            let mut end = logout_after(6);
            end.reason = EndReason::EndedByUser;
            let act = async move { theirs.end(id, end).await };
            let ended = waiting_for(holder, ending, act).await;
            assert_eq!(ended, ending == Ending::Dropped);
            let expected = if ended { end } else { logout_after(5) };
            assert_eq!(fixture.stored_session(id).await.ended, Some(expected));
        }
    }

    async fn a_cut_waits_for_a_locked_session_and_goes_by_what_came_of_it(fixture: StoreFixture) {
        for (ending, by_key) in
            ENDINGS.into_iter().flat_map(|ending| [(ending, false), (ending, true)])
        {
            let session = fixture.session().await;
            let mut holder = fixture.write().await;
            holder.lock_session(session.id).await.unwrap();
            holder.end_session(session.id, logout_after(5)).await.unwrap();
            let (theirs, key) = (fixture.clone(), session.refresh_state.key_id);
            let ended = waiting_for(holder, ending, async move {
                let (mut tx, end) = (theirs.single().await, logout_after(6));
                if by_key {
                    let sessions = tx.end_sessions_of_key(&key, end, 10).await.unwrap();
                    return sessions.iter().map(|session| session.id).collect();
                }
                tx.end_sessions_started_before(after(1), None, end, 10).await.unwrap()
            })
            .await;
            let expected = if ending == Ending::Committed { vec![] } else { vec![session.id] };
            assert_eq!(ended, expected, "no session slips through");
        }
    }

    async fn a_session_that_goes_over_to_another_key_does_not_end_with_the_first(fixture: StoreFixture) {
        let session = fixture.session().await;
        let refresh_state = RefreshState { key_id: KeyId("another".to_owned()), ..session.refresh_state.clone() };
        let mut holder = fixture.write().await;
        holder.lock_session(session.id).await.unwrap();
        holder.set_refresh_state(session.id, &refresh_state).await.unwrap();
        let (theirs, key) = (fixture.clone(), session.refresh_state.key_id.clone());
        let ended = waiting_for(holder, Ending::Committed, async move {
            theirs.single().await.end_sessions_of_key(&key, logout_after(6), 10).await.unwrap()
        })
        .await;
        assert!(ended.is_empty(), "{ended:?}");
        assert_eq!(fixture.stored_session(session.id).await, Session { refresh_state, ..session });
    }

    async fn whoever_locks_a_new_instance_waits_for_the_lock_before(fixture: StoreFixture) {
        // Dropped first: the row is new both times.
        for ending in [Ending::Dropped, Ending::Committed] {
            let mut holder = fixture.write().await;
            let first = proposal("https://first.example");
            assert_eq!(holder.lock_instance(&first).await.unwrap(), first);
            let theirs = fixture.clone();
            let found = waiting_for(holder, ending, async move {
                let mut tx = theirs.write().await;
                tx.lock_instance(&proposal("https://second.example")).await.unwrap()
            })
            .await;
            let stands = if ending == Ending::Committed { "first" } else { "second" };
            assert_eq!(found, proposal(&format!("https://{stands}.example")));
        }
    }

    async fn whoever_locks_an_instance_that_stands_waits_for_the_lock_before(fixture: StoreFixture) {
        let first = propose(fixture.clone(), proposal("https://first.example")).await;
        for ending in ENDINGS {
            let mut holder = fixture.write().await;
            holder.lock_instance(&first).await.unwrap();
            let act = propose(fixture.clone(), proposal("https://second.example"));
            assert_eq!(waiting_for(holder, ending, act).await, first);
        }
    }

    async fn whoever_locks_the_chain_waits_for_the_lock_before(fixture: StoreFixture) {
        // Dropped first: the chain is new both times.
        for (ending, seq) in [(Ending::Dropped, 1), (Ending::Committed, 1), (Ending::Committed, 2)] {
            let mut holder = fixture.write().await;
            let before = holder.lock_chain().await.unwrap();
            let checkpoint = Checkpoint { seq, digest: Digest([7; 32]), at: after(seq) };
            let latest = SignedCheckpoint { checkpoint, signature: "signature".to_owned() };
            holder.append_to_chain(&[], &latest).await.unwrap();
            let theirs = fixture.clone();
            let act = async move { theirs.write().await.lock_chain().await.unwrap() };
            let found = waiting_for(holder, ending, act).await;
            let moved = Chain { latest, ..before.clone() };
            assert_eq!(found, if ending == Ending::Committed { moved } else { before });
        }
    }

    async fn what_is_read_under_a_lock_can_be_built_upon(fixture: StoreFixture) {
        let user = fixture.user().await;
        let changed = race(16, |_| {
            let (fixture, id) = (fixture.clone(), user.id);
            let hash = password_hash(fixture.seed());
            async move {
                let mut tx = fixture.write().await;
                let version = tx.lock_user(id).await.unwrap().unwrap().credentials_version;
                let changed = tx.set_password(id, version, &hash, after(5)).await.unwrap();
                tx.commit().await.unwrap();
                changed
            }
        })
        .await;
        assert_eq!(changed, [true; 16]);
        assert_eq!(fixture.stored_user(&user).await.credentials_version, 17);
    }
}
