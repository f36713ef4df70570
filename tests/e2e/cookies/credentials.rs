//! Which cookies are credentials, and which are too many.

use gateward_e2e::{Answer, Client, PASSWORD};
use reqwest::Method;
use serde_json::json;

use super::jar::{ACCESS, CSRF, DEVICE, Jar, OWN, REFRESH, login_request, refuses};
use crate::stage::Stage;

/// Sends a request with this line `Cookie`, and the CSRF token of a jar.
async fn send(client: &Client, jar: &Jar, (method, path): (Method, &str), line: &str) -> Answer {
    let request = client.request(method, path).header("cookie", line);
    client.send(request.header("x-csrf-token", jar.get(CSRF))).await
}

/// Asserts that the session is alive, that nothing was refreshed, and that no other began.
async fn is_untouched(client: &Client, jar: &Jar) {
    let answer = client.send(jar.bare(client, Method::GET, "/v1/me/sessions")).await;
    let items = answer.body["items"].as_array().unwrap_or_else(|| panic!("{answer:?}"));
    assert_eq!(items.len(), 1, "{answer:?}");
    assert_eq!(items[0]["id"], jar.session_id.as_str());
    assert_eq!(items[0]["refreshes"], 0, "{answer:?}");
}

#[tokio::test]
async fn two_cookies_of_one_name_are_refused() {
    let stage = Stage::new().await;
    let client = &stage.client;
    let jar = Jar::begin(client, "ada").await;
    for (name, act) in [
        (ACCESS, (Method::GET, "/v1/me")),
        (ACCESS, (Method::POST, "/v1/logout")),
        (ACCESS, (Method::POST, "/v1/logout-all")),
        (REFRESH, (Method::POST, "/v1/refresh")),
    ] {
        let value = jar.get(name);
        for line in [
            format!("{name}={value}; {name}={value}"),
            format!("{name}={value}; {name}="),
            format!("{name}=x; a=b; {name}={value}"),
        ] {
            refuses(&send(client, &jar, act.clone(), &line).await, 400, "malformed_request");
        }
        // In two lines, which a browser does not send and a proxy may.
        let request = client.request(act.0, act.1).header("cookie", format!("{name}={value}"));
        let request = request.header("cookie", format!("{name}={value}"));
        let answer = client.send(request.header("x-csrf-token", jar.get(CSRF))).await;
        refuses(&answer, 400, "malformed_request");
    }
    let twice = format!("{DEVICE}=x; {DEVICE}=y");
    let answer = client.send(login_request(client, "ada").header("cookie", twice)).await;
    refuses(&answer, 400, "malformed_request");
    is_untouched(client, &jar).await;
}

#[tokio::test]
async fn credentials_at_two_places_are_refused() {
    let stage = Stage::new().await;
    let client = &stage.client;
    let jar = Jar::begin(client, "ada").await;
    for (method, path) in [
        (Method::GET, "/v1/me"),
        (Method::GET, "/v1/me/sessions"),
        (Method::POST, "/v1/logout-all"),
        (Method::POST, "/v1/logout"),
        (Method::DELETE, "/v1/me"),
    ] {
        let request = jar.request(client, method, path).bearer_auth(jar.get(ACCESS));
        let answer = client.send(request).await;
        refuses(&answer, 400, "malformed_request");
        let challenge = answer.header("www-authenticate").unwrap_or_default();
        assert!(challenge.contains("error=\"invalid_request\""), "{answer:?}");
    }
    let both = json!({"refresh_token": jar.get(REFRESH)});
    refuses(&jar.post(client, "/v1/refresh", &both).await, 400, "malformed_request");
    let login = json!({
        "identifier": "ada", "password": PASSWORD, "transport": "cookie",
        "device_token": jar.get(DEVICE),
    });
    let login = client.post("/v1/login", &login).header("cookie", jar.line("/v1/login"));
    refuses(&client.send(login).await, 400, "malformed_request");
    is_untouched(client, &jar).await;
}

/// What stands in another cookie, or under a name that is nearly ours, opens nothing.
#[tokio::test]
async fn no_other_cookie_is_a_credential() {
    let stage = Stage::new().await;
    let client = &stage.client;
    let jar = Jar::begin(client, "ada").await;
    let (access, refresh) = (jar.get(ACCESS).to_owned(), jar.get(REFRESH).to_owned());
    for line in [
        format!("{REFRESH}={refresh}"),
        format!("{REFRESH}={access}"),
        format!("{CSRF}={access}"),
        format!("{DEVICE}={access}"),
        format!("{}={access}", ACCESS.to_lowercase()),
        format!("{}={access}", ACCESS.to_uppercase()),
        format!("__Secure-gateward-access={access}"),
        format!("gateward-access={access}"),
        format!("%5F_Host-gateward-access={access}"),
        format!("{ACCESS} ={access}"),
        format!("{ACCESS}="),
        format!("access_token={access}; a={ACCESS}={access}"),
    ] {
        for act in [(Method::GET, "/v1/me"), (Method::POST, "/v1/logout-all")] {
            refuses(&send(client, &jar, act, &line).await, 401, "missing_token");
        }
    }
    let line = format!("{ACCESS}={refresh}");
    for act in [(Method::GET, "/v1/me"), (Method::POST, "/v1/logout")] {
        refuses(&send(client, &jar, act, &line).await, 401, "wrong_token_kind");
    }
    let refresh_act = (Method::POST, "/v1/refresh");
    let line = format!("{REFRESH}={access}");
    refuses(&send(client, &jar, refresh_act.clone(), &line).await, 401, "wrong_token_kind");
    for line in [format!("{REFRESH}=e30.e30.e30"), format!("{REFRESH}=x")] {
        refuses(&send(client, &jar, refresh_act.clone(), &line).await, 401, "invalid_token");
    }
    is_untouched(client, &jar).await;
}

/// The refresh cookie beside the access cookie is one credential, and both stand among cookies of
/// other applications, however those are written.
#[tokio::test]
async fn cookies_of_others_do_not_disturb() {
    let stage = Stage::new().await;
    let client = &stage.client;
    let mut jar = Jar::begin(client, "ada").await;
    let own: Vec<String> =
        jar.cookies.iter().map(|(name, value)| format!("{name}={value}")).collect();
    let line = format!("=; ;;x; a=\"; {{\"b\": 1}}; \u{e9}=\u{e9}; {}; a=b; a=c;", own.join("; "));
    assert_eq!(send(client, &jar, (Method::GET, "/v1/me"), &line).await.status, 200);
    let answer = send(client, &jar, (Method::POST, "/v1/refresh"), &line).await;
    assert_eq!(answer.status, 200, "{answer:?}");
    jar.keep(&answer);
    assert_eq!(jar.me(client).await.status, 200);
}

/// What needs no access token does not look at one, wherever it stands.
#[tokio::test]
async fn cookies_are_not_looked_at_where_none_is_needed() {
    let stage = Stage::new().await;
    let client = &stage.client;
    let jar = Jar::begin(client, "ada").await;
    let twice = format!("{}; {ACCESS}=x; {REFRESH}=y", jar.line("/v1/refresh"));
    let with = |path: &str, body| {
        let request = client.post(path, &body).header("cookie", &twice);
        client.send(request.bearer_auth("x").header("origin", "https://evil.example"))
    };
    let bearer = json!({"identifier": "ada", "password": PASSWORD});
    let pair = with("/v1/login", bearer).await;
    assert!(pair.status == 200 && !pair.headers.contains_key("set-cookie"), "{pair:?}");
    assert_eq!(with("/v1/password/forgot", json!({"email": "ada@example.org"})).await.status, 202);
    for path in ["/health/live", "/.well-known/jwks.json", "/openapi.json"] {
        let headers = [("cookie", twice.as_str()), ("authorization", "Bearer x")];
        assert_eq!(stage.get_with(path, &headers).await.status, 200, "{path}");
    }
    // A refresh token in the body of a logout names the session, and nothing else is looked at.
    let logout = json!({"refresh_token": pair.refresh_token()});
    let answer = client.send(client.post("/v1/logout", &logout).header("origin", OWN)).await;
    assert_eq!(answer.status, 204);
    assert_eq!(jar.me(client).await.status, 200, "the other session goes on");
}
