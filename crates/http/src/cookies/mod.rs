//! `Cookie`: the cookies in which browsers carry what other clients keep themselves.
//!
//! Their lines are written and read here rather than by a cookie library: ours hold nothing that
//! needs an encoding, and what else stands in the header is another application's.

mod read;

use std::borrow::Cow;

use actix_web::HttpResponseBuilder;
use actix_web::http::header::SET_COOKIE;

pub(crate) use read::find;

use crate::Options;

/// A cookie of ours.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Cookie {
    /// The access token.
    Access,
    /// The refresh token, for the one path that takes it.
    Refresh,
    /// The CSRF token of the session, which scripts of our own site read.
    Csrf,
    /// What makes the client known again when it logs in.
    Device,
}

impl Cookie {
    /// Its name. By the prefix a browser sees to it that no other host has set it (RFC 6265bis,
    /// section 4.1.3); `__Host-` cannot go with a path.
    pub(crate) const fn name(self) -> &'static str {
        match self {
            Self::Access => "__Host-gateward-access",
            Self::Refresh => "__Secure-gateward-refresh",
            Self::Csrf => "__Host-gateward-csrf",
            Self::Device => "__Host-gateward-device",
        }
    }

    /// The path below which a browser sends it.
    fn path(self, options: &Options) -> Cow<'static, str> {
        match self {
            Self::Refresh => format!("{}/refresh", options.base_path).into(),
            Self::Access | Self::Csrf | Self::Device => "/".into(),
        }
    }

    /// What keeps scripts from reading it.
    const fn http_only(self) -> &'static str {
        match self {
            Self::Csrf => "",
            Self::Access | Self::Refresh | Self::Device => "; HttpOnly",
        }
    }

    /// Has a browser keep it for so many seconds.
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

    /// Has a browser forget it.
    pub(crate) fn clear(self, response: &mut HttpResponseBuilder, options: &Options) {
        self.set(response, "", 0, options);
    }
}
