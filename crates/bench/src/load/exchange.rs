//! The requests of the benchmark, and what their responses must be.

use std::collections::VecDeque;
use std::net::{Ipv4Addr, SocketAddr};

use anyhow::{Context, bail};
use serde::Deserialize;

use super::{Client, Response, Wire};

/// The password of every account.
pub(crate) const PASSWORD: &str = "correct horse battery";

/// How the server has treated a request.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Outcome {
    /// It did what was requested.
    Served,
    /// It refused the request because of its load.
    Refused,
}

/// Requests of one kind.
pub(crate) trait Exchange: Send + 'static {
    /// Returns the bytes of the next request.
    fn request(&mut self) -> anyhow::Result<&[u8]>;

    /// Checks the response, and takes from it what the next request needs.
    fn accept(&mut self, response: &Response<'_>) -> anyhow::Result<Outcome>;
}

/// A client that sends requests of one kind over HTTP.
pub(crate) struct HttpClient<E> {
    pub(crate) server: SocketAddr,
    pub(crate) source: Ipv4Addr,
    pub(crate) exchange: E,
}

impl<E: Exchange> Client for HttpClient<E> {
    type Wire = Wire;

    async fn connect(&mut self) -> anyhow::Result<Wire> {
        Wire::connect(self.server, self.source).await
    }

    async fn step(&mut self, wire: &mut Wire) -> anyhow::Result<Outcome> {
        let response = wire.exchange(self.exchange.request()?).await?;
        self.exchange.accept(&response)
    }
}

/// Gets the same resource again and again.
pub(crate) struct Get(Vec<u8>);

impl Get {
    /// Prepares the request, with an access token if there is one.
    pub(crate) fn new(path: &str, access_token: Option<&str>) -> Self {
        let token = access_token.map(|token| format!("Authorization: Bearer {token}\r\n"));
        let token = token.unwrap_or_default();
        Self(format!("GET {path} HTTP/1.1\r\nHost: 127.0.0.1\r\n{token}\r\n").into_bytes())
    }
}

impl Exchange for Get {
    fn request(&mut self) -> anyhow::Result<&[u8]> {
        Ok(&self.0)
    }

    fn accept(&mut self, response: &Response<'_>) -> anyhow::Result<Outcome> {
        if response.status == 200 { Ok(Outcome::Served) } else { Err(unexpected("GET", response)) }
    }
}

/// Logs in to one account after the other.
pub(crate) struct Login {
    accounts: u64,
    next: u64,
    refusable: bool,
    bytes: Vec<u8>,
    tokens: Option<Tokens>,
}

/// The token pair of a response.
#[derive(Clone, Debug, Deserialize)]
pub(crate) struct Tokens {
    pub(crate) access_token: String,
    pub(crate) refresh_token: String,
}

impl Login {
    /// Spreads consecutive logins over all accounts. A prime, so that every account has its turn.
    const STRIDE: u64 = 7919;

    /// Logs in to the accounts of [`username`], client number `index` starting at one of its own.
    pub(crate) fn new(accounts: u64, index: usize) -> Self {
        let index = u64::try_from(index).unwrap_or_default();
        let next = index.wrapping_mul(accounts / 61 + 1) % accounts;
        Self { accounts, next, refusable: false, bytes: Vec::new(), tokens: None }
    }

    /// Allows the server to refuse logins because of its load.
    pub(crate) const fn allow_refusals(&mut self) {
        self.refusable = true;
    }

    /// Returns the tokens of the last login.
    pub(crate) fn tokens(&self) -> anyhow::Result<&Tokens> {
        self.tokens.as_ref().context("no login has succeeded")
    }
}

impl Exchange for Login {
    fn request(&mut self) -> anyhow::Result<&[u8]> {
        let username = username(self.next);
        self.next = (self.next + Self::STRIDE) % self.accounts;
        let body = format!(r#"{{"identifier":"{username}","password":"{PASSWORD}"}}"#);
        self.bytes = post("/v1/login", &body);
        Ok(&self.bytes)
    }

    fn accept(&mut self, response: &Response<'_>) -> anyhow::Result<Outcome> {
        match response.status {
            200 => {
                self.tokens = Some(serde_json::from_slice(response.body)?);
                Ok(Outcome::Served)
            }
            // Not 429, which is cheaper: no client here exceeds a rate limit.
            503 if self.refusable => Ok(Outcome::Refused),
            _ => Err(unexpected("POST /v1/login", response)),
        }
    }
}

/// Refreshes sessions in turn. Each client has sessions of its own.
pub(crate) struct Refresh {
    tokens: VecDeque<String>,
    bytes: Vec<u8>,
}

impl Refresh {
    /// Starts from the current refresh token of each session.
    pub(crate) fn new(tokens: impl IntoIterator<Item = String>) -> Self {
        Self { tokens: tokens.into_iter().collect(), bytes: Vec::new() }
    }
}

impl Exchange for Refresh {
    fn request(&mut self) -> anyhow::Result<&[u8]> {
        let token = self.tokens.pop_front().context("this client has no session")?;
        self.bytes = post("/v1/refresh", &format!(r#"{{"refresh_token":"{token}"}}"#));
        Ok(&self.bytes)
    }

    fn accept(&mut self, response: &Response<'_>) -> anyhow::Result<Outcome> {
        /// The part of the response that the next refresh needs.
        #[derive(Deserialize)]
        struct Next<'a> {
            refresh_token: &'a str,
        }

        if response.status != 200 {
            return Err(unexpected("POST /v1/refresh", response));
        }
        let next: Next<'_> = serde_json::from_slice(response.body)?;
        self.tokens.push_back(next.refresh_token.to_owned());
        Ok(Outcome::Served)
    }
}

/// Returns the username of an account.
pub(crate) fn username(index: u64) -> String {
    format!("user{index:08}")
}

fn post(path: &str, body: &str) -> Vec<u8> {
    let length = body.len();
    format!(
        "POST {path} HTTP/1.1\r\nHost: 127.0.0.1\r\nContent-Type: application/json\r\n\
         Content-Length: {length}\r\n\r\n{body}"
    )
    .into_bytes()
}

fn unexpected(request: &str, response: &Response<'_>) -> anyhow::Error {
    let body = String::from_utf8_lossy(response.body);
    anyhow::anyhow!("{request} was answered with {}: {body}", response.status)
}

/// Sends one request on a connection of its own and returns the body.
pub(crate) async fn get_once(server: SocketAddr, request: Get) -> anyhow::Result<Vec<u8>> {
    let mut wire = Wire::connect(server, Ipv4Addr::LOCALHOST).await?;
    let response = wire.exchange(&request.0).await?;
    if response.status != 200 {
        bail!(unexpected("GET", &response));
    }
    Ok(response.body.to_vec())
}

#[cfg(test)]
mod tests {
    use std::collections::BTreeSet;

    use super::*;

    fn text(bytes: &[u8]) -> String {
        String::from_utf8(bytes.to_vec()).unwrap()
    }

    #[test]
    fn logins_reach_every_account() {
        let mut login = Login::new(50, 3);
        let requests: BTreeSet<_> = (0..50).map(|_| text(login.request().unwrap())).collect();
        assert_eq!(requests.len(), 50);
    }

    #[test]
    fn a_refresh_presents_the_token_of_the_last_response() {
        let mut refresh = Refresh::new(["first".to_owned()]);
        assert!(text(refresh.request().unwrap()).ends_with(r#"{"refresh_token":"first"}"#));
        let body = br#"{"access_token":"a","refresh_token":"second"}"#;
        refresh.accept(&Response { status: 200, body }).unwrap();
        assert!(text(refresh.request().unwrap()).ends_with(r#"{"refresh_token":"second"}"#));
    }

    #[test]
    fn only_a_refusable_login_may_be_refused() {
        let busy = Response { status: 503, body: b"" };
        let mut login = Login::new(9, 0);
        assert!(login.accept(&busy).is_err());
        login.allow_refusals();
        assert_eq!(login.accept(&busy).unwrap(), Outcome::Refused);
        assert!(login.accept(&Response { status: 401, body: b"" }).is_err());
        assert!(login.accept(&Response { status: 429, body: b"" }).is_err());
    }

    #[test]
    fn a_body_is_sent_with_its_length() {
        assert!(text(&post("/x", "{}")).contains("\r\nContent-Length: 2\r\n\r\n{}"));
    }
}
