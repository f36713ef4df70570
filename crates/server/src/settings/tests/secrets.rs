//! Secrets: their `_file` twins, who can read them, and that they are never shown.

use base64::Engine;
use base64::engine::general_purpose::STANDARD;

use super::*;
use crate::settings::{MasterKeySource, sources};

#[test]
fn a_secret_may_stand_in_a_file() {
    let folder = tempfile::tempdir().unwrap();
    let key = write(&folder.path().join("key"), &format!("{MASTER_KEY}\n"), 0o600);
    let url = write(&folder.path().join("url"), "postgres://ada:hunter2@db/x\n", 0o400);
    let settings = with(&[("keys.master_key_file", &key), ("database.url_file", &url)]).unwrap();
    assert!(matches!(settings.master_key, MasterKeySource::Given(_)));
    assert_eq!(settings.database_url.expose(), "postgres://ada:hunter2@db/x");
    assert!(!format!("{:?}", settings.database_url).contains("hunter2"));
}

#[test]
fn the_master_key_before_differs_from_the_present_one() {
    let (present, option) = (("keys.master_key", MASTER_KEY), "keys.previous_master_key");
    assert!(with(&[present]).unwrap().previous_master_key.is_none());
    let previous = with(&[present, (option, OTHER_MASTER_KEY)]).unwrap().previous_master_key;
    assert_eq!(*previous.unwrap().to_base64(), OTHER_MASTER_KEY);
    refused(with(&[present, (option, MASTER_KEY)]), option, "is the same as keys.master_key");

    let folder = tempfile::tempdir().unwrap();
    let path = folder.path().join("key");
    let file = |text: &str| {
        let file = write(&path, text, 0o600);
        with(&[present, ("keys.previous_master_key_file", &file)])
    };
    assert!(file(OTHER_MASTER_KEY).unwrap().previous_master_key.is_some());
    refused(file(&format!("{MASTER_KEY}\n")), option, "is the same as keys.master_key");
    refused(with(&[(option, OTHER_MASTER_KEY)]), option, "but keys.master_key is not");
}

/// Row 13.3.2: what others can read is no secret.
#[test]
fn a13_3_2_a_secret_that_others_can_open_is_refused() {
    let folder = tempfile::tempdir().unwrap();
    let path = folder.path().join("key");
    for mode in [0o604, 0o644, 0o602, 0o666, 0o620, 0o660] {
        let key = write(&path, MASTER_KEY, mode);
        let settings = with(&[("keys.master_key_file", &key)]);
        refused(settings, "keys.master_key_file", &format!("run: chmod 600 {key}"));
    }
    for mode in [0o600, 0o400] {
        assert!(with(&[("keys.master_key_file", &write(&path, MASTER_KEY, mode))]).is_ok());
    }
    let key = write(&path, MASTER_KEY, 0o640);
    let settings = with(&[("keys.master_key_file", &key)]);
    // A group may read what belongs to root alone. Only root can make this test a file of another.
    if rustix::process::geteuid().is_root() {
        assert!(settings.is_ok());
        std::os::unix::fs::chown(&path, Some(65_534), None).unwrap();
        let settings = with(&[("keys.master_key_file", &key)]);
        refused(settings, "keys.master_key_file", "which other users can read");
    } else {
        refused(settings, "keys.master_key_file", "which other users can read");
    }
}

#[test]
fn a_secret_cannot_be_set_twice() {
    let folder = tempfile::tempdir().unwrap();
    let key = write(&folder.path().join("key"), MASTER_KEY, 0o600);
    let url = write(&folder.path().join("url"), "sqlite://x.db", 0o600);
    let both = with(&[("keys.master_key", MASTER_KEY), ("keys.master_key_file", &key)]);
    refused(both, "keys.master_key", "keep one of them");
    // Also where the value is that of the default.
    let default = "sqlite://data/gateward.db";
    let both = with(&[("database.url", default), ("database.url_file", &url)]);
    refused(both, "database.url", "keep one of them");
}

#[test]
fn a_file_without_a_secret_is_refused() {
    let folder = tempfile::tempdir().unwrap();
    let path = folder.path().join("key");
    let file = |path: &str| with(&[("keys.master_key_file", path)]);
    refused(file(&path.display().to_string()), "keys.master_key_file", "cannot be read");
    refused(file(&write(&path, "\n", 0o600)), "keys.master_key_file", "write the secret into it");
    refused(file(&write(&path, "hunter2", 0o600)), "keys.master_key", "generate-master");
    refused(file(&folder.path().display().to_string()), "keys.master_key_file", "");
    // The secret itself instead of the path: it is not repeated.
    for (option, secret) in
        [("keys.master_key_file", MASTER_KEY), ("database.url_file", "postgres://a:hunter2@db/x")]
    {
        let errors = with(&[(option, secret)]).err().unwrap();
        assert_eq!(errors[0].option, option);
        assert!(errors[0].message.contains("the path of a file"), "{errors:?}");
        assert!(!errors[0].message.contains(secret), "{errors:?}");
    }
    // What is no file at all is not repeated either: it may be a secret that looks like none.
    let errors = file("hunter2").err().unwrap();
    assert!(!errors[0].message.contains("hunter2"), "{errors:?}");
}

#[test]
fn a_weak_master_key_is_refused_without_repeating_it() {
    let same = STANDARD.encode([7; 32]);
    let typed = STANDARD.encode(b"passwordpasswordpasswordpassword");
    let short = STANDARD.encode([1, 2, 3, 4, 5, 6, 7, 8, 9, 10, 11, 12, 13, 14, 15, 16]);
    for weak in [&STANDARD.encode([0; 32]), &same, &typed, &short, "hunter2", &MASTER_KEY[1..]] {
        let errors = with(&[("keys.master_key", weak)]).err().unwrap();
        assert_eq!(errors[0].option, "keys.master_key");
        assert!(errors[0].message.contains("gateward keys generate-master"));
        assert!(!errors[0].message.contains(weak), "{errors:?}");
    }
}

#[test]
fn what_is_shown_hides_every_secret() {
    let url = "postgres://ada:hunter2@db.example.org/x?sslmode=verify-full";
    let keys = [("keys.master_key", MASTER_KEY), ("keys.previous_master_key", OTHER_MASTER_KEY)];
    let settings = with(&[&keys[..], &[("database.url", url)]].concat()).unwrap();
    assert!(!settings.shown.contains(MASTER_KEY) && !settings.shown.contains(OTHER_MASTER_KEY));
    assert!(settings.shown.contains("keys.previous_master_key = \"(hidden)\""));
    assert!(!settings.shown.contains("hunter2"));
    assert!(settings.shown.contains("keys.master_key = \"(hidden)\""));
    assert!(settings.shown.contains("ada:hidden@db.example.org/x?sslmode=verify-full"));
    let smtp_servers = [
        ("mail.smtp_url", "smtps://ada:hunter2@smtp.example.org"),
        ("mail.fallback_smtp_url", "smtp://ada:hunter2@other.example.org?tls=required"),
    ];
    let shown = with(&smtp_servers).unwrap().shown;
    assert!(!shown.contains("hunter2"), "{shown}");
    assert!(shown.contains("mail.smtp_url = \"smtps://ada:hidden@smtp.example.org\""));
    assert!(shown.contains("ada:hidden@other.example.org?tls=required"));
}

#[test]
fn a_file_of_settings_that_is_no_toml_is_refused_without_repeating_it() {
    for (text, line) in [
        ("[keys]\nmaster_key = \"hunter2\n", "line 2"),
        ("[keys]\nmaster_key = hunter2\n", "line 2"),
        ("[keys]\nmaster_key = \"hunter2\"\nmaster_key = \"hunter2\"\n", "line 3"),
        ("[keys]\nmaster_key = \"hunter2\" hunter2\n", "line 2"),
        ("\n\nhunter2\n", "line 3"),
    ] {
        let settings = Settings::from_layers(Some(("my.toml", text)), &variables(&[]));
        let errors = settings.err().unwrap();
        assert_eq!(errors[0].option, "my.toml");
        assert!(errors[0].message.contains(line), "{errors:?}");
        assert!(!errors[0].message.contains("hunter2"), "{errors:?}");
    }
}

/// Row 13.3.2: the same for the files of settings and of variables.
#[test]
fn a13_3_2_a_file_of_settings_that_holds_a_secret_and_is_open_is_refused() {
    let folder = tempfile::tempdir().unwrap();
    let path = folder.path().join("my.toml");
    let errors_of = |text: &str, mode: u32| {
        let mut errors = Vec::new();
        write(&path, text, mode);
        sources::settings_file(&path, &mut errors);
        errors
    };
    let key = format!("[keys]\nmaster_key = \"{MASTER_KEY}\"\n");
    let quoted = format!("\"keys.master_key\" = \"{MASTER_KEY}\"\n");
    let previous = format!("[keys]\nprevious_master_key = \"{MASTER_KEY}\"\n");
    let client = "[clients.api]\nsecret = \"hunter2\"\n";
    let url = "[database]\nurl = \"postgres://ada:hunter2@db/x\"\n";
    let smtp_server = "[mail]\nsmtp_url = \"smtps://ada:hunter2@smtp.example.org\"\n";
    let fallback = "[mail]\nfallback_smtp_url = \"smtps://ada:hunter2@smtp.example.org\"\n";
    for (text, option) in [
        (key.as_str(), "keys.master_key"),
        (&quoted, "keys.master_key"),
        (&previous, "keys.previous_master_key"),
        (client, "clients.api.secret"),
        (url, "database.url"),
        (smtp_server, "mail.smtp_url"),
        (fallback, "mail.fallback_smtp_url"),
    ] {
        let errors = errors_of(text, 0o644);
        assert_eq!(errors[0].option, option);
        assert!(errors[0].message.contains(&format!("run: chmod 600 {}", path.display())));
        assert!(!errors[0].message.contains("hunter2") && !errors[0].message.contains(MASTER_KEY));
        assert!(errors_of(text, 0o600).is_empty());
    }
    let harmless = "[database]\nurl = \"postgres://ada@db/x\"\n[keys]\nmaster_key = \"\"\n";
    assert!(errors_of(harmless, 0o644).is_empty());

    let mut errors = Vec::new();
    write(&path, &format!("GATEWARD__KEYS__MASTER_KEY={MASTER_KEY}\n"), 0o644);
    sources::dot_env(&path, &mut errors);
    assert_eq!(errors[0].option, "keys.master_key");

    errors.clear();
    write(&path, "GATEWARD__CLIENTS__API__SECRET=hunter2\n", 0o644);
    sources::dot_env(&path, &mut errors);
    assert_eq!(errors[0].option, "clients.api.secret");
    assert!(!errors[0].message.contains("hunter2"), "{errors:?}");
}
