//! Login and logout.

use std::sync::Arc;

use gateward_domain::mock::{MockPasswordHasher, MockStore, MockTokenSigner, MockTx};
use gateward_domain::ports::{Access, StoreError, TokenSigner};
use gateward_domain::{EndReason, Identifier, PasswordHash, RequestInfo, TokenError};
use gateward_testkit::fixtures;

use super::fakes::PlainSigner;
use super::test_app::{self, PASSWORD, password, policy, test_app};
use crate::{App, AuthenticateError, Login, LoginError, LogoutError, Ports};

/// Rows 6.3.8 and E2 in part: the same response after the same work.
#[tokio::test]
async fn an_unknown_name_costs_the_work_of_a_wrong_password() {
    let test_app = test_app().await;
    test_app.user("ada").await;
    for name in ["nobody", "nobody@example.org", "no such name!", "ada"] {
        let before = test_app.hasher.verified();
        let refused = test_app.login(name, "wrong horse").await;
        assert!(matches!(refused, Err(LoginError::InvalidCredentials)), "{name}");
        assert_eq!(test_app.hasher.verified(), before + 1, "{name}");
    }
}

#[tokio::test]
async fn name_and_address_open_the_same_account_in_any_case() {
    let test_app = test_app().await;
    let id = test_app.user("ada").await.id;
    for name in ["ada", "ADA", "ada@example.org", "Ada@Example.ORG"] {
        assert_eq!(test_app.login(name, PASSWORD).await.unwrap().user.id, id, "{name}");
    }
}

/// Rows P1 and P4: the password is used exactly as received.
#[tokio::test]
async fn p4_a_password_is_neither_trimmed_nor_folded() {
    let test_app = test_app().await;
    test_app.user("ada").await;
    for near in ["Correct horse battery", " correct horse battery", "correct horse battery "] {
        assert!(matches!(test_app.login("ada", near).await, Err(LoginError::InvalidCredentials)));
    }
}

#[tokio::test]
async fn a_hash_with_old_parameters_is_renewed_at_login() {
    let test_app = test_app().await;
    let user = test_app.user("ada").await;
    let old = PasswordHash::from_phc(format!("old:{PASSWORD}"));
    let mut tx = test_app.store.begin(Access::SingleWrite).await.unwrap();
    assert!(tx.set_rehashed_password(user.id, 1, &old).await.unwrap());
    tx.commit().await.unwrap();
    test_app.login("ada", PASSWORD).await.unwrap();
    let mut tx = test_app.store.begin(Access::Read).await.unwrap();
    let user = tx.find_user(user.id).await.unwrap().unwrap();
    assert_eq!(user.password_hash.expose(), format!("plain:{PASSWORD}"));
    assert_eq!(user.credentials_version, 1, "it is the same password");
}

#[tokio::test]
async fn the_oldest_session_makes_room_for_a_new_one() {
    let test_app = test_app().await;
    let first = test_app.logged_in("ada").await.pair;
    for _ in 0..3 {
        test_app.clock.advance_seconds(1);
        test_app.login("ada", PASSWORD).await.unwrap();
    }
    let dead = test_app.app.authenticate(first.access.text.expose()).await;
    assert!(matches!(dead, Err(AuthenticateError::SessionEnded(EndReason::SessionLimit))));
    assert_eq!(
        test_app.timeline(first.session_id).await,
        ["session_started", "session_ended session_limit"]
    );
}

/// The password is changed, or the account disabled, while the password is being hashed.
#[tokio::test]
async fn a_login_that_raced_a_change_begins_no_session() {
    for disable in [false, true] {
        let before = fixtures::user(1);
        let mut after = before.clone();
        if disable {
            after.disabled = true;
        } else {
            after.credentials_version += 1;
        }
        let mut store = MockStore::new();
        let found = before.clone();
        store.expect_begin().withf(|access| *access == Access::Read).return_once(move |_| {
            let mut tx = MockTx::new();
            tx.expect_find_user_by_identifier().return_once(move |_| Ok(Some(found)));
            tx.expect_find_attempt_counters().return_once(|_| Ok(Vec::new()));
            tx.expect_commit().return_once(|| Ok(()));
            Ok(Box::new(tx))
        });
        store.expect_begin().withf(|access| *access == Access::Write).return_once(move |_| {
            let mut tx = MockTx::new();
            tx.expect_lock_user().return_once(move |_| Ok(Some(after)));
            tx.expect_insert_session().never();
            tx.expect_commit().never();
            Ok(Box::new(tx))
        });
        let refused = app(store, true).await.login(login()).await;
        match refused {
            Err(LoginError::Disabled(_)) => assert!(disable),
            Err(LoginError::InvalidCredentials) => assert!(!disable),
            other => panic!("{other:?}"),
        }
    }
}

#[tokio::test]
async fn no_token_leaves_if_the_session_could_not_be_kept() {
    let mut store = MockStore::new();
    let user = fixtures::user(1);
    store.expect_begin().times(2).returning(move |access| {
        let (found, locked) = (user.clone(), user.clone());
        let mut tx = MockTx::new();
        tx.expect_find_user_by_identifier().return_once(move |_| Ok(Some(found)));
        tx.expect_find_attempt_counters().return_once(|_| Ok(Vec::new()));
        tx.expect_lock_user().return_once(move |_| Ok(Some(locked)));
        tx.expect_end_oldest_sessions().return_once(|_, _, _| Ok(Vec::new()));
        tx.expect_insert_session().return_once(|_| Ok(()));
        tx.expect_insert_event().return_once(|_| Ok(()));
        tx.expect_list_known_devices().return_once(|_, _| Ok(Vec::new()));
        tx.expect_insert_known_device().return_once(|_| Ok(()));
        tx.expect_commit().return_once(move || match access {
            Access::Write => Err(StoreError::Busy),
            _ => Ok(()),
        });
        Ok(Box::new(tx))
    });
    let mut signer = MockTokenSigner::new();
    signer.expect_refresh_key().returning(|now| PlainSigner.refresh_key(now));
    signer.expect_sign_access().never();
    signer.expect_sign_refresh().never();
    let ports = Ports { signer: Arc::new(signer), ..ports(store, true) };
    let app = App::new(ports, policy()).await.unwrap();
    assert!(matches!(app.login(login()).await, Err(LoginError::Store(StoreError::Busy))));
}

fn login() -> Login {
    Login {
        identifier: Identifier::parse("ada"),
        password: password(PASSWORD),
        client_name: None,
        known_device_token: None,
        request_info: RequestInfo::default(),
    }
}

fn ports(store: MockStore, matches: bool) -> Ports {
    let mut hasher = MockPasswordHasher::new();
    hasher.expect_hash().returning(|_| Ok(PasswordHash::from_phc("decoy".to_owned())));
    hasher.expect_verify().times(1).returning(move |_, _| Ok(matches));
    hasher.expect_needs_rehash().return_const(false);
    let ports = Ports { hasher: Arc::new(hasher), ..test_app::ports(Arc::new(store)) };
    assert_eq!(ports.clock.now(), fixtures::NOW);
    ports
}

async fn app(store: MockStore, matches: bool) -> App {
    App::new(ports(store, matches), policy()).await.unwrap()
}

#[tokio::test]
async fn s1_logout_ends_the_session_by_any_of_its_tokens_and_a_second_time_is_no_error() {
    let test_app = test_app().await;
    test_app.user("ada").await;
    let request_info = RequestInfo::default();
    for way in ["current", "spent", "access"] {
        let first = test_app.login("ada", PASSWORD).await.unwrap().pair;
        let refresh = test_app.refresh(&first.refresh, None);
        let second = test_app.app.refresh(refresh).await.unwrap().pair;
        test_app.clock.advance_seconds(1);
        for _ in 0..2 {
            let done = match way {
                "current" => {
                    test_app.app.logout_by_refresh(second.refresh.expose(), &request_info).await
                }
                "spent" => {
                    test_app.app.logout_by_refresh(first.refresh.expose(), &request_info).await
                }
                _ => {
                    test_app.app.logout_by_access(second.access.text.expose(), &request_info).await
                }
            };
            assert!(done.is_ok(), "{way}");
        }
        let dead = test_app.app.authenticate(second.access.text.expose()).await;
        assert!(matches!(dead, Err(AuthenticateError::SessionEnded(EndReason::Logout))), "{way}");
        let timeline = test_app.timeline(second.session_id).await;
        assert_eq!(timeline, ["session_started", "session_ended logout"], "{way}: ended once");
    }
}

#[tokio::test]
async fn an_access_token_does_not_log_out_as_a_refresh_token() {
    let test_app = test_app().await;
    let pair = test_app.logged_in("ada").await.pair;
    let refused =
        test_app.app.logout_by_refresh(pair.access.text.expose(), &RequestInfo::default()).await;
    assert!(matches!(refused, Err(LogoutError::Token(TokenError::WrongKind))));
    assert!(test_app.app.authenticate(pair.access.text.expose()).await.is_ok());
}

#[tokio::test]
async fn s3_all_other_sessions_end_and_ones_own_goes_on_if_it_is_asked_for() {
    let test_app = test_app().await;
    let other = test_app.logged_in("ada").await.pair;
    let own = test_app.login("ada", PASSWORD).await.unwrap().pair;
    let caller = test_app.app.authenticate(own.access.text.expose()).await.unwrap();
    test_app.app.logout_all(&caller, true, &RequestInfo::default()).await.unwrap();
    assert!(test_app.app.authenticate(own.access.text.expose()).await.is_ok());
    assert!(test_app.app.authenticate(other.access.text.expose()).await.is_err());
    test_app.app.logout_all(&caller, false, &RequestInfo::default()).await.unwrap();
    let dead = test_app.app.authenticate(own.access.text.expose()).await;
    assert!(matches!(dead, Err(AuthenticateError::SessionEnded(EndReason::LogoutAll))));
}
