//! Support for the tests of this crate: `TestApp`, its responses and its callers.

mod callers;
mod panicking_signer;
mod response;
mod test_app;

use actix_web::test::TestRequest;
use base64::Engine;
use base64::engine::general_purpose::STANDARD;
use gateward_app::Policy;
use serde_json::json;

use crate::{ApiClient, ClientRight, Options};

pub(crate) use callers::{Browser, LoggedIn};
pub(crate) use response::TestResponse;
pub(crate) use test_app::TestApp;

/// The public URL and its origin.
pub(crate) const OURS: &str = "https://auth.example.org";

/// The audience of access tokens.
pub(crate) const AUDIENCE: &str = "https://api.example.org";

/// The only origin in `cors_origins`.
pub(crate) const LISTED: &str = "https://app.example.org";

/// The password of every account.
pub(crate) const PASSWORD: &str = "correct horse battery";

/// How long a password confirmation is recent, in seconds; shorter than an access token lives.
pub(crate) const RECENT_SECONDS: i64 = 300;

/// A client with all rights.
pub(crate) const CLIENT: &str = "checker";

/// The secret of every client.
pub(crate) const SECRET: &str = "6f1c9a7e42d83b5064f7a1e9c03d8b52";

/// An ID that does not exist.
pub(crate) const UNKNOWN_ID: &str = "00000000-0000-7000-8000-000000000001";

/// The header of a form body.
pub(crate) const FORM: (&str, &str) = ("content-type", "application/x-www-form-urlencoded");

pub(crate) fn policy() -> Policy {
    Policy {
        reauthentication_seconds: RECENT_SECONDS,
        email_interval_seconds: None,
        ..Policy::new(OURS)
    }
}

pub(crate) fn options() -> Options {
    use ClientRight::{Introspect, Revocations, Revoke};
    let client =
        |name: &str, may: &[ClientRight]| ApiClient::new(name.to_owned(), SECRET, may.to_vec());
    Options {
        cors_origins: vec![LISTED.to_owned()],
        clients: vec![
            client(CLIENT, &[Introspect, Revoke, Revocations]),
            client("introspect", &[Introspect]),
            client("revoke", &[Revoke]),
            client("revocations", &[Revocations]),
            client("idle", &[]),
        ],
        ..Options::new(OURS)
    }
}

/// A login of `ada`.
pub(crate) fn login(transport: &str) -> TestRequest {
    let body = json!({"username": "ada", "password": PASSWORD, "transport": transport});
    TestRequest::post().uri("/v1/login").set_json(body)
}

/// The header with the credentials of a client.
pub(crate) fn basic(name: &str, secret: &str) -> (&'static str, String) {
    ("authorization", format!("Basic {}", STANDARD.encode(format!("{name}:{secret}"))))
}
