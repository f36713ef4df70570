//! The codes and messages of field errors. Clients may show a message next to its field, so each is
//! a sentence that says how to fix the value.

use std::borrow::Cow;

use gateward_app::domain::{EmailAddressError, PasswordError, Permission, Role, UsernameError};

use super::FieldError;

/// The stable code and the message of a field error.
pub(crate) struct FieldText {
    code: &'static str,
    message: Cow<'static, str>,
}

impl FieldText {
    const fn new(code: &'static str, message: &'static str) -> Self {
        Self { code, message: Cow::Borrowed(message) }
    }

    /// The error of this field, parameter or header.
    pub(crate) fn at(self, field: &str) -> FieldError {
        let message = self.message.into_owned();
        FieldError { field: field.to_owned(), code: self.code, message }
    }
}

impl From<UsernameError> for FieldText {
    fn from(error: UsernameError) -> Self {
        match error {
            UsernameError::Length => Self::new("bad_length", "Must have 3 to 32 characters."),
            UsernameError::Character => Self::new(
                "bad_character",
                "May only contain the letters A to Z, digits, '.', '_' and '-'.",
            ),
            UsernameError::Reserved => {
                Self::new("reserved", "This username is reserved. Choose another one.")
            }
        }
    }
}

impl From<EmailAddressError> for FieldText {
    fn from(error: EmailAddressError) -> Self {
        match error {
            EmailAddressError::TooLong => {
                Self::new("too_long", "Must have at most 254 bytes, and at most 64 before the '@'.")
            }
            EmailAddressError::Invisible => {
                Self::new("bad_character", "Must not contain invisible characters.")
            }
            EmailAddressError::Form => {
                Self::new("bad_form", "Must have the form name@example.org.")
            }
        }
    }
}

impl From<PasswordError> for FieldText {
    fn from(error: PasswordError) -> Self {
        match error {
            PasswordError::TooShort { length_min } => Self {
                code: "too_short",
                message: format!("Must have at least {length_min} characters.").into(),
            },
            PasswordError::TooLong => {
                Self::new("too_long", "Must have at most 1024 characters and 4096 bytes.")
            }
            PasswordError::Common => Self::new(
                "common_password",
                "This password is on a list of common passwords. Choose another one.",
            ),
            PasswordError::Context => Self::new(
                "context_password",
                "This password is too similar to the username, the email address or \
                 \"gateward\". Choose another one.",
            ),
            PasswordError::Breached => Self::new(
                "breached_password",
                "This password is on a list of breached passwords. Choose another one.",
            ),
        }
    }
}

macro_rules! texts {
    ($($name:ident = $code:literal, $message:literal;)*) => {
        $(pub(crate) const $name: FieldText = FieldText::new($code, $message);)*
    };
}

// Any field or query parameter.
texts! {
    REQUIRED = "required", "This field is required.";
    NOT_A_STRING = "wrong_type", "Must be a string.";
    NOT_A_LIST = "wrong_type", "Must be a list of strings.";
    NOT_A_BOOLEAN = "wrong_type", "Must be true or false.";
    UNKNOWN_FIELD = "unknown_field",
        "Unknown field. Check its spelling, or remove it.";
    UNKNOWN_PARAMETER = "unknown_field",
        "Unknown query parameter. Check its spelling, or remove it.";
}

// Pages of lists.
texts! {
    LIMIT = "out_of_range", "Must be a whole number from 1 to 100.";
    CURSOR = "bad_cursor",
        "Must be a cursor from an earlier response. Omit it to start at the beginning.";
    LAST_EVENT_ID = "bad_cursor",
        "Must be the `id` of an event of this stream. Omit it to start at the beginning.";
}

// Filters.
texts! {
    SEARCH_TEXT = "bad_form", "Must have 1 to 254 characters, without control characters.";
    ROLE_FILTER = "bad_form", "Must be the name of a role.";
    BOOLEAN_FILTER = "bad_form", "Must be true or false.";
    ID = "bad_form", "Must be an ID exactly as responses show it.";
    TIME = "bad_form", "Must be an RFC 3339 time, such as 2026-11-20T04:10:00Z.";
    EVENT = "unknown_event", "Must be the name of an event, such as session_ended.";
}

// Logins, links and passwords.
texts! {
    ONE_IDENTIFIER = "exactly_one", "Send exactly one of `email`, `username` and `identifier`.";
    TRANSPORT = "not_available", "Must be \"bearer\" or \"cookie\".";
    CLIENT_NAME_LENGTH = "bad_length", "Must have 1 to 100 characters.";
    CLIENT_NAME_CHARACTER = "bad_character", "Must not contain control characters.";
    TOKEN_OR_CODE = "exactly_one", "Send either `token`, or `email` and `code` together.";
    CODE = "bad_form", "Must be the 8-digit code from the email.";
    ONE_ACCOUNT_PROOF = "exactly_one", "Send either `signup_id` or `password`, not both.";
    WRONG_PASSWORD = "wrong_password", "Wrong password. Check it and try again.";
    EMAIL_UNCHANGED = "unchanged",
        "This is already the email address of your account. Enter a different one.";
    EMAIL_TOO_OFTEN = "too_often",
        "The email address was changed too often. Try again in a few days.";
}

// Roles.
texts! {
    ROLE_NAME = "bad_form",
        "A role name has 1 to 32 characters of a-z, 0-9, '-' and '_', a letter first.";
    BUILT_IN = "built_in",
        "This role is built in and cannot be changed or deleted. Use another role.";
}

pub(crate) fn unknown_role(role: &impl std::fmt::Display) -> FieldText {
    let message = format!("There is no role `{role}`. List all roles with `GET /roles`.");
    FieldText { code: "unknown_role", message: message.into() }
}

pub(crate) fn too_many_roles() -> FieldText {
    let message = format!("There are already {} roles. Delete one first.", Role::MAX);
    FieldText { code: "too_many_roles", message: message.into() }
}

pub(crate) fn too_many_roles_of_user() -> FieldText {
    let message = format!("A user can have at most {} roles. Send fewer.", Role::PER_USER_MAX);
    FieldText { code: "too_many", message: message.into() }
}

pub(crate) fn unknown_permission() -> FieldText {
    let known: Vec<_> = Permission::ALL.iter().map(|known| known.as_str()).collect();
    let message = format!("Must contain only these permissions: {}.", known.join(", "));
    FieldText { code: "unknown_permission", message: message.into() }
}
