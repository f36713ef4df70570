//! Reading the clock: a use case reads it once, so that everything it writes has the same time.

use std::sync::Arc;
use std::sync::atomic::{AtomicU32, Ordering};

use gateward_domain::email::EmailTemplate;
use gateward_domain::ports::Clock;
use gateward_domain::{RequestInfo, RoleName, Timestamp, Username};
use gateward_testkit::FixedClock;

use super::admins::{UsersRead, by, giving, role};
use super::mailbox::{
    address, by_password, by_token, confirm, open_test_app, reset, saying, token,
};
use super::test_app::{PASSWORD, TestApp, password, policy};
use crate::{Caller, Invitation};

/// A clock that counts how often it is read.
struct CountingClock(Arc<FixedClock>, AtomicU32);

impl Clock for CountingClock {
    fn now(&self) -> Timestamp {
        self.1.fetch_add(1, Ordering::Relaxed);
        self.0.now()
    }
}

/// A fixture with such a clock, the clock, and an administrator.
async fn counting_app() -> (TestApp, Arc<CountingClock>, Caller) {
    let (mut test_app, _) = open_test_app(policy()).await;
    let clock = Arc::new(CountingClock(test_app.clock.clone(), AtomicU32::new(0)));
    test_app.app.ports.clock = clock.clone();
    let admin = test_app.caller_with_roles("boss", &["admin"]).await;
    (test_app, clock, admin)
}

impl CountingClock {
    /// Asserts that this succeeds and reads the clock once.
    async fn assert_once<T, E: std::fmt::Debug>(
        &self,
        what: &str,
        work: impl Future<Output = Result<T, E>>,
    ) -> T {
        self.1.store(0, Ordering::Relaxed);
        let done = work.await.unwrap_or_else(|error| panic!("{what}: {error:?}"));
        assert_eq!(self.1.load(Ordering::Relaxed), 1, "{what} asks more than once");
        done
    }
}

#[tokio::test]
async fn what_a_link_begins_asks_for_the_time_once() {
    let (test_app, clock, _) = counting_app().await;
    let (app, request_info) = (&test_app.app, RequestInfo::default());
    test_app.owner("ada", |_| ()).await;
    let caller = test_app.caller("ada").await;
    let undo = token(&test_app.change_email(&caller, "new").await);
    clock.assert_once("undo_email_change", app.undo_email_change(&undo, &request_info)).await;

    // No email reports a new device on the first day of an account.
    test_app.owner("eve", |_| ()).await;
    test_app.clock.advance_seconds(2 * 24 * 3600);
    test_app.post().await;
    test_app.caller("eve").await;
    let not_me = token(&saying(&test_app.post().await, EmailTemplate::NewDevice));
    clock.assert_once("report_login", app.report_login(&not_me, &request_info)).await;

    test_app.owner("bob", |_| ()).await;
    let caller = test_app.caller("bob").await;
    test_app.post().await;
    test_app.request_email_change(&caller, "other").await.unwrap();
    let message = saying(&test_app.post().await, EmailTemplate::ConfirmChange);
    let proofs = confirm(by_token(&message), by_password());
    let prepared =
        clock.assert_once("prepare_confirmation", app.prepare_confirmation(proofs)).await;
    clock.assert_once("complete_confirmation", app.complete_confirmation(prepared)).await;

    test_app.post().await;
    let email = address("other");
    clock.assert_once("forgot_password", app.forgot_password(&email, &request_info)).await;
    let message = saying(&test_app.post().await, EmailTemplate::ResetPassword);
    let proof = reset(by_token(&message), "another horse");
    let prepared = clock.assert_once("prepare_reset", app.prepare_reset(proof)).await;
    clock.assert_once("complete_reset", app.complete_reset(prepared)).await;

    let resent = app.resend_confirmation(&email, None, &request_info);
    clock.assert_once("resend_confirmation", resent).await;

    let (username, email) = (Username::parse("guest").unwrap(), address("guest"));
    let invitation = Invitation { username, email, roles: vec![RoleName::admin()] };
    let admin = test_app.caller("boss").await;
    test_app.post().await;
    clock.assert_once("invite_user", app.invite_user(by(&admin), invitation)).await;
    let presented = token(&saying(&test_app.post().await, EmailTemplate::Invitation));
    let accepting = app.prepare_acceptance(presented, password(PASSWORD), request_info);
    let prepared = clock.assert_once("prepare_acceptance", accepting).await;
    clock.assert_once("complete_acceptance", app.complete_acceptance(prepared)).await;
}

#[tokio::test]
async fn what_an_administrator_does_asks_for_the_time_once() {
    let (test_app, clock, admin) = counting_app().await;
    let (app, desk) = (&test_app.app, by(&admin));
    let id = test_app.owner("ada", |_| ()).await.id;
    let session = test_app.caller("ada").await.session_id;
    let name = Username::parse("lovelace").unwrap();
    clock.assert_once("rename_user", app.rename_user(desk, id, name)).await;
    clock.assert_once("put_role", app.put_role(desk, giving("clerk", &[UsersRead]))).await;
    let clerk = || role("clerk");
    clock.assert_once("set_user_roles", app.set_user_roles(desk, id, vec![clerk()])).await;
    clock.assert_once("change_role", app.change_role(desk, id, clerk(), false)).await;
    clock.assert_once("delete_role", app.delete_role(desk, &clerk())).await;
    clock.assert_once("end_session_of", app.end_session_of(desk, id, session)).await;
    clock.assert_once("end_sessions_of", app.end_sessions_of(desk, id)).await;
    clock.assert_once("start_reset", app.send_password_reset(desk, id)).await;
    clock.assert_once("disable_user", app.disable_user(desk, id)).await;
    clock.assert_once("enable_user", app.enable_user(desk, id)).await;
    clock.assert_once("delete_user", app.delete_user(desk, id)).await;
    clock.assert_once("retry_failed_emails", app.retry_failed_emails()).await;
}

#[tokio::test]
async fn what_is_asked_of_a_token_or_a_session_asks_for_the_time_once() {
    let (test_app, clock, _) = counting_app().await;
    let (app, request_info) = (&test_app.app, RequestInfo::default());
    test_app.owner("ada", |_| ()).await;
    let pair = async || test_app.login("ada", PASSWORD).await.unwrap().pair;
    let text = |token: &gateward_domain::TokenText| token.expose().to_owned();
    let (one, other) = (pair().await, pair().await);
    let (access, refresh) = (text(&one.access.text), text(&one.refresh));
    clock.assert_once("introspect", app.introspect(&access)).await.unwrap();
    clock.assert_once("introspect", app.introspect(&refresh)).await.unwrap();
    let caller = clock.assert_once("authenticate", app.authenticate(&access)).await;
    let id = app.authenticate(other.access.text.expose()).await.unwrap().session_id;
    clock.assert_once("end_own_session", app.end_own_session(&caller, id, &request_info)).await;
    clock.assert_once("revoke_token", app.revoke_token(&access, &request_info)).await;
    let refresh = text(&pair().await.refresh);
    clock.assert_once("revoke_token", app.revoke_token(&refresh, &request_info)).await;
    let refresh = text(&pair().await.refresh);
    clock.assert_once("logout_by_refresh", app.logout_by_refresh(&refresh, &request_info)).await;
    let refresh = text(&pair().await.refresh);
    clock.assert_once("check_token", app.check_token(&refresh)).await;
    let logout = app.logout_by_current_refresh(&refresh, &request_info);
    clock.assert_once("logout_by_current_refresh", logout).await;
    let access = text(&pair().await.access.text);
    clock.assert_once("logout_by_access", app.logout_by_access(&access, &request_info)).await;
}
