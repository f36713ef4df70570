//! The wire of Flask-JWT-Extended 4.7, with the endpoints that its documentation shows.

mod cookies;
mod errors;
mod login;
mod logout;
mod presented;
mod protected;
mod refresh;
#[cfg(test)]
mod tests;
mod tokens;

pub(super) use self::errors::refused;
use crate::App;
use crate::problem::{Code, Problem};
use crate::routes::Endpoint;

const LOGIN: &str = "/login";
const REFRESH: &str = "/refresh";
const LOGOUT: &str = "/logout";
const PROTECTED: &str = "/protected";

/// How the dialect sends tokens.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub enum FlaskTransport {
    /// In response bodies and the header `Authorization`.
    #[default]
    Header,
    /// In cookies.
    Cookie,
}

/// The settings of the dialect.
#[derive(Clone, Debug)]
pub struct Flask {
    /// The path prefix, starting with `/` and without a slash at the end, except for `/` itself.
    pub path: String,
    /// How tokens are sent.
    pub transport: FlaskTransport,
    /// Whether requests that change data with a cookie need the CSRF token.
    pub csrf: bool,
    /// Whether a refresh returns the next refresh token. If not, the current one stays valid.
    pub rotate: bool,
}

impl Flask {
    /// The settings of this installation. Only the endpoints of the dialect ask for them, and those
    /// exist only with them.
    fn of(app: &App) -> Result<&Self, Problem> {
        app.options().dialects.flask.as_ref().ok_or_else(|| Problem::new(Code::NotFound))
    }

    /// The full path of one of the dialect's endpoints, such as `/login`.
    fn path_of(&self, endpoint: &str) -> String {
        format!("{}{endpoint}", self.path.trim_end_matches('/'))
    }

    fn is_by_cookie(&self) -> bool {
        self.transport == FlaskTransport::Cookie
    }

    /// Whether a path pattern belongs to the dialect.
    pub(super) fn owns(&self, pattern: &str) -> bool {
        [LOGIN, REFRESH, LOGOUT, PROTECTED].iter().any(|endpoint| self.path_of(endpoint) == pattern)
    }
}

pub(super) fn endpoints(flask: &Flask) -> Vec<Endpoint> {
    let mut endpoints =
        vec![login::endpoint(flask), refresh::endpoint(flask), protected::endpoint(flask)];
    endpoints.extend(logout::endpoints(flask));
    endpoints
}
