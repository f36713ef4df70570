//! `Options`: what the HTTP interface is told by the settings.

use ipnet::IpNet;

use crate::ApiClient;

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
    /// When browsers send the cookies with what other sites cause.
    pub same_site: SameSite,
    /// The services that may ask about tokens.
    pub clients: Vec<ApiClient>,
    /// Whether `/docs` and `/openapi.json` are served.
    pub docs: bool,
}

/// When a browser sends a cookie with what another site causes (RFC 6265bis, section 4.1.2.7).
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub enum SameSite {
    /// Never.
    Strict,
    /// When the user follows a link.
    #[default]
    Lax,
    /// Always. The CSRF token alone protects then.
    None,
}

impl SameSite {
    /// The word in a cookie's line.
    pub(crate) const fn as_str(self) -> &'static str {
        match self {
            Self::Strict => "Strict",
            Self::Lax => "Lax",
            Self::None => "None",
        }
    }
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
