//! The SMTP servers: connects and logs in, without sending anything.

use std::sync::Arc;

use gateward_crypto::SystemClock;
use gateward_email::{CheckedSmtpServer, SmtpMailer, SmtpServerFault};

use super::finding::{Code, Finding};
use crate::settings::{Mail, Transport};

/// Checks each SMTP server of the settings.
pub(super) async fn check(mail: &Mail) -> Vec<Finding> {
    let Transport::Smtp { smtp_server, fallback } = &mail.transport else { return Vec::new() };
    let (emails, clock) = (mail.settings.clone(), Arc::new(SystemClock));
    match SmtpMailer::new(emails, smtp_server.clone(), fallback.clone(), clock) {
        Ok(mailer) => mailer.check().await.into_iter().filter_map(finding).collect(),
        Err(error) => vec![Finding::new(
            Code::MailSetup,
            format!("cannot send emails: {:#}", anyhow::Error::from(error)),
            "correct mail.smtp_url and mail.fallback_smtp_url; for TLS, this machine also needs \
             root certificates",
        )],
    }
}

fn finding(checked: CheckedSmtpServer) -> Option<Finding> {
    let fault = checked.fault?;
    let (code, remedy) = match &fault {
        SmtpServerFault::Unreachable(_) => (
            Code::MailUnreachable,
            "correct the host, port or scheme in mail.smtp_url (or mail.fallback_smtp_url), or \
             allow this machine to connect to it",
        ),
        SmtpServerFault::Certificate(_) => (
            Code::MailCertificate,
            "use the host name in the certificate, or make this machine trust its CA \
             (SSL_CERT_FILE)",
        ),
        SmtpServerFault::Login(_) => (
            Code::MailLogin,
            "correct the username and password in mail.smtp_url (or mail.fallback_smtp_url)",
        ),
    };
    Some(Finding::new(code, format!("the SMTP server does not accept emails: {fault}"), remedy))
}
