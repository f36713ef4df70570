//! The application's routes and Gateward's coexist, and neither affects the other's.
#![expect(
    clippy::indexing_slicing,
    clippy::unwrap_used,
    reason = "a test fails by a panic, in its helpers too"
)]

use std::time::Duration;

use actix_web::App;
use actix_web::http::header::{AUTHORIZATION, CONTENT_TYPE, HOST, HeaderMap};
use actix_web::http::{Method, StatusCode};
use actix_web::test::{TestRequest, call_service, init_service, read_body};
use actix_web::web::Data;
use gateward_example_mounted::{Notes, auth, configure};
use gateward_node::Node;
use serde_json::{Value, json};
use tempfile::{TempDir, tempdir};

const URL: &str = "http://127.0.0.1:8090";

/// The application's parts, in a folder that is deleted at the end of the test.
struct TestServer {
    node: Node,
    notes: Data<Notes>,
    folder: TempDir,
}

/// A completely read response.
struct TestResponse {
    status: StatusCode,
    headers: HeaderMap,
    body: String,
}

impl TestServer {
    async fn new() -> Self {
        let folder = tempdir().unwrap();
        let node = auth::node(folder.path(), URL).await.unwrap();
        Self { node, notes: Data::default(), folder }
    }

    async fn send(&self, request: TestRequest) -> TestResponse {
        let auth = self.node.app();
        let app = App::new().configure(|config| configure(auth, &self.notes, config));
        let response = call_service(&init_service(app).await, request.to_request()).await;
        let (status, headers) = (response.status(), response.headers().clone());
        let body = String::from_utf8(read_body(response).await.to_vec()).unwrap();
        TestResponse { status, headers, body }
    }

    async fn get(&self, path: &str) -> TestResponse {
        self.send(TestRequest::get().uri(path)).await
    }

    async fn get_as(&self, path: &str, token: &str) -> TestResponse {
        let bearer = (AUTHORIZATION, format!("Bearer {token}"));
        self.send(TestRequest::get().uri(path).insert_header(bearer)).await
    }

    async fn post(&self, path: &str, body: Value) -> TestResponse {
        self.send(TestRequest::post().uri(path).set_json(body)).await
    }

    /// Signs up and logs in. Returns the access token.
    async fn sign_in(&self, username: &str) -> String {
        let password = "correct horse battery";
        let email = format!("{username}@example.org");
        let account = json!({ "username": username, "email": email, "password": password });
        assert_eq!(self.post("/v1/signup", account).await.status, StatusCode::CREATED);
        let login = json!({ "username": username, "password": password });
        let reply = self.post("/v1/login", login).await;
        assert_eq!(reply.status, StatusCode::OK);
        reply.json()["access_token"].as_str().unwrap().to_owned()
    }
}

impl TestResponse {
    fn json(&self) -> Value {
        serde_json::from_str(&self.body).unwrap()
    }

    fn content_type(&self) -> &str {
        self.headers.get(CONTENT_TYPE).map_or("", |value| value.to_str().unwrap())
    }

    /// Returns whether Gateward's middleware has processed it.
    fn is_gatewards(&self) -> bool {
        let marks = ["x-request-id", "content-security-policy", "x-content-type-options"];
        let found = marks.iter().filter(|mark| self.headers.contains_key(**mark)).count();
        assert!(found == 0 || found == marks.len(), "touched by half: {:?}", self.headers);
        found > 0
    }
}

#[actix_web::test]
async fn the_teams_routes_stay_its_own() {
    let server = TestServer::new().await;
    let welcome = server.get("/").await;
    assert_eq!(welcome.status, StatusCode::OK);
    assert!(welcome.body.starts_with("Notes."));
    assert!(!welcome.is_gatewards());

    let closed = server.get("/notes").await;
    assert_eq!(closed.status, StatusCode::UNAUTHORIZED);
    assert_eq!(closed.json(), json!({ "error": "sign in first" }));
    assert!(!closed.is_gatewards());
}

#[actix_web::test]
async fn what_nobody_serves_is_answered_by_the_team() {
    let server = TestServer::new().await;
    for path in ["/nowhere", "/v1", "/v1/nowhere", "/.well-known/nothing", "/docs"] {
        let reply = server.get(path).await;
        assert_eq!(reply.status, StatusCode::NOT_FOUND, "{path}");
        assert_eq!(reply.body, "No such page.\n", "{path}");
        assert!(!reply.is_gatewards(), "{path}");
    }
}

#[actix_web::test]
async fn gatewards_routes_work_beside_them() {
    let server = TestServer::new().await;
    let keys = server.get("/.well-known/jwks.json").await;
    assert_eq!(keys.json()["keys"].as_array().unwrap().len(), 1);
    let metadata = server.get("/.well-known/oauth-authorization-server").await;
    assert_eq!(metadata.json()["issuer"], URL);
    let ready = server.get("/health/ready").await;
    let token = server.sign_in("ada").await;
    let me = server.get_as("/v1/me", &token).await;
    assert_eq!(me.json()["username"], "ada");
    for reply in [keys, metadata, ready, me] {
        assert_eq!(reply.status, StatusCode::OK);
        assert!(reply.is_gatewards());
    }
}

#[actix_web::test]
async fn gatewards_errors_are_problem_documents_on_its_own_routes_alone() {
    let server = TestServer::new().await;
    let refused = server.get("/v1/me").await;
    assert_eq!(refused.json()["code"], "missing_token");
    let method = server.send(TestRequest::default().method(Method::PUT).uri("/v1/login")).await;
    assert_eq!(method.json()["code"], "method_not_allowed");
    for reply in [refused, method] {
        assert_eq!(reply.content_type(), "application/problem+json");
        assert!(reply.is_gatewards());
    }

    let token = server.sign_in("ada").await;
    let bearer = (AUTHORIZATION, format!("Bearer {token}"));
    let broken = TestRequest::post().uri("/notes").insert_header(bearer);
    let broken = server.send(broken.set_json(json!({ "txet": "?" }))).await;
    assert_eq!(broken.status, StatusCode::BAD_REQUEST);
    assert!(broken.body.contains("missing field"), "{}", broken.body);
    assert_ne!(broken.content_type(), "application/problem+json");
    assert!(!broken.is_gatewards());
}

#[actix_web::test]
async fn the_teams_handlers_know_who_calls_until_the_session_ends() {
    let server = TestServer::new().await;
    let (ada, bob) = (server.sign_in("ada").await, server.sign_in("bob").await);
    let bearer = (AUTHORIZATION, format!("Bearer {ada}"));
    let note = TestRequest::post().uri("/notes").insert_header(bearer.clone());
    let added = server.send(note.set_json(json!({ "text": "Feed the cat" }))).await;
    assert_eq!(added.status, StatusCode::CREATED);
    let own = server.get_as("/notes", &ada).await.json();
    assert_eq!(own, json!({ "of": "ada", "notes": ["Feed the cat"] }));
    let others = server.get_as("/notes", &bob).await.json();
    assert_eq!(others, json!({ "of": "bob", "notes": [] }));

    let logout = TestRequest::post().uri("/v1/logout").insert_header(bearer);
    assert_eq!(server.send(logout).await.status, StatusCode::NO_CONTENT);
    assert_eq!(server.get_as("/notes", &ada).await.status, StatusCode::UNAUTHORIZED);
    assert_eq!(server.get_as("/notes", &bob).await.status, StatusCode::OK);
}

#[actix_web::test]
async fn tokens_are_good_after_a_restart() {
    let mut server = TestServer::new().await;
    let token = server.sign_in("ada").await;
    server.node = auth::node(server.folder.path(), URL).await.unwrap();
    assert_eq!(server.get_as("/notes", &token).await.status, StatusCode::OK);
}

/// The jobs that a sign-up needs: one delivers the email, one chains the events.
#[actix_web::test]
async fn the_background_jobs_of_the_node_do_their_work() {
    let server = TestServer::new().await;
    server.node.spawn_jobs();
    server.sign_in("ada").await;
    let sent = "gateward_mail_total{outcome=\"sent\"} 1";
    for _ in 0..1000 {
        if server.node.metrics_text().unwrap().contains(sent) {
            break;
        }
        actix_web::rt::time::sleep(Duration::from_millis(10)).await;
    }
    // Only a request that names this machine opens the inbox.
    let inbox = TestRequest::get().uri("/dev/inbox").insert_header((HOST, "127.0.0.1:8090"));
    let inbox = server.send(inbox).await;
    assert_eq!(inbox.status, StatusCode::OK);
    assert!(inbox.body.contains("ada@example.org"), "{}", inbox.body);
    server.node.stop().await;
    let text = server.node.metrics_text().unwrap();
    assert!(text.contains(sent), "{text}");
    assert!(!text.contains("gateward_audit_chained_total 0\n"), "{text}");
    assert_eq!(server.get("/health/ready").await.status, StatusCode::SERVICE_UNAVAILABLE);
}
