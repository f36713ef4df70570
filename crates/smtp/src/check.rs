//! Whether the relays let this service in, found out without sending anything.

use gateward_domain::ports::MailError;

use crate::SmtpMailer;

/// What is wrong with a relay; each text names it.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
pub enum RelayFault {
    /// It cannot be reached, or does not do what a relay does.
    #[error("{0}")]
    Unreachable(String),
    /// Nobody who is trusted says that it is the one that was named.
    #[error("{0}")]
    Certificate(String),
    /// It refuses the login, or knows no way to log in.
    #[error("{0}")]
    Login(String),
}

/// A relay that was looked at.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct CheckedRelay {
    /// Its host and port.
    pub relay: String,
    /// What is wrong with it.
    pub fault: Option<RelayFault>,
}

/// With any of these, no letter would go.
impl From<RelayFault> for MailError {
    fn from(fault: RelayFault) -> Self {
        Self::Unreachable(fault.to_string())
    }
}

impl SmtpMailer {
    /// Connects to each relay, encrypts, logs in and takes leave: all that comes before a letter.
    pub async fn check(&self) -> Vec<CheckedRelay> {
        let (relays, deadline) = self.relays();
        let mut checked = Vec::new();
        for relay in relays {
            let fault = relay.check(deadline).await.err();
            checked.push(CheckedRelay { relay: relay.relay().to_string(), fault });
        }
        checked
    }
}
