//! INV12: if the event cannot be written, the change is rolled back.

use gateward_e2e::{Client, Database, PASSWORD, TestResponse, on_both};
use reqwest::Method;
use serde_json::{Value, json};

use super::ledger::{Ledger, is_whole};
use crate::support::post::{OTHER, Post, address, subject, token};

on_both!(inv12_nothing_is_changed_where_the_event_cannot_be_written);

/// The tables that users change. Queued emails and invalidation events are part of the changes.
const TABLES: [&str; 10] = [
    "users",
    "user_roles",
    "roles",
    "sessions",
    "signups",
    "links",
    "outbox_emails",
    "invalidation_events",
    "known_devices",
    "events",
];

/// The content of all tables.
async fn all(ledger: &Ledger) -> Vec<Vec<Vec<String>>> {
    let mut all = Vec::new();
    for table in TABLES {
        let mut rows = ledger.run(&format!("SELECT * FROM {table}")).await;
        rows.sort();
        all.push(rows);
    }
    all
}

/// Has the database refuse every new event, or accept them again.
async fn refuse(ledger: &Ledger, refused: bool) {
    let postgres = if refused {
        "CREATE FUNCTION refuse() RETURNS trigger LANGUAGE plpgsql AS \
         'BEGIN RAISE EXCEPTION ''no event''; END'; \
         CREATE TRIGGER refused BEFORE INSERT ON events FOR EACH ROW EXECUTE FUNCTION refuse()"
    } else {
        "DROP FUNCTION refuse CASCADE"
    };
    let sqlite = if refused {
        "CREATE TRIGGER refused BEFORE INSERT ON events \
         BEGIN SELECT RAISE(ABORT, 'no event'); END"
    } else {
        "DROP TRIGGER refused"
    };
    ledger.run(ledger.by_kind(postgres, sqlite)).await;
}

/// A request, with the session that sends it, if any.
type Act<'a> = (Option<&'a TestResponse>, Method, String, Value);

async fn send(client: &Client, (who, method, path, body): &Act<'_>) -> TestResponse {
    let mut request = client.request(method.clone(), &format!("/v1/{path}"));
    if *body != json!({}) {
        request = request.json(body);
    }
    if let Some(who) = who {
        request = request.bearer_auth(who.access());
    }
    client.send(request).await
}

#[expect(clippy::too_many_lines, reason = "one line for each act")]
async fn inv12_nothing_is_changed_where_the_event_cannot_be_written(kind: Database) {
    let Some(post) = Post::start(kind, &[]).await else { return };
    let Some(ledger) = Ledger::open(&post.database).await else { return };
    let (client, ada) = (&post.client, address("ada"));
    let create = ["user", "create", "--username", "root-of-all", "--email", "root@example.org"];
    post.command(&[create.as_slice(), &["--admin", "--password-stdin"]].concat());
    let root = post.login("root-of-all", PASSWORD).await;
    let pair = client.begin("ada").await;
    let other = post.login("ada", PASSWORD).await;
    let spent = post.login("ada", PASSWORD).await;
    let next = client.refresh(spent.refresh_token(), None).await;
    assert_eq!(client.refresh(next.refresh_token(), None).await.status, 200);
    let confirm = token(&post.email(&ada, subject::CONFIRM).await);
    let reset = token(&post.forgot(&ada, 0).await);
    assert_eq!(post.change(&pair, &address("new")).await.status, 202);
    let undo = token(&post.email(&ada, subject::UNDO).await);
    let body = json!({"username": "eve", "email": address("eve")});
    assert_eq!(post.say_as(&root, "users", body).await.status, 201);
    let invitation = "You have been invited to Gateward";
    let invited = token(&post.email(&address("eve"), invitation).await);
    let role = json!({"permissions": ["users:read"]});
    let put = (Some(&root), Method::PUT, "roles/support".to_owned(), role.clone());
    assert!(send(client, &put).await.status.is_success());
    post.wait_until_sent().await;

    let id = pair.body["user"]["id"].as_str().unwrap();
    let user = |rest: &str| format!("users/{id}{rest}");
    let (session, own) = (other.text_of("session_id"), Some(&pair));
    let admin = Some(&root);
    let login = |password: &str| json!({"identifier": "ada", "password": password});
    let signup = json!({"username": "cyd", "email": address("cyd"), "password": PASSWORD});
    let passwords = json!({"current_password": PASSWORD, "new_password": OTHER});
    let mail = json!({"new_email": address("third"), "password": PASSWORD});
    let invite = json!({"username": "dan", "email": address("dan")});
    let (post_, delete) = (Method::POST, Method::DELETE);
    let act = |who, method: &Method, path: &str, body| (who, method.clone(), path.to_owned(), body);
    let none = json!({});
    let acts: Vec<Act<'_>> = vec![
        act(None, &post_, "signup", signup),
        act(None, &post_, "login", login(PASSWORD)),
        act(None, &post_, "refresh", json!({"refresh_token": spent.refresh_token()})),
        act(None, &post_, "logout", json!({"refresh_token": other.refresh_token()})),
        act(own, &post_, "logout-all", none.clone()),
        act(own, &delete, &format!("me/sessions/{session}"), none.clone()),
        act(own, &post_, "me/reauthenticate", json!({"password": PASSWORD})),
        act(own, &Method::PATCH, "me", json!({"username": "ada-2"})),
        act(own, &post_, "me/password", passwords),
        act(own, &post_, "me/email", mail),
        act(own, &delete, "me", json!({"password": PASSWORD})),
        act(own, &post_, "email/confirm", json!({"token": confirm})),
        act(None, &post_, "email/undo", json!({"token": undo})),
        act(None, &post_, "password/reset", json!({"token": reset, "new_password": OTHER})),
        act(None, &post_, "invitation/accept", json!({"token": invited, "password": OTHER})),
        act(admin, &post_, "users", invite),
        act(admin, &Method::PATCH, &user(""), json!({"username": "ada-2"})),
        act(admin, &Method::PUT, &user("/roles"), json!({"roles": ["support"]})),
        act(admin, &post_, &user("/disable"), none.clone()),
        act(admin, &post_, &user("/reset-password"), none.clone()),
        act(admin, &delete, &user(&format!("/sessions/{session}")), none.clone()),
        act(admin, &delete, &user("/sessions"), none.clone()),
        act(admin, &delete, &user(""), none.clone()),
        act(admin, &Method::PUT, "roles/other", role.clone()),
        act(admin, &Method::PUT, "roles/support", json!({"permissions": ["roles:read"]})),
        act(admin, &delete, "roles/support", none.clone()),
    ];
    ledger.until_chained().await;
    refuse(&ledger, true).await;
    let before = all(&ledger).await;
    for act in &acts {
        let response = send(client, act).await;
        assert!(response.status.is_server_error(), "{} {}: {response:?}", act.1, act.2);
        response.is_problem();
        let after = all(&ledger).await;
        for ((table, before), after) in TABLES.iter().zip(&before).zip(&after) {
            assert_eq!(before, after, "{} {}: {table}", act.1, act.2);
        }
    }
    // A failure stays a failure, even if it cannot be recorded.
    assert!(!client.login("ada", OTHER).await.status.is_success());
    refuse(&ledger, false).await;
    for pair in [&pair, &other, &root] {
        assert_eq!(client.me(pair.access()).await.status, 200);
    }
    assert!(send(client, &acts[18]).await.status.is_success(), "{:?}", acts[18]);
    ledger.until_chained().await;
    is_whole(&post.plan);
}
