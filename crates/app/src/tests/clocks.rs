//! Asking for the time: a use case does so once, so that all that it writes bears one time.

use std::sync::Arc;
use std::sync::atomic::{AtomicU32, Ordering};

use gateward_domain::mail::LetterText;
use gateward_domain::ports::Clock;
use gateward_domain::{Origin, RoleName, Timestamp, Username};
use gateward_testkit::FixedClock;

use super::addresses::{ask, change};
use super::fakes::{PASSWORD, World, password, policy};
use super::mailbox::{address, by_password, by_token, confirm, open_world, reset, saying, token};
use super::staff::{UsersRead, by, giving, role};
use crate::{Caller, Invitation};

/// A clock that counts how often it is asked.
struct CountingClock(Arc<FixedClock>, AtomicU32);

impl Clock for CountingClock {
    fn now(&self) -> Timestamp {
        self.1.fetch_add(1, Ordering::Relaxed);
        self.0.now()
    }
}

/// A world with such a clock, the clock, and an administrator in it.
async fn counting_world() -> (World, Arc<CountingClock>, Caller) {
    let (mut world, _) = open_world(policy()).await;
    let clock = Arc::new(CountingClock(world.clock.clone(), AtomicU32::new(0)));
    world.app.ports.clock = clock.clone();
    let admin = world.staff("boss", &["admin"]).await;
    (world, clock, admin)
}

impl CountingClock {
    /// Asserts that this succeeds and asks for the time once.
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
    let (world, clock, _) = counting_world().await;
    let (app, origin) = (&world.app, Origin::default());
    world.owner("ada", |_| ()).await;
    let caller = world.caller("ada").await;
    let undo = token(&change(&world, &caller, "new").await);
    clock.assert_once("undo_email_change", app.undo_email_change(&undo, &origin)).await;

    // No email reports a new device on the first day of an account.
    world.owner("eve", |_| ()).await;
    world.clock.advance_seconds(2 * 24 * 3600);
    world.post().await;
    world.caller("eve").await;
    let not_me = token(&saying(&world.post().await, LetterText::NewClient));
    clock.assert_once("disown_login", app.disown_login(&not_me, &origin)).await;

    world.owner("bob", |_| ()).await;
    let caller = world.caller("bob").await;
    world.post().await;
    ask(&world, &caller, "other").await.unwrap();
    let letter = saying(&world.post().await, LetterText::ConfirmChange);
    let proofs = confirm(by_token(&letter), by_password());
    let prepared =
        clock.assert_once("prepare_confirmation", app.prepare_confirmation(proofs)).await;
    clock.assert_once("complete_confirmation", app.complete_confirmation(prepared)).await;

    world.post().await;
    let email = address("other");
    clock.assert_once("forgot_password", app.forgot_password(&email, &origin)).await;
    let letter = saying(&world.post().await, LetterText::ResetPassword);
    let proof = reset(by_token(&letter), "another horse");
    let prepared = clock.assert_once("prepare_reset", app.prepare_reset(proof)).await;
    clock.assert_once("complete_reset", app.complete_reset(prepared)).await;

    let resent = app.resend_confirmation(&email, None, &origin);
    clock.assert_once("resend_confirmation", resent).await;

    let (username, email) = (Username::parse("guest").unwrap(), address("guest"));
    let invitation = Invitation { username, email, roles: vec![RoleName::admin()] };
    let admin = world.caller("boss").await;
    world.post().await;
    clock.assert_once("invite_user", app.invite_user(by(&admin), invitation)).await;
    let shown = token(&saying(&world.post().await, LetterText::Invitation));
    let accepting = app.prepare_acceptance(shown, password(PASSWORD), origin);
    let prepared = clock.assert_once("prepare_acceptance", accepting).await;
    clock.assert_once("complete_acceptance", app.complete_acceptance(prepared)).await;
}

#[tokio::test]
async fn what_an_administrator_does_asks_for_the_time_once() {
    let (world, clock, admin) = counting_world().await;
    let (app, desk) = (&world.app, by(&admin));
    let id = world.owner("ada", |_| ()).await.id;
    let session = world.caller("ada").await.session_id;
    let name = Username::parse("lovelace").unwrap();
    clock.assert_once("rename_user", app.rename_user(desk, id, name)).await;
    clock.assert_once("put_role", app.put_role(desk, giving("clerk", &[UsersRead]))).await;
    let clerk = || role("clerk");
    clock.assert_once("set_user_roles", app.set_user_roles(desk, id, vec![clerk()])).await;
    clock.assert_once("change_role", app.change_role(desk, id, clerk(), false)).await;
    clock.assert_once("delete_role", app.delete_role(desk, &clerk())).await;
    clock.assert_once("end_session_of", app.end_session_of(desk, id, session)).await;
    clock.assert_once("end_sessions_of", app.end_sessions_of(desk, id)).await;
    clock.assert_once("start_reset", app.start_reset(desk, id)).await;
    clock.assert_once("disable_user", app.disable_user(desk, id)).await;
    clock.assert_once("enable_user", app.enable_user(desk, id)).await;
    clock.assert_once("delete_user", app.delete_user(desk, id)).await;
    clock.assert_once("retry_dead_letters", app.retry_dead_letters()).await;
}

#[tokio::test]
async fn what_is_asked_of_a_token_or_a_session_asks_for_the_time_once() {
    let (world, clock, _) = counting_world().await;
    let (app, origin) = (&world.app, Origin::default());
    world.owner("ada", |_| ()).await;
    let pair = async || world.login("ada", PASSWORD).await.unwrap().pair;
    let text = |token: &gateward_domain::TokenText| token.expose().to_owned();
    let (one, other) = (pair().await, pair().await);
    let (access, refresh) = (text(&one.access.text), text(&one.refresh));
    clock.assert_once("introspect", app.introspect(&access)).await.unwrap();
    clock.assert_once("introspect", app.introspect(&refresh)).await.unwrap();
    let caller = clock.assert_once("authenticate", app.authenticate(&access)).await;
    let id = app.authenticate(other.access.text.expose()).await.unwrap().session_id;
    clock.assert_once("end_own_session", app.end_own_session(&caller, id, &origin)).await;
    clock.assert_once("revoke_token", app.revoke_token(&access, &origin)).await;
    let refresh = text(&pair().await.refresh);
    clock.assert_once("revoke_token", app.revoke_token(&refresh, &origin)).await;
    let refresh = text(&pair().await.refresh);
    clock.assert_once("logout_by_refresh", app.logout_by_refresh(&refresh, &origin)).await;
    let access = text(&pair().await.access.text);
    clock.assert_once("logout_by_access", app.logout_by_access(&access, &origin)).await;
}
