//! Row F29: the store fails under what administrators do, and under the audit trail.

use gateward_domain::{Identifier, Username};

use super::{Scene, done, with_each_failure};
use crate::tests::mailbox::address;
use crate::tests::staff::{DESK, UsersRead, by, giving, role};
use crate::tests::throttles::{WRONG, attempt, from};
use crate::{EventFilter, Forbidden, Invitation, LoginError, UserFilter};

/// The account that is acted on.
fn eve(scene: &Scene) -> gateward_domain::UserId {
    let name = Identifier::parse("eve");
    let is_eve =
        |user: &gateward_domain::User| name == Some(Identifier::Username(user.username.clone()));
    scene.inner.users().into_iter().find(is_eve).unwrap().id
}

#[tokio::test]
async fn f29_an_act_of_administration_that_fails_at_any_call_of_the_store_has_not_happened() {
    with_each_failure(true, 12, async |scene| {
        done(scene.world.app.disable_user(by(&scene.caller), eve(scene)).await)
    })
    .await;
    with_each_failure(true, 8, async |scene| {
        let name = Username::parse("evelyn").unwrap();
        done(scene.world.app.rename_user(by(&scene.caller), eve(scene), name).await)
    })
    .await;
    with_each_failure(true, 8, async |scene| {
        let wanted = [role("admin")].to_vec();
        done(scene.world.app.set_user_roles(by(&scene.caller), eve(scene), wanted).await)
    })
    .await;
    with_each_failure(true, 7, async |scene| {
        let support = giving("support", &[UsersRead]);
        done(scene.world.app.put_role(by(&scene.caller), support).await)
    })
    .await;
    with_each_failure(true, 7, async |scene| {
        done(scene.world.app.end_sessions_of(by(&scene.caller), eve(scene)).await)
    })
    .await;
}

#[tokio::test]
async fn f29_an_invitation_that_fails_at_any_call_of_the_store_was_not_made() {
    with_each_failure(true, 9, async |scene| {
        let guest = Invitation {
            username: Username::parse("guest").unwrap(),
            email: address("guest"),
            roles: Vec::new(),
        };
        match scene.world.app.invite_user(by(&scene.caller), guest).await {
            // The answer was lost before.
            Err(crate::AdminError::Store(gateward_domain::ports::StoreError::Taken(_))) => Ok(()),
            answer => done(answer),
        }
    })
    .await;
}

#[tokio::test]
async fn f29_a_trail_that_is_sealed_by_a_store_that_fails_stays_one_chain() {
    with_each_failure(true, 6, async |scene| {
        let answer = scene.world.app.seal_events().await;
        if answer.is_ok() {
            let report = scene.world.app.verify_audit(None, |_, _| ()).await;
            let report = report.map_err(|error| format!("{error:?}"))?;
            assert!(report.findings.is_empty() && report.entries > 0, "{report:?}");
        }
        done(answer)
    })
    .await;
}

#[tokio::test]
async fn f29_nothing_is_listed_by_a_store_that_fails() {
    with_each_failure(true, 2, async |scene| {
        done(scene.world.app.list_users(&UserFilter::default(), None, 50).await)
    })
    .await;
    with_each_failure(true, 2, async |scene| {
        done(scene.world.app.list_events(&EventFilter::default(), None, 50).await)
    })
    .await;
}

/// A password that could not be counted is not said to be wrong.
#[tokio::test]
async fn f29_a_wrong_password_that_cannot_be_counted_is_no_answer() {
    with_each_failure(true, 8, async |scene| {
        match scene.world.app.login(attempt("ada", WRONG, from(1))).await {
            Err(LoginError::BadCredentials) => Ok(()),
            answer => done(answer),
        }
    })
    .await;
}

/// The other way round: a refusal that cannot be written down is one.
#[tokio::test]
async fn f29_a_refusal_holds_whether_or_not_it_can_be_written_down() {
    for call in 1..=7 {
        for failure in super::FAILURES {
            let scene = Scene::set(false).await;
            let eve = scene.world.caller("eve").await;
            scene.store.fail_at(Some((call, failure)));
            let refused = scene.world.app.require(&eve, UsersRead, &DESK).await;
            assert_eq!(refused, Err(Forbidden(UsersRead)), "{call} {failure:?}");
            assert!(scene.store.has_failed(), "call {call}");
        }
    }
}
