//! Tokens at the resource servers that people have: Django, Flask, `PyJWT` and jose.

use gateward_e2e::{Client, Database, PASSWORD, Plan, TestDatabase, claims};
use serde_json::{Value, json};

use super::{expired_tokens, python, run_program};

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn resource_servers_accept_our_tokens_and_refuse_the_others() {
    let Some(python) = python() else { return };
    let (mut nodes, mut contexts, mut common) = (Vec::new(), Vec::new(), Value::Null);
    for algorithm in ["EdDSA", "ES256", "PS256", "RS256"] {
        let database = TestDatabase::new(Database::Sqlite).await;
        let plan = Plan::on(&database)
            .with("keys.algorithm", algorithm)
            .with("dialects.enabled", "simplejwt,flask")
            .with("dialects.user_ids", "integer");
        let Some(expired) = expired_tokens(&plan).await else { return };
        let node = plan.start().await;
        let pair = login(&node.client()).await;
        let read = claims(pair["access_token"].as_str().unwrap());
        let number: i64 = read["user_id"].as_str().unwrap().parse().unwrap();
        common = json!({"issuer": read["iss"], "audience": read["aud"], "user_number": number});
        contexts.push(json!({
            "algorithm": algorithm,
            "url": node.url,
            "access": pair["access_token"],
            "refresh": pair["refresh_token"],
            "expired_access": expired["access"],
        }));
        nodes.push((node, database));
    }
    common["nodes"] = contexts.into();
    run_program(&python, &["tests/dialects/verifiers/run.py"], &common);
}

async fn login(client: &Client) -> Value {
    let reply = client.login("ada", PASSWORD).await;
    assert_eq!(reply.status, 200, "{reply:?}");
    reply.body
}
