//! `Options`: what the HTTP interface is told by the settings.

use ipnet::IpNet;

/// What the HTTP interface is told by the settings.
#[derive(Clone, Debug)]
pub struct Options {
    /// The scheme, host and port that clients use, without a slash at the end.
    pub public_url: String,
    /// The path that stands before the API, such as `/v1`; may be empty.
    pub base_path: String,
    /// The proxies whose `X-Forwarded-For` is believed.
    pub trusted_proxies: Vec<IpNet>,
    /// The origins whose pages may call the API, exactly as browsers name them.
    pub cors_origins: Vec<String>,
    /// Whether `/docs` and `/openapi.json` are served.
    pub docs: bool,
}

impl Options {
    /// Whether clients reach the service by TLS.
    #[must_use]
    pub fn is_https(&self) -> bool {
        self.public_url.starts_with("https://")
    }

    /// The address of the page that explains the errors.
    #[must_use]
    pub fn problems_url(&self) -> String {
        format!("{}{}", self.public_url, crate::docs::PROBLEMS_PATH)
    }
}
