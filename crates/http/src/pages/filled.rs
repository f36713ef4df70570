//! `Filled`: a submitted form, and what is wrong with it.

use gateward_app::LinkProof;
use gateward_app::domain::link::LinkCode;
use gateward_app::domain::{
    EmailAddress, EmailAddressError, Password, PasswordError, PasswordPolicy, Username,
    UsernameError,
};

use super::texts;
use crate::body::{Body, form_pairs};
use crate::problem::Problem;

/// The most characters of a token that the form repeats; ours are shorter.
const TOKEN_LEN_MAX: usize = 128;

/// The error of one field.
pub(super) struct Wrong {
    /// The name of the field.
    pub field: &'static str,
    /// The message.
    pub words: String,
}

/// A submitted form. The first time a page is shown, it is empty.
#[derive(Default)]
pub(super) struct Filled {
    values: Vec<(String, String)>,
    wrongs: Vec<Wrong>,
}

impl Filled {
    /// Reads a form with exactly these fields, each once.
    pub(super) async fn read(body: Body, names: &[&str]) -> Result<Self, Problem> {
        let bytes = body.form().await;
        let bytes = bytes.map_err(|problem| problem.detail(texts::FORM_UNREADABLE))?;
        Self::parse(&bytes, names)
    }

    /// Parses a form body (URL Standard, section 5.1), which must be valid UTF-8.
    pub(super) fn parse(bytes: &[u8], names: &[&str]) -> Result<Self, Problem> {
        let mut values: Vec<(String, String)> = Vec::new();
        let pairs = form_pairs(bytes).ok_or_else(|| Problem::malformed(texts::FORM_UNREADABLE))?;
        for (name, value) in pairs {
            if !names.contains(&name.as_str()) {
                let problem = Problem::field("form", "unknown_field", "unknown field");
                return Err(problem.detail(texts::FORM_UNREADABLE));
            }
            if values.iter().any(|(known, _)| *known == name) {
                return Err(Problem::malformed(texts::FORM_UNREADABLE));
            }
            values.push((name, value));
        }
        Ok(Self { values, wrongs: Vec::new() })
    }

    /// The exact value; an empty field counts as missing.
    fn exact(&self, name: &str) -> Option<&str> {
        let value = self.values.iter().find(|(known, _)| known == name);
        value.map(|(_, value)| value.as_str()).filter(|value| !value.is_empty())
    }

    /// The value, without the spaces around it.
    pub(super) fn text(&self, name: &str) -> &str {
        self.exact(name).map(str::trim).unwrap_or_default()
    }

    /// The token, whether pasted alone or within the whole link.
    pub(super) fn token(&self) -> Option<String> {
        let text = self.text("token");
        let token = text.split_once("#token=").map_or(text, |(_, token)| token);
        (!token.is_empty()).then(|| token.to_owned())
    }

    /// The token if it looks like one, so that the form can repeat it.
    pub(super) fn kept_token(&self) -> Option<String> {
        let fits = |byte: u8| byte.is_ascii_alphanumeric() || byte == b'-' || byte == b'_';
        self.token().filter(|token| token.len() <= TOKEN_LEN_MAX && token.bytes().all(fits))
    }

    /// The link, or the email address and the code.
    pub(super) fn proof(&mut self) -> Result<Option<LinkProof>, Problem> {
        let by_hand = self.exact("email").or(self.exact("code")).is_some();
        if let Some(token) = self.token() {
            if by_hand {
                return Err(Problem::malformed(texts::FORM_LINK_AND_CODE));
            }
            return Ok(Some(LinkProof::Token(token)));
        }
        let (email, code) = (self.email(), self.code());
        Ok(email.zip(code).map(|(email, code)| LinkProof::Code { email, code }))
    }

    fn email(&mut self) -> Option<EmailAddress> {
        let words = |error| match error {
            EmailAddressError::TooLong => texts::EMAIL_TOO_LONG,
            EmailAddressError::Invisible => texts::EMAIL_INVISIBLE,
            EmailAddressError::Form => texts::EMAIL_INCOMPLETE,
        };
        let email = EmailAddress::parse(self.text("email"));
        email.map_err(|error| self.wrong("email", words(error))).ok()
    }

    /// The digits, with any separators removed.
    fn code(&mut self) -> Option<LinkCode> {
        let digits: String = self.text("code").split_whitespace().collect();
        let code = LinkCode::parse(&digits);
        if code.is_none() {
            self.wrong("code", texts::CODE_WRONG);
        }
        code
    }

    /// An existing password.
    pub(super) fn password(&mut self, name: &'static str) -> Option<Password> {
        let Some(text) = self.exact(name).map(str::to_owned) else {
            self.wrong(name, texts::PASSWORD_MISSING);
            return None;
        };
        let refuse = |error| self.wrong(name, password_words(error));
        Password::received(text).map_err(refuse).ok()
    }

    /// A new password. It is checked against the account's own words later.
    pub(super) fn new_password(
        &mut self,
        name: &'static str,
        policy: PasswordPolicy,
    ) -> Option<Password> {
        let password = self.password(name)?;
        let refuse = |error| self.wrong(name, password_words(error));
        policy.check_alone(&password).map_err(refuse).ok()?;
        Some(password)
    }

    /// A different username, if one was entered.
    pub(super) fn username(&mut self) -> Option<Username> {
        let words = |error| match error {
            UsernameError::Length => texts::USERNAME_LENGTH,
            UsernameError::Character => texts::USERNAME_CHARACTER,
            UsernameError::Reserved => texts::USERNAME_RESERVED,
        };
        self.exact("username")?;
        let username = Username::parse(self.text("username"));
        username.map_err(|error| self.wrong("username", words(error))).ok()
    }

    /// Adds an error to a field.
    pub(super) fn wrong(&mut self, field: &'static str, words: impl Into<String>) {
        self.wrongs.push(Wrong { field, words: words.into() });
    }

    /// The error of a field, if any.
    pub(super) fn words(&self, field: &str) -> Option<&str> {
        self.wrongs.iter().find(|wrong| wrong.field == field).map(|wrong| wrong.words.as_str())
    }

    pub(super) fn is_right(&self) -> bool {
        self.wrongs.is_empty()
    }
}

/// The message for a refused password.
pub(super) fn password_words(error: PasswordError) -> String {
    match error {
        PasswordError::TooShort { length_min } => texts::password_too_short(length_min),
        PasswordError::TooLong => texts::PASSWORD_TOO_LONG.to_owned(),
        PasswordError::Common => texts::PASSWORD_COMMON.to_owned(),
        PasswordError::Breached => texts::PASSWORD_BREACHED.to_owned(),
        PasswordError::Context => texts::PASSWORD_CONTEXT.to_owned(),
    }
}
