//! Checks of `mail.…`: who writes, in which words, and to which SMTP servers.

use std::path::PathBuf;

use gateward_email::{MailSettings, Sender, SmtpServer, Templates};

use crate::settings::reader::Reader;
use crate::settings::{Mail, Mode, Transport, secret};

/// The words of `mail.transport`.
#[derive(Clone, Copy, PartialEq, Eq)]
enum Word {
    Inbox,
    Smtp,
}

pub(super) fn mail(reader: &mut Reader<'_>, mode: Option<Mode>, public_url: &str) -> Option<Mail> {
    let transports = [("inbox", Word::Inbox), ("smtp", Word::Smtp)];
    let transport = reader.choice("mail.transport", &transports);
    if transport == Some(Word::Inbox) && mode == Some(Mode::Production) {
        let message = "is \"inbox\", which sends nothing; in production it must be \"smtp\"";
        reader.wrong("mail.transport", message);
    }
    if transport == Some(Word::Smtp) && !secret::is_set(reader, "mail.smtp_url") {
        let message = "is not set, and mail.transport is \"smtp\"; set it or mail.smtp_url_file to \
                       the SMTP server, such as smtps://USER:PASSWORD@HOST";
        reader.missing("mail.smtp_url", message);
    }
    // Checked whichever transport is chosen: what is set shall be good.
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
    smtp_server.map_err(|error| reader.wrong(option, format!("is no good: {error}"))).ok()
}

fn sender(reader: &mut Reader<'_>) -> Option<Sender> {
    let Some(text) = reader.text("mail.from") else {
        let message = "is not set; say who writes, such as \"Example <login@example.org>\"";
        reader.missing("mail.from", message);
        return None;
    };
    let sender = Sender::parse(&text);
    sender.map_err(|error| reader.wrong("mail.from", format!("is no good: {error}"))).ok()
}

/// The folder of the templates, once each email was made of them as an example.
fn templates(reader: &mut Reader<'_>) -> Option<PathBuf> {
    let folder = PathBuf::from(reader.text("mail.templates")?);
    if let Err(error) = Templates::with_folder(&folder) {
        let message = format!("names {}, which is no good: {error}", folder.display());
        reader.wrong("mail.templates", message);
    }
    Some(folder)
}
