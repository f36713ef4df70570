//! Tests of administering users and their sessions.

use actix_web::http::StatusCode;
use actix_web::test::TestRequest;
use gateward_app::domain::link::LinkPurpose;
use gateward_app::domain::ports::LinkMaker;
use serde_json::{Value, json};

use super::fixture::{holder, send_as, send_json_as};
use crate::testing::{LoggedIn, PASSWORD, TestApp, UNKNOWN_ID};

/// The usernames of a page.
fn names(page: &Value) -> Vec<String> {
    let items = page["items"].as_array().unwrap_or_else(|| panic!("{page}"));
    items.iter().map(|item| item["username"].as_str().unwrap().to_owned()).collect()
}

/// The usernames of all pages of a list.
async fn all_names(test_app: &TestApp, who: &LoggedIn, query: &str, limit: usize) -> Vec<String> {
    let (mut seen, mut cursor) = (Vec::new(), String::new());
    loop {
        let path = format!("/users?limit={limit}{query}{cursor}");
        let page = send_as(test_app, who, "GET", &path).await.json();
        assert!(names(&page).len() <= limit);
        seen.extend(names(&page));
        let Some(next) = page["next_cursor"].as_str() else { return seen };
        cursor = format!("&cursor={next}");
    }
}

#[actix_web::test]
async fn the_pages_hold_each_wanted_account_once() {
    let test_app = TestApp::empty().await;
    let root = test_app.admin("root-1").await;
    for name in ["ada", "adam", "Adele", "bob"] {
        test_app.clock.advance_seconds(1);
        test_app.user(name).await;
    }
    test_app.clock.advance_seconds(1);
    let eve = holder(&test_app, &root, "eve", &["users:read"]).await;
    let path = format!("/users/{}/disable", eve.user_id);
    assert_eq!(send_as(&test_app, &root, "POST", &path).await.json()["disabled"], true);
    for (query, wanted) in [
        ("", &["root-1", "ada", "adam", "Adele", "bob", "eve"][..]),
        ("&q=AD", &["ada", "adam", "Adele"]),
        ("&q=Ada@Ex", &["ada"]),
        ("&q=%25", &[]),
        ("&role=eve", &["eve"]),
        ("&role=nobody", &[]),
        ("&disabled=true", &["eve"]),
        ("&disabled=false&q=e", &[]),
        ("&disabled=false&role=user", &["root-1", "ada", "adam", "Adele", "bob"]),
    ] {
        for limit in [1, 2, 3, 100] {
            assert_eq!(all_names(&test_app, &root, query, limit).await, wanted, "{query} {limit}");
        }
    }
    let response = send_as(&test_app, &root, "GET", "/users").await;
    assert_eq!(response.header("cache-control"), "no-store");
}

/// Row W11, and invalid filters, invalid cursors and cursors of other lists.
#[actix_web::test]
async fn w11_a_bad_condition_is_refused_by_its_name() {
    let test_app = TestApp::empty().await;
    let root = test_app.admin("root-1").await;
    let long = format!("q={}", "x".repeat(255));
    for (query, field) in [
        ("q=", "q"),
        ("q=a%00", "q"),
        ("q=%0A", "q"),
        (long.as_str(), "q"),
        ("role=Admin", "role"),
        ("role=", "role"),
        ("disabled=1", "disabled"),
        ("disabled=TRUE", "disabled"),
        ("limit=0", "limit"),
        ("cursor=x", "cursor"),
        ("cursor=", "cursor"),
        // `ada`, which is a cursor only in a search.
        ("cursor=YWRh", "cursor"),
        // A NUL.
        ("q=ada&cursor=AA", "cursor"),
        ("q=ada&cursor=", "cursor"),
        ("email=ada", "email"),
    ] {
        let response = send_as(&test_app, &root, "GET", &format!("/users?{query}")).await;
        assert_eq!(response.field_errors()[0].0, field, "{query}");
        assert_eq!(response.field_errors().len(), 1, "{query}");
    }
    let response = send_as(&test_app, &root, "GET", "/users?q=ada&cursor=YWRh").await;
    assert_eq!(response.status, StatusCode::OK);
    let response = send_as(&test_app, &root, "GET", "/users?q=a&q=b").await;
    assert_eq!(response.problem(), (400, "malformed_request".to_owned()));
}

#[actix_web::test]
async fn whoever_is_invited_chooses_the_password_and_logs_in() {
    let test_app = TestApp::empty().await;
    let root = test_app.admin("root-1").await;
    let body = json!({"username": "ada", "email": "Ada@example.org"});
    let response = send_json_as(&test_app, &root, ("POST", "/users"), body.clone()).await;
    assert_eq!(response.status, StatusCode::CREATED, "{}", response.text);
    let user = response.json();
    assert_eq!((&user["username"], &user["email"]), (&json!("ada"), &json!("ada@example.org")));
    assert_eq!((&user["email_verified"], &user["roles"]), (&json!(false), &json!(["user"])));

    let links = test_app.store.links();
    let link = links.iter().find(|link| link.purpose == LinkPurpose::Invitation).unwrap();
    let secret = test_app.keyring.link_secret(&link.key_id, &link.salt).unwrap();
    let accept = async |token: &str, password: &str| {
        let body = json!({"token": token, "password": password});
        let request = TestRequest::post().uri("/v1/invitation/accept").set_json(body);
        test_app.send(request).await
    };
    let token = secret.token.expose();
    let own_name = accept(token, "ada@example").await;
    assert_eq!(own_name.field_errors(), [("password".to_owned(), "context_password".to_owned())]);
    assert_eq!(accept(token, PASSWORD).await.status, StatusCode::NO_CONTENT);
    for token in [token, "x", ""] {
        let response = accept(token, PASSWORD).await;
        assert_eq!(response.problem(), (400, "invalid_link".to_owned()), "{token}");
    }
    let ada = test_app.log_in("ada", "First/1").await;
    assert_eq!(send_as(&test_app, &ada, "GET", "/me").await.json()["email_verified"], true);

    let response = send_json_as(&test_app, &root, ("POST", "/users"), body).await;
    assert_eq!(response.problem(), (409, "username_taken".to_owned()));
    let body = json!({"username": "ada-2", "email": "ada@example.org"});
    let response = send_json_as(&test_app, &root, ("POST", "/users"), body).await;
    assert_eq!(response.problem(), (409, "email_taken".to_owned()));
    for (roles, code) in [
        (json!(["nobody"]), "unknown_role"),
        (json!(["Admin"]), "bad_form"),
        (json!("admin"), "wrong_type"),
        (json!(["user", 1]), "wrong_type"),
        (json!([["user"]]), "wrong_type"),
    ] {
        let body = json!({"username": "bob", "email": "bob@example.org", "roles": roles});
        let response = send_json_as(&test_app, &root, ("POST", "/users"), body).await;
        assert_eq!(response.field_errors(), [("roles".to_owned(), code.to_owned())], "{roles}");
    }
    let body = json!({"username": "Support", "email": "bob@example.org"});
    let response = send_json_as(&test_app, &root, ("POST", "/users"), body).await;
    assert_eq!(response.field_errors(), [("username".to_owned(), "reserved".to_owned())]);
}

/// Rows S5 and S6: disabling and deleting a user take effect at once.
#[actix_web::test]
async fn s5_an_account_is_renamed_disabled_enabled_and_deleted_at_once() {
    let test_app = TestApp::empty().await;
    let root = test_app.admin("root-1").await;
    let ada = test_app.user("ada").await;
    test_app.user("bob").await;
    let one = format!("/users/{}", ada.user_id);
    let act = |what: &str| format!("{one}/{what}");

    assert_eq!(send_as(&test_app, &root, "GET", &one).await.json()["username"], "ada");
    let response =
        send_json_as(&test_app, &root, ("PATCH", &one), json!({"username": "bob"})).await;
    assert_eq!(response.problem(), (409, "username_taken".to_owned()));
    let response =
        send_json_as(&test_app, &root, ("PATCH", &one), json!({"email": "x@example.org"})).await;
    let expected = [("username", "required"), ("email", "unknown_field")];
    assert_eq!(
        response.field_errors(),
        expected.map(|(one, two)| (one.to_owned(), two.to_owned()))
    );
    let response =
        send_json_as(&test_app, &root, ("PATCH", &one), json!({"username": "lovelace"})).await;
    assert_eq!(response.json()["username"], "lovelace", "{}", response.text);

    for _ in 0..2 {
        let response = send_as(&test_app, &root, "POST", &act("disable")).await;
        assert_eq!((response.status, &response.json()["disabled"]), (StatusCode::OK, &json!(true)));
    }
    let response = send_as(&test_app, &ada, "GET", "/me").await;
    assert_eq!(response.json()["reason"], "account_disabled", "{}", response.text);
    let login = json!({ "username": "lovelace", "password": PASSWORD });
    let response = test_app.send(TestRequest::post().uri("/v1/login").set_json(&login)).await;
    assert_eq!(response.problem(), (403, "account_disabled".to_owned()));
    for _ in 0..2 {
        let response = send_as(&test_app, &root, "POST", &act("enable")).await;
        assert_eq!(
            (response.status, &response.json()["disabled"]),
            (StatusCode::OK, &json!(false))
        );
    }
    let ada = test_app.log_in("lovelace", "First/1").await;
    assert_eq!(send_as(&test_app, &root, "DELETE", &one).await.status, StatusCode::NO_CONTENT);
    let response = send_as(&test_app, &ada, "GET", "/me").await;
    assert_eq!(response.json()["reason"], "account_deleted", "{}", response.text);
    for (method, path) in [("GET", one.clone()), ("DELETE", one.clone()), ("GET", act("sessions"))]
    {
        assert_eq!(send_as(&test_app, &root, method, &path).await.status, StatusCode::NOT_FOUND);
    }
}

#[actix_web::test]
async fn the_last_administrator_stays() {
    let test_app = TestApp::empty().await;
    let root = test_app.admin("root-1").await;
    let one = format!("/users/{}", root.user_id);
    for (method, path, body) in [
        ("DELETE", one.clone(), json!({})),
        ("POST", format!("{one}/disable"), json!({})),
        ("PUT", format!("{one}/roles"), json!({"roles": ["user"]})),
    ] {
        let response = send_json_as(&test_app, &root, (method, &path), body).await;
        assert_eq!(response.problem(), (409, "last_admin".to_owned()), "{method} {path}");
    }
}

/// Row S4: a session of another user, an unknown session and an invalid ID get the same response,
/// and no session ends.
#[actix_web::test]
async fn s4_a_session_is_seen_and_ended_under_its_own_account_alone() {
    let test_app = TestApp::empty().await;
    let root = test_app.admin("root-1").await;
    let ada = test_app.user("ada").await;
    let bob = test_app.user("bob").await;
    let under = |user: &str, session: &str| format!("/users/{user}/sessions/{session}");
    let (id, sid) = (ada.user_id.as_str(), ada.session_id.as_str());
    let mut responses = Vec::new();
    for path in [
        under(&bob.user_id, sid),
        under(id, UNKNOWN_ID),
        under(id, "x"),
        under(id, &sid.to_uppercase()),
        under(id, &format!("{sid}%20")),
        under(&id.to_uppercase(), sid),
        under(UNKNOWN_ID, sid),
        under("x", sid),
    ] {
        let response = send_as(&test_app, &root, "DELETE", &path).await;
        let mut problem = response.json();
        problem.as_object_mut().unwrap().remove("request_id");
        assert_eq!(response.status, StatusCode::NOT_FOUND, "{path}: {problem}");
        responses.push(problem);
    }
    responses.dedup();
    assert_eq!(responses.len(), 1, "{responses:?}");
    assert_eq!(send_as(&test_app, &ada, "GET", "/me").await.status, StatusCode::OK);

    test_app.clock.advance_seconds(1);
    let other = test_app.log_in("ada", "Second/1").await;
    let page = send_as(&test_app, &root, "GET", &format!("/users/{id}/sessions")).await.json();
    assert_eq!(page["items"].as_array().unwrap().len(), 2);
    assert_eq!(
        (&page["items"][0]["id"], &page["items"][0]["current"]),
        (&json!(sid), &json!(false))
    );
    for _ in 0..2 {
        let response = send_as(&test_app, &root, "DELETE", &under(id, sid)).await;
        assert_eq!(response.status, StatusCode::NO_CONTENT);
    }
    assert_eq!(send_as(&test_app, &ada, "GET", "/me").await.json()["reason"], "ended_by_admin");
    assert_eq!(send_as(&test_app, &other, "GET", "/me").await.status, StatusCode::OK);
    let response = send_as(&test_app, &root, "DELETE", &format!("/users/{id}/sessions")).await;
    assert_eq!(response.status, StatusCode::NO_CONTENT);
    assert_eq!(send_as(&test_app, &other, "GET", "/me").await.json()["reason"], "ended_by_admin");
    assert_eq!(send_as(&test_app, &bob, "GET", "/me").await.status, StatusCode::OK);
}
