//! Connections to one SMTP server: opened, logged in, used for an email, kept for the next one.

use std::sync::{Mutex, PoisonError};
use std::time::Duration;

use gateward_domain::ports::MailError;
use lettre::Address;
use lettre::message::Message;
use lettre::transport::smtp::Error;
use lettre::transport::smtp::authentication::{Credentials, DEFAULT_MECHANISMS};
use lettre::transport::smtp::client::{AsyncSmtpConnection, TlsParameters};
use lettre::transport::smtp::extension::{ClientId, Extension};
use tokio::time::{Instant, timeout};

use crate::smtp_server::{Encryption, SmtpServer};
use crate::{SetupError, SmtpServerFault};

/// How many connections are kept between emails.
const KEPT_MAX: usize = 4;

/// How long a connection is kept. SMTP servers hang up after five minutes at the earliest (RFC
/// 5321, section 4.5.3.2.7), but what stands between may forget it sooner.
const KEPT_MAX_AGE: Duration = Duration::from_secs(30);

/// How long a kept connection has to show that it still lives.
const CHECK_MAX: Duration = Duration::from_secs(3);

/// What TLS says of a certificate that it does not believe; it comes as a text among others.
const UNTRUSTED: &str = "invalid peer certificate";

/// One SMTP server and the connections to it.
///
/// A connection that something went wrong on, or that an email was given up on for lack of time, is
/// closed. It is never kept: the answer to a command of the last email would be taken for the
/// answer to one of the next.
pub(crate) struct Connections {
    smtp_server: SmtpServer,
    hello: ClientId,
    tls: Option<TlsParameters>,
    kept: Mutex<Vec<(AsyncSmtpConnection, Instant)>>,
}

impl Connections {
    pub(crate) fn new(smtp_server: SmtpServer, hello: ClientId) -> Result<Self, SetupError> {
        let tls = match smtp_server.encryption {
            Encryption::None => None,
            Encryption::Tls | Encryption::StartTls => {
                Some(TlsParameters::new(smtp_server.host.clone()).map_err(SetupError::Tls)?)
            }
        };
        Ok(Self { smtp_server, hello, tls, kept: Mutex::default() })
    }

    /// Hands a message over, within `deadline`. An error says all that the SMTP server said, but
    /// the password.
    pub(crate) async fn send(
        &self,
        message: &Message,
        deadline: Duration,
    ) -> Result<(), MailError> {
        match timeout(deadline, self.hand_over(message, deadline)).await {
            Ok(result) => result,
            Err(_) => Err(MailError::Unreachable(self.too_late())),
        }
    }

    async fn hand_over(&self, message: &Message, deadline: Duration) -> Result<(), MailError> {
        let mut connection = match self.kept().await {
            Some(connection) => connection,
            None => self.open(deadline).await?,
        };
        let envelope = message.envelope();
        let server = connection.server_info();
        let takes_all = server.supports_feature(Extension::SmtpUtfEight)
            && server.supports_feature(Extension::EightBitMime);
        if !takes_all && !envelope.to().iter().all(is_ascii) {
            self.keep(connection);
            let response =
                "it does not support email addresses with non-ASCII characters (SMTPUTF8)"
                    .to_owned();
            return Err(MailError::Refused { permanent: true, response });
        }
        connection
            .send(envelope, &message.formatted())
            .await
            .map_err(|error| self.failed(&error))?;
        self.keep(connection);
        Ok(())
    }

    /// A connection that was kept and still answers.
    async fn kept(&self) -> Option<AsyncSmtpConnection> {
        loop {
            let (mut connection, since) = self.lock().pop()?;
            if since.elapsed() > KEPT_MAX_AGE {
                continue;
            }
            if let Ok(true) = timeout(CHECK_MAX, connection.test_connected()).await {
                return Some(connection);
            }
        }
    }

    fn keep(&self, connection: AsyncSmtpConnection) {
        let mut kept = self.lock();
        if kept.len() < KEPT_MAX {
            kept.push((connection, Instant::now()));
        }
    }

    fn lock(&self) -> std::sync::MutexGuard<'_, Vec<(AsyncSmtpConnection, Instant)>> {
        self.kept.lock().unwrap_or_else(PoisonError::into_inner)
    }

    /// Connects, encrypts, logs in and takes leave, within `deadline`.
    pub(crate) async fn check(&self, deadline: Duration) -> Result<(), SmtpServerFault> {
        let opened = timeout(deadline, self.open(deadline)).await;
        let opened = opened.unwrap_or_else(|_| Err(SmtpServerFault::Unreachable(self.too_late())));
        // What it says to the farewell does not matter.
        let _ = timeout(CHECK_MAX, opened?.quit()).await;
        Ok(())
    }

    /// Which SMTP server it is, as host and port.
    pub(crate) const fn smtp_server(&self) -> &SmtpServer {
        &self.smtp_server
    }

    /// Connects, encrypts and logs in. Whatever goes wrong here, no email would go.
    async fn open(&self, deadline: Duration) -> Result<AsyncSmtpConnection, SmtpServerFault> {
        let at_once = self.tls.clone().filter(|_| self.smtp_server.encryption == Encryption::Tls);
        let address = (self.smtp_server.host.as_str(), self.smtp_server.port);
        let connected = AsyncSmtpConnection::connect_tokio1(
            address,
            Some(deadline),
            &self.hello,
            at_once,
            None,
        );
        let told = |error: Error| self.not_opened(&error);
        let mut connection = connected.await.map_err(told)?;
        if let (Encryption::StartTls, Some(tls)) = (self.smtp_server.encryption, self.tls.clone()) {
            connection.starttls(tls, &self.hello).await.map_err(told)?;
        }
        if let Some(login) = &self.smtp_server.login {
            let login = Credentials::new(login.user.clone(), login.password.clone());
            let logged_in = connection.auth(DEFAULT_MECHANISMS, &login).await;
            logged_in.map_err(|error| self.not_logged_in(&error))?;
        }
        Ok(connection)
    }

    fn not_opened(&self, error: &Error) -> SmtpServerFault {
        let problem = error.to_string();
        let told = self.told(&problem);
        if problem.contains(UNTRUSTED) {
            SmtpServerFault::Certificate(told)
        } else {
            SmtpServerFault::Unreachable(told)
        }
    }

    /// What an SMTP server says to a login may repeat what it was told, so only its code is passed
    /// on.
    fn not_logged_in(&self, error: &Error) -> SmtpServerFault {
        let told = self.told(&error.status().map_or_else(
            || "the login failed".to_owned(),
            |code| format!("it refuses the login ({code})"),
        ));
        // A client's error is that the SMTP server knows none of the ways to log in.
        if error.is_permanent() || error.is_client() {
            SmtpServerFault::Login(told)
        } else {
            SmtpServerFault::Unreachable(told)
        }
    }

    /// What it means that an email was not taken.
    fn failed(&self, error: &Error) -> MailError {
        let code = error.status().map(u16::from);
        let told = self.without_password(&error.to_string());
        match code {
            // The SMTP server closes, or requires a login: no other email would go either (RFC 5321,
            // section 3.8; RFC 4954, section 6).
            None | Some(421 | 530 | 534 | 535 | 538) => MailError::Unreachable(self.told(&told)),
            Some(_) => MailError::Refused { permanent: error.is_permanent(), response: told },
        }
    }

    fn too_late(&self) -> String {
        self.told("it did not respond in time")
    }

    fn told(&self, problem: &str) -> String {
        format!("{}: {problem}", self.smtp_server)
    }

    /// What an SMTP server said that knows the password, without it.
    fn without_password(&self, text: &str) -> String {
        let password = self.smtp_server.login.as_ref().map(|login| login.password.as_str());
        password.map_or_else(|| text.to_owned(), |password| text.replace(password, "…"))
    }
}

fn is_ascii(address: &Address) -> bool {
    address.user().is_ascii() && address.domain().is_ascii()
}
