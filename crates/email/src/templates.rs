//! `Templates`: emails made of a language file and two layouts.

use std::path::{Path, PathBuf};
use std::{fmt, io};

use gateward_domain::email::{EmailMessage, EmailTemplate};
use gateward_domain::link::LinkCode;
use minijinja::Environment;
use minijinja::value::Value;

use crate::language::{Language, carries_link};
use crate::samples::{self, SERVICE};

mod engine;
mod files;
mod values;

use engine::{environment, escaped, tidy};
use files::{Files, LANGUAGE};

/// The layout of the HTML part.
const HTML: &str = "email.html";
/// The layout of the text part.
const TEXT: &str = "email.txt";

/// The words of all emails and the layouts that they stand in. Each email was made once as an
/// example, so what is wrong with a file shows when the program starts.
pub struct Templates {
    language: Language,
    environment: Environment<'static>,
}

/// An email in words.
#[derive(Clone, PartialEq, Eq)]
pub struct Rendered {
    /// One line.
    pub subject: String,
    /// The text part.
    pub text: String,
    /// The HTML part.
    pub html: String,
}

/// What is wrong with the templates.
#[derive(Debug, thiserror::Error)]
pub enum TemplateError {
    /// A file or the folder cannot be read.
    #[error("{} cannot be read; correct the path or the permissions", .path.display())]
    Unreadable {
        /// Which.
        path: PathBuf,
        /// Why.
        #[source]
        source: io::Error,
    },
    /// A file that stands for none of the built-in ones.
    #[error(
        "{} replaces no built-in file; the files are en.toml, email.html and email.txt",
        .path.display()
    )]
    UnknownFile {
        /// Which.
        path: PathBuf,
    },
    /// A language file has not the right keys.
    #[error("{file}: {problem}")]
    Language {
        file: String,
        /// What is wrong, with the key.
        problem: String,
    },
    /// A text or a layout that the template engine refuses.
    #[error("{name}: {problem}")]
    Template {
        /// The file, and in a language file the key.
        name: String,
        /// What is wrong.
        problem: String,
    },
    /// An email that does not say what it must.
    #[error("{name}: the email {message} {problem}")]
    EmailMessage {
        /// The file, and in a language file the key.
        name: String,
        message: EmailTemplate,
        /// What is wrong.
        problem: &'static str,
    },
}

impl Templates {
    /// The templates that are compiled in.
    pub fn built_in() -> Result<Self, TemplateError> {
        Self::of(&Files::built_in())
    }

    /// The templates that are compiled in, less those that the folder replaces: `en.toml`,
    /// `email.html` and `email.txt`.
    pub fn with_folder(folder: &Path) -> Result<Self, TemplateError> {
        Self::of(&Files::with_folder(folder)?)
    }

    /// Puts an email into words. `service` is what the email calls the service.
    pub fn render(&self, message: &EmailMessage, service: &str) -> Result<Rendered, TemplateError> {
        check_link(message)?;
        let words = self.words(message, service)?;
        check_subject(message, &words.subject)?;
        let subject = words.subject.clone();
        let values = Value::from(words.values());
        let text = tidy(&self.fill(TEXT, &values)?);
        let rendered = Rendered { subject, text, html: self.fill(HTML, &values)? };
        check_parts(message, &rendered)?;
        Ok(rendered)
    }

    /// Every email, with the data of an example.
    pub fn samples(&self, service: &str) -> Result<Vec<(EmailTemplate, Rendered)>, TemplateError> {
        let sample =
            |text: &EmailTemplate| Ok((*text, self.render(&samples::sample(*text), service)?));
        EmailTemplate::ALL.iter().map(sample).collect()
    }

    fn of(files: &Files) -> Result<Self, TemplateError> {
        let language = Language::parse(LANGUAGE, &files.language)?;
        let mut environment = environment();
        for (key, text) in language.texts() {
            add(&mut environment, &key_name(&key), text)?;
        }
        add(&mut environment, HTML, &files.html)?;
        add(&mut environment, TEXT, &files.text)?;
        let templates = Self { language, environment };
        for text in EmailTemplate::ALL {
            let sample = samples::sample(*text);
            templates.render(&sample, SERVICE)?;
            templates.render(&samples::bare(sample), SERVICE)?;
        }
        Ok(templates)
    }

    fn fill(&self, name: &str, values: &Value) -> Result<String, TemplateError> {
        let template = self.environment.get_template(name);
        template
            .and_then(|template| template.render(values.clone()))
            .map_err(|error| refused(name, &error))
    }
}

impl fmt::Debug for Templates {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        formatter
            .debug_struct("Templates")
            .field("lang", &self.language.lang)
            .finish_non_exhaustive()
    }
}

impl fmt::Debug for Rendered {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        formatter.debug_struct("Rendered").field("subject", &self.subject).finish_non_exhaustive()
    }
}

fn add(
    environment: &mut Environment<'static>,
    name: &str,
    text: &str,
) -> Result<(), TemplateError> {
    let added = environment.add_template_owned(name.to_owned(), text.to_owned());
    added.map_err(|error| refused(name, &error))
}

fn refused(name: &str, error: &minijinja::Error) -> TemplateError {
    TemplateError::Template { name: name.to_owned(), problem: error.to_string() }
}

/// The name of a text of the language file.
fn key_name(key: &str) -> String {
    format!("{LANGUAGE}: {key}")
}

fn wrong(message: &EmailMessage, name: &str, problem: &'static str) -> TemplateError {
    TemplateError::EmailMessage { name: name.to_owned(), message: message.text, problem }
}

/// Whether the email has a link if its words speak of one.
fn check_link(message: &EmailMessage) -> Result<(), TemplateError> {
    match (carries_link(message.text), message.link.is_some()) {
        (true, false) => Err(wrong(message, LANGUAGE, "needs a link")),
        (false, true) => Err(wrong(message, LANGUAGE, "must not have a link")),
        _ => Ok(()),
    }
}

fn check_subject(message: &EmailMessage, subject: &str) -> Result<(), TemplateError> {
    if subject.trim().is_empty() || subject.chars().any(char::is_control) {
        let key = key_name(&format!("emails.{}.subject", message.text));
        return Err(wrong(message, &key, "needs a subject of one line"));
    }
    Ok(())
}

/// Whether link and code stand in both parts.
fn check_parts(message: &EmailMessage, rendered: &Rendered) -> Result<(), TemplateError> {
    let code = message.code.as_ref().map(LinkCode::expose);
    for secret in [message.link.as_deref(), code].into_iter().flatten() {
        if !rendered.text.contains(secret) {
            return Err(wrong(message, TEXT, "does not contain its link or its code"));
        }
        if !rendered.html.contains(&escaped(secret)) {
            return Err(wrong(message, HTML, "does not contain its link or its code"));
        }
    }
    Ok(())
}
