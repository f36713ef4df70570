//! What is found of settings, database and keys.

use std::fs;
use std::os::unix::fs::PermissionsExt;
use std::path::Path;

use gateward_app::domain::key::{Algorithm, KeyId, KeyPurpose, StoredKey};
use gateward_app::domain::{EmailAddress, Password, Timestamp, Username};
use gateward_app::{NewAccount, NewAlgorithm};
use gateward_diesel::{CreateIfMissing, migrate};

use super::servers::nobody;
use super::{codes, settings};
use crate::commands::doctor::settings::{check, refused};
use crate::commands::doctor::{examine, keys};
use crate::settings::{MasterKeySource, SettingError, Settings};
use crate::wiring::wire;

/// Another good master key.
const OTHER_MASTER_KEY: &str = "AQIDBAUGBwgJCgsMDQ4PEBESExQVFhcYGRobHB0eHyA=";

/// The settings of a node in this folder; no node is running.
fn at(folder: &Path, options: &[(&str, &str)]) -> Settings {
    let database = format!("sqlite://{}", folder.join("gateward.db").display());
    let (url, ops) = (format!("http://{}", nobody()), nobody().to_string());
    let own = [
        ("database.url", &*database),
        ("http.public_url", &*url),
        ("tokens.issuer", "http://localhost"),
        ("ops.listen", &*ops),
        ("password.argon2_memory_kib", "7168"),
    ];
    settings(&[&own, options].concat())
}

/// Does what the first start does, and makes an administrator.
async fn begin(settings: &Settings) {
    let url = settings.database_url.expose();
    Box::pin(migrate(url, CreateIfMissing::Yes)).await.unwrap();
    let wired = wire(settings, CreateIfMissing::No).await.unwrap();
    wired.bring_up(settings, NewAlgorithm::Begins).await.unwrap();
    let account = NewAccount {
        username: Username::parse_existing("ada").unwrap(),
        email: EmailAddress::parse("ada@example.org").unwrap(),
        password: Password::received("correct horse battery".to_owned()).unwrap(),
        admin: true,
    };
    wired.app.create_user(account).await.unwrap();
}

/// What is found, less that no node runs.
async fn found(settings: &Settings) -> Vec<&'static str> {
    let found = Box::pin(examine(settings)).await;
    codes(&found).into_iter().filter(|code| *code != "public_url_unreachable").collect()
}

#[tokio::test]
async fn nothing_is_found_of_an_installation_that_is_well() {
    let folder = tempfile::tempdir().unwrap();
    let settings = at(folder.path(), &[]);
    begin(&settings).await;
    assert_eq!(found(&settings).await, [""; 0]);
}

#[tokio::test]
async fn a_database_that_is_not_there_is_found_and_not_made() {
    let folder = tempfile::tempdir().unwrap();
    let settings = at(folder.path(), &[]);
    assert_eq!(found(&settings).await, ["database_unreachable"]);
    assert_eq!(fs::read_dir(folder.path()).unwrap().count(), 0, "nothing was made");
}

#[tokio::test]
async fn tables_that_lack_are_found() {
    let folder = tempfile::tempdir().unwrap();
    fs::write(folder.path().join("gateward.db"), "").unwrap();
    let found = found(&at(folder.path(), &[])).await;
    assert_eq!(found.first(), Some(&"migrations_pending"));
    assert!(found.contains(&"unanswered"), "{found:?}");
}

#[tokio::test]
async fn a_database_without_keys_and_administrator_was_never_used() {
    let folder = tempfile::tempdir().unwrap();
    let settings = at(folder.path(), &[]);
    let url = settings.database_url.expose();
    Box::pin(migrate(url, CreateIfMissing::Yes)).await.unwrap();
    assert_eq!(found(&settings).await, ["no_administrator", "never_used"]);
}

#[tokio::test]
async fn another_master_key_is_found() {
    let folder = tempfile::tempdir().unwrap();
    begin(&at(folder.path(), &[])).await;
    let other = at(folder.path(), &[("keys.master_key", OTHER_MASTER_KEY)]);
    assert_eq!(found(&other).await, ["master_key"]);
}

#[tokio::test]
async fn another_issuer_is_found_and_hides_no_wrong_master_key() {
    let folder = tempfile::tempdir().unwrap();
    begin(&at(folder.path(), &[])).await;
    let issuer = ("tokens.issuer", "http://another.localhost");
    assert_eq!(found(&at(folder.path(), &[issuer])).await, ["issuer"]);
    let both = [issuer, ("keys.master_key", OTHER_MASTER_KEY)];
    assert_eq!(found(&at(folder.path(), &both)).await, ["issuer", "master_key"]);
}

#[tokio::test]
async fn a_generated_key_that_others_can_open_is_found() {
    let folder = tempfile::tempdir().unwrap();
    let path = folder.path().join("master.key");
    fs::write(&path, super::MASTER_KEY).unwrap();
    let generated = MasterKeySource::Generated(path.clone());
    let settings = Settings { master_key: generated, ..at(folder.path(), &[]) };
    for (mode, expected) in [(0o600, &[][..]), (0o644, &["key_file_exposed"])] {
        fs::set_permissions(&path, fs::Permissions::from_mode(mode)).unwrap();
        assert_eq!(codes(&check(&settings).await), expected, "{mode:o}");
    }
}

#[tokio::test]
async fn a_plain_public_url_behind_a_proxy_that_ends_tls_is_found() {
    let folder = tempfile::tempdir().unwrap();
    let settings = at(folder.path(), &[("http.behind_tls_proxy", "true")]);
    assert_eq!(codes(&check(&settings).await), ["public_url_plain"]);
    let secure = [("http.behind_tls_proxy", "true"), ("http.public_url", "https://localhost")];
    assert_eq!(codes(&check(&at(folder.path(), &secure)).await), [""; 0]);
}

#[tokio::test]
async fn a_list_of_breached_passwords_that_went_away_is_found() {
    let folder = tempfile::tempdir().unwrap();
    let list = folder.path().join("list.txt");
    fs::write(&list, "0000000000000000000000000000000000000001:3\n").unwrap();
    let settings = at(folder.path(), &[("password.breached_list", &list.display().to_string())]);
    assert_eq!(codes(&check(&settings).await), [""; 0]);
    fs::remove_file(&list).unwrap();
    assert_eq!(codes(&check(&settings).await), ["breached_list"]);
}

#[test]
fn each_refused_setting_is_a_finding() {
    let errors = ["http.listen", "mail.from"].map(|option| SettingError::new(option, "is invalid"));
    let found = refused(&errors);
    assert_eq!(codes(&found), ["settings"; 2]);
    assert_eq!(found[1].what, "mail.from is invalid");
}

#[test]
fn a_key_is_overdue_a_day_after_its_successor_should_sign() {
    let day = |days: i64| Timestamp::from_seconds(days * 24 * 3600);
    let key = |purpose: KeyPurpose, from: Timestamp| StoredKey {
        id: KeyId(purpose.as_str().to_owned()),
        purpose,
        algorithm: Algorithm::Hs256,
        wrapped: Vec::new(),
        public_jwk: None,
        created_at: from,
        active_from: from,
        revoked_at: None,
    };
    let mut stored: Vec<_> = KeyPurpose::ALL.iter().map(|purpose| key(*purpose, day(0))).collect();
    assert_eq!(keys::overdue(&stored, 90, day(91)), []);
    assert_eq!(keys::overdue(&stored, 90, day(92)).len(), KeyPurpose::ALL.len());
    stored.extend(KeyPurpose::ALL.iter().map(|purpose| key(*purpose, day(90))));
    assert_eq!(keys::overdue(&stored, 90, day(92)), []);
    for key in &mut stored {
        key.revoked_at = (key.purpose == KeyPurpose::Link).then(|| day(90));
    }
    assert_eq!(codes(&keys::overdue(&stored, 90, day(92))), ["key_overdue"]);
}
