//! Tests of reading the audit trail.

use actix_web::http::StatusCode;
use serde_json::{Value, json};

use super::fixture::{send_as, send_json_as};
use crate::testing::TestApp;

/// The names of the events of a page.
fn names(page: &Value) -> Vec<String> {
    let items = page["items"].as_array().unwrap_or_else(|| panic!("{page}"));
    items.iter().map(|item| item["event"].as_str().unwrap().to_owned()).collect()
}

#[actix_web::test]
async fn an_event_tells_what_was_done_by_whom_to_whom_and_how_it_ended() {
    let test_app = TestApp::empty().await;
    let root = test_app.admin("root-1").await;
    let ada = test_app.user("ada").await;
    test_app.clock.advance_seconds(1);
    let path = format!("/users/{}/roles", ada.user_id);
    let response =
        send_json_as(&test_app, &root, ("PUT", &path), json!({ "roles": ["admin"] })).await;
    assert_eq!(response.status, StatusCode::OK, "{}", response.text);
    let page = send_as(&test_app, &root, "GET", "/audit?event=roles_changed").await.json();
    let mut event = page["items"][0].clone();
    assert!(event.as_object_mut().unwrap().remove("id").is_some());
    let expected = json!({
        "at": "2026-11-20T04:10:01Z",
        "event": "roles_changed",
        "outcome": "success",
        "actor": { "kind": "user", "id": root.user_id, "session_id": root.session_id },
        "user_id": ada.user_id,
        "detail": "roles=admin,user before=user",
    });
    assert_eq!(event, expected);
    assert_eq!(page["items"].as_array().unwrap().len(), 1);

    // The accounts were created on the command line.
    let page = send_as(&test_app, &root, "GET", "/audit?event=account_created").await.json();
    assert_eq!(page["items"][0]["actor"], json!({ "kind": "operator" }));
}

/// Row 16.3.2: denied requests are audited.
#[actix_web::test]
async fn a16_3_2_what_was_not_permitted_is_in_the_trail() {
    let test_app = TestApp::empty().await;
    let root = test_app.admin("root-1").await;
    let ada = test_app.user("ada").await;
    assert_eq!(send_as(&test_app, &ada, "GET", "/users").await.status, StatusCode::FORBIDDEN);
    let path = format!("/audit?actor={}&event=access_denied", ada.user_id);
    let page = send_as(&test_app, &root, "GET", &path).await.json();
    assert_eq!(names(&page), ["access_denied"]);
    let event = &page["items"][0];
    assert_eq!((&event["outcome"], &event["detail"]), (&json!("failure"), &json!("users:read")));
    assert_eq!(event["actor"]["session_id"], ada.session_id.as_str());
}

#[actix_web::test]
async fn the_pages_hold_each_wanted_event_once_the_newest_first() {
    let test_app = TestApp::empty().await;
    let root = test_app.admin("root-1").await;
    let ada = test_app.user("ada").await;
    for what in ["disable", "enable", "disable", "enable"] {
        test_app.clock.advance_seconds(1);
        let path = format!("/users/{}/{what}", ada.user_id);
        assert_eq!(send_as(&test_app, &root, "POST", &path).await.status, StatusCode::OK);
    }
    let (on, off) = ("account_enabled", "account_disabled");
    let (ada, root_id) = (ada.user_id.as_str(), root.user_id.as_str());
    let ends = "&event=sessions_ended";
    for (query, wanted) in [
        (format!("&subject={ada}&event={on}"), &[on, on][..]),
        (format!("&actor={root_id}&from=2026-11-20T04:10:02Z"), &[on, off, on]),
        (format!("&actor={root_id}&to=2026-11-20T04:10:02Z{ends}"), &["sessions_ended"]),
        (format!("&subject={ada}&from=2026-11-20T05:10:03%2B01:00"), &[on, off]),
        (format!("&actor={ada}&event={on}"), &[]),
        ("&from=2027-01-01T00:00:00Z".to_owned(), &[]),
        ("&to=1969-01-01T00:00:00Z".to_owned(), &[]),
    ] {
        for limit in [1, 2, 100] {
            let (mut seen, mut cursor) = (Vec::new(), String::new());
            loop {
                let path = format!("/audit?limit={limit}{query}{cursor}");
                let page = send_as(&test_app, &root, "GET", &path).await.json();
                seen.extend(names(&page));
                let Some(next) = page["next_cursor"].as_str() else { break };
                cursor = format!("&cursor={next}");
            }
            assert_eq!(seen, wanted, "{query} {limit}");
        }
    }
}

/// Row W11, and invalid filters.
#[actix_web::test]
async fn w11_a_bad_condition_of_the_trail_is_refused_by_its_name() {
    let test_app = TestApp::empty().await;
    let root = test_app.admin("root-1").await;
    let shouted = root.user_id.to_uppercase();
    for (query, field) in [
        ("subject=x".to_owned(), "subject"),
        (format!("subject={shouted}"), "subject"),
        ("actor=operator".to_owned(), "actor"),
        ("event=nothing".to_owned(), "event"),
        ("event=".to_owned(), "event"),
        ("from=yesterday".to_owned(), "from"),
        ("from=2026-11-20T04:10:00".to_owned(), "from"),
        ("to=2026-11-20T04:10:00+01:00".to_owned(), "to"),
        ("cursor=x".to_owned(), "cursor"),
        ("limit=101".to_owned(), "limit"),
        ("user_id=x".to_owned(), "user_id"),
    ] {
        let response = send_as(&test_app, &root, "GET", &format!("/audit?{query}")).await;
        assert_eq!(response.field_errors()[0].0, field, "{query}");
    }
}
