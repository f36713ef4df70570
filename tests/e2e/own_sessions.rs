//! Your own sessions: listing them, ending them, and their limit. Rows S3, S4 and S7.

use std::collections::BTreeSet;
use std::time::Duration;

use gateward_e2e::{Client, Database, PASSWORD, TestResponse, on_both};
use reqwest::Method;
use serde_json::{Value, json};

use crate::support::pair::{Pair, together};

on_both!(
    a7_5_2_the_list_shows_each_active_session_once,
    s3_ending_another_session_ends_it_on_every_node,
    s4_another_users_session_is_as_if_it_were_not_there,
    a7_5_2_ending_another_session_wants_a_recent_password,
    s7_parallel_logins_do_not_pass_the_cap,
);

async fn login(client: &Client, name: &str) -> TestResponse {
    let response = client.login(name, PASSWORD).await;
    assert_eq!(response.status, 200, "{response:?}");
    response
}

/// A page of the list.
async fn page(client: &Client, access: &str, query: &str) -> TestResponse {
    let path = format!("/v1/me/sessions{query}");
    client.send(client.request(Method::GET, &path).bearer_auth(access)).await
}

/// The sessions of a page, and the cursor of the next page.
fn items(page: &TestResponse) -> (Vec<Value>, Option<String>) {
    assert_eq!(page.status, 200, "{page:?}");
    assert_eq!(page.header("cache-control"), Some("no-store"));
    let next = page.body["next_cursor"].as_str().map(ToOwned::to_owned);
    (page.body["items"].as_array().unwrap().clone(), next)
}

fn ids(items: &[Value]) -> Vec<&str> {
    items.iter().map(|item| item["id"].as_str().unwrap()).collect()
}

async fn end(client: &Client, access: &str, id: &str) -> TestResponse {
    let path = format!("/v1/me/sessions/{id}");
    client.send(client.request(Method::DELETE, &path).bearer_auth(access)).await
}

/// Row 7.5.2: by pages, with the fields that identify a session.
async fn a7_5_2_the_list_shows_each_active_session_once(kind: Database) {
    let pair = Pair::start(kind, &[]).await;
    let [one, other] = pair.clients();
    let first = one.begin("ada").await;
    one.begin("bob").await;
    let mut started = vec![first.text_of("session_id").to_owned()];
    for number in 0..6 {
        let body = json!({
            "identifier": "ada", "password": PASSWORD, "client_name": format!("Phone {number}"),
        });
        let client = [&other, &one][number % 2];
        let request = client.post("/v1/login", &body).header("user-agent", "Notes/1.0");
        let response = client.send(request).await;
        assert_eq!(response.status, 200, "{response:?}");
        started.push(response.text_of("session_id").to_owned());
    }
    let next = other.refresh(first.refresh_token(), None).await;
    let gone = login(&one, "ada").await;
    assert_eq!(other.logout(gone.refresh_token()).await.status, 204);
    pair.has_ended("logout", &[&gone]).await;

    for client in [&one, &other] {
        let (all, end) = items(&page(client, next.access(), "").await);
        assert_eq!((ids(&all), end), (started.iter().map(String::as_str).collect(), None));
        let (pages, sizes) = by_pages(client, next.access(), 3).await;
        assert_eq!((&pages, sizes), (&all, vec![3, 3, 1]));
        for (number, item) in all.iter().enumerate() {
            assert_eq!(item.as_object().unwrap().len(), 9, "{item}");
            assert!(item["created_at"].as_str() <= item["last_used_at"].as_str());
            assert!(item["last_used_at"].as_str() < item["expires_at"].as_str());
            assert_eq!(item["ip"], "127.0.0.1");
            let is_first = number == 0;
            assert_eq!(item["current"], is_first, "{item}");
            assert_eq!(item["refreshes"], i32::from(is_first), "{item}");
            let names = (&item["client_name"], &item["user_agent"]);
            let phone = format!("Phone {}", number.saturating_sub(1));
            let expected = if is_first {
                [Value::Null, Value::Null]
            } else {
                [json!(phone), json!("Notes/1.0")]
            };
            assert_eq!(names, (&expected[0], &expected[1]));
        }
        for query in ["limit=0", "limit=101", "limit=x", "cursor=x", "cursor=", "offset=3"] {
            let refused = page(client, next.access(), &format!("?{query}")).await;
            refused.is(422, "validation_failed");
            assert_eq!(refused.fields(), [query.split('=').next().unwrap()]);
        }
        client.get("/v1/me/sessions").await.is(401, "missing_token");
        page(client, gone.access(), "").await.is(401, "session_ended");
    }
}

/// All sessions, read page by page, and how many each page had.
async fn by_pages(client: &Client, access: &str, limit: u32) -> (Vec<Value>, Vec<usize>) {
    let (mut found, mut sizes) = (Vec::new(), Vec::new());
    let mut query = format!("?limit={limit}");
    loop {
        let (part, cursor) = items(&page(client, access, &query).await);
        sizes.push(part.len());
        found.extend(part);
        let Some(cursor) = cursor else { return (found, sizes) };
        query = format!("?limit={limit}&cursor={cursor}");
    }
}

/// Row S3: one by one, including the current one. A repeat is idempotent.
async fn s3_ending_another_session_ends_it_on_every_node(kind: Database) {
    let pair = Pair::start(kind, &[]).await;
    let [one, other] = pair.clients();
    let own = one.begin("ada").await;
    let (lost, kept) = (login(&other, "ada").await, login(&one, "ada").await);
    let next = other.refresh(lost.refresh_token(), Some("a-key")).await;
    pair.is_alive(&next).await;

    for _ in 0..2 {
        let done = end(&one, own.access(), lost.text_of("session_id")).await;
        assert_eq!(done.status, 204, "{done:?}");
        // The node that ended it knows before it responds.
        one.me(next.access()).await.is(401, "session_ended");
        pair.has_ended("ended_by_user", &[&lost, &next]).await;
    }
    other.refresh(lost.refresh_token(), Some("a-key")).await.is(401, "session_ended");
    pair.is_alive(&own).await;
    pair.is_alive(&kept).await;
    assert_eq!(other.refresh(kept.refresh_token(), None).await.status, 200);
    let (left, _) = items(&page(&other, own.access(), "").await);
    assert_eq!(ids(&left), [own.text_of("session_id"), kept.text_of("session_id")]);

    let done = end(&other, own.access(), own.text_of("session_id")).await;
    assert_eq!(done.status, 204, "{done:?}");
    other.me(own.access()).await.is(401, "session_ended");
    pair.has_ended("ended_by_user", &[&own]).await;
    pair.is_alive(&kept).await;
}

/// Row S4: the identifier of another user's session reveals nothing and has no effect, in any
/// spelling. The response is the same as for an unknown session.
async fn s4_another_users_session_is_as_if_it_were_not_there(kind: Database) {
    let pair = Pair::start(kind, &[]).await;
    let [one, other] = pair.clients();
    let ada = one.begin("ada").await;
    let mallory = other.begin("mallory").await;
    let id = ada.text_of("session_id");
    let unknown = end(&one, mallory.access(), "01a1f7c4-3276-7a3b-8f45-007bd2598b92").await;
    unknown.is(404, "not_found");
    let ways = [
        id.to_owned(),
        id.to_uppercase(),
        format!("%20{id}"),
        format!("{id}%20"),
        format!("{id}%00"),
        format!("{{{id}}}"),
        format!("urn:uuid:{id}"),
        id.replace('-', ""),
        format!("0{id}"),
        format!("{id}0"),
        format!("{id}%0a"),
    ];
    for way in &ways {
        for client in [&one, &other] {
            let refused = end(client, mallory.access(), way).await;
            refused.is(404, "not_found");
            assert_eq!(refused.body["detail"], unknown.body["detail"], "{way}");
            assert!(!refused.text.contains("ada@"), "{refused:?}");
            // Nor does Ada end her own with another spelling than that of the list.
            if *way != id {
                end(client, ada.access(), way).await.is(404, "not_found");
            }
        }
    }
    let (sessions, _) = items(&page(&one, mallory.access(), "").await);
    assert_eq!(ids(&sessions), [mallory.text_of("session_id")]);
    let foreign = format!("/v1/sessions/{id}/explain");
    let explained =
        one.send(one.request(Method::GET, &foreign).bearer_auth(mallory.access())).await;
    explained.is(403, "forbidden");
    pair.is_alive(&ada).await;
    assert_eq!(other.refresh(ada.refresh_token(), None).await.status, 200);
}

/// Row 7.5.2: an unattended screen cannot be used to end the owner's other sessions.
async fn a7_5_2_ending_another_session_wants_a_recent_password(kind: Database) {
    let pair = Pair::start(kind, &[("tokens.reauthentication_seconds", "2")]).await;
    let [one, other] = pair.clients();
    let own = one.begin("ada").await;
    let lost = login(&other, "ada").await;
    tokio::time::sleep(Duration::from_millis(3_100)).await;

    let refused = end(&one, own.access(), lost.text_of("session_id")).await;
    refused.is(403, "reauthentication_required");
    // A refresh does not confirm the password.
    let next = other.refresh(own.refresh_token(), None).await;
    end(&other, next.access(), lost.text_of("session_id"))
        .await
        .is(403, "reauthentication_required");
    // An unknown session needs no password, and the response reveals nothing.
    let unknown = end(&one, own.access(), "01a1f7c4-3276-7a3b-8f45-007bd2598b92").await;
    unknown.is(403, "reauthentication_required");
    pair.is_alive(&lost).await;

    let body = json!({"password": PASSWORD});
    let again = other.post_as(next.access(), "/v1/me/reauthenticate", &body).await;
    assert_eq!(again.status, 200, "{again:?}");
    let done = end(&other, again.access(), lost.text_of("session_id")).await;
    assert_eq!(done.status, 204, "{done:?}");
    pair.has_ended("ended_by_user", &[&lost]).await;
    // Your own session needs none, as a logout needs none.
    tokio::time::sleep(Duration::from_millis(3_100)).await;
    let done = end(&one, next.access(), own.text_of("session_id")).await;
    assert_eq!(done.status, 204, "{done:?}");
    pair.has_ended("ended_by_user", &[&own, &next]).await;
}

/// Row S7: never more active sessions than the cap, at any moment. The oldest one ends first.
async fn s7_parallel_logins_do_not_pass_the_cap(kind: Database) {
    const CAP: usize = 3;
    let pair = Pair::start(kind, &[("tokens.sessions_per_user_max", "3")]).await;
    let clients = pair.clients();
    let bob = clients[0].begin("bob").await;
    let oldest = clients[0].begin("ada").await;
    let callers: Vec<Client> = (0..24).map(|number| clients[number % 2].clone()).collect();
    let logins = callers.into_iter().map(async |client: Client| login(&client, "ada").await);
    let logins = tokio::spawn(together(logins));
    // A session of hers that outlives the race watches: the oldest may end at any time.
    let mut looks = 0;
    while !logins.is_finished() {
        let fresh = login(&clients[looks % 2], "ada").await;
        let seen = page(&clients[(looks + 1) % 2], fresh.access(), "").await;
        if seen.status == 200 {
            let (alive, _) = items(&seen);
            assert!(alive.len() <= CAP, "{} are alive", alive.len());
        }
        looks += 1;
    }
    let started = logins.await.unwrap();
    assert!(looks > 0 && started.len() == 24);

    let last = login(&clients[0], "ada").await;
    let (alive, _) = items(&page(&clients[1], last.access(), "").await);
    assert_eq!(alive.len(), CAP);
    let alive: BTreeSet<&str> = ids(&alive).into_iter().collect();
    assert!(alive.contains(last.text_of("session_id")));
    let over: Vec<&TestResponse> = started
        .iter()
        .chain([&oldest])
        .filter(|it| !alive.contains(it.text_of("session_id")))
        .collect();
    assert!(over.len() >= 22);
    pair.has_ended("session_limit", &over).await;
    pair.is_alive(&last).await;
    // Every user has a separate cap.
    pair.is_alive(&bob).await;

    // One by one, the oldest ends.
    let fresh = [
        login(&clients[0], "ada").await,
        login(&clients[1], "ada").await,
        login(&clients[0], "ada").await,
    ];
    pair.has_ended("session_limit", &[&last]).await;
    for session in &fresh {
        pair.is_alive(session).await;
    }
    let fourth = login(&clients[1], "ada").await;
    pair.has_ended("session_limit", &[&fresh[0]]).await;
    for session in [&fresh[1], &fresh[2], &fourth] {
        pair.is_alive(session).await;
    }
}
