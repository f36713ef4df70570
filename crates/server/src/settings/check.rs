//! Checks: each setting on its own, then together.

mod clients;
mod dialects;
mod http;
mod keys;
mod mail;
mod passwords;
mod policy;

use std::net::{SocketAddr, ToSocketAddrs};
use std::path::PathBuf;

use tracing::Level;
use url::{Host, Url};

use super::error::SettingError;
use super::layers::Flat;
use super::reader::Reader;
use super::secret::{self, Secret};
use super::{LogFormat, Mode, Settings, Tls};

/// The maximum number of cached items of a kind: some hundred bytes each.
const CACHED_MAX: i64 = 1_000_000;

/// Checks all settings and returns all errors. `errors` are those of the layers.
pub(crate) fn check(flat: &Flat, errors: Vec<SettingError>) -> Result<Settings, Vec<SettingError>> {
    let mut reader = Reader::new(flat, errors);
    let settings = read(&mut reader, super::show::show(flat));
    match settings {
        Some(settings) if reader.errors.is_empty() => Ok(settings),
        Some(_) => Err(reader.errors),
        None => Err(reader.refused()),
    }
}

fn read(reader: &mut Reader<'_>, shown: String) -> Option<Settings> {
    let modes = [("development", Mode::Development), ("production", Mode::Production)];
    let mode = reader.choice("mode", &modes);
    let listen = address(reader, "http.listen");
    let ops_listen = address(reader, "ops.listen");
    let public_url = public_url(reader);
    let tls = tls(reader);
    let http = http::options(reader, public_url.as_ref());
    let database_url = database_url(reader);
    let master_key = keys::master_key(reader, mode);
    let previous_master_key = keys::previous_master_key(reader, master_key.as_ref());
    let policy = policy::policy(reader, &http.public_url);
    let audience = policy::audience(reader, &http.public_url);
    let mail = mail::mail(reader, mode, &http.public_url);
    let argon2 = passwords::argon2(reader);
    let breached = passwords::breached(reader);
    let formats = [("pretty", LogFormat::Pretty), ("json", LogFormat::Json)];
    let log_format = reader.choice("log.format", &formats);
    let log_level = log_level(reader);
    let pool_size = reader.count("database.pool_size", 1..=1000);
    let cached_tokens = reader.count("cache.tokens", 0..=CACHED_MAX);
    let cached_users = reader.count("cache.users", 0..=CACHED_MAX);

    let (mode, listen, public_url) = (mode?, listen?, public_url?);
    exposure(reader, mode, listen, (&public_url, tls.is_some()));
    together(reader, mode, listen, ops_listen?);
    Some(Settings {
        mode,
        listen,
        tls,
        behind_tls_proxy: reader.flag("http.behind_tls_proxy"),
        ops_listen: ops_listen?,
        database_url: database_url?,
        pool_size,
        migrate_on_start: reader.flag("database.migrate_on_start"),
        master_key: master_key?,
        previous_master_key,
        cached_tokens,
        cached_users,
        audience,
        policy,
        mail: mail?,
        argon2,
        breached,
        http,
        log_format: log_format?,
        log_level: log_level?,
        shown,
    })
}

/// An address and port to listen on.
fn address(reader: &mut Reader<'_>, option: &str) -> Option<SocketAddr> {
    let text = reader.text(option).unwrap_or_default();
    let address = text.to_socket_addrs().ok().and_then(|mut found| found.next());
    if address.is_none() {
        let message =
            format!("is \"{text}\"; use an IP address and a port, such as 127.0.0.1:8080");
        reader.wrong(option, message);
    }
    address
}

fn public_url(reader: &mut Reader<'_>) -> Option<Url> {
    let text = reader.text("http.public_url").unwrap_or_default();
    let url = Url::parse(&text).ok().filter(|url| {
        matches!(url.scheme(), "http" | "https")
            && url.has_host()
            && url.username().is_empty()
            && url.password().is_none()
            && url.path() == "/"
            && url.query().is_none()
            && url.fragment().is_none()
    });
    if url.is_none() {
        let message =
            "must be a scheme, a host and optionally a port, such as https://auth.example.org";
        reader.wrong("http.public_url", message);
    }
    url
}

/// Certificate and key: both or neither, readable, and matching.
fn tls(reader: &mut Reader<'_>) -> Option<Tls> {
    let (certificate, key) = (reader.text("http.tls_cert"), reader.text("http.tls_key"));
    let (certificate, key) = match (certificate, key) {
        (None, None) => return None,
        (Some(certificate), Some(key)) => (PathBuf::from(certificate), PathBuf::from(key)),
        (Some(_), None) => {
            reader.wrong("http.tls_key", "is not set, but http.tls_cert is; set both");
            return None;
        }
        (None, Some(_)) => {
            reader.wrong("http.tls_cert", "is not set, but http.tls_key is; set both");
            return None;
        }
    };
    if let Err(message) = secret::refuse_exposed(&key) {
        reader.wrong("http.tls_key", message);
        return None;
    }
    let tls = Tls { certificate, key };
    if let Err((option, message)) = crate::tls::config(&tls) {
        reader.wrong(option, message);
    }
    Some(tls)
}

fn database_url(reader: &mut Reader<'_>) -> Option<Secret> {
    let option = "database.url";
    let Some(url) = secret::read(reader, option) else {
        let message = "is not set; set it to sqlite://PATH or postgres://USER@HOST/DATABASE, or set \
                       database.url_file";
        reader.missing(option, message);
        return None;
    };
    if let Err(error) = gateward_diesel::check_url(url.expose()) {
        let message =
            format!("is invalid: {error}; use sqlite://PATH or postgres://USER@HOST/DATABASE");
        reader.wrong(option, message);
    }
    Some(url)
}

fn log_level(reader: &mut Reader<'_>) -> Option<Level> {
    let levels = [
        ("error", Level::ERROR),
        ("warn", Level::WARN),
        ("info", Level::INFO),
        ("debug", Level::DEBUG),
        ("trace", Level::TRACE),
    ];
    reader.choice("log.level", &levels)
}

/// Who can reach the service, and whether the connection is encrypted.
fn exposure(
    reader: &mut Reader<'_>,
    mode: Mode,
    listen: SocketAddr,
    (public_url, tls): (&Url, bool),
) {
    let local_url = match public_url.host() {
        Some(Host::Domain(name)) => name == "localhost" || name.ends_with(".localhost"),
        Some(Host::Ipv4(ip)) => ip.is_loopback(),
        Some(Host::Ipv6(ip)) => ip.is_loopback(),
        None => false,
    };
    let local = listen.ip().is_loopback();
    if mode == Mode::Development {
        if !local {
            let message = format!(
                "is {listen}, which other machines can reach, but mode is \"development\"; listen \
                 on 127.0.0.1 or set mode to \"production\""
            );
            reader.wrong("http.listen", message);
        }
        if !local_url {
            let message = "is not a loopback URL, but mode is \"development\"; use \
                           http://127.0.0.1:8080 or set mode to \"production\"";
            reader.wrong("http.public_url", message);
        }
    } else if public_url.scheme() == "http" && !local_url {
        let message = "is plain HTTP, which anyone on the network can read; use https";
        reader.wrong("http.public_url", message);
    }
    if !local && local_url {
        let message = "is a loopback URL, which only this machine can reach, but http.listen is \
                       not a loopback address; set it to the URL that clients use";
        reader.wrong("http.public_url", message);
    }
    if !local && !tls && !reader.flag("http.behind_tls_proxy") {
        let message = format!(
            "is {listen}, but TLS is off; set http.tls_cert and http.tls_key, or \
             http.behind_tls_proxy if a reverse proxy terminates TLS"
        );
        reader.wrong("http.listen", message);
    }
}

/// Other settings that depend on each other.
fn together(reader: &mut Reader<'_>, mode: Mode, listen: SocketAddr, ops_listen: SocketAddr) {
    if listen == ops_listen && listen.port() != 0 {
        reader.wrong("ops.listen", "is the same as http.listen; choose another port");
    }
    if mode == Mode::Development && !ops_listen.ip().is_loopback() {
        let message = format!(
            "is {ops_listen}, which other machines can reach, but mode is \"development\"; listen \
             on 127.0.0.1 or set mode to \"production\""
        );
        reader.wrong("ops.listen", message);
    }
    if mode == Mode::Production && !reader.flag("rate_limit.enabled") {
        reader.wrong("rate_limit.enabled", "is false; in production it must be true");
    }
}
