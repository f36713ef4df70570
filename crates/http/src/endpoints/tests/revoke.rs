//! Tests of token revocation (RFC 7009).

use actix_web::http::StatusCode;
use actix_web::test::TestRequest;

use super::fixture::{CLIENT, EndpointFixture, LoggedIn, SECRET, TestResponse, basic};
use super::introspect::FORM;

async fn revoke(fixture: &EndpointFixture, token: &str) -> TestResponse {
    let request = TestRequest::post().uri("/oauth/revoke").insert_header(FORM);
    let request = request.insert_header(basic(CLIENT, SECRET));
    fixture.send(request.set_payload(format!("token={token}&token_type_hint=any"))).await
}

fn assert_done(response: &TestResponse) {
    assert_eq!((response.status, response.body.as_str()), (StatusCode::OK, ""));
}

/// Whether the session of a login is active.
fn is_alive(fixture: &EndpointFixture, who: &LoggedIn) -> bool {
    let sessions = fixture.store().sessions();
    let session = sessions.iter().find(|session| session.id.to_string() == who.session_id);
    session.unwrap().ended.is_none()
}

/// Row INV3: revoking an access or refresh token ends its session.
#[actix_web::test]
async fn inv3_a_token_that_is_taken_back_ends_its_session() {
    let fixture = EndpointFixture::new().await;
    let by_access = fixture.sign_in("ada", false).await;
    let by_refresh = fixture.log_in("ada", "First/1").await;
    let by_expired = fixture.log_in("ada", "First/1").await;
    let other = fixture.log_in("ada", "First/1").await;
    for (who, token) in [(&by_access, &by_access.access), (&by_refresh, &by_refresh.refresh)] {
        assert!(is_alive(&fixture, who));
        assert_done(&revoke(&fixture, token).await);
        assert!(!is_alive(&fixture, who));
        assert_done(&revoke(&fixture, token).await);
        let me = fixture.send(who.sends(TestRequest::get().uri("/v1/me"))).await;
        assert_eq!(me.problem(), (401, "session_ended".to_owned()));
    }
    fixture.clock.advance_seconds(901);
    assert_done(&revoke(&fixture, &by_expired.access).await);
    assert!(!is_alive(&fixture, &by_expired) && is_alive(&fixture, &other));
}

#[actix_web::test]
async fn what_is_no_token_is_as_good_as_taken_back() {
    let fixture = EndpointFixture::new().await;
    let ada = fixture.sign_in("ada", false).await;
    let before = fixture.store().events().len();
    for text in ["x", "a.b.c", "%ff", &ada.session_id, &ada.access[1..], &ada.refresh[1..]] {
        assert_done(&revoke(&fixture, text).await);
    }
    assert!(is_alive(&fixture, &ada));
    assert_eq!(fixture.store().events().len(), before);
    fixture.break_store(true);
    assert_eq!(revoke(&fixture, &ada.access).await.problem(), (503, "unavailable".to_owned()));
}
