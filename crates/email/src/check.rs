//! Whether the SMTP servers let this service in, found out without sending anything.

use gateward_domain::ports::MailError;

use crate::SmtpMailer;

/// What is wrong with an SMTP server; each text names it.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
pub enum SmtpServerFault {
    /// It cannot be reached, or does not do what an SMTP server does.
    #[error("{0}")]
    Unreachable(String),
    /// No trusted authority confirms that the server has the name that was asked for.
    #[error("{0}")]
    Certificate(String),
    /// It refuses the login, or knows no way to log in.
    #[error("{0}")]
    Login(String),
}

/// An SMTP server that was looked at.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct CheckedSmtpServer {
    /// Its host and port.
    pub smtp_server: String,
    /// What is wrong with it.
    pub fault: Option<SmtpServerFault>,
}

/// With any of these, no email would go.
impl From<SmtpServerFault> for MailError {
    fn from(fault: SmtpServerFault) -> Self {
        Self::Unreachable(fault.to_string())
    }
}

impl SmtpMailer {
    /// Connects to each SMTP server, encrypts, logs in and takes leave: all that comes before an
    /// email.
    pub async fn check(&self) -> Vec<CheckedSmtpServer> {
        let (smtp_servers, deadline) = self.smtp_servers();
        let mut checked = Vec::new();
        for smtp_server in smtp_servers {
            let fault = smtp_server.check(deadline).await.err();
            checked.push(CheckedSmtpServer {
                smtp_server: smtp_server.smtp_server().to_string(),
                fault,
            });
        }
        checked
    }
}
