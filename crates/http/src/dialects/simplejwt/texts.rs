//! The texts of the wire, as Django REST framework, djangorestframework-simplejwt and Django write
//! them. Clients compare some of them.

use gateward_app::domain::{Password, PasswordError, Username, UsernameError};

// Fields.
pub(super) const REQUIRED: &str = "This field is required.";
pub(super) const BLANK: &str = "This field may not be blank.";
pub(super) const NULL: &str = "This field may not be null.";
pub(super) const NOT_A_STRING: &str = "Not a valid string.";
pub(super) const NO_DATA: &str = "No data provided";
pub(super) const BAD_EMAIL: &str = "Enter a valid email address.";
pub(super) const USERNAME_TAKEN: &str = "A user with that username already exists.";
pub(super) const EMAIL_TAKEN: &str = "user with this email already exists.";

// Tokens. The package tells an invalid token from an expired one since release 5.5; its
// documentation and most clients know the text for both.
pub(super) const INVALID: &str = "Token is invalid or expired";
pub(super) const WRONG_TYPE: &str = "Token has wrong type";
pub(super) const BLACKLISTED: &str = "Token is blacklisted";

// Accounts.
pub(super) const NO_ACCOUNT: &str = "No active account found with the given credentials";
pub(super) const NO_ACCOUNT_OF_TOKEN: &str = "No active account found for the given token.";
pub(super) const USER_INACTIVE: &str = "User is inactive";
pub(super) const USER_NOT_FOUND: &str = "User not found";

// Protected endpoints.
pub(super) const NO_CREDENTIALS: &str = "Authentication credentials were not provided.";
pub(super) const BAD_HEADER: &str = "Authorization header must contain two space-delimited values";
pub(super) const UNUSABLE: &str = "Given token not valid for any token type";

// Requests.
pub(super) const BAD_BOUNDARY: &str =
    "Multipart form parse error - Invalid boundary in multipart: None";
pub(super) const BAD_MULTIPART: &str = "Multipart form parse error - Invalid multipart body";
pub(super) const SERVER_ERROR: &str = "A server error occurred.";

pub(super) fn not_a_dictionary(kind: &str) -> String {
    format!("Invalid data. Expected a dictionary, but got {kind}.")
}

pub(super) fn bad_json(error: &serde_json::Error) -> String {
    format!("JSON parse error - {error}")
}

pub(super) fn unsupported(media: &str) -> String {
    format!("Unsupported media type \"{media}\" in request.")
}

pub(super) fn not_allowed(method: &str) -> String {
    format!("Method \"{method}\" not allowed.")
}

pub(super) fn throttled(seconds: u32) -> String {
    let unit = if seconds == 1 { "second" } else { "seconds" };
    format!("Request was throttled. Expected available in {seconds} {unit}.")
}

pub(super) fn bad_username(error: UsernameError) -> String {
    match error {
        UsernameError::Length => {
            format!(
                "Ensure this field has {} to {} characters.",
                Username::LEN_MIN,
                Username::LEN_MAX
            )
        }
        UsernameError::Character => "Enter a valid username. This value may contain only letters, \
                                     numbers, and ./-/_ characters."
            .to_owned(),
        UsernameError::Reserved => "This username is reserved. Choose another one.".to_owned(),
    }
}

pub(super) fn bad_password(error: PasswordError) -> String {
    match error {
        PasswordError::TooShort { length_min } => {
            format!("This password is too short. It must contain at least {length_min} characters.")
        }
        PasswordError::TooLong => {
            format!("Ensure this field has no more than {} characters.", Password::CHARS_MAX)
        }
        PasswordError::Common => "This password is too common.".to_owned(),
        PasswordError::Context => {
            "The password is too similar to the username or email address.".to_owned()
        }
        PasswordError::Breached => {
            "This password is on a list of breached passwords. Choose another one.".to_owned()
        }
    }
}
