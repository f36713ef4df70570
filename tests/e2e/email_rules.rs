//! What a request cannot change about an email: rows H1, H2, H4 and V10.

mod soak;

use std::collections::BTreeSet;

use gateward_e2e::{Database, PASSWORD, Wire, on_both};
use reqwest::header::HeaderValue;
use serde_json::json;

use crate::support::emails::is_whole;
use crate::support::pair::together;
use crate::support::post::{Post, address, code, subject};

on_both!(v10_who_asks_a_hundred_times_causes_two_emails_at_most);

/// The public URL in the tests of hosts.
const PUBLIC_URL: &str = "http://localhost:4711";

/// Row H1: whatever the `Host` header says, links lead to the configured host.
#[tokio::test]
async fn h1_links_lead_to_the_configured_host_alone() {
    let settings = [("http.public_url", PUBLIC_URL)];
    let Some(post) = Post::start(Database::Sqlite, &settings).await else { return };
    let headers = [
        ("host", "evil.example"),
        ("host", "evil.example:80"),
        ("host", "localhost:4711@evil.example"),
        ("x-forwarded-host", "evil.example"),
        ("x-forwarded-proto", "https"),
        ("x-forwarded-port", "666"),
        ("x-forwarded-server", "evil.example"),
        ("x-original-url", "http://evil.example/"),
        ("x-rewrite-url", "http://evil.example/"),
        ("x-host", "evil.example"),
        ("forwarded", "for=127.0.0.1;host=evil.example;proto=https"),
        ("origin", "http://evil.example"),
        ("referer", "http://evil.example/"),
    ];
    let mut mailed = Vec::new();
    for (number, (name, value)) in headers.into_iter().enumerate() {
        let (who, email) = (format!("user{number}"), address(&format!("user{number}")));
        let body = json!({"username": who, "email": email, "password": PASSWORD});
        for (path, body) in [("/v1/signup", body), ("/v1/password/forgot", json!({"email": email}))]
        {
            let request = post.client.post(path, &body).header(name, value);
            let response = post.client.send(request).await;
            // An invalid host is refused before anything is read.
            let refused = response.status == 400 && value.contains('@');
            assert!(refused || response.status.is_success(), "{name}: {value}: {response:?}");
            mailed.extend((!refused).then(|| email.clone()));
        }
    }
    for (who, line, host) in [
        ("absolute", "http://evil.example/v1/signup", "Host: evil.example\r\n"),
        ("other", "http://evil.example/v1/signup", "Host: localhost:4711\r\n"),
        ("two", "/v1/signup", "Host: localhost:4711\r\nHost: evil.example\r\n"),
        ("owt", "/v1/signup", "Host: evil.example\r\nHost: localhost:4711\r\n"),
    ] {
        let body = json!({"username": who, "email": address(who), "password": PASSWORD});
        let body = body.to_string();
        let head = format!(
            "POST {line} HTTP/1.1\r\n{host}Content-Type: application/json\r\n\
             Content-Length: {}\r\nConnection: close\r\n\r\n",
            body.len()
        );
        let response = Wire::exchange(&post.node.url, (head + &body).as_bytes()).await;
        let statuses = response.statuses();
        // Two `Host` headers are refused.
        let expected = if host.matches("Host").count() == 2 { 400 } else { 201 };
        assert_eq!(statuses, [expected], "{who}: {response:?}");
        mailed.extend((expected == 201).then(|| address(who)));
    }
    post.wait_until_sent().await;
    let emails = post.server.emails();
    assert_eq!(emails.len(), mailed.len(), "{emails:#?}");
    for mail in emails {
        is_whole(&mail, &mail.to[0]);
        assert!(mail.link().starts_with(&format!("{PUBLIC_URL}/")), "{mail:#?}");
        let html = mail.html.replace("&#x2f;", "/");
        let hosts = html.matches("http").count();
        assert_eq!(html.matches(PUBLIC_URL).count(), hosts, "{mail:#?}");
    }
}

/// Texts that would add a header or a recipient to a message without escaping.
const BREAKS: [&str; 14] = [
    "\r\nBcc: eve@evil.example",
    "\nBcc: eve@evil.example",
    "\rBcc: eve@evil.example",
    "\r\n\r\n<a href=//evil.example>",
    "\r\n.\r\nMAIL FROM:<eve@evil.example>",
    "%0d%0aBcc:eve",
    "%0D%0A.%0D%0A",
    "\u{2028}Bcc: eve@evil.example",
    "\u{85}Bcc: eve@evil.example",
    "=?utf-8?q?=0D=0ABcc=3A_eve?=",
    "=?utf-8?b?DQpCY2M6IGV2ZQ==?=",
    ", eve@evil.example",
    "> RCPT TO:<eve@evil.example",
    "@@@@evil.example",
];

/// Row H2: a text that would add a header or a recipient is refused, or is a part of one recipient.
#[tokio::test]
async fn h2_nothing_adds_a_header_or_a_recipient() {
    // The headers of a proxy are trusted here, so they are read.
    let settings = [("http.trusted_proxies", "127.0.0.1")];
    let Some(post) = Post::start(Database::Sqlite, &settings).await else { return };
    let pair = post.confirmed("ada").await;
    let mut accepted = BTreeSet::from([address("ada")]);
    for (number, text) in BREAKS.into_iter().enumerate() {
        let name = format!("ada{text}");
        post.signup(&name, "bob@example.org", PASSWORD).await.is(422, "validation_failed");
        let spellings = [
            format!("a{text}@example.org"),
            format!("a@example.org{text}"),
            format!("a@{text}.example.org"),
        ];
        for (index, email) in spellings.into_iter().enumerate() {
            let who = format!("user{number}.{index}");
            let response = post.signup(&who, &email, PASSWORD).await;
            if response.status == 201 {
                assert_eq!(response.body["email"], email.to_lowercase());
                assert_eq!(post.say("password/forgot", json!({"email": email})).await.status, 202);
                accepted.insert(email.to_lowercase());
            } else {
                assert_eq!(response.fields(), ["email"], "{response:?}");
                for path in ["password/forgot", "email/resend"] {
                    let refused = post.say(path, json!({"email": email})).await;
                    refused.is(422, "validation_failed");
                }
                post.change(&pair, &email).await.is(422, "validation_failed");
            }
        }
        // No email contains the user agent of a client or the headers of a proxy.
        let login = json!({"identifier": "ada", "password": PASSWORD, "client_name": name});
        let mut login = post.client.post("/v1/login", &login);
        let mut forgot = post.client.post("/v1/password/forgot", &json!({"email": address("ada")}));
        if let Ok(value) = HeaderValue::from_str(text) {
            for header in ["user-agent", "x-forwarded-for", "x-real-ip", "x-request-id"] {
                login = login.header(header, &value);
                forgot = forgot.header(header, &value);
            }
        }
        let response = post.client.send(login).await;
        assert!([200, 422].contains(&response.status.as_u16()), "{response:?}");
        assert_eq!(post.client.send(forgot).await.status, 202);
    }
    post.wait_until_sent().await;
    let emails = post.server.emails();
    for mail in &emails {
        is_whole(mail, &mail.to[0]);
    }
    let mailed: BTreeSet<String> = emails.into_iter().map(|mut mail| mail.to.remove(0)).collect();
    assert_eq!(mailed, accepted);
    assert_eq!(post.server.refusals(), [json!(null); 0]);
}

/// Row H4: there is no redirect parameter. A request with one is refused, and sends no email.
#[tokio::test]
async fn h4_a_request_names_no_place_to_go_to() {
    let Some(post) = Post::start(Database::Sqlite, &[]).await else { return };
    for index in [
        "//evil.example",
        "/%5cevil.example",
        "https:evil.example",
        "javascript:alert(1)",
        "/%09/evil.example",
        "https://localhost@evil.example",
        "%2f%2fevil.example",
    ] {
        for name in ["next", "redirect", "redirect_uri", "return_to", "url", "continue"] {
            let body = json!({"email": address("ada")});
            let path = format!("password/forgot?{name}={index}");
            post.say(&path, body.clone()).await.is(422, "validation_failed");
            let mut body = body;
            body[name] = json!(index);
            for path in ["password/forgot", "email/resend"] {
                let refused = post.say(path, body.clone()).await;
                refused.is(422, "validation_failed");
                assert_eq!(refused.fields(), [name]);
            }
        }
    }
    assert_eq!(post.command(&["mail", "list", "--json"]).trim(), "[]");
}

/// Row V10: at most one email for each interval, of which a minute touches two.
async fn v10_who_asks_a_hundred_times_causes_two_emails_at_most(kind: Database) {
    // The limit of one client is a different one, and is lower than all this.
    let settings = [("rate_limit.enabled", "true"), ("rate_limit.login_failures_per_ip", "1000")];
    let Some(post) = Post::start(kind, &settings).await else { return };
    assert_eq!(post.client.signup("bob").await.status, 201);
    post.email(&address("bob"), subject::CONFIRM).await;
    let forgots = (0..100).map(|_| {
        let client = post.client.clone();
        async move {
            let body = json!({"email": "bob@example.org"});
            client.send(client.post("/v1/password/forgot", &body)).await
        }
    });
    for response in together(forgots).await {
        assert_eq!(response.status, 202, "{response:?}");
    }
    post.email(&address("bob"), subject::RESET).await;
    post.wait_until_sent().await;
    let count = post.emails(&address("bob"), subject::RESET, 1).await.len();
    assert!((1..=2).contains(&count), "{count} emails");
    // The same goes for confirmation emails; emails to others do not wait.
    for _ in 0..20 {
        assert_eq!(post.say("email/resend", json!({"email": address("bob")})).await.status, 202);
    }
    assert_eq!(post.client.signup("ada").await.status, 201);
    code(&post.forgot(&address("ada"), 0).await);
    post.wait_until_sent().await;
    let count = post.emails(&address("bob"), subject::CONFIRM, 1).await.len();
    assert!((1..=2).contains(&count), "{count} emails");
}
