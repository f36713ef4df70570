//! The settings in the URL of a Postgres server.

use std::fmt;
use std::path::PathBuf;
use std::time::Duration;

use percent_encoding::percent_decode_str;
use tokio_postgres::Config;
use tokio_postgres::config::SslMode;

use crate::error::OpenError;

/// Timeout for the server to accept a connection.
const CONNECT_TIMEOUT: Duration = Duration::from_secs(3);

/// Idle time before the first keep-alive probe. With the two constants below, a half-open
/// connection is detected in 9 seconds.
const KEEPALIVE_IDLE: Duration = Duration::from_secs(5);
/// Interval between keep-alive probes.
const KEEPALIVE_INTERVAL: Duration = Duration::from_secs(2);
/// Number of keep-alive probes.
const KEEPALIVE_RETRIES: u32 = 2;

/// Maximum time for which sent data may stay unacknowledged: no keep-alives are sent meanwhile.
const TCP_USER_TIMEOUT: Duration = Duration::from_secs(9);

/// How the connection is protected.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Protection {
    /// Not protected.
    None,
    /// Encrypted; with `sslmode=prefer`, only if the server supports it. The server is not
    /// authenticated.
    Encrypted,
    /// Encrypted, with a certificate of a trusted authority for any host name.
    Authority,
    /// Encrypted, with a certificate of a trusted authority for the host name.
    FullName,
}

/// A server, and how to reach it.
#[derive(Clone)]
pub struct Settings {
    pub(super) config: Config,
    pub(super) protection: Protection,
    /// File with the trusted authorities, in place of the system's.
    pub(super) root_certificates: Option<PathBuf>,
}

impl Settings {
    /// Parses a `postgres://` URL. `sslmode` and `sslrootcert` are parsed here, because
    /// tokio-postgres does not support all of their values. It parses the rest.
    pub fn parse(url: &str) -> Result<Self, OpenError> {
        let (base, query) = url.split_once('?').unwrap_or((url, ""));
        let mut mode = "prefer".to_owned();
        let mut root_certificates = None;
        let mut rest = Vec::new();
        for pair in query.split('&').filter(|pair| !pair.is_empty()) {
            let (name, value) = pair.split_once('=').unwrap_or((pair, ""));
            match name {
                "sslmode" => mode = decoded(value)?,
                "sslrootcert" => root_certificates = Some(decoded(value)?),
                _ => rest.push(pair),
            }
        }
        // As in libpq, `system` means the system's authorities.
        let root_certificates = root_certificates.filter(|file| file != "system");
        let (ssl_mode, protection) = protection(&mode, root_certificates.is_some())?;

        let base =
            if rest.is_empty() { base.to_owned() } else { format!("{base}?{}", rest.join("&")) };
        // Its error may contain a part of the URL, and therefore of the password.
        let mut config: Config = base.parse().map_err(|_| {
            OpenError::BadUrl(
                "this is not a Postgres URL; write postgres://user:password@host/database, and \
                 percent-encode special characters in the password",
            )
        })?;
        if config.get_hosts().is_empty() {
            return Err(OpenError::BadUrl("the Postgres URL has no host"));
        }
        if config.get_connect_timeout().is_none() {
            config.connect_timeout(CONNECT_TIMEOUT);
        }
        if config.get_application_name().is_none() {
            config.application_name("gateward");
        }
        config
            .ssl_mode(ssl_mode)
            .keepalives(true)
            .keepalives_idle(KEEPALIVE_IDLE)
            .keepalives_interval(KEEPALIVE_INTERVAL)
            .keepalives_retries(KEEPALIVE_RETRIES)
            .tcp_user_timeout(TCP_USER_TIMEOUT);
        Ok(Self { config, protection, root_certificates: root_certificates.map(PathBuf::from) })
    }
}

impl fmt::Debug for Settings {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        formatter.debug_struct("Settings").finish_non_exhaustive()
    }
}

/// Decodes the value of a parameter.
fn decoded(value: &str) -> Result<String, OpenError> {
    let decoded = percent_decode_str(value).decode_utf8();
    decoded.map(String::from).map_err(|_| OpenError::BadUrl("a parameter is not valid UTF-8"))
}

/// Converts an `sslmode`. As in libpq, naming authorities makes `require` stricter.
fn protection(mode: &str, has_roots: bool) -> Result<(SslMode, Protection), OpenError> {
    Ok(match mode {
        "disable" => (SslMode::Disable, Protection::None),
        "prefer" => (SslMode::Prefer, Protection::Encrypted),
        "require" if has_roots => (SslMode::Require, Protection::Authority),
        "require" => (SslMode::Require, Protection::Encrypted),
        "verify-ca" => (SslMode::Require, Protection::Authority),
        "verify-full" => (SslMode::Require, Protection::FullName),
        _ => {
            return Err(OpenError::BadUrl(
                "sslmode must be one of disable, prefer, require, verify-ca, verify-full",
            ));
        }
    })
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_mode_says_how_the_connection_is_protected() {
        for (query, mode, expected) in [
            ("", SslMode::Prefer, Protection::Encrypted),
            ("?sslmode=disable", SslMode::Disable, Protection::None),
            ("?sslmode=require", SslMode::Require, Protection::Encrypted),
            ("?sslmode=require&sslrootcert=ca.pem", SslMode::Require, Protection::Authority),
            ("?sslmode=verify-ca", SslMode::Require, Protection::Authority),
            ("?sslrootcert=system&sslmode=verify-full", SslMode::Require, Protection::FullName),
        ] {
            let settings = Settings::parse(&format!("postgres://u:p@host/db{query}")).unwrap();
            assert_eq!(settings.protection, expected, "{query}");
            assert_eq!(settings.config.get_ssl_mode(), mode, "{query}");
        }
    }

    #[test]
    fn other_parameters_go_on_to_the_driver() {
        let url = "postgresql://u@host/db?application_name=x&sslrootcert=%2Fetc%2Fca.pem";
        let settings = Settings::parse(url).unwrap();
        assert_eq!(settings.config.get_application_name(), Some("x"));
        assert_eq!(settings.root_certificates, Some(PathBuf::from("/etc/ca.pem")));
        assert!(Settings::parse("postgres://u@host/db?sslmod=require").is_err());
    }
}
