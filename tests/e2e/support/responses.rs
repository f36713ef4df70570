//! What holds for responses of any kind.

use gateward_e2e::TestResponse;
use reqwest::header::HeaderMap;
use serde_json::json;

/// Asserts that two responses are equal, except for identifiers of the request.
#[track_caller]
pub(crate) fn are_alike(one: &TestResponse, other: &TestResponse) {
    let bare = |response: &TestResponse| {
        let mut body = response.body.clone();
        for member in ["request_id", "signup_id"] {
            if body.get(member).is_some() {
                body[member] = json!(body[member].as_str().map(str::len));
            }
        }
        let mut headers: Vec<String> = response.headers.keys().map(ToString::to_string).collect();
        headers.sort();
        (response.status, body, headers, response.text.len())
    };
    assert_eq!(bare(one), bare(other));
}

/// Asserts that a response has the headers common to all responses.
#[track_caller]
pub(crate) fn are_safe(headers: &HeaderMap, is_https: bool) {
    let all = |name: &str| -> Vec<&str> {
        headers.get_all(name).iter().map(|value| value.to_str().unwrap()).collect()
    };
    assert_eq!(all("x-content-type-options"), ["nosniff"], "{headers:?}");
    assert_eq!(all("referrer-policy"), ["no-referrer"], "{headers:?}");
    assert_eq!(all("cross-origin-resource-policy"), ["same-origin"], "{headers:?}");
    let policies = all("content-security-policy");
    assert_eq!(policies.len(), 1, "{headers:?}");
    for part in ["default-src 'none'", "base-uri 'none'", "frame-ancestors 'none'"] {
        assert!(policies[0].contains(part), "{headers:?}");
    }
    assert!(!policies[0].contains("http"), "nothing comes from elsewhere: {headers:?}");
    let hsts: &[&str] = if is_https { &["max-age=31536000; includeSubDomains"] } else { &[] };
    assert_eq!(all("strict-transport-security"), hsts, "{headers:?}");
    assert_eq!(all("x-request-id").len(), 1, "{headers:?}");
    assert_eq!(all("cache-control").len(), 1, "{headers:?}");
    for name in ["server", "x-powered-by", "via", "location"] {
        assert_eq!(all(name), [""; 0], "{headers:?}");
    }
}
