//! The four cookies of the package: two tokens, and a CSRF token for each.

use actix_web::HttpResponseBuilder;
use actix_web::http::header::SET_COOKIE;
use gateward_app::domain::{CsrfUse, SessionId, TokenText, derived_csrf_token};

use super::{Flask, REFRESH};
use crate::problem::Problem;
use crate::{App, Options};

/// Makes a browser forget a cookie, as the package does.
const FORGET: &str = "; Expires=Thu, 01 Jan 1970 00:00:00 GMT";

/// A token and its CSRF token.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Kind {
    Access,
    Refresh,
}

impl Kind {
    /// The name of the cookie with the token.
    pub(super) const fn name(self) -> &'static str {
        match self {
            Self::Access => "access_token_cookie",
            Self::Refresh => "refresh_token_cookie",
        }
    }

    /// The name of the cookie with the CSRF token.
    const fn csrf_name(self) -> &'static str {
        match self {
            Self::Access => "csrf_access_token",
            Self::Refresh => "csrf_refresh_token",
        }
    }

    /// The path of the cookie with the token.
    fn path(self, flask: &Flask) -> String {
        match self {
            Self::Access => flask.path.clone(),
            Self::Refresh => flask.path_of(REFRESH),
        }
    }

    /// The session of a token that this installation has signed, even if it has expired.
    pub(super) fn session(self, app: &App, token: &str) -> Option<SessionId> {
        let session = match self {
            Self::Access => app.core().past_session(token),
            Self::Refresh => app.core().session_id_of_refresh_token(token),
        };
        session.ok()
    }

    /// The CSRF token of a session for requests with this token. The package has one for each
    /// token and refuses the other.
    pub(super) fn csrf_token(self, app: &App, id: SessionId) -> Result<TokenText, Problem> {
        let of_session = app.core().csrf_token(id).map_err(Problem::of_access_token)?;
        Ok(derived_csrf_token(
            &of_session,
            match self {
                Self::Access => CsrfUse::FlaskAccess,
                Self::Refresh => CsrfUse::FlaskRefresh,
            },
        ))
    }

    /// Sets both cookies. Browsers keep them until they close, as those of the package: also an
    /// expired access token, so that the response says that it has expired.
    pub(super) fn set(
        self,
        response: &mut HttpResponseBuilder,
        token: &TokenText,
        csrf_token: &TokenText,
        (flask, options): (&Flask, &Options),
    ) {
        self.write(response, (token.expose(), csrf_token.expose()), "", (flask, options));
    }

    /// Deletes both cookies.
    pub(super) fn clear(
        self,
        response: &mut HttpResponseBuilder,
        (flask, options): (&Flask, &Options),
    ) {
        self.write(response, ("", ""), FORGET, (flask, options));
    }

    fn write(
        self,
        response: &mut HttpResponseBuilder,
        (token, csrf_token): (&str, &str),
        expires: &str,
        (flask, options): (&Flask, &Options),
    ) {
        let same_site = options.same_site.as_str();
        let path = self.path(flask);
        let common = format!("{expires}; Secure; SameSite={same_site}");
        let line = format!("{}={token}; Path={path}{common}; HttpOnly", self.name());
        response.append_header((SET_COOKIE, line));
        // A page can read a cookie only below its path, and pages need not be below the dialect's.
        let line = format!("{}={csrf_token}; Path=/{common}", self.csrf_name());
        response.append_header((SET_COOKIE, line));
    }
}
