//! Promises about logins that race with changes that invalidate them.
//!
//! A login checks the password without a transaction. It then locks the user, checks that the
//! credentials are still the ones that were verified, and stores the session.

use gateward_domain::{End, EndReason, User};

use super::StoreFixture;
use super::fixture::{after, race};
use crate::fixtures::password_hash;

/// Number of rounds.
const ROUNDS: usize = 50;

/// Number of concurrent logins.
const LOGINS: usize = 3;

/// Stores a session of a user whose password was checked in the given state. `None` if that state
/// is outdated.
async fn login(fixture: &StoreFixture, checked: &User) -> Option<gateward_domain::SessionId> {
    let session = fixture.draft(checked);
    let mut tx = fixture.write().await;
    let user = tx.lock_user(checked.id).await.unwrap().unwrap();
    if user.disabled || user.credentials_version != checked.credentials_version {
        return None;
    }
    tx.insert_session(&session).await.unwrap();
    tx.commit().await.unwrap();
    Some(session.id)
}

/// Changes the password or disables the account, and ends all sessions.
async fn shut_out(fixture: &StoreFixture, user: &User, reason: EndReason) {
    let mut tx = fixture.write().await;
    tx.lock_user(user.id).await.unwrap();
    let changed = if reason == EndReason::AccountDisabled {
        tx.set_user_disabled(user.id, true, after(5)).await.unwrap()
    } else {
        let version = user.credentials_version;
        tx.set_password(user.id, version, &password_hash(2), after(5)).await.unwrap()
    };
    assert!(changed);
    tx.end_sessions_of_user(user.id, None, End { at: after(5), reason }).await.unwrap();
    tx.commit().await.unwrap();
}

/// Races logins with a change that invalidates them, and asserts that no session is left.
async fn nobody_stays_in(fixture: &StoreFixture, reason: EndReason) {
    for round in 0..ROUNDS {
        let user = fixture.user().await;
        let started = race(LOGINS + 1, |index| {
            let (fixture, user) = (fixture.clone(), user.clone());
            async move {
                if index == round % (LOGINS + 1) {
                    shut_out(&fixture, &user, reason).await;
                    None
                } else {
                    login(&fixture, &user).await
                }
            }
        })
        .await;
        for id in started.into_iter().flatten() {
            let ended = fixture.stored_session(id).await.ended;
            assert_eq!(ended.map(|end| end.reason), Some(reason), "round {round}");
        }
        assert_eq!(login(fixture, &user).await, None, "what was checked before is void");
    }
}

promises! {
    __promises_logins;


    async fn no_session_of_an_old_password_outlives_its_change(fixture: StoreFixture) {
        nobody_stays_in(&fixture, EndReason::PasswordChanged).await;
    }

    async fn no_session_outlives_the_disabling_of_its_user(fixture: StoreFixture) {
        nobody_stays_in(&fixture, EndReason::AccountDisabled).await;
    }
}
