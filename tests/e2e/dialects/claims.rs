//! What a dialect adds to tokens and paths, and that nothing is added while none is on.

use gateward_e2e::{Database, Plan, TestDatabase, claims};
use reqwest::Method;
use serde_json::Value;

use super::is_served;

/// The claims of an access token without dialects, in their order.
const PLAIN: [&str; 16] = [
    "iss",
    "sub",
    "aud",
    "exp",
    "iat",
    "nbf",
    "jti",
    "sid",
    "client_id",
    "username",
    "email",
    "email_verified",
    "roles",
    "permissions",
    "auth_time",
    "amr",
];

/// The names of the claims of a new access token, in order, and whether the dialects' paths exist.
async fn observe(settings: &[(&str, &str)]) -> (Vec<String>, Value, [bool; 2]) {
    let database = TestDatabase::new(Database::Sqlite).await;
    let mut plan = Plan::on(&database).with("http.docs", true);
    for (option, value) in settings {
        plan = plan.with(option, value);
    }
    let node = plan.serve().await;
    let client = node.client();
    let pair = client.begin("ada").await;
    let names = claim_names(pair.access());
    let paths = client.get("/openapi.json").await.body["paths"].clone();
    let simplejwt = is_served(&client, Method::POST, "/api/token/").await;
    let flask = is_served(&client, Method::POST, "/login").await;
    assert_eq!(paths.get("/api/token/").is_some(), simplejwt, "the API document says so");
    assert_eq!(paths.get("/login").is_some(), flask, "the API document says so");
    (names, claims(pair.access()), [simplejwt, flask])
}

/// The names of a token's claims as they are encoded.
fn claim_names(token: &str) -> Vec<String> {
    use base64::Engine;
    use base64::engine::general_purpose::URL_SAFE_NO_PAD;
    let payload = URL_SAFE_NO_PAD.decode(token.split('.').nth(1).unwrap()).unwrap();
    let text = String::from_utf8(payload).unwrap();
    let name = regex::Regex::new(r#"[{,]"([a-z_]+)":"#).unwrap();
    name.captures_iter(&text).map(|found| found[1].to_owned()).collect()
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn without_a_dialect_tokens_and_paths_are_as_before() {
    let (names, _, served) = observe(&[]).await;
    assert_eq!(names, PLAIN);
    assert_eq!(served, [false, false]);
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn each_dialect_adds_its_claims_and_its_paths() {
    fn with<'a>(added: &[&'a str]) -> Vec<&'a str> {
        [&PLAIN[..], added].concat()
    }
    let (names, read, served) = observe(&[("dialects.enabled", "simplejwt")]).await;
    assert_eq!(names, with(&["user_id", "token_type"]));
    assert_eq!((&read["user_id"], &read["token_type"]), (&read["sub"], &"access".into()));
    assert_eq!(served, [true, false]);

    let (names, read, served) = observe(&[("dialects.enabled", "flask")]).await;
    assert_eq!(names, with(&["user_id", "type", "fresh", "csrf"]));
    assert_eq!((&read["type"], &read["fresh"]), (&"access".into(), &true.into()));
    assert_eq!(served, [false, true]);

    let integers = [("dialects.enabled", "simplejwt,flask"), ("dialects.user_ids", "integer")];
    let (names, read, served) = observe(&integers).await;
    assert_eq!(names, with(&["user_id", "token_type", "type", "fresh", "csrf"]));
    assert_eq!(read["user_id"], "1");
    assert_eq!(served, [true, true]);
}
