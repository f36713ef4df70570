//! The parts of forms: inputs with their labels and errors.

use gateward_app::domain::PasswordPolicy;

use super::filled::Filled;
use super::frame::escape;
use super::refusal::Refusal;
use super::texts;

/// A form under construction.
pub(super) struct FormView<'a> {
    pub filled: &'a Filled,
    pub refusal: Option<&'a Refusal>,
    focused: bool,
    html: String,
    /// The HTML below the form.
    after: String,
}

/// One input.
pub(super) struct Input {
    pub name: &'static str,
    pub label: &'static str,
    /// The text below the label.
    pub hint: String,
    /// More attributes.
    pub attributes: String,
    /// Whether the form repeats the submitted value.
    pub is_kept: bool,
}

impl Input {
    /// The whole link of an email, for browsers without scripts.
    pub(super) fn link() -> Self {
        Self {
            name: "token",
            label: texts::LINK,
            hint: texts::LINK_HINT.to_owned(),
            attributes: "type=\"text\" inputmode=\"url\" autocomplete=\"off\" \
                         autocapitalize=\"none\" spellcheck=\"false\" required"
                .to_owned(),
            is_kept: false,
        }
    }

    /// A new password.
    pub(super) fn new_password(label: &'static str, policy: PasswordPolicy) -> Self {
        let least = policy.length_min;
        Self {
            name: "new_password",
            label,
            hint: texts::password_hint(least),
            attributes: format!(
                "type=\"password\" autocomplete=\"new-password\" minlength=\"{least}\" required"
            ),
            is_kept: false,
        }
    }

    /// The input with its label, and with the error `words`.
    fn html(&self, words: &str, is_first: bool, value: &str) -> String {
        let Self { name, label, attributes, .. } = self;
        let notes = [("hint", self.hint.as_str()), ("wrong", words)];
        let notes = notes.map(|(kind, text)| note(name, kind, text));
        let described: Vec<&str> = notes.iter().flatten().map(|(id, _)| id.as_str()).collect();
        let [hint, wrong] = notes.each_ref().map(|note| match note {
            Some((_, html)) => html.as_str(),
            None => "",
        });
        let described = match described.join(" ") {
            ids if ids.is_empty() => ids,
            ids => format!(" aria-describedby=\"{ids}\""),
        };
        let invalid = if words.is_empty() { "" } else { " aria-invalid=\"true\"" };
        let focus = if is_first { " autofocus" } else { "" };
        let value =
            if value.is_empty() { String::new() } else { format!(" value=\"{}\"", escape(value)) };
        let is_secret = attributes.contains("type=\"password\"");
        let toggle = if is_secret { toggle(name) } else { String::new() };
        format!(
            "<div class=\"field\"><label for=\"{name}\">{label}</label>{hint}\
             <div class=\"box\"><input id=\"{name}\" name=\"{name}\" \
             {attributes}{described}{invalid}{focus}{value}>{toggle}</div>{wrong}</div>"
        )
    }
}

/// A text about an input, and its identifier.
fn note(name: &str, kind: &str, text: &str) -> Option<(String, String)> {
    let id = format!("{name}-{kind}");
    let html = format!("<p class=\"{kind}\" id=\"{id}\">{}</p>", escape(text));
    (!text.is_empty()).then_some((id, html))
}

impl<'a> FormView<'a> {
    pub(super) fn new(filled: &'a Filled, refusal: Option<&'a Refusal>) -> Self {
        Self { filled, refusal, focused: false, html: String::new(), after: String::new() }
    }

    /// The error of a field, if any.
    fn words(&self, field: &str) -> Option<String> {
        let about = self.refusal.and_then(Refusal::wrong).filter(|(about, _)| *about == field);
        about.map(|(_, words)| words).or_else(|| self.filled.words(field).map(str::to_owned))
    }

    /// Whether some field has an error.
    fn has_wrongs(&self) -> bool {
        self.refusal.and_then(Refusal::wrong).is_some() || !self.filled.is_right()
    }

    pub(super) fn push(&mut self, html: &str) {
        self.html.push_str(html);
    }

    /// Adds an input. The first one with an error has the focus, or else the first of all.
    pub(super) fn input(&mut self, input: &Input) {
        let words = self.words(input.name);
        let is_first = !self.focused && (words.is_some() || !self.has_wrongs());
        self.focused |= is_first;
        let value = if input.is_kept { self.filled.text(input.name) } else { "" };
        let html = input.html(words.as_deref().unwrap_or_default(), is_first, value);
        self.push(&html);
    }

    /// Adds the token. Without a script, or for people who type, `by_hand` adds the fields to use
    /// instead. An existing token stays.
    pub(super) fn token(&mut self, path: &str, other: &str, by_hand: impl FnOnce(&mut Self)) {
        if let Some(token) = self.filled.kept_token() {
            let token = escape(&token);
            self.push(&format!("<input type=\"hidden\" name=\"token\" value=\"{token}\">"));
            self.after = format!("<p class=\"aside\"><a href=\"{path}\">{other}</a></p>");
            return;
        }
        self.push("<input type=\"hidden\" name=\"token\" autocomplete=\"off\" disabled>");
        self.push("<fieldset id=\"by-hand\">");
        by_hand(self);
        self.push("</fieldset>");
    }

    /// The whole form, with its error above it.
    pub(super) fn finish(self, path: &str, button: &str, link_words: &str) -> String {
        let banner = self.refusal.and_then(|refusal| refusal.banner(link_words));
        let banner = banner.or_else(|| self.has_wrongs().then(|| texts::CHECK_FIELDS.to_owned()));
        let banner = banner.map(|words| escape(&words)).unwrap_or_default();
        format!(
            "<div class=\"banner\" role=\"alert\" aria-live=\"assertive\">{banner}</div>\
             <form method=\"post\" action=\"{path}\" accept-charset=\"utf-8\">{}\
             <button class=\"act\">{button}</button></form>{}",
            self.html, self.after
        )
    }
}

/// The button that shows a password; the script makes it visible.
fn toggle(name: &str) -> String {
    let (label, show) = (texts::SHOW_PASSWORD, texts::SHOW);
    format!(
        "<button type=\"button\" class=\"toggle\" data-shows=\"{name}\" \
         aria-label=\"{label}\" hidden>{show}</button>"
    )
}

/// The email address and the code.
pub(super) fn code_inputs(view: &mut FormView<'_>) {
    view.input(&Input {
        name: "email",
        label: texts::EMAIL,
        hint: texts::EMAIL_HINT.to_owned(),
        attributes: "type=\"text\" inputmode=\"email\" autocomplete=\"email\" \
                     autocapitalize=\"none\" spellcheck=\"false\" maxlength=\"254\" required"
            .to_owned(),
        is_kept: true,
    });
    view.input(&Input {
        name: "code",
        label: texts::CODE,
        hint: texts::CODE_HINT.to_owned(),
        attributes: "class=\"code\" type=\"text\" inputmode=\"numeric\" \
                     autocomplete=\"one-time-code\" maxlength=\"12\" required"
            .to_owned(),
        is_kept: false,
    });
}
