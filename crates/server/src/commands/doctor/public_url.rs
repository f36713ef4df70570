//! The public URL: whether this service responds there.

use gateward_app::domain::Timestamp;
use gateward_app::domain::ports::Clock;
use gateward_crypto::SystemClock;
use jiff::fmt::rfc2822::DateTimeParser;
use reqwest::header::{AGE, CACHE_CONTROL, DATE, HeaderMap};
use reqwest::{Client, StatusCode};
use serde_json::Value;

use super::clock::{self, Span};
use super::finding::{Code, Finding};
use super::{proxy, web};
use crate::settings::Settings;

/// The TLS error for an untrusted certificate.
const UNTRUSTED: &str = "invalid peer certificate";

/// Requests the public keys. `key_ids` are those of the database, if known.
pub(super) async fn check(settings: &Settings, key_ids: Option<&[String]>) -> Vec<Finding> {
    let url = format!("{}/.well-known/jwks.json", settings.http.public_url);
    let client = match web::client() {
        Ok(client) => client,
        Err(error) => return vec![unreachable(&url, &format!("{:#}", anyhow::Error::from(error)))],
    };
    let before = proxy::untrusted(&client, settings.ops_listen).await;
    let mut found = ask(&client, &url, key_ids).await;
    if before.is_some() {
        // A node runs here, but clients cannot reach it.
        found = found.into_iter().map(Finding::graver).collect();
    }
    let after = proxy::untrusted(&client, settings.ops_listen).await;
    found.extend(proxy::finding(before, after));
    found
}

async fn ask(client: &Client, url: &str, key_ids: Option<&[String]>) -> Vec<Finding> {
    let from = SystemClock.now();
    // A cached response tells neither the time nor whether a proxy forwards.
    let request = client.get(url).header(CACHE_CONTROL, "no-cache");
    let response = match request.send().await {
        Ok(response) => response,
        Err(error) => return vec![of_failure(url, error)],
    };
    let span = Span { from, to: SystemClock.now() };
    let clock = date(response.headers(), span);
    let status = response.status();
    let fault = match web::text(response).await {
        Ok(body) => of_response(url, status, &body, key_ids),
        Err(error) => Some(of_failure(url, error)),
    };
    fault.into_iter().chain(clock).collect()
}

fn of_failure(url: &str, error: reqwest::Error) -> Finding {
    let told = format!("{:#}", anyhow::Error::from(error));
    if told.contains(UNTRUSTED) {
        let what = format!("the certificate of {url} is not trusted: {told}");
        let remedy = "set a certificate for this host that clients trust, with its full chain, in \
                      http.tls_cert or on the proxy";
        return Finding::new(Code::PublicUrlCertificate, what, remedy);
    }
    unreachable(url, &told)
}

fn unreachable(url: &str, told: &str) -> Finding {
    Finding::warning(
        Code::PublicUrlUnreachable,
        format!("no response from {url}: {told}"),
        "start a node; if one is running, make sure that http.public_url leads to it, through the \
         proxy if there is one",
    )
}

fn of_response(
    url: &str,
    status: StatusCode,
    body: &str,
    key_ids: Option<&[String]>,
) -> Option<Finding> {
    if status.is_server_error() {
        return Some(unreachable(url, &format!("the status is {status}")));
    }
    let ids = ids(body).filter(|_| status == StatusCode::OK);
    let what = match (ids, key_ids) {
        (None, _) => format!("{url} responds with {status} instead of public keys"),
        (Some(theirs), Some(ours)) if !theirs.iter().any(|id| ours.contains(id)) => {
            format!("{url} responds with keys that are not in this database")
        }
        (Some(_), _) => return None,
    };
    let remedy = "set http.public_url to the URL of this service, or correct the proxy; or set \
                  database.url to the database of the node that responds";
    Some(Finding::new(Code::PublicUrlOther, what, remedy))
}

/// The key IDs of a JSON Web Key Set.
fn ids(body: &str) -> Option<Vec<String>> {
    let set: Value = serde_json::from_str(body).ok()?;
    let id = |key: &Value| Some(key.get("kid")?.as_str()?.to_owned());
    set.get("keys")?.as_array()?.iter().map(id).collect()
}

/// Checks the clock of the responder. The header has whole seconds (RFC 9110, section 5.6.7).
fn date(headers: &HeaderMap, span: Span) -> Option<Finding> {
    if headers.contains_key(AGE) {
        return None;
    }
    let text = headers.get(DATE)?.to_str().ok()?;
    let date = DateTimeParser::new().parse_timestamp(text).ok()?;
    let span = Span { from: span.from.minus_seconds(1), ..span };
    let theirs = Timestamp::from_micros(date.as_microsecond());
    clock::differing(Code::ClockPublicUrl, "the server at http.public_url", span, theirs)
}
