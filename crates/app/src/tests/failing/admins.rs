//! Row F29: the store fails during administrative actions, and in the audit trail.

use gateward_domain::{Identifier, Username};

use super::fixture::{FAILURES, FailureFixture, done, with_each_failure};
use crate::tests::admins::{DESK, UsersRead, by, giving, role};
use crate::tests::attempts::{WRONG, attempt, from};
use crate::tests::mailbox::address;
use crate::{EventFilter, Forbidden, Invitation, LoginError, UserFilter};

/// The target account.
fn eve(fixture: &FailureFixture) -> gateward_domain::UserId {
    let name = Identifier::parse("eve");
    let is_eve =
        |user: &gateward_domain::User| name == Some(Identifier::Username(user.username.clone()));
    fixture.inner.users().into_iter().find(is_eve).unwrap().id
}

#[tokio::test]
async fn f29_an_act_of_administration_that_fails_at_any_call_of_the_store_has_not_happened() {
    with_each_failure(true, 12, async |fixture| {
        done(fixture.test_app.app.disable_user(by(&fixture.caller), eve(fixture)).await)
    })
    .await;
    with_each_failure(true, 8, async |fixture| {
        let name = Username::parse("evelyn").unwrap();
        done(fixture.test_app.app.rename_user(by(&fixture.caller), eve(fixture), name).await)
    })
    .await;
    with_each_failure(true, 8, async |fixture| {
        let wanted = [role("admin")].to_vec();
        done(fixture.test_app.app.set_user_roles(by(&fixture.caller), eve(fixture), wanted).await)
    })
    .await;
    with_each_failure(true, 7, async |fixture| {
        let support = giving("support", &[UsersRead]);
        done(fixture.test_app.app.put_role(by(&fixture.caller), support).await)
    })
    .await;
    with_each_failure(true, 7, async |fixture| {
        done(fixture.test_app.app.end_sessions_of(by(&fixture.caller), eve(fixture)).await)
    })
    .await;
}

#[tokio::test]
async fn f29_an_invitation_that_fails_at_any_call_of_the_store_was_not_made() {
    with_each_failure(true, 9, async |fixture| {
        let guest = Invitation {
            username: Username::parse("guest").unwrap(),
            email: address("guest"),
            roles: Vec::new(),
        };
        match fixture.test_app.app.invite_user(by(&fixture.caller), guest).await {
            // The previous response was lost.
            Err(crate::AdminError::Store(gateward_domain::ports::StoreError::Taken(_))) => Ok(()),
            response => done(response),
        }
    })
    .await;
}

#[tokio::test]
async fn f29_a_trail_that_is_chained_by_a_store_that_fails_stays_one_chain() {
    with_each_failure(true, 6, async |fixture| {
        let response = fixture.test_app.app.chain_events().await;
        if response.is_ok() {
            let report = fixture.test_app.app.verify_audit(None, |_, _| ()).await;
            let report = report.map_err(|error| format!("{error:?}"))?;
            assert!(report.findings.is_empty() && report.entries > 0, "{report:?}");
        }
        done(response)
    })
    .await;
}

#[tokio::test]
async fn f29_nothing_is_listed_by_a_store_that_fails() {
    with_each_failure(true, 2, async |fixture| {
        done(fixture.test_app.app.list_users(&UserFilter::default(), None, 50).await)
    })
    .await;
    with_each_failure(true, 2, async |fixture| {
        done(fixture.test_app.app.list_events(&EventFilter::default(), None, 50).await)
    })
    .await;
}

/// A password whose attempt could not be counted is not reported as wrong.
#[tokio::test]
async fn f29_a_wrong_password_that_cannot_be_counted_is_no_response() {
    with_each_failure(true, 8, async |fixture| {
        match fixture.test_app.app.login(attempt("ada", WRONG, from(1))).await {
            Err(LoginError::InvalidCredentials) => Ok(()),
            response => done(response),
        }
    })
    .await;
}

/// Conversely, a denial that cannot be recorded is still a denial.
#[tokio::test]
async fn f29_a_refusal_holds_whether_or_not_it_can_be_written_down() {
    for call in 1..=7 {
        for failure in FAILURES {
            let fixture = FailureFixture::set(false).await;
            let eve = fixture.test_app.caller("eve").await;
            fixture.store.fail_at(Some((call, failure)));
            let refused = fixture.test_app.app.require(&eve, UsersRead, &DESK).await;
            assert_eq!(refused, Err(Forbidden(UsersRead)), "{call} {failure:?}");
            assert!(fixture.store.has_failed(), "call {call}");
        }
    }
}
