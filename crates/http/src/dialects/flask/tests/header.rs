//! Tests with tokens in bodies and in the header.

use actix_web::http::StatusCode;
use actix_web::test::TestRequest;
use serde_json::json;

use super::super::Flask;
use super::fixture::{
    EXPIRED, REVOKED, ada, bearer, flask, is_error, is_ok, login, options_with, service,
};
use crate::testing::{self, TestApp};

/// The access token and the refresh token of a new session.
async fn tokens(test_app: &TestApp) -> (String, String) {
    let response = test_app.send(login()).await.is(StatusCode::OK);
    assert_eq!(response.fields(), ["access_token", "refresh_token"]);
    assert_eq!(response.cookies(), [""; 0]);
    let text = |name| response.text_of(name).to_owned();
    (text("access_token"), text("refresh_token"))
}

/// Refreshes, and returns both tokens.
async fn refreshed(test_app: &TestApp, token: &str) -> (String, String) {
    let response = test_app.send(bearer("POST", "/refresh", token)).await.is(StatusCode::OK);
    assert_eq!(response.fields(), ["access_token", "refresh_token"]);
    let text = |name| response.text_of(name).to_owned();
    (text("access_token"), text("refresh_token"))
}

#[actix_web::test]
async fn a_session_is_used_refreshed_twice_and_ended() {
    let test_app = service(flask()).await;
    let hello = json!({"message": "Hello, ada!"});
    let (first, refresh) = tokens(&test_app).await;
    is_ok(&test_app.send(bearer("GET", "/protected", &first)).await, &hello);
    let (second, refresh) = refreshed(&test_app, &refresh).await;
    let (third, refresh) = refreshed(&test_app, &refresh).await;
    for token in [&first, &second, &third] {
        is_ok(&test_app.send(bearer("GET", "/protected", token)).await, &hello);
    }
    let logged_out = json!({"msg": "Logout successful"});
    is_ok(&test_app.send(bearer("DELETE", "/logout", &third)).await, &logged_out);
    for (method, path, token) in
        [("GET", "/protected", &first), ("POST", "/refresh", &refresh), ("POST", "/logout", &third)]
    {
        is_error(&test_app.send(bearer(method, path, token)).await, 401, REVOKED);
    }
}

#[actix_web::test]
async fn a_login_takes_an_email_address_and_ignores_all_else() {
    let test_app = service(flask()).await;
    let body = json!({"username": "Ada@example.org", "password": ada()["password"], "next": 1});
    let request = TestRequest::post().uri("/login?next=%2F").set_json(body);
    let request = request.insert_header(("authorization", "Bearer rubbish"));
    // Without cookies, another site has nothing to abuse.
    let request = request.insert_header(("origin", "https://other.example"));
    test_app.send(request).await.is(StatusCode::OK);
}

#[actix_web::test]
async fn a_logout_takes_either_token() {
    let test_app = service(flask()).await;
    let (other, _) = tokens(&test_app).await;
    for method in ["POST", "DELETE"] {
        for is_refresh in [false, true] {
            let (access, refresh) = tokens(&test_app).await;
            let token = if is_refresh { &refresh } else { &access };
            test_app.send(bearer(method, "/logout", token)).await.is(StatusCode::OK);
            is_error(&test_app.send(bearer("GET", "/protected", &access)).await, 401, REVOKED);
            is_error(&test_app.send(bearer("POST", "/refresh", &refresh)).await, 401, REVOKED);
        }
    }
    test_app.send(bearer("GET", "/protected", &other)).await.is(StatusCode::OK);
}

#[actix_web::test]
async fn a_used_refresh_token_ends_the_session_unless_its_key_is_repeated() {
    let test_app = service(flask()).await;
    let (_, first) = tokens(&test_app).await;
    let with_key = |token: &str, key| {
        bearer("POST", "/refresh", token).insert_header(("idempotency-key", key))
    };
    let mut answers = Vec::new();
    for _ in 0..2 {
        let response = test_app.send(with_key(&first, "k1")).await.is(StatusCode::OK);
        answers.push(response.text_of("refresh_token").to_owned());
        test_app.clock.advance_seconds(60);
    }
    assert_eq!(answers[0], answers[1]);
    let response = test_app.send(with_key(&first, "no key")).await;
    assert_eq!(response.status, StatusCode::BAD_REQUEST);
    is_error(&response, 400, response.text_of("msg"));
    is_error(&test_app.send(bearer("POST", "/refresh", &first)).await, 401, REVOKED);
    is_error(&test_app.send(bearer("POST", "/refresh", &answers[0])).await, 401, REVOKED);
}

#[actix_web::test]
async fn without_rotation_the_refresh_token_stays() {
    let test_app = service(Flask { rotate: false, ..flask() }).await;
    let (_, refresh) = tokens(&test_app).await;
    for _ in 0..3 {
        test_app.clock.advance_seconds(3600);
        let response = test_app.send(bearer("POST", "/refresh", &refresh)).await;
        assert_eq!(response.fields(), ["access_token"]);
        let access = response.text_of("access_token");
        test_app.send(bearer("GET", "/protected", access)).await.is(StatusCode::OK);
    }
}

#[actix_web::test]
async fn expired_tokens_have_expired() {
    let test_app = service(flask()).await;
    let (access, refresh) = tokens(&test_app).await;
    test_app.clock.advance_seconds(3600);
    for (method, path) in [("GET", "/protected"), ("DELETE", "/logout")] {
        is_error(&test_app.send(bearer(method, path, &access)).await, 401, EXPIRED);
    }
    test_app.clock.advance_seconds(40 * 24 * 3600);
    is_error(&test_app.send(bearer("POST", "/refresh", &refresh)).await, 401, EXPIRED);
}

#[actix_web::test]
async fn the_endpoints_follow_the_path() {
    let test_app = service(Flask { path: "/auth".to_owned(), ..flask() }).await;
    let request = TestRequest::post().uri("/auth/login").set_json(ada());
    let response = test_app.send(request).await.is(StatusCode::OK);
    let access = response.text_of("access_token");
    test_app.send(bearer("GET", "/auth/protected", access)).await.is(StatusCode::OK);
    is_error(
        &test_app.send(bearer("GET", "/auth/protected", "x")).await,
        422,
        "Signature verification failed",
    );
    assert_eq!(test_app.send(login()).await.status, StatusCode::NOT_FOUND);
}

#[actix_web::test]
async fn without_the_dialect_its_paths_do_not_exist() {
    let test_app = TestApp::new().await;
    for (method, path) in [
        ("POST", "/login"),
        ("POST", "/refresh"),
        ("POST", "/logout"),
        ("DELETE", "/logout"),
        ("GET", "/protected"),
    ] {
        let request = TestRequest::default().method(method.parse().unwrap()).uri(path);
        assert_eq!(test_app.send(request).await.status, StatusCode::NOT_FOUND, "{path}");
    }
}

#[test]
fn the_api_document_lists_the_endpoints() {
    let options = options_with(Flask { path: "/auth".to_owned(), ..flask() });
    let document = serde_json::to_value(crate::openapi_document(&options)).unwrap();
    for (path, methods) in [
        ("/auth/login", &["post"][..]),
        ("/auth/refresh", &["post"]),
        ("/auth/logout", &["post", "delete"]),
        ("/auth/protected", &["get"]),
    ] {
        for method in methods {
            let operation = &document["paths"][path][method];
            assert!(operation["operationId"].is_string(), "{method} {path}");
            let error = &operation["responses"]["401"]["content"]["application/json"]["schema"];
            assert_eq!(error["$ref"], "#/components/schemas/FlaskError", "{method} {path}");
        }
    }
    let body = &document["components"]["schemas"]["FlaskLogin"];
    assert_eq!(body["additionalProperties"], json!(null), "others are ignored");
    let plain = serde_json::to_value(crate::openapi_document(&testing::options())).unwrap();
    assert_eq!(plain["paths"]["/auth/login"], json!(null));
}
