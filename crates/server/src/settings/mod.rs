//! Settings: read once and checked completely; errors name the setting.

mod check;
mod clients;
mod env_file;
mod error;
mod layers;
mod reader;
mod secret;
mod show;
mod sources;

use std::collections::BTreeMap;
use std::net::SocketAddr;
use std::path::{Path, PathBuf};
use std::sync::Arc;

use gateward_app::Policy;
use gateward_app::domain::ports::BreachedPasswords;
use gateward_crypto::{Argon2Settings, MasterKey};
use gateward_email::{MailSettings, SmtpServer};
use gateward_http::Options;

pub(crate) use error::SettingError;
pub(crate) use secret::Secret;

/// Where the service runs.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Mode {
    /// A developer's machine: more is shown, and only loopback clients reach it.
    Development,
    /// A server: unsafe settings are refused.
    Production,
}

impl Mode {
    /// The value in the settings.
    pub(crate) const fn as_str(self) -> &'static str {
        match self {
            Self::Development => "development",
            Self::Production => "production",
        }
    }
}

/// The format of log lines.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum LogFormat {
    /// For people.
    Pretty,
    /// For programs: one JSON object per line.
    Json,
}

/// Certificate and key of the listener.
#[derive(Clone, Debug)]
pub(crate) struct Tls {
    pub(crate) certificate: PathBuf,
    pub(crate) key: PathBuf,
}

/// Where the master key comes from.
#[derive(Clone)]
pub(crate) enum MasterKeySource {
    /// From the settings.
    Given(MasterKey),
    /// From a file that is created at the first start, in development only.
    Generated(PathBuf),
}

/// Sender and templates of emails, and their transport.
#[derive(Clone)]
pub(crate) struct Mail {
    pub(crate) settings: MailSettings,
    pub(crate) transport: Transport,
}

/// Where emails go.
#[derive(Clone)]
pub(crate) enum Transport {
    /// Kept in memory and shown at /dev/inbox, in development only.
    Inbox,
    /// To an SMTP server, and to a fallback when that does not accept them.
    Smtp {
        /// The first one.
        smtp_server: SmtpServer,
        /// The second one.
        fallback: Option<SmtpServer>,
    },
}

/// Valid settings.
#[derive(Clone)]
pub(crate) struct Settings {
    pub(crate) mode: Mode,
    pub(crate) listen: SocketAddr,
    pub(crate) tls: Option<Tls>,
    /// Whether a reverse proxy terminates TLS.
    pub(crate) behind_tls_proxy: bool,
    pub(crate) ops_listen: SocketAddr,
    pub(crate) database_url: Secret,
    pub(crate) pool_size: usize,
    pub(crate) migrate_on_start: bool,
    pub(crate) master_key: MasterKeySource,
    /// The master key that keys in the database may still be wrapped with.
    pub(crate) previous_master_key: Option<MasterKey>,
    /// How many verified access tokens are cached.
    pub(crate) cached_tokens: usize,
    /// How many users are cached.
    pub(crate) cached_users: usize,
    pub(crate) audience: String,
    pub(crate) policy: Policy,
    pub(crate) mail: Mail,
    pub(crate) argon2: Argon2Settings,
    /// Breached passwords, which are refused.
    pub(crate) breached: Arc<dyn BreachedPasswords>,
    pub(crate) http: Options,
    pub(crate) log_format: LogFormat,
    pub(crate) log_level: tracing::Level,
    /// All values by name, secrets hidden.
    pub(crate) shown: String,
}

/// The path of the generated master key in development, relative to the working folder.
const GENERATED_MASTER_KEY: &str = "data/master.key";

impl Settings {
    /// Loads the settings of this process from `.env`, the file and the environment.
    pub(crate) fn load(file: Option<&Path>) -> Result<Self, Vec<SettingError>> {
        let sources = sources::read(file)?;
        let file = sources.file.as_ref().map(|(name, text)| (name.as_str(), text.as_str()));
        Self::from_layers(file, &sources.environment)
    }

    /// The database URL without its password.
    pub(crate) fn shown_database_url(&self) -> String {
        gateward_diesel::shown_url(self.database_url.expose())
    }

    /// Merges the layers and checks the result.
    pub(crate) fn from_layers(
        file: Option<(&str, &str)>,
        environment: &BTreeMap<String, String>,
    ) -> Result<Self, Vec<SettingError>> {
        let mut errors = Vec::new();
        let flat = layers::merge(file, environment, &mut errors);
        check::check(&flat, errors)
    }
}

#[cfg(test)]
mod tests;
