//! What the trail keeps of a deleted account.

use gateward_e2e::{Client, Database, PASSWORD, Plan, TestDatabase, TestResponse, on_both, run};
use reqwest::Method;
use reqwest::header::{HeaderMap, HeaderValue};
use serde_json::Value;

use super::ledger::{Ledger, export, is_whole, verify};
use crate::support::commands::{create, said};

on_both!(s6_a_deleted_account_leaves_no_address_in_the_trail_and_the_chain_is_whole);

/// A user, and the IP address they use.
const ADA: (&str, &str) = ("ada", "203.0.113.1");
const CYD: (&str, &str) = ("cyd", "2001:db8::2");
const DAN: (&str, &str) = ("dan", "203.0.113.3");
const EVE: (&str, &str) = ("eve", "203.0.113.4");
const ROOT: (&str, &str) = ("root-of-all", "203.0.113.5");

/// A client behind a proxy, with this IP address.
fn from(url: &str, address: &str) -> Client {
    let mut headers = HeaderMap::new();
    headers.insert("x-forwarded-for", HeaderValue::from_str(address).unwrap());
    let http = reqwest::Client::builder().no_proxy().default_headers(headers);
    Client { http: http.build().unwrap(), url: url.to_owned() }
}

/// Creates an account and uses it.
async fn live(url: &str, (name, address): (&str, &str)) -> (Client, TestResponse) {
    let client = from(url, address);
    let pair = client.begin(name).await;
    client.login(name, "a wrong password").await.is(401, "invalid_credentials");
    let other = client.login(name, PASSWORD).await;
    assert_eq!(client.logout(other.refresh_token()).await.status, 204);
    (client, pair)
}

async fn act(client: &Client, who: &TestResponse, method: Method, path: &str) {
    let response = client.send(client.request(method, path).bearer_auth(who.access())).await;
    assert!(response.status.is_success(), "{path}: {response:?}");
}

/// How many events contain an IP address.
async fn count(ledger: &Ledger, address: &str) -> i64 {
    ledger.number(&format!("SELECT count(*) FROM events WHERE ip LIKE '{address}%'")).await
}

/// Row S6: its owner, an administrator or an operator deletes it. Another actor that still exists
/// keeps their own IP address.
async fn s6_a_deleted_account_leaves_no_address_in_the_trail_and_the_chain_is_whole(
    kind: Database,
) {
    let database = TestDatabase::new(kind).await;
    let plan = Plan::on(&database).with("http.trusted_proxies", "127.0.0.1");
    let Some(ledger) = Ledger::open(&database).await else { return };
    said(&create(&plan, (ROOT.0, "root@example.org"), PASSWORD));
    let mut node = plan.serve().await;
    let root = from(&node.url, ROOT.1);
    let admin = root.login(ROOT.0, PASSWORD).await;
    let mut people = Vec::new();
    for who in [ADA, CYD, DAN, EVE] {
        people.push(live(&node.url, who).await);
    }
    let [ada, cyd, dan, eve] = people.try_into().ok().unwrap();
    let id =
        |(_, pair): &(Client, TestResponse)| pair.body["user"]["id"].as_str().unwrap().to_owned();

    // Ada is an administrator: her actions on Eve record her IP address, which is erased with her
    // account.
    said(&run(&plan, &["user", "grant", "ada", "admin"], ""));
    let ada_again = ada.0.login("ada", PASSWORD).await;
    ada.0.until_role(ada_again.access(), "admin").await;
    for what in ["disable", "enable"] {
        act(&ada.0, &ada_again, Method::POST, &format!("/v1/users/{}/{what}", id(&eve))).await;
    }
    for who in [ADA, CYD, DAN, EVE, ROOT] {
        assert!(count(&ledger, who.1).await > 0, "{who:?}");
    }
    act(&ada.0, &ada_again, Method::DELETE, "/v1/me").await;
    act(&root, &admin, Method::DELETE, &format!("/v1/users/{}", id(&cyd))).await;
    said(&run(&plan, &["user", "delete", "dan", "--yes"], ""));
    is_whole(&plan);

    // A node cleans up when it starts.
    node.stop().await;
    let node = plan.serve().await;
    ledger.until_none("SELECT count(*) FROM erasures").await;
    ledger.until_chained().await;
    for who in [ADA, CYD, DAN] {
        assert_eq!(count(&ledger, who.1).await, 0, "{who:?}");
    }
    let verdict = is_whole(&plan);
    let entries = export(&plan);
    let gone = [id(&ada), id(&cyd), id(&dan)];
    is_erased(&entries, &gone);
    let of = |name: &str, who: &str| {
        let is_it = |entry: &&Value| entry["event"] == name && entry["user_id"] == who;
        entries.iter().filter(is_it).collect::<Vec<_>>()
    };
    for gone in &gone {
        assert_eq!((of("account_deleted", gone).len(), of("events_erased", gone).len()), (1, 1));
    }
    assert_eq!(of("account_deleted", &gone[1])[0]["ip"], ROOT.1, "who did it is still there");
    assert!(of("login_failed", &id(&eve)).iter().all(|entry| entry["ip"] == EVE.1));

    // Only the service may erase. Nothing has asked for the erasure of Eve.
    drop(node);
    let victim = of("login_failed", &id(&eve))[0]["seq"].as_i64().unwrap();
    let sql = format!("UPDATE events SET ip = NULL, salt = NULL WHERE seq = {victim}");
    ledger.run(&sql).await;
    let found = format!("entry {victim} was erased, but account {} was not deleted", id(&eve));
    let expected = verify(&plan, &["--expect", &verdict.checkpoint]);
    assert_eq!(expected.findings, [found]);
}

/// Asserts that no entry by one of them, or about one of them by an unknown actor, contains
/// personal data.
#[track_caller]
fn is_erased(entries: &[Value], gone: &[String]) {
    let is_gone = |id: &Value| gone.iter().any(|gone| id == gone);
    let mut count = 0;
    for entry in entries {
        let about = entry["actor_id"].is_null() && is_gone(&entry["user_id"]);
        if (is_gone(&entry["actor_id"]) || about) && entry["event"] != "events_erased" {
            assert_eq!((&entry["ip"], &entry["salt"]), (&Value::Null, &Value::Null), "{entry}");
            count += 1;
        }
    }
    assert!(count >= 3 * 5, "{count}");
}
