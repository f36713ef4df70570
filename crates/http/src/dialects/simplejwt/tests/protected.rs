//! Tests of the protected endpoint.

use actix_web::test::TestRequest;
use serde_json::{Value, json};

use super::fixture::{
    INVALID, ME, WRONG_TYPE, delete, disable, is_error, is_ok, me, service, tokens,
};

/// The error for an access token that is refused.
fn unusable(message: &str) -> Value {
    json!({
        "detail": "Given token not valid for any token type",
        "code": "token_not_valid",
        "messages": [
            {"token_class": "AccessToken", "token_type": "access", "message": message},
        ],
    })
}

#[actix_web::test]
async fn the_caller_is_shown() {
    let test_app = service().await;
    let (access, _) = tokens(&test_app).await;
    let id = test_app.store.users().first().unwrap().id.to_string();
    let ada = json!({"email": "ada@example.org", "username": "ada", "id": id});
    for path in [ME, "/auth/users/me", "/auth/users/me/?x=1"] {
        let header = ("authorization", format!("Bearer {access}"));
        let response = test_app.send(TestRequest::get().uri(path).insert_header(header)).await;
        is_ok(&response, 200);
        assert_eq!(response.json(), ada);
    }
}

#[actix_web::test]
async fn a_request_without_credentials_is_refused() {
    let test_app = service().await;
    let (access, _) = tokens(&test_app).await;
    let none = json!({"detail": "Authentication credentials were not provided."});
    let in_cookie = format!("__Host-gateward-access={access}");
    for request in [
        TestRequest::get().uri(ME),
        TestRequest::get().uri(&format!("{ME}?token={access}&access_token={access}")),
        TestRequest::get().uri(ME).insert_header(("cookie", in_cookie)),
    ] {
        is_error(&test_app.send(request).await, 401, &none);
    }
    for scheme in ["bearer ", "BEARER ", "Token ", "JWT ", "Basic ", ""] {
        is_error(&me(&test_app, &format!("{scheme}{access}")).await, 401, &none);
    }
    is_error(&me(&test_app, "").await, 401, &none);
}

#[actix_web::test]
async fn a_malformed_header_is_refused() {
    let test_app = service().await;
    let (access, _) = tokens(&test_app).await;
    let malformed = json!({
        "detail": "Authorization header must contain two space-delimited values",
        "code": "bad_authorization_header",
    });
    for header in ["Bearer", "Bearer ", &format!("Bearer {access} more")] {
        is_error(&me(&test_app, header).await, 401, &malformed);
    }
    let header = ("authorization", format!("Bearer {access}"));
    let twice = TestRequest::get().uri(ME).append_header(header.clone()).append_header(header);
    is_error(&test_app.send(twice).await, 401, &malformed);
}

#[actix_web::test]
async fn a_token_that_is_not_valid_says_why() {
    let test_app = service().await;
    let (access, refresh) = tokens(&test_app).await;
    let unsigned = access.rsplit_once('.').unwrap().0;
    for token in ["rubbish", unsigned] {
        is_error(&me(&test_app, &format!("Bearer {token}")).await, 401, &unusable(INVALID));
    }
    is_error(&me(&test_app, &format!("Bearer {refresh}")).await, 401, &unusable(WRONG_TYPE));
    test_app.clock.advance_seconds(24 * 3600);
    is_error(&me(&test_app, &format!("Bearer {access}")).await, 401, &unusable(INVALID));
}

#[actix_web::test]
async fn an_account_that_is_disabled_or_deleted_is_named() {
    let test_app = service().await;
    let (access, _) = tokens(&test_app).await;
    disable(&test_app).await;
    let error = json!({"detail": "User is inactive", "code": "user_inactive"});
    is_error(&me(&test_app, &format!("Bearer {access}")).await, 401, &error);

    let test_app = service().await;
    let (access, _) = tokens(&test_app).await;
    delete(&test_app).await;
    let error = json!({"detail": "User not found", "code": "user_not_found"});
    is_error(&me(&test_app, &format!("Bearer {access}")).await, 401, &error);
}
