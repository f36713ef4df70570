//! `Options`: the settings of the HTTP interface.

use ipnet::IpNet;

use crate::{ApiClient, Dialects};

/// The settings of the HTTP interface.
#[derive(Clone, Debug)]
pub struct Options {
    /// The scheme, host and port that clients use, without a trailing slash.
    pub public_url: String,
    /// The path prefix of the API, such as `/v1`. It may be empty.
    pub base_path: String,
    /// The proxies whose `X-Forwarded-For` is trusted.
    pub trusted_proxies: Vec<IpNet>,
    /// The origins whose pages may call the API, exactly as browsers send them.
    pub cors_origins: Vec<String>,
    /// The `SameSite` attribute of the cookies.
    pub same_site: SameSite,
    /// The API clients.
    pub clients: Vec<ApiClient>,
    /// Whether `/docs` and `/openapi.json` are served.
    pub docs: bool,
    /// The wires of other systems that are spoken too.
    pub dialects: Dialects,
}

/// When browsers send a cookie with requests from other sites (RFC 6265bis, section 4.1.2.7).
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub enum SameSite {
    /// Never.
    Strict,
    /// Only when the user follows a link.
    #[default]
    Lax,
    /// Always. Only the CSRF token protects then.
    None,
}

impl SameSite {
    /// The value of the cookie attribute.
    pub(crate) const fn as_str(self) -> &'static str {
        match self {
            Self::Strict => "Strict",
            Self::Lax => "Lax",
            Self::None => "None",
        }
    }
}

impl Options {
    /// Returns the defaults for a service with this public URL: the API below `/v1`, no proxy, no
    /// other origin, no API client, no dialect, and no documentation pages.
    #[must_use]
    pub fn new(public_url: &str) -> Self {
        Self {
            public_url: public_url.to_owned(),
            base_path: "/v1".to_owned(),
            trusted_proxies: Vec::new(),
            cors_origins: Vec::new(),
            same_site: SameSite::default(),
            clients: Vec::new(),
            docs: false,
            dialects: Dialects::default(),
        }
    }

    /// Whether clients use HTTPS.
    #[must_use]
    pub fn is_https(&self) -> bool {
        self.public_url.starts_with("https://")
    }

    /// The URL of the page that explains the problem codes.
    #[must_use]
    pub fn problems_url(&self) -> String {
        format!("{}{}", self.public_url, crate::docs::PROBLEMS_PATH)
    }
}
