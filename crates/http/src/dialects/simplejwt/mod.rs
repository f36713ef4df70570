//! The wire of djangorestframework-simplejwt 5.5, and of djoser beside it.

mod documented;
mod errors;
mod input;
#[cfg(test)]
mod tests;
mod texts;
mod tokens;
mod users;

pub(super) use self::errors::refused;
use crate::routes::Endpoint;

const LOGIN: &str = "/api/token/";
const REFRESH: &str = "/api/token/refresh/";
const VERIFY: &str = "/api/token/verify/";
const BLACKLIST: &str = "/api/token/blacklist/";
const USERS: &str = "/auth/users/";
const ME: &str = "/auth/users/me/";

/// The settings of the dialect.
#[derive(Clone, Debug)]
pub struct SimpleJwt {
    /// Whether a refresh returns the next refresh token. If not, the current one stays valid.
    pub rotate: bool,
}

/// The endpoints, each with and without the final slash. Only the path with it is documented.
pub(super) fn endpoints() -> Vec<Endpoint> {
    let endpoints = [
        tokens::login_endpoint(),
        tokens::refresh_endpoint(),
        tokens::verify_endpoint(),
        tokens::blacklist_endpoint(),
        users::sign_up_endpoint(),
        users::me_endpoint(),
    ];
    let both = |endpoint: Endpoint| {
        let bare = endpoint.without_final_slash();
        [endpoint, bare]
    };
    endpoints.into_iter().flat_map(both).collect()
}

/// Whether a path pattern belongs to the dialect.
pub(super) fn owns(pattern: &str) -> bool {
    let paths = [LOGIN, REFRESH, VERIFY, BLACKLIST, USERS, ME];
    paths.iter().any(|path| path.trim_end_matches('/') == pattern.trim_end_matches('/'))
}
