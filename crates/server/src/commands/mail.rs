//! `gateward mail`: what an operator sees of the letters, and does about them.

mod render;

use anyhow::{Context, bail};
use gateward_app::domain::mail::{LetterState, QueuedLetter};
use gateward_app::domain::ports::LetterFilter;
use gateward_app::domain::{LetterId, Timestamp};
use gateward_http::rfc3339;
use serde_json::{Value, json};

use super::{ready, tell};
use crate::cli::{MailCommand, Retried};
use crate::settings::Settings;

pub(crate) async fn run(command: MailCommand, settings: &Settings) -> anyhow::Result<()> {
    match command {
        MailCommand::List { state, limit, json } => list(state, limit, json, settings).await,
        MailCommand::Show { id, json } => show(&id, json, settings).await,
        MailCommand::Retry(Retried { id: Some(id), .. }) => retry(&id, settings).await,
        MailCommand::Retry(Retried { id: None, .. }) => retry_all(settings).await,
        MailCommand::Render { folder } => render::render(&folder, &settings.mail.settings),
    }
}

async fn list(
    state: Option<LetterState>,
    limit: u32,
    json: bool,
    settings: &Settings,
) -> anyhow::Result<()> {
    let wired = ready(settings).await?;
    let filter = LetterFilter { state, ..LetterFilter::default() };
    let letters = wired.app.list_letters(filter, limit).await?;
    if json {
        return tell_json(&letters.iter().map(as_json).collect());
    }
    let columns = ("LETTER", "STATE", "KIND", "TRIES", "DUE OR FINISHED", "RECIPIENT");
    tell(&row(columns, "FAILURE"));
    for letter in &letters {
        let when = rfc3339(letter.finished_at.unwrap_or(letter.due_at));
        let (id, tries) = (letter.id.to_string(), letter.attempts.to_string());
        let (state, kind) = (letter.state.as_str(), letter.kind.as_str());
        let columns = (&*id, state, kind, &*tries, &*when, letter.recipient.as_str());
        tell(&row(columns, &one_line(letter.failure.as_deref().unwrap_or_default())));
    }
    Ok(())
}

/// One line of the table.
fn row(
    (id, state, kind, tries, when, recipient): (&str, &str, &str, &str, &str, &str),
    failure: &str,
) -> String {
    let line =
        format!("{id:<36} {state:<8} {kind:<19} {tries:>5} {when:<20} {recipient:<30} {failure}");
    line.trim_end().to_owned()
}

async fn show(id: &str, json: bool, settings: &Settings) -> anyhow::Result<()> {
    let id = letter_id(id)?;
    let wired = ready(settings).await?;
    let letter = wired.app.find_letter(id).await?;
    let letter = letter.with_context(|| format!("there is no letter {id}"))?;
    if json {
        return tell_json(&as_json(&letter));
    }
    for (name, value) in fields(&letter) {
        let text = match value {
            Value::Null => continue,
            Value::String(text) => one_line(&text),
            value => value.to_string(),
        };
        tell(&format!("{name:<12} {text}"));
    }
    Ok(())
}

async fn retry(id: &str, settings: &Settings) -> anyhow::Result<()> {
    let id = letter_id(id)?;
    let wired = ready(settings).await?;
    if wired.app.retry_letter(id).await? {
        tell(&format!("The letter {id} waits again; a node that serves sends it."));
        return Ok(());
    }
    match wired.app.find_letter(id).await? {
        Some(letter) => bail!("the letter {id} is {}; only a dead one is retried", letter.state),
        None => bail!("there is no letter {id}"),
    }
}

async fn retry_all(settings: &Settings) -> anyhow::Result<()> {
    let wired = ready(settings).await?;
    tell(&match wired.app.retry_dead_letters().await? {
        0 => "No letter was given up.".to_owned(),
        1 => "One letter waits again; a node that serves sends it.".to_owned(),
        count => format!("{count} letters wait again; a node that serves sends them."),
    });
    Ok(())
}

fn letter_id(text: &str) -> anyhow::Result<LetterId> {
    let id = text.parse().ok();
    id.with_context(|| format!("{text:?} is no letter; see: gateward mail list"))
}

/// A letter for programs.
fn as_json(letter: &QueuedLetter) -> Value {
    let fields = fields(letter).into_iter().map(|(name, value)| (name.to_owned(), value));
    Value::Object(fields.collect())
}

/// What is told of a letter; none of it is secret.
fn fields(letter: &QueuedLetter) -> [(&'static str, Value); 12] {
    let time = |time: Timestamp| rfc3339(time);
    [
        ("id", json!(letter.id.to_string())),
        ("state", json!(letter.state.as_str())),
        ("kind", json!(letter.kind.as_str())),
        ("recipient", json!(letter.recipient.as_str())),
        ("user_id", json!(letter.user_id.map(|id| id.to_string()))),
        ("attempts", json!(letter.attempts)),
        ("caused_at", json!(time(letter.caused_at))),
        ("ip", json!(letter.ip.map(|ip| ip.to_canonical().to_string()))),
        ("planned_at", json!(time(letter.planned_at))),
        ("due_at", json!(time(letter.due_at))),
        ("finished_at", json!(letter.finished_at.map(time))),
        ("failure", json!(letter.failure)),
    ]
}

fn tell_json(value: &Value) -> anyhow::Result<()> {
    tell(&serde_json::to_string_pretty(value)?);
    Ok(())
}

/// A text that cannot move a terminal's cursor: what failed is told in the words of others.
fn one_line(text: &str) -> String {
    text.replace(char::is_control, " ")
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_failure_cannot_write_over_other_lines() {
        assert_eq!(one_line("550 no\r\n\u{1b}[2Jmailbox"), "550 no   [2Jmailbox");
    }
}
