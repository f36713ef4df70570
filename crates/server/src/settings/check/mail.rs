//! Checks of `mail.…`: sender, templates and SMTP servers.

use std::path::PathBuf;

use gateward_email::{MailSettings, Sender, SmtpServer, Templates};

use crate::settings::reader::Reader;
use crate::settings::{Mail, Mode, Transport, secret};

/// The values of `mail.transport`.
#[derive(Clone, Copy, PartialEq, Eq)]
enum Word {
    Inbox,
    Smtp,
}

pub(super) fn mail(reader: &mut Reader<'_>, mode: Option<Mode>, public_url: &str) -> Option<Mail> {
    let transports = [("inbox", Word::Inbox), ("smtp", Word::Smtp)];
    let transport = reader.choice("mail.transport", &transports);
    if transport == Some(Word::Inbox) && mode == Some(Mode::Production) {
        let message = "is \"inbox\", which sends no emails; in production it must be \"smtp\"";
        reader.wrong("mail.transport", message);
    }
    if transport == Some(Word::Smtp) && !secret::is_set(reader, "mail.smtp_url") {
        let message = "is not set, but mail.transport is \"smtp\"; set it or mail.smtp_url_file to \
                       the SMTP server, such as smtps://USER:PASSWORD@HOST";
        reader.missing("mail.smtp_url", message);
    }
    // Checked with every transport: what is set must be valid.
    let (smtp_server, fallback) =
        (smtp_server(reader, "mail.smtp_url"), smtp_server(reader, "mail.fallback_smtp_url"));
    let (from, templates) = (sender(reader), templates(reader));
    let transport = match transport? {
        Word::Inbox => Transport::Inbox,
        Word::Smtp => Transport::Smtp { smtp_server: smtp_server?, fallback },
    };
    let public_url = public_url.to_owned();
    Some(Mail { settings: MailSettings { from: from?, public_url, templates }, transport })
}

fn smtp_server(reader: &mut Reader<'_>, option: &str) -> Option<SmtpServer> {
    let url = secret::read(reader, option)?;
    let smtp_server = SmtpServer::parse(url.expose());
    smtp_server.map_err(|error| reader.wrong(option, format!("is invalid: {error}"))).ok()
}

fn sender(reader: &mut Reader<'_>) -> Option<Sender> {
    let Some(text) = reader.text("mail.from") else {
        let message = "is not set; set the sender, such as \"Example <login@example.org>\"";
        reader.missing("mail.from", message);
        return None;
    };
    let sender = Sender::parse(&text);
    sender.map_err(|error| reader.wrong("mail.from", format!("is invalid: {error}"))).ok()
}

/// The template folder, after every email was rendered from it with example data.
fn templates(reader: &mut Reader<'_>) -> Option<PathBuf> {
    let folder = PathBuf::from(reader.text("mail.templates")?);
    if let Err(error) = Templates::with_folder(&folder) {
        let message = format!("points to {}, which cannot be used: {error}", folder.display());
        reader.wrong("mail.templates", message);
    }
    Some(folder)
}
