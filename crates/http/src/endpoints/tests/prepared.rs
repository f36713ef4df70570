//! The prepared bodies and error examples of the API document, compared with real responses.

use actix_web::test::TestRequest;
use serde_json::{Value, json};

use crate::testing::{CLIENT, LoggedIn, PASSWORD, SECRET, TestApp, TestResponse, basic};

/// An operation of the document.
struct Operation {
    method: String,
    path: String,
    value: Value,
}

impl Operation {
    fn find(test_app: &TestApp, id: &str) -> Self {
        let document = crate::openapi_document(test_app.app.options());
        let document = serde_json::to_value(document).unwrap();
        for (path, item) in document["paths"].as_object().unwrap() {
            for (method, value) in item.as_object().unwrap() {
                if value["operationId"] == id {
                    let (method, path) = (method.to_uppercase(), path.clone());
                    return Self { method, path, value: value.clone() };
                }
            }
        }
        panic!("no {id}");
    }

    fn request(&self, user_id: &str) -> TestRequest {
        let path = self.path.replace("{id}", user_id).replace("{name}", "support");
        TestRequest::default().method(self.method.parse().unwrap()).uri(&path)
    }

    /// The example of an error response.
    fn example(&self, status: &str, code: &str) -> Value {
        let media = &self.value["responses"][status]["content"]["application/problem+json"];
        let example = media.get("example").unwrap_or(&media["examples"][code]["value"]);
        assert_eq!(example["code"], code, "{} {}: {media}", self.method, self.path);
        example.clone()
    }
}

/// Sends the prepared body of an operation.
async fn send(test_app: &TestApp, id: &str, who: Option<&LoggedIn>) -> TestResponse {
    send_about(test_app, id, who, "").await
}

async fn send_about(
    test_app: &TestApp,
    id: &str,
    who: Option<&LoggedIn>,
    user_id: &str,
) -> TestResponse {
    let operation = Operation::find(test_app, id);
    let content = operation.value["requestBody"]["content"].as_object().unwrap();
    let (kind, media) = content.iter().next().unwrap();
    let mut request = operation.request(user_id);
    if kind == "application/json" {
        request = request.set_json(&media["example"]);
    } else {
        request = request.set_form(&media["example"]).insert_header(basic(CLIENT, SECRET));
    }
    test_app.send(who.iter().fold(request, |request, who| who.sends(request))).await
}

/// What each prepared body leads to, one after the other: with a token or code that has to be
/// filled in first, a problem that says so.
#[actix_web::test]
async fn the_prepared_bodies_of_a_user_work_in_order() {
    let test_app = TestApp::empty().await;
    let before = [
        ("signUp", 201, ""),
        ("confirmEmail", 400, "invalid_link"),
        ("resendConfirmationEmail", 202, ""),
        ("logIn", 200, ""),
        ("refreshTokens", 401, "invalid_token"),
        ("acceptInvitation", 400, "invalid_link"),
        ("requestPasswordReset", 202, ""),
        ("resetPassword", 400, "invalid_link"),
        ("undoEmailChange", 400, "invalid_link"),
        ("reportLogin", 400, "invalid_link"),
        ("introspectToken", 200, ""),
        ("revokeToken", 200, ""),
    ];
    for (id, status, code) in before {
        let response = send(&test_app, id, None).await;
        assert_eq!(response.status.as_u16(), status, "{id}: {}", response.text);
        assert!(code.is_empty() || response.json()["code"] == code, "{id}: {}", response.text);
    }
    let logged_in = [
        ("reauthenticate", 200),
        ("updateCurrentUser", 200),
        ("changeEmail", 202),
        ("changePassword", 204),
        ("logOutEverywhere", 204),
        ("logOut", 204),
    ];
    let ada = test_app.log_in("ada", "First/1").await;
    for (id, status) in logged_in {
        let response = send(&test_app, id, Some(&ada)).await;
        assert_eq!(response.status.as_u16(), status, "{id}: {}", response.text);
    }
    let bob = test_app.user("bob").await;
    assert_eq!(send(&test_app, "deleteCurrentUser", Some(&bob)).await.status.as_u16(), 204);
}

#[actix_web::test]
async fn the_prepared_bodies_of_an_administrator_work_in_order() {
    let test_app = TestApp::empty().await;
    let root = test_app.admin("root-1").await;
    let invited = send(&test_app, "inviteUser", Some(&root)).await;
    assert_eq!(invited.status.as_u16(), 201, "{}", invited.text);
    let grace = invited.json()["id"].as_str().unwrap().to_owned();
    for (id, status) in [("updateUser", 200), ("putRole", 201), ("setUserRoles", 200)] {
        let response = send_about(&test_app, id, Some(&root), &grace).await;
        assert_eq!(response.status.as_u16(), status, "{id}: {}", response.text);
    }
}

/// Checks that the document shows exactly this response, but for the request ID.
async fn is_shown(test_app: &TestApp, id: &str, request: TestRequest) {
    let response = test_app.send(request).await;
    let (status, code) = response.problem();
    let mut shown = Operation::find(test_app, id).example(&status.to_string(), &code);
    let mut real = response.json();
    for body in [&mut shown, &mut real] {
        assert!(body.as_object_mut().unwrap().remove("request_id").is_some(), "{id}");
    }
    assert_eq!(shown, real, "{id} {code}");
}

#[actix_web::test]
async fn field_errors_are_shown_as_they_are_sent() {
    let test_app = TestApp::empty().await;
    let root = test_app.admin("root-1").await;
    let email = "ada@example.org";
    let short = "short";
    let wrong = "not the password of root";
    let rejected = [
        ("signUp", json!({"username": "ada", "email": email, "password": short})),
        ("acceptInvitation", json!({"token": "x", "password": short})),
        ("resetPassword", json!({"token": "x", "new_password": short})),
        ("logIn", json!({"password": PASSWORD})),
        ("confirmEmail", json!({"email": email, "code": "1234", "password": PASSWORD})),
        ("refreshTokens", json!({})),
        ("requestPasswordReset", json!({"email": "ada"})),
        ("resendConfirmationEmail", json!({"email": "ada"})),
        ("undoEmailChange", json!({})),
        ("reportLogin", json!({})),
        ("logOut", json!({"refresh_token": 1})),
        ("logOutEverywhere", json!({"except_current": 1})),
        ("reauthenticate", json!({"password": wrong})),
        ("changePassword", json!({"current_password": wrong, "new_password": "a longer one"})),
        ("changeEmail", json!({"new_email": email, "password": wrong})),
        ("deleteCurrentUser", json!({"password": wrong})),
        ("updateCurrentUser", json!({"username": "a"})),
        ("updateUser", json!({"username": "a"})),
        ("inviteUser", json!({"username": "grace", "email": "grace"})),
        ("setUserRoles", json!({"roles": ["support"]})),
        ("putRole", json!({"permissions": ["everything"]})),
        ("disableUser", json!({"reason": "spam"})),
        ("enableUser", json!({"reason": "spam"})),
        ("resetUserPassword", json!({"reason": "spam"})),
    ];
    for (id, body) in rejected {
        let request = Operation::find(&test_app, id).request(&root.user_id).set_json(body);
        is_shown(&test_app, id, root.sends(request)).await;
    }
    let queries = [
        ("/v1/me?verbose=1", "getCurrentUser"),
        ("/v1/me/export?verbose=1", "exportCurrentUser"),
        ("/v1/me/sessions?limit=0", "listSessions"),
        ("/v1/users?limit=0", "listUsers"),
        ("/v1/roles?limit=0", "listRoles"),
        ("/v1/audit?from=today", "listAuditEvents"),
        ("/health/live?verbose=1", "getLiveness"),
    ];
    for (path, id) in queries {
        is_shown(&test_app, id, root.sends(TestRequest::get().uri(path))).await;
    }
    let built_in = TestRequest::delete().uri("/v1/roles/admin");
    is_shown(&test_app, "deleteRole", root.sends(built_in)).await;
    for (path, id) in [
        ("/v1/revocations?limit=0", "listRevocations"),
        ("/v1/revocations/stream?since=", "streamRevocations"),
    ] {
        let request = TestRequest::get().uri(path).insert_header(basic(CLIENT, SECRET));
        is_shown(&test_app, id, request).await;
    }
}

#[actix_web::test]
async fn other_problems_are_shown_as_they_are_sent() {
    let test_app = TestApp::empty().await;
    let ada = test_app.user("ada").await;
    let find = |id: &str| Operation::find(&test_app, id).request(&ada.user_id);
    let broken = |id: &str| find(id).insert_header(("content-type", "application/json"));
    let plain = |id: &str| find(id).insert_header(("content-type", "text/plain"));
    let login = json!({"username": "ada", "password": "not the password of ada"});
    let taken = json!({"username": "ada", "email": "other@example.org", "password": PASSWORD});
    let swapped = json!({"refresh_token": ada.access});
    let link = json!({"email": "ada@example.org", "code": "12345678", "password": PASSWORD});
    let token = json!({"token": "x"});
    let requests = vec![
        ("signUp", broken("signUp").set_payload("{")),
        ("signUp", plain("signUp").set_payload("{}")),
        ("signUp", find("signUp").set_json(taken)),
        ("logIn", find("logIn").set_json(login)),
        ("confirmEmail", find("confirmEmail").set_json(link)),
        ("undoEmailChange", find("undoEmailChange").set_json(token)),
        ("refreshTokens", find("refreshTokens").set_json(swapped)),
        ("getCurrentUser", find("getCurrentUser")),
        ("changePassword", find("changePassword").set_json(json!({}))),
        ("logOut", find("logOut")),
        ("listUsers", ada.sends(find("listUsers"))),
        ("disableUser", ada.sends(find("disableUser"))),
        ("putRole", ada.sends(find("putRole"))),
        ("setUserRoles", ada.sends(find("setUserRoles"))),
        ("listAuditEvents", ada.sends(find("listAuditEvents"))),
        ("endUserSessions", ada.sends(find("endUserSessions"))),
        ("getJwks", TestRequest::get().uri("/.well-known/jwks.json?a=1&a=2")),
        ("introspectToken", find("introspectToken")),
        ("introspectToken", find("introspectToken").insert_header(basic(CLIENT, "wrong"))),
        ("introspectToken", plain("introspectToken").insert_header(basic(CLIENT, SECRET))),
        (
            "revokeToken",
            find("revokeToken").insert_header(basic(CLIENT, SECRET)).set_form([("a", "b")]),
        ),
        ("listRevocations", find("listRevocations")),
        ("listRevocations", find("listRevocations").insert_header(basic(CLIENT, "wrong"))),
    ];
    for (id, request) in requests {
        is_shown(&test_app, id, request).await;
    }
}
