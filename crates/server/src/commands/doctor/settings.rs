//! Checks of the settings and of the files that they name.

use gateward_app::domain::Password;
use gateward_node::is_exposed;

use super::finding::{Code, Finding};
use crate::settings::{MasterKeySource, SettingError, Settings};

/// Findings for invalid settings.
pub(super) fn refused(errors: &[SettingError]) -> Vec<Finding> {
    let remedy = "correct the setting; the other checks run once all settings are valid";
    let finding = |error: &SettingError| Finding::new(Code::Settings, error.to_string(), remedy);
    errors.iter().map(finding).collect()
}

/// Findings for valid settings.
pub(super) async fn check(settings: &Settings) -> Vec<Finding> {
    let exposed = exposed_key(settings);
    exposed.into_iter().chain(plain_url(settings)).chain(breached(settings).await).collect()
}

/// Checks the master key file that development mode generates; files named in the settings were
/// checked with them.
pub(super) fn exposed_key(settings: &Settings) -> Option<Finding> {
    let MasterKeySource::Generated(path) = &settings.master_key else { return None };
    let path = path.as_path();
    let (exposed, path) = (is_exposed(path), path.display());
    let what = format!("{path} contains the master key and is readable by other users");
    let remedy = format!(
        "run: chmod 600 {path}; if someone may have read it, rotate the keys (docs/keys.md)"
    );
    matches!(exposed, Ok(true)).then(|| Finding::new(Code::KeyFileExposed, what, remedy))
}

/// Links and cookies depend on the scheme of the public URL.
fn plain_url(settings: &Settings) -> Option<Finding> {
    let url = &settings.http.public_url;
    let is_plain = url.starts_with("http:") && settings.behind_tls_proxy;
    is_plain.then(|| {
        Finding::new(
            Code::PublicUrlPlain,
            format!(
                "http.public_url is {url}, but http.behind_tls_proxy says that clients use https"
            ),
            "set http.public_url to the https URL that clients use",
        )
    })
}

/// Checks that the list of breached passwords can be searched.
async fn breached(settings: &Settings) -> Option<Finding> {
    let example = Password::received("correct horse battery staple".to_owned()).ok()?;
    let error = settings.breached.is_breached(&example).await.err()?;
    Some(Finding::new(
        Code::BreachedList,
        format!("password.breached_list cannot be read: {:#}", anyhow::Error::from(error)),
        "restore the complete list, or correct the path or the permissions",
    ))
}
