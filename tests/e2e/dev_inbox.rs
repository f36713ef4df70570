//! The development inbox: what it holds, and to whom it is shown. Other tests read letters here.

use std::time::{Duration, Instant};

use gateward_e2e::{Client, PASSWORD, Wire};
use reqwest::Method;
use serde_json::{Value, json};

use crate::stage::Stage;

/// How long a letter may take to be there, on a machine that is busy.
const PATIENCE: Duration = Duration::from_secs(20);

/// Where the inbox is, for people and for programs.
const PAGES: [&str; 2] = ["/dev/inbox", "/dev/inbox.json"];

/// A node in development that is where its letters say it is, so that a browser can follow them.
pub(crate) async fn reachable(settings: &[(&str, &str)]) -> Stage {
    let listener = std::net::TcpListener::bind("127.0.0.1:0").unwrap();
    let address = listener.local_addr().unwrap().to_string();
    drop(listener);
    let url = format!("http://{address}");
    let own = [("http.listen", address.as_str()), ("http.public_url", url.as_str())];
    Stage::with(&[&own[..], settings].concat()).await
}

/// All letters, the newest first.
pub(crate) async fn letters(client: &Client) -> Vec<Value> {
    let answer = client.get("/dev/inbox.json").await;
    assert_eq!(answer.status, 200, "{answer:?}");
    answer.body["items"].as_array().unwrap().clone()
}

/// Waits until there are so many letters to an address whose text opens with this title, and gives
/// the newest.
pub(crate) async fn wait_for(client: &Client, to: &str, title: &str, count: usize) -> Value {
    let begun = Instant::now();
    loop {
        let all = letters(client).await;
        let is_meant = |letter: &&Value| {
            letter["to"] == to && letter["text"].as_str().unwrap().starts_with(title)
        };
        let meant: Vec<&Value> = all.iter().filter(is_meant).collect();
        if meant.len() >= count {
            return meant[0].clone();
        }
        assert!(begun.elapsed() < PATIENCE, "no {title:?} to {to}: {all:#?}");
        tokio::time::sleep(Duration::from_millis(50)).await;
    }
}

/// The only link of a letter.
pub(crate) fn link(letter: &Value) -> &str {
    let links = letter["links"].as_array().unwrap();
    assert_eq!(links.len(), 1, "{letter:#?}");
    links[0].as_str().unwrap()
}

/// The token in the link of a letter.
pub(crate) fn token(letter: &Value) -> &str {
    link(letter).split_once("#token=").unwrap().1
}

/// Asks for the letter to choose a new password.
pub(crate) async fn forgot(client: &Client, email: &str) {
    let request = client.post("/v1/password/forgot", &json!({"email": email}));
    assert_eq!(client.send(request).await.status, 202);
}

/// The address of the HTML part of the newest letter, as the page frames it.
async fn frame(client: &Client) -> String {
    let page = client.get("/dev/inbox").await.text;
    let (_, rest) = page.split_once("<iframe src=\"").expect("a frame");
    rest.split_once('"').unwrap().0.to_owned()
}

#[tokio::test]
async fn programs_read_the_letters_newest_first() {
    let stage = reachable(&[]).await;
    let client = &stage.client;
    assert_eq!(letters(client).await, [] as [Value; 0]);
    assert_eq!(client.signup("ada").await.status, 201);
    let first = wait_for(client, "ada@example.org", "Confirm your address", 1).await;
    forgot(client, "ada@example.org").await;
    let second = wait_for(client, "ada@example.org", "Choose a new password", 1).await;

    let answer = client.get("/dev/inbox.json").await;
    assert_eq!(answer.body, json!({"items": [second, first]}));
    assert_eq!(answer.header("content-type"), Some("application/json"));
    assert_eq!(answer.header("cache-control"), Some("no-store"));
    let at = regex::Regex::new(r"^\d{4}-\d\d-\d\dT\d\d:\d\d:\d\d(\.\d+)?Z$").unwrap();
    for (letter, page) in [(&first, "confirm-email"), (&second, "reset-password")] {
        let mut members: Vec<&String> = letter.as_object().unwrap().keys().collect();
        members.sort();
        assert_eq!(members, ["code", "html", "links", "sent_at", "subject", "text", "to"]);
        let code = letter["code"].as_str().unwrap();
        assert!(code.len() == 8 && code.bytes().all(|digit| digit.is_ascii_digit()));
        assert!(link(letter).starts_with(&format!("{}/{page}#token=", stage.node.url)));
        for part in ["text", "html"] {
            let text = letter[part].as_str().unwrap();
            assert!(text.contains(code) && text.contains(token(letter)), "{part}: {letter:#?}");
        }
        assert!(at.is_match(letter["sent_at"].as_str().unwrap()), "{letter:#?}");
    }
    assert_eq!(first["subject"], "Confirm your address for Gateward");
}

#[tokio::test]
async fn a_notice_has_neither_link_nor_code() {
    let stage = reachable(&[]).await;
    let pair = stage.client.begin("ada").await;
    let body = json!({"current_password": PASSWORD, "new_password": "a new one, and longer"});
    assert_eq!(stage.client.post_as(pair.access(), "/v1/me/password", &body).await.status, 204);
    let notice = wait_for(&stage.client, "ada@example.org", "Your password was changed", 1).await;
    assert_eq!((&notice["links"], &notice["code"]), (&json!([]), &Value::Null));
}

/// Row W16: where letters are mailed, and in production, nobody finds an inbox.
#[tokio::test]
async fn w16_there_is_no_inbox_in_production_nor_where_letters_are_mailed() {
    let smtp = [
        ("mail.transport", "smtp"),
        ("mail.smtp_url", "smtp://127.0.0.1:1"),
        ("mail.from", "login@example.org"),
    ];
    let production = [("mode", "production"), ("throttle.enabled", "true")];
    for settings in [smtp.to_vec(), [&smtp[..], &production].concat()] {
        let stage = reachable(&settings).await;
        for path in [&PAGES[..], &["/dev/inbox/l0.html", "/dev/", "/dev"]].concat() {
            stage.client.get(path).await.is(404, "not_found");
        }
    }
    let stage = reachable(&smtp[..]).await;
    let page = stage.client.get("/dev/inbox").await.text;
    let nowhere = stage.client.get("/nothing").await.text;
    let members = |text: &str| {
        let mut body: Value = serde_json::from_str(text).unwrap();
        body.as_object_mut().unwrap().remove("request_id");
        body
    };
    assert_eq!(members(&page), members(&nowhere), "as if there never were one");
}

/// Row H1: whoever has a name of theirs point at this machine (DNS rebinding) finds nothing.
#[tokio::test]
async fn h1_the_inbox_answers_to_its_own_names_alone() {
    let stage = reachable(&[]).await;
    let client = &stage.client;
    assert_eq!(client.signup("ada").await.status, 201);
    let letter = wait_for(client, "ada@example.org", "Confirm", 1).await;
    let port = stage.node.url.rsplit_once(':').unwrap().1.to_owned();
    let paths = [PAGES.map(str::to_owned).to_vec(), vec![frame(client).await]].concat();
    for path in &paths {
        let ask = async |host: &str| {
            let host = host.replace("PORT", &port);
            let lines = format!("GET {path} HTTP/1.1\r\n{host}Connection: close\r\n\r\n");
            Wire::exchange(&stage.node.url, lines.as_bytes()).await
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
            let answer = ask(foreign).await;
            assert_eq!(answer.statuses(), [404], "{path} {foreign} {answer:?}");
            assert!(!answer.text.contains(token(&letter)), "{answer:?}");
        }
        for unclear in ["", "Host: localhost\r\nHost: evil.example\r\n", "Host: \r\n"] {
            let answer = ask(unclear).await;
            assert!([[400], [404]].iter().any(|ok| answer.statuses() == ok), "{answer:?}");
            assert!(!answer.text.contains(token(&letter)), "{answer:?}");
        }
    }
}

/// Row W1: what another site has its visitor's browser fetch is refused, and no page may read it.
#[tokio::test]
async fn w1_no_other_site_reads_the_inbox() {
    let origins = [("http.cors_origins", "https://app.example.org")];
    let stage = reachable(&origins).await;
    let client = &stage.client;
    assert_eq!(client.signup("ada").await.status, 201);
    wait_for(client, "ada@example.org", "Confirm", 1).await;
    let paths = [PAGES.map(str::to_owned).to_vec(), vec![frame(client).await]].concat();
    for path in &paths {
        for mode in ["cors", "no-cors", "navigate"] {
            let headers = [
                ("sec-fetch-site", "cross-site"),
                ("sec-fetch-mode", mode),
                ("origin", "https://evil.example"),
            ];
            let answer = stage.get_with(path, &headers).await;
            answer.is(403, "forbidden");
            assert_eq!(answer.header("www-authenticate"), None);
            assert_eq!(answer.header("access-control-allow-origin"), None);
        }
        for site in ["none", "same-origin"] {
            let answer = stage.get_with(path, &[("sec-fetch-site", site)]).await;
            assert_eq!(answer.status, 200, "{path} {site}");
            assert_eq!(answer.header("access-control-allow-origin"), None, "{path}");
            assert_eq!(answer.header("cross-origin-resource-policy"), Some("same-origin"));
        }
        stage.get_with(&format!("{path}?x=1"), &[]).await.is(422, "validation_failed");
        for method in [Method::POST, Method::PUT, Method::DELETE, Method::PATCH] {
            stage.send_with(method, path, &[]).await.is(405, "method_not_allowed");
        }
        let head = stage.send_with(Method::HEAD, path, &[]).await;
        assert_eq!((head.status.as_u16(), head.text.as_str()), (200, ""));
    }
}

/// Row H3: what stands in a letter has no rights here: not those of a script, nor of this origin.
#[tokio::test]
async fn h3_a_letter_is_shown_in_a_sandbox() {
    let stage = reachable(&[]).await;
    let client = &stage.client;
    assert_eq!(client.signup("ada").await.status, 201);
    let letter = wait_for(client, "ada@example.org", "Confirm", 1).await;
    let inbox = client.get("/dev/inbox").await;
    let frame = client.get(&frame(client).await).await;
    assert_eq!(frame.status, 200);
    assert_eq!(frame.header("content-type"), Some("text/html; charset=utf-8"));
    assert!(frame.text.contains(token(&letter)), "it is this letter");
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
