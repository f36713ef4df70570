//! `gateward mail`: lists, shows, retries and renders emails.

mod render;

use anyhow::{Context, bail};
use gateward_app::domain::email::{EmailState, OutboxEmail};
use gateward_app::domain::ports::OutboxFilter;
use gateward_app::domain::{EmailId, Timestamp};
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
    state: Option<EmailState>,
    limit: u32,
    json: bool,
    settings: &Settings,
) -> anyhow::Result<()> {
    let wired = ready(settings).await?;
    let filter = OutboxFilter { state, ..OutboxFilter::default() };
    let emails = wired.app.list_outbox_emails(filter, limit).await?;
    if json {
        return tell_json(&emails.iter().map(as_json).collect());
    }
    let columns = ("ID", "STATE", "KIND", "TRIES", "DUE OR FINISHED", "RECIPIENT");
    tell(&row(columns, "FAILURE"));
    for message in &emails {
        let when = rfc3339(message.finished_at.unwrap_or(message.next_attempt_at));
        let (id, tries) = (message.id.to_string(), message.attempts.to_string());
        let (state, kind) = (message.state.as_str(), message.kind.as_str());
        let columns = (&*id, state, kind, &*tries, &*when, message.recipient.as_str());
        tell(&row(columns, &one_line(message.failure.as_deref().unwrap_or_default())));
    }
    Ok(())
}

/// One line of the table.
fn row(
    (id, state, kind, tries, when, recipient): (&str, &str, &str, &str, &str, &str),
    failure: &str,
) -> String {
    let line =
        format!("{id:<36} {state:<9} {kind:<19} {tries:>5} {when:<20} {recipient:<30} {failure}");
    line.trim_end().to_owned()
}

async fn show(id: &str, json: bool, settings: &Settings) -> anyhow::Result<()> {
    let id = email_id(id)?;
    let wired = ready(settings).await?;
    let message = wired.app.find_outbox_email(id).await?;
    let message =
        message.with_context(|| format!("no email with ID {id}; see: gateward mail list"))?;
    if json {
        return tell_json(&as_json(&message));
    }
    for (name, value) in fields(&message) {
        let text = match value {
            Value::Null => continue,
            Value::String(text) => one_line(&text),
            value => value.to_string(),
        };
        tell(&format!("{name:<15} {text}"));
    }
    Ok(())
}

async fn retry(id: &str, settings: &Settings) -> anyhow::Result<()> {
    let id = email_id(id)?;
    let wired = ready(settings).await?;
    if wired.app.retry_outbox_email(id).await? {
        tell(&format!("Queued email {id} again. A running node sends it."));
        return Ok(());
    }
    match wired.app.find_outbox_email(id).await? {
        Some(message) => {
            bail!("email {id} is {}; only failed emails can be retried", message.state)
        }
        None => bail!("no email with ID {id}; see: gateward mail list"),
    }
}

async fn retry_all(settings: &Settings) -> anyhow::Result<()> {
    let wired = ready(settings).await?;
    tell(&match wired.app.retry_failed_emails().await? {
        0 => "No failed emails to retry.".to_owned(),
        1 => "Queued 1 email again. A running node sends it.".to_owned(),
        count => format!("Queued {count} emails again. A running node sends them."),
    });
    Ok(())
}

fn email_id(text: &str) -> anyhow::Result<EmailId> {
    let id = text.parse().ok();
    id.with_context(|| format!("{text:?} is not an email ID; see: gateward mail list"))
}

fn as_json(message: &OutboxEmail) -> Value {
    let fields = fields(message).into_iter().map(|(name, value)| (name.to_owned(), value));
    Value::Object(fields.collect())
}

/// The fields that are shown; none of them is secret.
fn fields(message: &OutboxEmail) -> [(&'static str, Value); 12] {
    let time = |time: Timestamp| rfc3339(time);
    [
        ("id", json!(message.id.to_string())),
        ("state", json!(message.state.as_str())),
        ("kind", json!(message.kind.as_str())),
        ("recipient", json!(message.recipient.as_str())),
        ("user_id", json!(message.user_id.map(|id| id.to_string()))),
        ("attempts", json!(message.attempts)),
        ("created_at", json!(time(message.created_at))),
        ("ip", json!(message.ip.map(|ip| ip.to_canonical().to_string()))),
        ("scheduled_at", json!(time(message.scheduled_at))),
        ("next_attempt_at", json!(time(message.next_attempt_at))),
        ("finished_at", json!(message.finished_at.map(time))),
        ("failure", json!(message.failure)),
    ]
}

fn tell_json(value: &Value) -> anyhow::Result<()> {
    tell(&serde_json::to_string_pretty(value)?);
    Ok(())
}

/// Removes control characters: failures quote the SMTP server, which could move the cursor.
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
