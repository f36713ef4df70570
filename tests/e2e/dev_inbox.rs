//! The development inbox: its content, and who may see it.

use gateward_e2e::{Client, PASSWORD, Wire};
use reqwest::Method;
use serde_json::{Value, json};

use crate::support::inbox::{emails, link, link_token, reachable, wait_for_email};
use crate::support::password_reset::forgot;

/// The paths of the inbox, for people and for programs.
const PAGES: [&str; 2] = ["/dev/inbox", "/dev/inbox.json"];

/// The URL of the HTML part of the newest email, as the page frames it.
async fn frame(client: &Client) -> String {
    let page = client.get("/dev/inbox").await.text;
    let (_, rest) = page.split_once("<iframe src=\"").expect("a frame");
    rest.split_once('"').unwrap().0.to_owned()
}

#[tokio::test]
async fn programs_read_the_emails_newest_first() {
    let server = reachable(&[]).await;
    let client = &server.client;
    assert_eq!(emails(client).await, [] as [Value; 0]);
    assert_eq!(client.signup("ada").await.status, 201);
    let first = wait_for_email(client, "ada@example.org", "Confirm your email address", 1).await;
    forgot(client, "ada@example.org").await;
    let second = wait_for_email(client, "ada@example.org", "Reset your password", 1).await;

    let response = client.get("/dev/inbox.json").await;
    assert_eq!(response.body, json!({"items": [second, first]}));
    assert_eq!(response.header("content-type"), Some("application/json"));
    assert_eq!(response.header("cache-control"), Some("no-store"));
    let at = regex::Regex::new(r"^\d{4}-\d\d-\d\dT\d\d:\d\d:\d\d(\.\d+)?Z$").unwrap();
    for (message, page) in [(&first, "confirm-email"), (&second, "reset-password")] {
        let mut members: Vec<&String> = message.as_object().unwrap().keys().collect();
        members.sort();
        assert_eq!(members, ["code", "html", "links", "sent_at", "subject", "text", "to"]);
        let code = message["code"].as_str().unwrap();
        assert!(code.len() == 8 && code.bytes().all(|digit| digit.is_ascii_digit()));
        assert!(link(message).starts_with(&format!("{}/{page}#token=", server.node.url)));
        for part in ["text", "html"] {
            let text = message[part].as_str().unwrap();
            assert!(
                text.contains(code) && text.contains(link_token(message)),
                "{part}: {message:#?}"
            );
        }
        assert!(at.is_match(message["sent_at"].as_str().unwrap()), "{message:#?}");
    }
    assert_eq!(first["subject"], "Confirm your email address for Gateward");
}

#[tokio::test]
async fn a_notice_has_neither_link_nor_code() {
    let server = reachable(&[]).await;
    let pair = server.client.begin("ada").await;
    let body = json!({"current_password": PASSWORD, "new_password": "a new one, and longer"});
    assert_eq!(server.client.post_as(pair.access(), "/v1/me/password", &body).await.status, 204);
    let notice =
        wait_for_email(&server.client, "ada@example.org", "Your password was changed", 1).await;
    assert_eq!((&notice["links"], &notice["code"]), (&json!([]), &Value::Null));
}

/// Row W16: with an SMTP server, and in production, the inbox does not exist.
#[tokio::test]
async fn w16_there_is_no_inbox_in_production_nor_where_emails_are_mailed() {
    let smtp = [
        ("mail.transport", "smtp"),
        ("mail.smtp_url", "smtp://127.0.0.1:1"),
        ("mail.from", "login@example.org"),
    ];
    let production = [("mode", "production"), ("rate_limit.enabled", "true")];
    for settings in [smtp.to_vec(), [&smtp[..], &production].concat()] {
        let server = reachable(&settings).await;
        for path in [&PAGES[..], &["/dev/inbox/l0.html", "/dev/", "/dev"]].concat() {
            server.client.get(path).await.is(404, "not_found");
        }
    }
    let server = reachable(&smtp[..]).await;
    let page = server.client.get("/dev/inbox").await.text;
    let nowhere = server.client.get("/nothing").await.text;
    let members = |text: &str| {
        let mut body: Value = serde_json::from_str(text).unwrap();
        body.as_object_mut().unwrap().remove("request_id");
        body
    };
    assert_eq!(members(&page), members(&nowhere), "as if there never were one");
}

/// Row H1: a foreign host name that points at this machine (DNS rebinding) shows nothing.
#[tokio::test]
async fn h1_the_inbox_answers_to_its_own_names_alone() {
    let server = reachable(&[]).await;
    let client = &server.client;
    assert_eq!(client.signup("ada").await.status, 201);
    let message = wait_for_email(client, "ada@example.org", "Confirm", 1).await;
    let port = server.node.url.rsplit_once(':').unwrap().1.to_owned();
    let paths = [PAGES.map(str::to_owned).to_vec(), vec![frame(client).await]].concat();
    for path in &paths {
        let ask = async |host: &str| {
            let host = host.replace("PORT", &port);
            let lines = format!("GET {path} HTTP/1.1\r\n{host}Connection: close\r\n\r\n");
            Wire::exchange(&server.node.url, lines.as_bytes()).await
        };
        for own in [
            "Host: 127.0.0.1:PORT\r\n",
            "Host: localhost:PORT\r\n",
            "Host: LOCALHOST\r\n",
            "Host: inbox.localhost:PORT\r\n",
            "Host: [::1]:PORT\r\n",
        ] {
            assert_eq!(ask(own).await.statuses(), [200], "{path} {own}");
        }
        for foreign in [
            "Host: evil.example\r\n",
            "Host: evil.example:PORT\r\n",
            "Host: localhost.evil.example\r\n",
            "Host: 127.0.0.1.evil.example\r\n",
            "Host: 192.0.2.1:PORT\r\n",
            "Host: evil.example\r\nX-Forwarded-Host: localhost\r\n",
            "Host: evil.example\r\nForwarded: host=localhost\r\n",
        ] {
            let response = ask(foreign).await;
            assert_eq!(response.statuses(), [404], "{path} {foreign} {response:?}");
            assert!(!response.text.contains(link_token(&message)), "{response:?}");
        }
        for unclear in ["", "Host: localhost\r\nHost: evil.example\r\n", "Host: \r\n"] {
            let response = ask(unclear).await;
            assert!([[400], [404]].iter().any(|ok| response.statuses() == ok), "{response:?}");
            assert!(!response.text.contains(link_token(&message)), "{response:?}");
        }
    }
}

/// Row W1: requests that another site has its visitor's browser send are refused, and no page can
/// read the responses.
#[tokio::test]
async fn w1_no_other_site_reads_the_inbox() {
    let origins = [("http.cors_origins", "https://app.example.org")];
    let server = reachable(&origins).await;
    let client = &server.client;
    assert_eq!(client.signup("ada").await.status, 201);
    wait_for_email(client, "ada@example.org", "Confirm", 1).await;
    let paths = [PAGES.map(str::to_owned).to_vec(), vec![frame(client).await]].concat();
    for path in &paths {
        for mode in ["cors", "no-cors", "navigate"] {
            let headers = [
                ("sec-fetch-site", "cross-site"),
                ("sec-fetch-mode", mode),
                ("origin", "https://evil.example"),
            ];
            let response = server.get_with(path, &headers).await;
            response.is(403, "forbidden");
            assert_eq!(response.header("www-authenticate"), None);
            assert_eq!(response.header("access-control-allow-origin"), None);
        }
        for site in ["none", "same-origin"] {
            let response = server.get_with(path, &[("sec-fetch-site", site)]).await;
            assert_eq!(response.status, 200, "{path} {site}");
            assert_eq!(response.header("access-control-allow-origin"), None, "{path}");
            assert_eq!(response.header("cross-origin-resource-policy"), Some("same-origin"));
        }
        server.get_with(&format!("{path}?x=1"), &[]).await.is(422, "validation_failed");
        for method in [Method::POST, Method::PUT, Method::DELETE, Method::PATCH] {
            server.send_with(method, path, &[]).await.is(405, "method_not_allowed");
        }
        let head = server.send_with(Method::HEAD, path, &[]).await;
        assert_eq!((head.status.as_u16(), head.text.as_str()), (200, ""));
    }
}

/// Row H3: the content of an email has no rights here: it runs no script and has no access to this
/// origin.
#[tokio::test]
async fn h3_an_email_is_shown_in_a_sandbox() {
    let server = reachable(&[]).await;
    let client = &server.client;
    assert_eq!(client.signup("ada").await.status, 201);
    let message = wait_for_email(client, "ada@example.org", "Confirm", 1).await;
    let inbox = client.get("/dev/inbox").await;
    let frame = client.get(&frame(client).await).await;
    assert_eq!(frame.status, 200);
    assert_eq!(frame.header("content-type"), Some("text/html; charset=utf-8"));
    assert!(frame.text.contains(link_token(&message)), "it is this email");
    let policy = frame.header("content-security-policy").unwrap();
    let sandbox = policy.split(';').map(str::trim).find(|part| part.starts_with("sandbox"));
    let rights: Vec<&str> = sandbox.expect("a sandbox").split(' ').skip(1).collect();
    assert_eq!(rights, ["allow-popups", "allow-popups-to-escape-sandbox"]);
    for part in ["default-src 'none'", "form-action 'none'", "frame-ancestors 'self'"] {
        assert!(policy.contains(part), "{policy}");
    }
    assert!(!policy.contains("script-src"), "{policy}");
    let own = inbox.header("content-security-policy").unwrap();
    assert!(!own.contains("unsafe") && own.contains("frame-ancestors 'none'"), "{own}");
    assert!(inbox.text.contains("sandbox=\"allow-popups allow-popups-to-escape-sandbox\""));
}
