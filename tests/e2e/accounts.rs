//! Mass assignment in account requests: rows A5, B1 and B2.

use gateward_e2e::{PASSWORD, TestResponse};
use reqwest::Method;
use serde_json::{Value, json};

use crate::support::test_server::TestServer;

async fn signup(server: &TestServer, name: &str, email: &str) -> TestResponse {
    let body = json!({"username": name, "email": email, "password": PASSWORD});
    server.client.send(server.client.post("/v1/signup", &body)).await
}

/// Row A5: an email address is one recipient in one spelling, or it is refused.
#[tokio::test]
async fn a5_an_address_is_one_recipient() {
    let server = TestServer::new().await;
    let long = format!("{}@example.org", "a".repeat(250));
    for bad in [
        "victim@good.com\u{ff20}evil.com",
        "\"a@b\"@c.org",
        "\"quoted\"@example.org",
        "ada(comment)@example.org",
        "ada@(comment)example.org",
        "a@b.org,c@d.org",
        "a@b.org;c@d.org",
        "a@b.org c@d.org",
        "a@b.org\r\nBcc: eve@example.org",
        "a@b.org\nBcc: eve@example.org",
        "a@b.org%0d%0aBcc:eve@example.org",
        "a@b.org\u{0}",
        "a\u{200b}da@example.org",
        "ada@exam\u{202e}ple.org",
        "Ada <ada@example.org>",
        "ada@[127.0.0.1]",
        "ada@127.0.0.1",
        "ada@localhost",
        "ada@@example.org",
        "ada@example..org",
        "ada",
        "@example.org",
        "",
        &long,
    ] {
        let response = signup(&server, "ada", bad).await;
        response.is(422, "validation_failed");
        assert_eq!(response.fields(), ["email"], "{bad:?}");
        // Nor does it identify an account at login.
        let login = json!({"email": bad, "password": PASSWORD});
        let response = server.client.send(server.client.post("/v1/login", &login)).await;
        response.is(401, "invalid_credentials");
    }
    let response = signup(&server, "ada", "Ａda@B\u{dc}CHER.example.").await;
    assert_eq!(response.status, 201, "{response:?}");
    assert_eq!(response.body["email"], "ada@xn--bcher-kva.example");
    for (number, same) in
        ["ada@bücher.example", "ADA@xn--bcher-kva.EXAMPLE", "ada@BU\u{308}CHER.example"]
            .into_iter()
            .enumerate()
    {
        signup(&server, &format!("ada{number}"), same).await.is(409, "email_taken");
        assert_eq!(server.client.login(same, PASSWORD).await.status, 200, "{same}");
    }
}

/// Fields that a client may try to set on its own account.
fn wishes() -> Vec<(&'static str, Value)> {
    let names = [
        "role",
        "roles",
        "is_admin",
        "isAdmin",
        "admin",
        "is_admins",
        "verified",
        "email_verified",
        "emailVerified",
        "id",
        "_id",
        "sub",
        "uuid",
        "created_at",
        "createdAt",
        "permissions",
        "tenant",
        "org",
        "disabled",
        "password_hash",
        "passwordHash",
        "user",
        "__proto__",
        "constructor",
        "Username",
        "username ",
        "credentials_version",
    ];
    let value = |name: &str| match name {
        "roles" | "permissions" => json!(["admin"]),
        "role" => json!("admin"),
        "user" | "__proto__" | "constructor" => json!({"roles": ["admin"], "email_verified": true}),
        "disabled" => json!(false),
        "id" | "_id" | "sub" | "uuid" => json!("01890000-0000-7000-8000-000000000000"),
        _ => json!(true),
    };
    names.into_iter().map(|name| (name, value(name))).collect()
}

/// Row B1: sign-up takes its three fields. Any other field is refused by name, and no account is
/// created.
#[tokio::test]
async fn b1_sign_up_takes_nothing_but_its_members() {
    let server = TestServer::new().await;
    let whole = json!({"username": "ada", "email": "ada@example.org", "password": PASSWORD});
    for (name, value) in wishes() {
        let mut body = whole.clone();
        body[name] = value;
        let response = server.client.send(server.client.post("/v1/signup", &body)).await;
        response.is(422, "validation_failed");
        assert_eq!(response.fields(), [name]);
        assert_eq!(response.body["errors"][0]["code"], "unknown_field");
    }
    // Inside another object they are ignored.
    for wrapper in ["user", "data", "account"] {
        let response =
            server.client.send(server.client.post("/v1/signup", &json!({wrapper: whole}))).await;
        response.is(422, "validation_failed");
        assert!(response.fields().contains(&wrapper) && response.fields().contains(&"username"));
    }
    // Nor are they read from other places.
    for path in ["/v1/signup?roles=admin", "/v1/signup?is_admin=true&role=admin"] {
        server.client.send(server.client.post(path, &whole)).await.is(422, "validation_failed");
    }
    server.client.login("ada", PASSWORD).await.is(401, "invalid_credentials");
    let response = server.client.send(server.client.post("/v1/signup", &whole)).await;
    assert_eq!(response.status, 201);
    assert_eq!(response.body["roles"], json!(["user"]));
    assert_eq!(response.body["email_verified"], false);
    let members: Vec<&String> = response.body.as_object().unwrap().keys().collect();
    let shown = [
        "created_at",
        "disabled",
        "email",
        "email_verified",
        "id",
        "roles",
        "updated_at",
        "username",
    ];
    assert_eq!(members, shown);
}

/// Row B2: an owner can change the username of the account, and nothing else with it.
#[tokio::test]
async fn b2_the_profile_takes_nothing_but_the_username() {
    let server = TestServer::new().await;
    let client = &server.client;
    let pair = client.begin("ada").await;
    let before = client.me(pair.access()).await.body;
    let patch = async |body: Value| {
        let request = client.request(Method::PATCH, "/v1/me").bearer_auth(pair.access());
        client.send(request.json(&body)).await
    };
    let mut wishes = wishes();
    wishes.extend([("email", json!("eve@example.org")), ("password", json!("a new password"))]);
    for (name, value) in wishes {
        let mut body = json!({"username": "countess"});
        body[name] = value.clone();
        let response = patch(body).await;
        response.is(422, "validation_failed");
        assert_eq!(response.fields(), [name]);
        let response = patch(json!({name: value})).await;
        assert!(response.fields().contains(&name), "{response:?}");
    }
    patch(json!({"user": {"username": "countess"}})).await.is(422, "validation_failed");
    assert_eq!(client.me(pair.access()).await.body, before);
    let response = patch(json!({"username": "countess"})).await;
    assert_eq!(response.status, 200);
    for member in ["id", "email", "email_verified", "roles", "disabled", "created_at"] {
        assert_eq!(response.body[member], before[member], "{member}");
    }
}
