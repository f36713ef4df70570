//! Forms from other sites, and bodies that are no forms: rows W1, W6 and W7.

use reqwest::Method;

use super::{Open, is_page, send};
use crate::support::pages::{FORM, encode};
use crate::support::test_server::TestServer;

/// The public URL of the nodes here.
const OWN: &str = "http://127.0.0.1:8080";

/// Rows W1 and W2: requests that another site has its visitor send have no effect.
#[tokio::test]
async fn w1_a_form_of_another_site_does_nothing() {
    let server = TestServer::with(&[("http.cors_origins", "https://app.example.org")]).await;
    let client = &server.client;
    for open in Open::all(&server).await {
        let fields = open.fields(&open.token);
        for origin in [
            "null",
            "",
            "*",
            "https://evil.example",
            "https://127.0.0.1:8080",
            "http://127.0.0.1",
            "http://127.0.0.1:80800",
            "http://127.0.0.1:8080.evil.example",
            "http://127.0.0.1:8080@evil.example",
            "http://localhost:8080",
            "http://127.0.0.1:8080/",
            "http://127.0.0.1:8080 https://evil.example",
            "https://app.example.org.evil.example",
            "file://",
        ] {
            for site in [None, Some("cross-site"), Some("same-site"), Some("same-origin")] {
                let mut headers = vec![("origin", origin)];
                headers.extend(site.map(|site| ("sec-fetch-site", site)));
                let response = send(client, open.path, &fields, &headers).await;
                is_page(&response, 403);
                assert_eq!(response.header("www-authenticate"), None);
                assert!(!response.text.contains(&open.token), "{response:?}");
            }
        }
        for headers in [
            &[("sec-fetch-site", "cross-site")][..],
            &[("sec-fetch-site", "cross-site"), ("origin", OWN)],
            &[("origin", OWN), ("origin", "https://evil.example")],
        ] {
            is_page(&send(client, open.path, &fields, headers).await, 403);
        }
        assert!(!open.is_done(client).await);
        let own = [("origin", OWN), ("sec-fetch-site", "same-origin")];
        assert_eq!(send(client, open.path, &fields, &own).await.status, 200);
        assert!(open.is_done(client).await);
    }
}

/// Row W1: a form from a listed origin, or from our own, is accepted.
#[tokio::test]
async fn w1_forms_of_listed_origins_are_taken() {
    let server = TestServer::with(&[("http.cors_origins", "https://app.example.org")]).await;
    let client = &server.client;
    let headers = [
        vec![("origin", "https://app.example.org"), ("sec-fetch-site", "cross-site")],
        vec![("origin", OWN)],
        vec![("sec-fetch-site", "none")],
    ];
    for (open, headers) in Open::all(&server).await.iter().zip(headers) {
        let response = send(client, open.path, &open.fields(&open.token), &headers).await;
        assert_eq!(response.status, 200, "{headers:?} {response:?}");
        assert!(open.is_done(client).await);
    }
}

/// Row W6: a body that is no form is refused, with a page, before it is read.
#[tokio::test]
async fn w6_what_is_no_form_does_nothing() {
    let server = TestServer::new().await;
    let client = &server.client;
    for open in Open::all(&server).await {
        let form = encode(&open.fields(&open.token));
        for kind in [
            "application/json",
            "text/plain",
            "multipart/form-data; boundary=x",
            "application/xml",
            "application/x-www-form-urlencoded; charset=utf-16",
            "application/x-www-form-urlencoded, application/x-www-form-urlencoded",
            "x-www-form-urlencoded",
            "*/*",
            "",
        ] {
            is_page(&server.post_bytes(open.path, kind, form.clone()).await, 415);
        }
        let request = client.request(Method::POST, open.path).body(form.clone());
        is_page(&client.send(request).await, 415);
        let coded = send(client, open.path, &[], &[("content-encoding", "gzip")]).await;
        is_page(&coded, 415);
        for (bad, status) in [
            (format!("{form}&token={}", open.token), 400),
            (format!("{form}&%74oken=x"), 400),
            ("token=%ff".to_owned(), 400),
            (format!("{form}&is_admin=1"), 422),
            ("{}".to_owned(), 422),
        ] {
            is_page(&server.post_bytes(open.path, FORM, bad).await, status);
        }
        open.still_works(client).await;
    }
}

/// Row W7: a form has at most 16 KiB.
#[tokio::test]
async fn w7_a_form_that_is_too_large_does_nothing() {
    let server = TestServer::new().await;
    let client = &server.client;
    for open in Open::all(&server).await {
        let form = encode(&open.fields(&open.token));
        let most = 16 * 1024;
        let fitting = format!("{form}{}", "&".repeat(most - form.len()));
        is_page(&server.post_bytes(open.path, FORM, format!("{fitting}&")).await, 413);
        assert!(!open.is_done(client).await);
        // One byte less is accepted.
        assert_eq!(server.post_bytes(open.path, FORM, fitting).await.status, 200);
        assert!(open.is_done(client).await);
    }
}
