//! The details of problems that need a more specific text than the help text of their code. Each
//! says what is wrong, then what to do.

use std::fmt::Display;

use gateward_app::domain::EndReason;

// The request as a whole.
pub(crate) const LONG_HEADER: &str = "A header is larger than 8 KiB. Shorten it.";
pub(crate) const QUERY_TWICE: &str = "A query parameter appears twice. Send each parameter once.";
pub(crate) const BODY_INCOMPLETE: &str = "The body is incomplete. Send it again.";
pub(crate) const BODY_LATE: &str = "The body took too long to arrive. Send it again.";
pub(crate) const BODY_EMPTY: &str = "The body is empty. Send a JSON object.";
pub(crate) const BODY_SYNTAX: &str = "The body is not valid JSON in UTF-8. Fix its syntax.";
pub(crate) const KEY_TWICE: &str = "A key appears twice in the body. Send each key once.";
pub(crate) const NOT_AN_OBJECT: &str = "The body is not a JSON object. Send one object.";
pub(crate) const FORM_TYPE: &str = "The body is not a form. Send it uncompressed, with the header \
                                    `Content-Type: application/x-www-form-urlencoded`.";
pub(crate) const FORM_PARAMETER_TWICE: &str =
    "A form parameter appears twice. Send each parameter once.";
pub(crate) const FORM_NOT_UTF8: &str = "The form is not UTF-8. Encode it in UTF-8.";
pub(crate) const FORM_TOKEN: &str = "The form parameter `token` is missing. Send it.";

// Tokens and other credentials.
pub(crate) const AUTHORIZATION_TWICE: &str =
    "The header `Authorization` appears twice. Send it once.";
pub(crate) const AUTHORIZATION_CHARACTERS: &str =
    "The header `Authorization` contains invalid characters. Check the token.";
pub(crate) const AUTHORIZATION_FORM: &str = "The header `Authorization` is malformed. Send \
                                             `Authorization: Bearer TOKEN`, with one space.";
pub(crate) const TOKEN_IN_HEADER_AND_COOKIE: &str =
    "The access token is in both the header `Authorization` and a cookie. Send only one of them.";
pub(crate) const TOKEN_IN_QUERY: &str =
    "A second access token is in the URL. Remove the query parameter `access_token`.";
pub(crate) const NOT_AN_ACCESS_TOKEN: &str =
    "This is a refresh token. Send an access token instead.";
pub(crate) const NOT_A_REFRESH_TOKEN: &str =
    "This is an access token. Send a refresh token instead.";
pub(crate) const REFRESH_TOKEN_TWICE: &str =
    "The refresh token is in both the body and a cookie. Send only one of them.";
pub(crate) const DEVICE_TOKEN_TWICE: &str =
    "The known-device token is in both the body and a cookie. Send only one of them.";
pub(crate) const NO_SESSION: &str = "The request does not identify a session. Send \
                                     `refresh_token` in the body, or an access token in the \
                                     header `Authorization` or in its cookie.";
pub(crate) const NO_CLIENT: &str = "The request has no client credentials. Send the name and \
                                    secret of an API client with HTTP Basic in the header \
                                    `Authorization`.";
pub(crate) const WRONG_CLIENT: &str = "The client name or secret is wrong. Compare both with \
                                       `[clients]` in the server settings.";

// Headers.
pub(crate) const IDEMPOTENCY_KEY: &str = "The header `Idempotency-Key` is invalid or appears \
                                          twice. Send it once, with 1 to 255 visible ASCII \
                                          characters.";
pub(crate) const LAST_EVENT_ID_TWICE: &str =
    "The header `Last-Event-ID` appears twice. Send it once.";

// Everything else.
pub(crate) const CSRF_TOKEN: &str = "The header `X-CSRF-Token` is missing, wrong or sent twice. \
                                     Requests that authenticate with a cookie and change data \
                                     need it. Send the `csrf_token` from the login response, \
                                     which is also in the cookie `__Host-gateward-csrf`.";
pub(crate) const CROSS_SITE: &str = "The request came from a page of another origin. If that page \
                                     is yours, add its origin to `http.cors_origins` in the \
                                     server settings.";
pub(crate) const CROSS_SITE_INBOX: &str = "Another site linked to the inbox. Enter its URL in \
                                           the browser yourself.";
pub(crate) const CONFIRMATION: &str = "The link or code is invalid, expired or already used, or \
                                       the proof that you own the account is missing or wrong. \
                                       Send the link or code together with `signup_id`, \
                                       `password` or an access token. If that fails too, request \
                                       a new email with `POST /email/resend`.";
pub(crate) const RESET_LINK: &str = "The link or code is invalid, expired or already used. Request \
                                     a new one with `POST /password/forgot`.";
pub(crate) const INVITATION_LINK: &str = "The invitation is invalid, expired or already used. If \
                                          you have already set a password, log in. Otherwise, \
                                          ask an administrator for a new link.";
pub(crate) const UNDO_LINK: &str = "The link is invalid, expired or already used. Log in and set \
                                    your email address with `POST /me/email`. If you cannot log \
                                    in, contact support.";
pub(crate) const NOT_ME_LINK: &str = "The link is invalid, expired or already used. If the login \
                                      was not yours, reset your password with \
                                      `POST /password/forgot`; this ends all sessions.";
pub(crate) const USERNAME_TAKEN_SINCE: &str = "Another account has taken the username since you \
                                               signed up. Send the request again with another \
                                               `username`.";
pub(crate) const SIGNUP_DISABLED: &str = "Sign-up is disabled. Ask an administrator to invite you.";
pub(crate) const SHUTTING_DOWN: &str = "This node is shutting down. Send the request again.";
pub(crate) const REFRESH_DROPPED: &str =
    "The request waited too long and was dropped. Send it again.";

pub(crate) fn cookie_twice(name: &str) -> String {
    format!("The cookie `{name}` appears twice. Send it once.")
}

pub(crate) fn missing_permission(permission: &str) -> String {
    format!("You need the permission `{permission}`. Ask an administrator for it.")
}

pub(crate) fn missing_role(role: &impl Display) -> String {
    format!(
        "You cannot assign or remove the role `{role}`, because you do not have it. Ask a user \
         who has this role or the role `admin`."
    )
}

pub(crate) fn missing_client_right(right: &str) -> String {
    format!(
        "This API client lacks the right `{right}`. Add it to `may` of the client in the server \
         settings."
    )
}

pub(crate) fn rate_limited(seconds: u32) -> String {
    let unit = if seconds == 1 { "second" } else { "seconds" };
    format!("Too many attempts. Wait {seconds} {unit}, then try again.")
}

pub(crate) fn session_ended(reason: EndReason) -> String {
    format!("The session has ended: {}. Log in again.", why(reason))
}

/// Why a session has ended. The text completes "The session has ended: …".
pub(crate) const fn why(reason: EndReason) -> &'static str {
    match reason {
        EndReason::Logout => "it was logged out",
        EndReason::LogoutAll => "the user logged out of all sessions",
        EndReason::EndedByUser => "the user ended it",
        EndReason::EndedByAdmin => "an administrator ended it",
        EndReason::PasswordChanged => "the password was changed",
        EndReason::PasswordReset => "the password was reset",
        EndReason::EmailChanged => "a change of the email address was undone",
        EndReason::AccountDisabled => "the account is disabled",
        EndReason::AccountDeleted => "the account was deleted",
        EndReason::RefreshTokenReused => "one of its refresh tokens was used twice",
        EndReason::IdleTimeout => "it was inactive for too long",
        EndReason::LifetimeOver => "it reached its maximum lifetime",
        EndReason::SessionLimit => "newer sessions of the account exceeded the session limit",
        EndReason::KeyCompromised => "the key that signed its tokens was compromised",
        EndReason::NotMe => "the account owner reported an unrecognized login",
    }
}
