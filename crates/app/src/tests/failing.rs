//! Row F29: every call of the store fails in turn, in every use case of sessions.

mod admins;
mod fixture;
mod names;
mod store;

use std::sync::Arc;

use gateward_domain::mock::MockPasswordHasher;
use gateward_domain::ports::{AuthCache, HashError};
use gateward_domain::{EndReason, RequestInfo};

use self::fixture::{FailureFixture, done, with_each_failure};
use super::test_app::{PASSWORD, password};
use crate::{
    AuthenticateError, ChangePassword, ChangePasswordError, LoginError, ReauthenticateError,
    RefreshError,
};

/// If a session cannot be checked, the request is refused, and the response does not report the
/// session as ended.
#[tokio::test]
async fn f29_nobody_is_let_in_by_a_store_that_fails_at_any_call() {
    with_each_failure(false, 3, async |fixture| {
        done(fixture.test_app.app.authenticate(fixture.alive.pair.access.text.expose()).await)
    })
    .await;
    with_each_failure(false, 3, async |fixture| {
        let token = fixture.over.pair.access.text.expose();
        match fixture.test_app.app.authenticate(token).await {
            Ok(_) => panic!("let in"),
            Err(AuthenticateError::SessionEnded(EndReason::Logout)) => Ok(()),
            Err(error) => done(Err::<(), _>(error)),
        }
    })
    .await;
    // With a cache of the ended sessions, only the user is read.
    with_each_failure(true, 2, async |fixture| {
        fixture.test_app.app.ports.auth_cache.forget_users();
        done(fixture.test_app.app.authenticate(fixture.alive.pair.access.text.expose()).await)
    })
    .await;
}

#[tokio::test]
async fn f29_no_token_is_said_to_be_good_or_dead_by_a_store_that_fails() {
    for follows in [false, true] {
        with_each_failure(follows, 2, async |fixture| {
            let token = fixture.alive.pair.refresh.expose();
            let found = fixture.test_app.app.introspect(token).await;
            assert!(found.as_ref().map_or(true, Option::is_some), "{found:?}");
            done(found)
        })
        .await;
    }
    with_each_failure(false, 3, async |fixture| {
        let found = fixture.test_app.app.introspect(fixture.over.pair.access.text.expose()).await;
        assert!(found.as_ref().map_or(true, Option::is_none), "{found:?}");
        done(found)
    })
    .await;
}

#[tokio::test]
async fn f29_a_login_or_refresh_that_fails_at_any_call_of_the_store_has_not_happened() {
    for follows in [false, true] {
        with_each_failure(follows, 10, async |fixture| {
            done(fixture.test_app.login("ada", PASSWORD).await)
        })
        .await;
        with_each_failure(follows, 2, async |fixture| {
            let refresh = fixture.test_app.refresh(&fixture.alive.pair.refresh, Some("a-key"));
            done(fixture.test_app.app.refresh(refresh).await)
        })
        .await;
        // A replay: it is not reported before the session has ended.
        with_each_failure(follows, 9, async |fixture| {
            let refresh = fixture.test_app.refresh(&fixture.spent.pair.refresh, None);
            match fixture.test_app.app.refresh(refresh).await {
                Ok(_) => panic!("a spent token was good"),
                Err(RefreshError::Reused) => Ok(()),
                Err(error) => done(Err::<(), _>(error)),
            }
        })
        .await;
    }
}

#[tokio::test]
async fn f29_an_end_that_fails_at_any_call_of_the_store_has_not_happened() {
    let request_info = RequestInfo::default();
    for follows in [false, true] {
        with_each_failure(follows, 6, async |fixture| {
            let token = fixture.alive.pair.refresh.expose();
            done(fixture.test_app.app.logout_by_refresh(token, &request_info).await)
        })
        .await;
        with_each_failure(follows, 6, async |fixture| {
            let token = fixture.alive.pair.access.text.expose();
            done(fixture.test_app.app.revoke_token(token, &request_info).await)
        })
        .await;
        with_each_failure(follows, 6, async |fixture| {
            let id = fixture.spent.pair.session_id;
            done(fixture.test_app.app.end_own_session(&fixture.caller, id, &request_info).await)
        })
        .await;
        with_each_failure(follows, 6, async |fixture| {
            done(fixture.test_app.app.logout_all(&fixture.caller, true, &request_info).await)
        })
        .await;
        with_each_failure(follows, 9, async |fixture| {
            let (current, new) = (password(PASSWORD), password("another horse"));
            let change = ChangePassword { current, new, request_info: RequestInfo::default() };
            done(fixture.test_app.app.change_password(&fixture.caller, change).await)
        })
        .await;
        with_each_failure(follows, 14, async |fixture| {
            done(fixture.test_app.app.report_login(&fixture.not_me, &request_info).await)
        })
        .await;
    }
}

#[tokio::test]
async fn f29_nothing_is_told_of_a_session_by_a_store_that_fails() {
    with_each_failure(true, 4, async |fixture| {
        let id = fixture.over.pair.session_id;
        done(fixture.test_app.app.explain_session(&fixture.caller, id).await)
    })
    .await;
    with_each_failure(true, 2, async |fixture| {
        done(fixture.test_app.app.list_own_sessions(&fixture.caller, None, 50).await)
    })
    .await;
    with_each_failure(true, 2, async |fixture| {
        done(fixture.test_app.app.read_feed(None, 100).await)
    })
    .await;
}

/// A cache that was invalidated stays so until the whole feed has been read.
#[tokio::test]
async fn f29_a_node_that_cannot_read_the_feed_does_not_trust_what_it_knows() {
    with_each_failure(true, 2, async |fixture| {
        let memory = fixture.memory.as_ref().unwrap();
        memory.invalidate();
        let followed = fixture.test_app.app.follow_feed(&mut crate::Following::default()).await;
        assert_eq!(memory.is_fresh(), followed.is_ok());
        done(followed)
    })
    .await;
}

/// Row F29: the other dependency of a login.
#[tokio::test]
async fn f29_a_hasher_that_fails_lets_nobody_in_and_changes_nothing() {
    let overloaded = HashError::Overloaded { retry_after_seconds: 1 };
    for failure in [HashError::Failed, HashError::Malformed, overloaded] {
        let mut fixture = FailureFixture::set(true).await;
        let before = fixture.state();
        let mut hasher = MockPasswordHasher::new();
        hasher.expect_verify().returning(move |_, _| Err(failure));
        hasher.expect_needs_rehash().return_const(false);
        fixture.test_app.app.ports.hasher = Arc::new(hasher);
        let response = fixture.test_app.login("ada", PASSWORD).await;
        assert!(
            matches!(response, Err(LoginError::Hash(error)) if error == failure),
            "{response:?}"
        );
        let (current, new) = (password(PASSWORD), password("another horse"));
        let change = ChangePassword { current, new, request_info: RequestInfo::default() };
        let response = fixture.test_app.app.change_password(&fixture.caller, change).await;
        let Err(ChangePasswordError::Reauthenticate(ReauthenticateError::Hash(error))) = response
        else {
            panic!("{response:?}");
        };
        assert_eq!(error, failure);
        assert_eq!(fixture.state(), before);
    }
}
