//! `Fields`: the fields of a body, taken one by one. All errors are reported together.

use gateward_app::domain::{
    EmailAddress, EmailAddressError, Password, PasswordError, PasswordPolicy, Session, Username,
    UsernameError,
};

use super::json::{Members, Value};
use crate::problem::{FieldError, Problem};

/// How many characters of an unknown field's name a response repeats at most.
const NAME_ECHO_MAX: usize = 64;

/// How many unknown fields a response names at most, so that it is not much longer than its
/// request.
const UNKNOWN_TOLD_MAX: usize = 32;

/// The fields of a body, or the parameters of a query.
pub(crate) struct Fields {
    members: Vec<(String, Value)>,
    errors: Vec<FieldError>,
    /// The error message for an unknown field.
    unknown: &'static str,
}

impl Fields {
    pub(crate) fn new(members: Members) -> Self {
        let unknown = "unknown field";
        Self { members: members.0, errors: Vec::new(), unknown }
    }

    /// The parameters of a query.
    pub(super) fn of_query(parameters: Members) -> Self {
        Self { unknown: "unknown query parameter", ..Self::new(parameters) }
    }

    /// Whether a field is present; `null` counts as absent, and is removed.
    pub(crate) fn has(&mut self, name: &str) -> bool {
        self.members.retain(|(member, value)| member != name || !matches!(value, Value::Null));
        self.members.iter().any(|(member, _)| member == name)
    }

    /// Takes a required string.
    pub(crate) fn text(&mut self, name: &str) -> Option<String> {
        if self.members.iter().any(|(member, _)| member == name) {
            match self.take(name) {
                Some(Value::Text(text)) => return Some(text),
                _ => self.wrong(name, "wrong_type", "must be a string"),
            }
        } else {
            self.wrong(name, "required", "is required");
        }
        None
    }

    /// Takes an optional string; `null` counts as absent.
    pub(crate) fn optional_string(&mut self, name: &str) -> Option<String> {
        match self.take(name) {
            Some(Value::Text(text)) => Some(text),
            None | Some(Value::Null) => None,
            Some(_) => {
                self.wrong(name, "wrong_type", "must be a string");
                None
            }
        }
    }

    /// Takes a required list of strings.
    pub(crate) fn texts(&mut self, name: &str) -> Option<Vec<String>> {
        let Some(value) = self.take(name) else {
            self.wrong(name, "required", "is required");
            return None;
        };
        self.list(name, value)
    }

    /// Takes an optional list of strings; `null` counts as absent.
    pub(crate) fn optional_texts(&mut self, name: &str) -> Option<Vec<String>> {
        match self.take(name)? {
            Value::Null => None,
            value => self.list(name, value),
        }
    }

    fn list(&mut self, name: &str, value: Value) -> Option<Vec<String>> {
        let text = |value| if let Value::Text(text) = value { Some(text) } else { None };
        let texts = match value {
            Value::List(values) => values.into_iter().map(text).collect(),
            _ => None,
        };
        if texts.is_none() {
            self.wrong(name, "wrong_type", "must be a list of strings");
        }
        texts
    }

    /// Takes an optional Boolean; the default is `false`.
    pub(crate) fn flag(&mut self, name: &str) -> bool {
        match self.take(name) {
            Some(Value::Flag(flag)) => flag,
            None | Some(Value::Null) => false,
            Some(_) => {
                self.wrong(name, "wrong_type", "must be true or false");
                false
            }
        }
    }

    /// Takes a new username.
    pub(crate) fn new_username(&mut self, name: &str) -> Option<Username> {
        let text = self.text(name)?;
        let code = |error| match error {
            UsernameError::Length => "bad_length",
            UsernameError::Character => "bad_character",
            UsernameError::Reserved => "reserved",
        };
        Username::parse(&text)
            .map_err(|error| self.wrong(name, code(error), error.to_string()))
            .ok()
    }

    /// Takes an email address.
    pub(crate) fn email(&mut self, name: &str) -> Option<EmailAddress> {
        let text = self.text(name)?;
        let code = |error| match error {
            EmailAddressError::TooLong => "too_long",
            EmailAddressError::Invisible => "bad_character",
            EmailAddressError::Form => "bad_form",
        };
        EmailAddress::parse(&text)
            .map_err(|error| self.wrong(name, code(error), error.to_string()))
            .ok()
    }

    /// Takes a password.
    pub(crate) fn password(&mut self, name: &str) -> Option<Password> {
        let text = self.text(name)?;
        let refuse = |error: PasswordError| self.errors.push(password_error(name, error));
        Password::received(text).map_err(refuse).ok()
    }

    /// Takes a new password. The use case checks later whether it contains the account's own words.
    pub(crate) fn new_password(&mut self, name: &str, policy: PasswordPolicy) -> Option<Password> {
        let password = self.password(name)?;
        if let Err(error) = policy.check_alone(&password) {
            self.errors.push(password_error(name, error));
        }
        Some(password)
    }

    /// Takes the optional client name.
    pub(crate) fn client_name(&mut self) -> Option<String> {
        let text = self.optional_string("client_name")?;
        let length = text.chars().count();
        if length == 0 || length > Session::CLIENT_NAME_LEN_MAX {
            self.wrong("client_name", "bad_length", "must have 1 to 100 characters");
        } else if text.chars().any(char::is_control) {
            self.wrong("client_name", "bad_character", "must not contain control characters");
        }
        Some(text)
    }

    /// Records an error.
    pub(crate) fn wrong(&mut self, name: &str, code: &'static str, message: impl Into<String>) {
        let message = message.into();
        self.errors.push(FieldError { field: name.to_owned(), code, message });
    }

    /// Reports fields that were not taken as unknown. Returns `value` if it is complete and there
    /// were no errors.
    pub(crate) fn finish<T>(mut self, value: Option<T>) -> Result<T, Problem> {
        for (name, _) in std::mem::take(&mut self.members).into_iter().take(UNKNOWN_TOLD_MAX) {
            let name: String = name.chars().take(NAME_ECHO_MAX).collect();
            self.wrong(&name, "unknown_field", self.unknown);
        }
        match value {
            Some(value) if self.errors.is_empty() => Ok(value),
            _ => Err(Problem::fields(self.errors)),
        }
    }

    fn take(&mut self, name: &str) -> Option<Value> {
        let index = self.members.iter().position(|(member, _)| member == name)?;
        Some(self.members.remove(index).1)
    }
}

/// The field error for a rejected password.
pub(crate) fn password_error(field: &str, error: PasswordError) -> FieldError {
    let code = match error {
        PasswordError::TooShort { .. } => "too_short",
        PasswordError::TooLong => "too_long",
        PasswordError::Common => "common_password",
        PasswordError::Context => "context_password",
        PasswordError::Breached => "breached_password",
    };
    FieldError { field: field.to_owned(), code, message: error.to_string() }
}
