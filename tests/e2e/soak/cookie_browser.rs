//! The cookie transport in Chromium: our own pages, those of listed origins, and all others.

mod fixture;
mod site;
mod strangers;

use gateward_e2e::{Database, on_sqlite};
use serde_json::json;

use crate::support::cookie_jar::{ACCESS, CSRF, DEVICE, REFRESH};
use fixture::BrowserFixture;

on_sqlite!(
    s8_a_page_of_ours_lives_by_cookies_that_it_cannot_read,
    w4_a_page_of_a_listed_origin_lives_by_cookies,
);

/// Row S8 and rows 3.3.1 to 3.3.4.
async fn s8_a_page_of_ours_lives_by_cookies_that_it_cannot_read(kind: Database) {
    let Some(fixture) = BrowserFixture::new(kind, "Lax").await else { return };
    fixture.open_own().await;
    lives_by_cookies(&fixture, "Lax").await;
}

async fn w4_a_page_of_a_listed_origin_lives_by_cookies(kind: Database) {
    let Some(fixture) = BrowserFixture::new(kind, "Strict").await else { return };
    // Another port is another origin, and the same site.
    fixture.browser.goto(&format!("https://localhost:{}/", fixture.listed)).await;
    lives_by_cookies(&fixture, "Strict").await;
}

/// From the login to the logout, by `fetch` from the open page.
async fn lives_by_cookies(fixture: &BrowserFixture, same_site: &str) {
    let login = fixture.login("ada").await.is(200);
    let csrf = login.body["csrf_token"].as_str().unwrap().to_owned();
    assert_eq!(login.body["user"]["username"], "ada");
    are_kept(fixture, same_site).await;
    // Cookies are shared between ports; those of another host are invisible.
    let seen = fixture.seen().await;
    let foreign = fixture.browser.url().await.contains("app.test");
    let wanted = (!foreign).then(|| (CSRF.to_owned(), csrf.clone()));
    assert_eq!(seen, wanted.into_iter().collect(), "what scripts of the page see");

    let me = fixture.ask("GET", "/v1/me", None).await.is(200);
    assert_eq!(me.body["username"], "ada");
    let before = fixture.kept().await;
    let refused = fixture.ask("POST", "/v1/refresh", None).await.is(403);
    assert_eq!(refused.body["code"], "csrf_failed");
    assert_eq!(fixture.kept().await, before, "a refusal leaves the cookies alone");
    let refreshed = fixture.ask("POST", "/v1/refresh", Some(&csrf)).await.is(200);
    assert_eq!(refreshed.body["csrf_token"], csrf);
    assert_eq!(refreshed.body["session_id"], login.body["session_id"]);
    let after = fixture.kept().await;
    assert!([ACCESS, REFRESH].iter().all(|name| after[*name]["value"] != before[*name]["value"]));
    are_kept(fixture, same_site).await;
    for response in [&login, &refreshed] {
        for cookies in [&before, &after] {
            for name in [ACCESS, REFRESH, DEVICE] {
                assert!(
                    !response.text.contains(cookies[name]["value"].as_str().unwrap()),
                    "{name}"
                );
            }
        }
    }

    for path in ["/v1/logout-all", "/v1/logout"] {
        for token in [None, Some("x")] {
            let refused = fixture.ask("POST", path, token).await.is(403);
            assert_eq!(refused.body["code"], "csrf_failed", "{path}");
        }
    }
    fixture.ask("GET", "/v1/me", None).await.is(200);
    let init = json!({
        "method": "POST", "credentials": "include", "body": "{\"except_current\":true}",
        "headers": {"Content-Type": "application/json", "X-CSRF-Token": csrf},
    });
    fixture.fetch("/v1/logout-all", init).await.is(204);
    fixture.ask("GET", "/v1/me", None).await.is(200);

    fixture.ask("POST", "/v1/logout", Some(&csrf)).await.is(204);
    assert_eq!(fixture.kept().await.into_keys().collect::<Vec<_>>(), [DEVICE]);
    assert!(fixture.seen().await.is_empty());
    let refused = fixture.ask("GET", "/v1/me", None).await.is(401);
    assert_eq!(refused.body["code"], "missing_token");
}

/// Asserts that the browser keeps the four cookies, each with its flags.
async fn are_kept(fixture: &BrowserFixture, same_site: &str) {
    let kept = fixture.kept().await;
    assert_eq!(kept.keys().collect::<Vec<_>>(), [ACCESS, CSRF, DEVICE, REFRESH]);
    for (name, cookie) in kept {
        let path = if name == REFRESH { "/v1/refresh" } else { "/" };
        let wanted = json!(["localhost", path, name != CSRF, true, same_site, false]);
        let found = ["domain", "path", "httpOnly", "secure", "sameSite", "session"];
        assert_eq!(json!(found.map(|flag| &cookie[flag])), wanted, "{cookie}");
    }
}
