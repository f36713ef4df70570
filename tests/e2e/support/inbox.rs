//! The development inbox of a node: emails without an SMTP server.

use std::time::Duration;

use gateward_e2e::{Client, eventually};
use serde_json::Value;

use crate::support::test_server::TestServer;

/// How long an email may take to arrive, on a busy machine.
const PATIENCE: Duration = Duration::from_secs(20);

/// A development node whose public URL is its real address, so that a browser can follow the links.
pub(crate) async fn reachable(settings: &[(&str, &str)]) -> TestServer {
    let listener = std::net::TcpListener::bind("127.0.0.1:0").unwrap();
    let address = listener.local_addr().unwrap().to_string();
    drop(listener);
    let url = format!("http://{address}");
    let own = [("http.listen", address.as_str()), ("http.public_url", url.as_str())];
    TestServer::with(&[&own[..], settings].concat()).await
}

/// All emails, newest first.
pub(crate) async fn emails(client: &Client) -> Vec<Value> {
    let response = client.get("/dev/inbox.json").await;
    assert_eq!(response.status, 200, "{response:?}");
    response.body["items"].as_array().unwrap().clone()
}

/// Waits until there are this many emails to a recipient with this title, and returns the newest.
pub(crate) async fn wait_for_email(client: &Client, to: &str, title: &str, count: usize) -> Value {
    eventually(PATIENCE, async || {
        let all = emails(client).await;
        let is_meant = |message: &&Value| {
            message["to"] == to && message["text"].as_str().unwrap().starts_with(title)
        };
        let meant: Vec<&Value> = all.iter().filter(is_meant).collect();
        if meant.len() >= count {
            return Ok(meant[0].clone());
        }
        Err(format!("no {title:?} to {to}: {all:#?}"))
    })
    .await
}

/// The only link of an email.
pub(crate) fn link(message: &Value) -> &str {
    let links = message["links"].as_array().unwrap();
    assert_eq!(links.len(), 1, "{message:#?}");
    links[0].as_str().unwrap()
}

/// The token in the link of an email.
pub(crate) fn link_token(message: &Value) -> &str {
    link(message).split_once("#token=").unwrap().1
}
