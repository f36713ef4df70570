//! The cookie transport in Chromium: our own pages, those of listed origins, and all others.

mod scene;
mod site;
mod strangers;

use gateward_e2e::{Database, on_both};
use serde_json::json;

use crate::cookies::jar::{ACCESS, CSRF, DEVICE, REFRESH};
use scene::Scene;

on_both!(
    s8_a_page_of_ours_lives_by_cookies_that_it_cannot_read,
    w4_a_page_of_a_listed_origin_lives_by_cookies,
);

/// Row S8 and rows 3.3.1 to 3.3.4.
async fn s8_a_page_of_ours_lives_by_cookies_that_it_cannot_read(kind: Database) {
    let Some(scene) = Scene::new(kind, "Lax").await else { return };
    scene.open_own().await;
    lives_by_cookies(&scene, "Lax").await;
}

async fn w4_a_page_of_a_listed_origin_lives_by_cookies(kind: Database) {
    let Some(scene) = Scene::new(kind, "Strict").await else { return };
    // Another port is another origin, and the same site.
    scene.browser.goto(&format!("https://localhost:{}/", scene.listed)).await;
    lives_by_cookies(&scene, "Strict").await;
}

/// From the login to the logout, by `fetch` from the page that is open.
async fn lives_by_cookies(scene: &Scene, same_site: &str) {
    let login = scene.login("ada").await.is(200);
    let csrf = login.body["csrf_token"].as_str().unwrap().to_owned();
    assert_eq!(login.body["user"]["username"], "ada");
    are_kept(scene, same_site).await;
    // Cookies do not tell ports apart; those of another host are out of sight.
    let seen = scene.seen().await;
    let foreign = scene.browser.url().await.contains("app.test");
    let wanted = (!foreign).then(|| (CSRF.to_owned(), csrf.clone()));
    assert_eq!(seen, wanted.into_iter().collect(), "what scripts of the page see");

    let me = scene.ask("GET", "/v1/me", None).await.is(200);
    assert_eq!(me.body["username"], "ada");
    let before = scene.kept().await;
    let refused = scene.ask("POST", "/v1/refresh", None).await.is(403);
    assert_eq!(refused.body["code"], "csrf_failed");
    assert_eq!(scene.kept().await, before, "a refusal leaves the cookies alone");
    let refreshed = scene.ask("POST", "/v1/refresh", Some(&csrf)).await.is(200);
    assert_eq!(refreshed.body["csrf_token"], csrf);
    assert_eq!(refreshed.body["session_id"], login.body["session_id"]);
    let after = scene.kept().await;
    assert!([ACCESS, REFRESH].iter().all(|name| after[*name]["value"] != before[*name]["value"]));
    are_kept(scene, same_site).await;
    for answer in [&login, &refreshed] {
        for cookies in [&before, &after] {
            for name in [ACCESS, REFRESH, DEVICE] {
                assert!(!answer.text.contains(cookies[name]["value"].as_str().unwrap()), "{name}");
            }
        }
    }

    for path in ["/v1/logout-all", "/v1/logout"] {
        for token in [None, Some("x")] {
            let refused = scene.ask("POST", path, token).await.is(403);
            assert_eq!(refused.body["code"], "csrf_failed", "{path}");
        }
    }
    scene.ask("GET", "/v1/me", None).await.is(200);
    let init = json!({
        "method": "POST", "credentials": "include", "body": "{\"except_current\":true}",
        "headers": {"Content-Type": "application/json", "X-CSRF-Token": csrf},
    });
    scene.fetch("/v1/logout-all", init).await.is(204);
    scene.ask("GET", "/v1/me", None).await.is(200);

    scene.ask("POST", "/v1/logout", Some(&csrf)).await.is(204);
    assert_eq!(scene.kept().await.into_keys().collect::<Vec<_>>(), [DEVICE]);
    assert!(scene.seen().await.is_empty());
    let refused = scene.ask("GET", "/v1/me", None).await.is(401);
    assert_eq!(refused.body["code"], "missing_token");
}

/// Asserts that the browser keeps the four cookies, each with its flags.
async fn are_kept(scene: &Scene, same_site: &str) {
    let kept = scene.kept().await;
    assert_eq!(kept.keys().collect::<Vec<_>>(), [ACCESS, CSRF, DEVICE, REFRESH]);
    for (name, cookie) in kept {
        let path = if name == REFRESH { "/v1/refresh" } else { "/" };
        let wanted = json!(["localhost", path, name != CSRF, true, same_site, false]);
        let found = ["domain", "path", "httpOnly", "secure", "sameSite", "session"];
        assert_eq!(json!(found.map(|flag| &cookie[flag])), wanted, "{cookie}");
    }
}
