//! `Cookie`: the cookies of cookie mode.
//!
//! No cookie library: our values need no encoding, and other cookies in the header belong to other
//! applications.

mod read;

use std::borrow::Cow;

use actix_web::HttpResponseBuilder;
use actix_web::http::header::SET_COOKIE;

pub(crate) use read::{find, values};

use crate::Options;

/// A cookie of this service.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Cookie {
    /// The access token.
    Access,
    /// The refresh token, only for the path of the refresh.
    Refresh,
    /// The CSRF token of the session. Scripts of the site can read it.
    Csrf,
    /// The known-device token.
    Device,
}

impl Cookie {
    /// The name. Its prefix makes browsers reject the cookie from other hosts (RFC 6265bis, section
    /// 4.1.3). `__Host-` does not allow a path.
    pub(crate) const fn name(self) -> &'static str {
        match self {
            Self::Access => "__Host-gateward-access",
            Self::Refresh => "__Secure-gateward-refresh",
            Self::Csrf => "__Host-gateward-csrf",
            Self::Device => "__Host-gateward-device",
        }
    }

    fn path(self, options: &Options) -> Cow<'static, str> {
        match self {
            Self::Refresh => format!("{}/refresh", options.base_path).into(),
            Self::Access | Self::Csrf | Self::Device => "/".into(),
        }
    }

    /// The attribute that keeps scripts from reading the cookie.
    const fn http_only(self) -> &'static str {
        match self {
            Self::Csrf => "",
            Self::Access | Self::Refresh | Self::Device => "; HttpOnly",
        }
    }

    /// Sets the cookie.
    pub(crate) fn set(
        self,
        response: &mut HttpResponseBuilder,
        value: &str,
        max_age_seconds: i64,
        options: &Options,
    ) {
        let line = format!(
            "{}={value}; Path={}; Max-Age={max_age_seconds}{}; Secure; SameSite={}",
            self.name(),
            self.path(options),
            self.http_only(),
            options.same_site.as_str(),
        );
        response.append_header((SET_COOKIE, line));
    }

    /// Deletes the cookie.
    pub(crate) fn clear(self, response: &mut HttpResponseBuilder, options: &Options) {
        self.set(response, "", 0, options);
    }
}
