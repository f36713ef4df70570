//! `SmtpServer`: where emails are handed over, read from a URL.

use std::borrow::Cow;
use std::fmt;
use std::net::IpAddr;

use percent_encoding::percent_decode_str;
use url::{Host, Url};

/// The port of an SMTP server that speaks TLS from the first byte (RFC 8314, section 3.3).
const PORT_TLS: u16 = 465;
/// The port of an SMTP server that is asked for TLS (RFC 6409, section 3.1).
const PORT_STARTTLS: u16 = 587;
/// The port of an SMTP server on this machine.
const PORT_PLAIN: u16 = 25;

/// An SMTP server: host, port, how it is encrypted, and who logs in.
#[derive(Clone, PartialEq, Eq)]
pub struct SmtpServer {
    pub(crate) host: String,
    pub(crate) port: u16,
    pub(crate) encryption: Encryption,
    pub(crate) login: Option<Login>,
}

/// When a connection is encrypted.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Encryption {
    /// From the first byte.
    Tls,
    /// Before anything is said but that.
    StartTls,
    /// Never: the SMTP server is on this machine.
    None,
}

/// Who logs in.
#[derive(Clone, PartialEq, Eq)]
pub(crate) struct Login {
    pub user: String,
    pub password: String,
}

/// Why a text is no SMTP server. The text itself is not repeated, for it may hold a password.
#[derive(Clone, Copy, Debug, PartialEq, Eq, thiserror::Error)]
pub enum SmtpUrlError {
    /// Not a URL.
    #[error(
        "this is not an SMTP URL; write smtps://user:password@host, and encode special characters \
         in user and password: '/' as %2F, '?' as %3F, '#' as %23 and '%' as %25"
    )]
    Form,
    /// Another scheme.
    #[error("an SMTP URL must start with smtps:// (TLS) or smtp:// (with ?tls=required)")]
    Scheme,
    /// No host, or none that can be one.
    #[error("the SMTP URL has no host; write smtps://user:password@host")]
    Host,
    #[error("the SMTP URL has port 0; remove the port, or use the port of the SMTP server")]
    Port,
    /// A path or a fragment.
    #[error(
        "the SMTP URL has text after host and port; remove it, or if it is part of the password, \
         encode '/' as %2F, '?' as %3F and '#' as %23"
    )]
    Rest,
    /// A query that is not known.
    #[error("the SMTP URL has an unknown option; the only option is ?tls=required after smtp://")]
    Option,
    /// A login that is half there, or cannot be decoded.
    #[error(
        "the SMTP URL needs both user and password, or neither; encode special characters in them: \
         '@' as %40, ':' as %3A and '%' as %25"
    )]
    Login,
    /// No encryption on the way to another machine.
    #[error(
        "the SMTP URL would send emails unencrypted; write smtps://, or smtp:// with \
         ?tls=required (plain smtp:// is only for SMTP servers on this machine: 127.0.0.1, [::1], \
         localhost)"
    )]
    Plain,
}

impl SmtpServer {
    /// Reads `smtps://user:password@host`, `smtp://user:password@host?tls=required`, or, for an
    /// SMTP server on this machine, `smtp://localhost`; each with or without login and port. User
    /// and password are percent-encoded.
    pub fn parse(text: &str) -> Result<Self, SmtpUrlError> {
        let text = text.trim();
        // A URL parser would leave them out without a word.
        if text.chars().any(char::is_control) {
            return Err(SmtpUrlError::Form);
        }
        let url = Url::parse(text).map_err(|_| SmtpUrlError::Form)?;
        let tls = match url.scheme() {
            "smtps" => true,
            "smtp" => false,
            _ => return Err(SmtpUrlError::Scheme),
        };
        if !matches!(url.path(), "" | "/") || url.fragment().is_some() {
            return Err(SmtpUrlError::Rest);
        }
        let host = host(&url)?;
        let (encryption, usual_port) = match (tls, url.query()) {
            (true, None) => (Encryption::Tls, PORT_TLS),
            (false, Some("tls=required")) => (Encryption::StartTls, PORT_STARTTLS),
            (false, None) if is_loopback(&host) => (Encryption::None, PORT_PLAIN),
            (false, None) => return Err(SmtpUrlError::Plain),
            (_, Some(_)) => return Err(SmtpUrlError::Option),
        };
        let port = url.port().unwrap_or(usual_port);
        if port == 0 {
            return Err(SmtpUrlError::Port);
        }
        Ok(Self { host: plain(&host), port, encryption, login: login(&url)? })
    }

    /// The URL without the password, to be shown. Nothing of a URL that cannot be parsed is shown.
    #[must_use]
    pub fn shown_url(text: &str) -> String {
        let shown = || {
            let server = Self::parse(text).ok()?;
            let mut url = Url::parse(text.trim()).ok()?;
            if server.login.is_some() {
                url.set_password(Some("hidden")).ok()?;
            }
            Some(url.to_string())
        };
        shown().unwrap_or_else(|| "(hidden)".to_owned())
    }
}

impl fmt::Display for SmtpServer {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self.host.parse() {
            Ok(IpAddr::V6(ip)) => write!(formatter, "[{ip}]:{}", self.port),
            _ => write!(formatter, "{}:{}", self.host, self.port),
        }
    }
}

impl fmt::Debug for SmtpServer {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(
            formatter,
            "SMTP server({self}, {:?}, login: {})",
            self.encryption,
            self.login.is_some()
        )
    }
}

/// The host, read by the rules of the web: the parser leaves it as it is for other schemes.
fn host(url: &Url) -> Result<Host, SmtpUrlError> {
    let text = url.host_str().filter(|text| !text.is_empty()).ok_or(SmtpUrlError::Host)?;
    Host::parse(text).map_err(|_| SmtpUrlError::Host)
}

fn is_loopback(host: &Host) -> bool {
    match host {
        Host::Domain(name) => name == "localhost",
        Host::Ipv4(ip) => ip.is_loopback(),
        Host::Ipv6(ip) => ip.is_loopback(),
    }
}

/// The host without the brackets that a URL puts around an IPv6 address.
fn plain(host: &Host) -> String {
    match host {
        Host::Domain(name) => name.clone(),
        Host::Ipv4(ip) => ip.to_string(),
        Host::Ipv6(ip) => ip.to_string(),
    }
}

fn login(url: &Url) -> Result<Option<Login>, SmtpUrlError> {
    let user = decode(url.username())?;
    let password = decode(url.password().unwrap_or_default())?;
    match (user.is_empty(), password.is_empty()) {
        (true, true) => Ok(None),
        (false, false) => Ok(Some(Login { user, password })),
        _ => Err(SmtpUrlError::Login),
    }
}

fn decode(text: &str) -> Result<String, SmtpUrlError> {
    let is_hex = |byte: Option<&u8>| byte.is_some_and(u8::is_ascii_hexdigit);
    let mut rest = text.as_bytes().iter();
    while let Some(byte) = rest.next() {
        if *byte == b'%' && !(is_hex(rest.next()) && is_hex(rest.next())) {
            return Err(SmtpUrlError::Login);
        }
    }
    let decoded = percent_decode_str(text).decode_utf8().map(Cow::into_owned);
    decoded.ok().filter(|text| !text.chars().any(char::is_control)).ok_or(SmtpUrlError::Login)
}
