//! `ApiClient`: a service that introspects or revokes tokens and authenticates with HTTP Basic (RFC
//! 7617).

use std::borrow::Cow;
use std::fmt;

use actix_web::HttpRequest;
use actix_web::http::header::AUTHORIZATION;
use base64::Engine;
use base64::engine::general_purpose::STANDARD;
use percent_encoding::percent_decode;
use sha2::{Digest, Sha256};
use subtle::ConstantTimeEq;

use crate::App;
use crate::problem::{Challenge, Code, Problem, details};

/// The maximum length of the encoded credentials: enough for any configured name and secret, short
/// enough to hash on every request.
const CREDENTIALS_LEN_MAX: usize = 2048;

/// The digest that secrets of unknown clients are compared with, so that they take the same time.
/// No known secret has it, and it is never accepted.
const DECOY: [u8; 32] = [0; 32];

/// What an API client may be allowed to do.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum ClientRight {
    /// Introspect tokens (RFC 7662).
    Introspect,
    /// Revoke tokens (RFC 7009).
    Revoke,
    /// Read the revocation feed.
    Revocations,
}

impl ClientRight {
    /// The right's name in the settings.
    #[must_use]
    pub const fn as_str(self) -> &'static str {
        match self {
            Self::Introspect => "introspect",
            Self::Revoke => "revoke",
            Self::Revocations => "revocations",
        }
    }
}

/// A service that introspects or revokes tokens. It keeps only the digest of its secret, and
/// `Debug` does not show it.
#[derive(Clone)]
pub struct ApiClient {
    name: String,
    digest: [u8; 32],
    may: Vec<ClientRight>,
}

impl ApiClient {
    /// Creates a client with this secret and these rights.
    #[must_use]
    pub fn new(name: String, secret: &str, may: Vec<ClientRight>) -> Self {
        Self { name, digest: Sha256::digest(secret.as_bytes()).into(), may }
    }
}

impl fmt::Debug for ApiClient {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        formatter
            .debug_struct("ApiClient")
            .field("name", &self.name)
            .field("may", &self.may)
            .finish_non_exhaustive()
    }
}

/// Checks that the request comes from an API client with this right.
///
/// Every endpoint for clients calls this first, before reading the body. A wrong secret counts as a
/// failed attempt; a correct one is never rejected because of the failures of others.
pub(crate) async fn require_client(
    app: &App,
    request: &HttpRequest,
    right: ClientRight,
) -> Result<(), Problem> {
    let Some(credentials) = basic(request)? else {
        let problem = Problem::new(Code::MissingToken).detail(details::NO_CLIENT);
        return Err(challenged(problem));
    };
    let Some(client) = client_of(&app.options().clients, &credentials) else {
        let request_info = app.request_info(request);
        app.detached(async move |core| core.record_wrong_client_secret(&request_info).await)
            .await??;
        let problem = Problem::new(Code::InvalidCredentials).detail(details::WRONG_CLIENT);
        return Err(challenged(problem));
    };
    if client.may.contains(&right) {
        return Ok(());
    }
    let detail = details::missing_client_right(right.as_str());
    Err(Problem { challenge: None, ..Problem::new(Code::Forbidden).detail(detail) })
}

fn challenged(problem: Problem) -> Problem {
    Problem { challenge: Some(Challenge::Basic), ..problem }
}

/// The decoded credentials of the scheme `Basic`; empty, which matches no client, if they are not
/// valid Base64. `None` if there are no such credentials.
fn basic(request: &HttpRequest) -> Result<Option<Vec<u8>>, Problem> {
    let mut headers = request.headers().get_all(AUTHORIZATION);
    let Some(header) = headers.next() else { return Ok(None) };
    if headers.next().is_some() {
        return Err(Problem::malformed(details::AUTHORIZATION_TWICE));
    }
    let text = header.to_str().unwrap_or_default();
    let (scheme, encoded) = text.split_once(' ').unwrap_or((text, ""));
    if !scheme.eq_ignore_ascii_case("basic") {
        return Ok(None);
    }
    let is_short = encoded.len() <= CREDENTIALS_LEN_MAX;
    let decoded = is_short.then(|| STANDARD.decode(encoded).ok()).flatten();
    Ok(Some(decoded.unwrap_or_default()))
}

/// The client that these credentials authenticate.
///
/// OAuth form-encodes name and secret (RFC 6749, section 2.3.1), but many programs send them
/// unencoded. Both readings are accepted, and both are always tried, to take the same time.
fn client_of<'a>(clients: &'a [ApiClient], credentials: &[u8]) -> Option<&'a ApiClient> {
    let colon = credentials.iter().position(|byte| *byte == b':')?;
    let (name, secret) = credentials.split_at_checked(colon)?;
    let secret = secret.get(1..)?;
    let as_it_is = proven(clients, name, secret);
    let as_a_form = proven(clients, &form_decoded(name), &form_decoded(secret));
    as_it_is.or(as_a_form)
}

/// The client with this name and secret. It takes the same time if there is none.
fn proven<'a>(clients: &'a [ApiClient], name: &[u8], secret: &[u8]) -> Option<&'a ApiClient> {
    let client = clients.iter().find(|client| client.name.as_bytes() == name);
    let is_its_own = is_digest_of(client, &Sha256::digest(secret).into());
    client.filter(|_| is_its_own)
}

/// Whether a client's secret has this digest, compared in constant time.
fn is_digest_of(client: Option<&ApiClient>, digest: &[u8; 32]) -> bool {
    let kept = client.map_or(&DECOY, |client| &client.digest);
    let is_equal: bool = kept.ct_eq(digest).into();
    is_equal & client.is_some()
}

/// Decodes a form-encoded value (URL Standard, section 5.1).
fn form_decoded(text: &[u8]) -> Vec<u8> {
    let spaced: Vec<u8> =
        text.iter().map(|byte| if *byte == b'+' { b' ' } else { *byte }).collect();
    Cow::from(percent_decode(&spaced)).into_owned()
}

#[cfg(test)]
mod tests {
    use super::*;

    const SECRET: &str = "0123 56+89%41é:f0123456789abcdef";

    fn clients() -> Vec<ApiClient> {
        let client = |name: &str| ApiClient::new(name.to_owned(), SECRET, Vec::new());
        vec![client("api"), client("other")]
    }

    fn name(credentials: &str) -> Option<String> {
        client_of(&clients(), credentials.as_bytes()).map(|client| client.name.clone())
    }

    /// Row T3: digests are compared in constant time, with a decoy for unknown clients.
    #[test]
    fn t3_the_secret_of_a_client_is_compared_by_its_digest() {
        let clients = clients();
        let digest = Sha256::digest(SECRET).into();
        assert_eq!(clients[0].digest, digest, "nothing but the digest is kept");
        assert!(is_digest_of(Some(&clients[0]), &digest));
        for index in 0..32 {
            let mut other = digest;
            other[index] ^= 1;
            assert!(!is_digest_of(Some(&clients[0]), &other), "{index}");
        }
        assert!(!is_digest_of(None, &digest));
        assert!(!is_digest_of(None, &DECOY), "the decoy opens nothing");
    }

    #[test]
    fn name_and_secret_are_read_as_they_are_and_as_fields_of_a_form() {
        for credentials in [
            format!("api:{SECRET}"),
            "api:0123+56%2B89%2541%C3%A9%3Af0123456789abcdef".to_owned(),
            "%61pi:0123%2056%2b89%2541%c3%a9:f0123456789abcdef".to_owned(),
        ] {
            assert_eq!(name(&credentials).as_deref(), Some("api"), "{credentials}");
        }
        for credentials in [
            String::new(),
            "api".to_owned(),
            "api:".to_owned(),
            ":".to_owned(),
            format!(":{SECRET}"),
            format!("API:{SECRET}"),
            format!("api :{SECRET}"),
            format!("api:{SECRET} "),
            format!("nobody:{SECRET}"),
            "api:0123 56 89Aé:f0123456789abcdef".to_owned(),
        ] {
            assert_eq!(name(&credentials), None, "{credentials}");
        }
    }

    #[test]
    fn what_is_shown_of_a_client_for_debugging_holds_no_secret() {
        let shown = format!("{:?}", clients());
        assert!(shown.contains("other") && !shown.contains("0123"), "{shown}");
        let digest = format!("{:?}", clients()[0].digest);
        assert!(!shown.contains(digest.trim_matches(['[', ']'])), "{shown}");
    }
}
