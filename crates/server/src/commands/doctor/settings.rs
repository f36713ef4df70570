//! What the settings alone tell, and the files that they name.

use gateward_app::domain::Password;

use super::finding::{Code, Finding};
use crate::settings::{MasterKeySource, SettingError, Settings, is_exposed};

/// What was refused.
pub(super) fn refused(errors: &[SettingError]) -> Vec<Finding> {
    let remedy = "correct the option; the rest is checked once all settings are in order";
    let finding = |error: &SettingError| Finding::new(Code::Settings, error.to_string(), remedy);
    errors.iter().map(finding).collect()
}

/// What is wrong with settings that were not refused.
pub(super) async fn check(settings: &Settings) -> Vec<Finding> {
    let exposed = exposed_key(settings);
    exposed.into_iter().chain(plain_url(settings)).chain(breached(settings).await).collect()
}

/// The file of the master key that development makes for itself; those that are named in the
/// settings were looked at with them.
pub(super) fn exposed_key(settings: &Settings) -> Option<Finding> {
    let MasterKeySource::Generated(path) = &settings.master_key else { return None };
    let path = path.as_path();
    let (exposed, path) = (is_exposed(path), path.display());
    let what = format!("{path} holds the master key, and others can open it");
    let remedy = format!(
        "chmod 600 {path}; if somebody may have read it, make other keys as docs/keys.md says"
    );
    matches!(exposed, Ok(true)).then(|| Finding::new(Code::KeyFileExposed, what, remedy))
}

/// Links and cookies follow from the public URL.
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

/// Whether the list of breached passwords can be looked at, in the midst of it too.
async fn breached(settings: &Settings) -> Option<Finding> {
    let example = Password::received("correct horse battery staple".to_owned()).ok()?;
    let error = settings.breached.is_breached(&example).await.err()?;
    Some(Finding::new(
        Code::BreachedList,
        format!("password.breached_list cannot be read: {:#}", anyhow::Error::from(error)),
        "put the list back whole, or correct the path or the rights",
    ))
}
