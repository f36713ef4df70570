//! Forgotten passwords: the request for the email, and the use of its link.

use gateward_e2e::Client;
use serde_json::json;

/// Requests the email to choose a new password.
pub(crate) async fn forgot(client: &Client, email: &str) {
    let request = client.post("/v1/password/forgot", &json!({"email": email}));
    assert_eq!(client.send(request).await.status, 202);
}

/// Chooses a new password with the link of an email. Returns the status.
pub(crate) async fn reset(client: &Client, link: &str, new_password: &str) -> u16 {
    let (_, token) = link.split_once("#token=").unwrap();
    let body = json!({"token": token, "new_password": new_password});
    client.send(client.post("/v1/password/reset", &body)).await.status.as_u16()
}
