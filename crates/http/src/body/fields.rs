//! `Fields`: the fields of a body, taken one by one. All errors are reported together.

use gateward_app::domain::{
    EmailAddress, Password, PasswordError, PasswordPolicy, Session, Username,
};

use super::json::{Members, Value};
use crate::problem::field_texts::{UNKNOWN_FIELD, UNKNOWN_PARAMETER};
use crate::problem::{FieldError, FieldText, Problem, field_texts};

/// How many characters of an unknown field's name a response repeats at most.
const NAME_ECHO_MAX: usize = 64;

/// How many unknown fields a response names at most, so that it is not much longer than its
/// request.
const UNKNOWN_TOLD_MAX: usize = 32;

/// The fields of a body, or the parameters of a query.
pub(crate) struct Fields {
    members: Vec<(String, Value)>,
    errors: Vec<FieldError>,
    /// Whether these are the parameters of a query.
    is_query: bool,
}

impl Fields {
    pub(crate) fn new(members: Members) -> Self {
        Self { members: members.0, errors: Vec::new(), is_query: false }
    }

    pub(super) fn of_query(parameters: Members) -> Self {
        Self { is_query: true, ..Self::new(parameters) }
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
                _ => self.wrong(name, field_texts::NOT_A_STRING),
            }
        } else {
            self.wrong(name, field_texts::REQUIRED);
        }
        None
    }

    /// Takes an optional string; `null` counts as absent.
    pub(crate) fn optional_string(&mut self, name: &str) -> Option<String> {
        match self.take(name) {
            Some(Value::Text(text)) => Some(text),
            None | Some(Value::Null) => None,
            Some(_) => {
                self.wrong(name, field_texts::NOT_A_STRING);
                None
            }
        }
    }

    /// Takes a required list of strings.
    pub(crate) fn texts(&mut self, name: &str) -> Option<Vec<String>> {
        let Some(value) = self.take(name) else {
            self.wrong(name, field_texts::REQUIRED);
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
            self.wrong(name, field_texts::NOT_A_LIST);
        }
        texts
    }

    /// Takes an optional Boolean; the default is `false`.
    pub(crate) fn flag(&mut self, name: &str) -> bool {
        match self.take(name) {
            Some(Value::Flag(flag)) => flag,
            None | Some(Value::Null) => false,
            Some(_) => {
                self.wrong(name, field_texts::NOT_A_BOOLEAN);
                false
            }
        }
    }

    /// Takes a new username.
    pub(crate) fn new_username(&mut self, name: &str) -> Option<Username> {
        let text = self.text(name)?;
        Username::parse(&text).map_err(|error| self.wrong(name, error)).ok()
    }

    /// Takes an email address.
    pub(crate) fn email(&mut self, name: &str) -> Option<EmailAddress> {
        let text = self.text(name)?;
        EmailAddress::parse(&text).map_err(|error| self.wrong(name, error)).ok()
    }

    /// Takes a password.
    pub(crate) fn password(&mut self, name: &str) -> Option<Password> {
        let text = self.text(name)?;
        Password::received(text).map_err(|error| self.wrong(name, error)).ok()
    }

    /// Takes a new password. The use case checks later whether it contains the account's own words.
    pub(crate) fn new_password(&mut self, name: &str, policy: PasswordPolicy) -> Option<Password> {
        let password = self.password(name)?;
        if let Err(error) = policy.check_alone(&password) {
            self.wrong(name, error);
        }
        Some(password)
    }

    /// Takes the optional client name.
    pub(crate) fn client_name(&mut self) -> Option<String> {
        let text = self.optional_string("client_name")?;
        let length = text.chars().count();
        if length == 0 || length > Session::CLIENT_NAME_LEN_MAX {
            self.wrong("client_name", field_texts::CLIENT_NAME_LENGTH);
        } else if text.chars().any(char::is_control) {
            self.wrong("client_name", field_texts::CLIENT_NAME_CHARACTER);
        }
        Some(text)
    }

    /// Records an error.
    pub(crate) fn wrong(&mut self, name: &str, text: impl Into<FieldText>) {
        self.errors.push(text.into().at(name));
    }

    /// Reports fields that were not taken as unknown. Returns `value` if it is complete and there
    /// were no errors.
    pub(crate) fn finish<T>(mut self, value: Option<T>) -> Result<T, Problem> {
        for (name, _) in std::mem::take(&mut self.members).into_iter().take(UNKNOWN_TOLD_MAX) {
            let name: String = name.chars().take(NAME_ECHO_MAX).collect();
            self.wrong(&name, if self.is_query { UNKNOWN_PARAMETER } else { UNKNOWN_FIELD });
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
    FieldText::from(error).at(field)
}
