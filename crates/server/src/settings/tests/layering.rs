//! Layers: default < file of the mode < file < environment.

use gateward_http::SameSite;

use super::*;

fn ttl(file: Option<&str>, options: &[(&str, &str)]) -> i64 {
    let file = file.map(|text| ("my.toml", text));
    let settings = Settings::from_layers(file, &variables(options));
    settings.map(|settings| settings.policy.access_ttl_seconds).unwrap()
}

#[test]
fn the_environment_overrules_the_file_which_overrules_the_default() {
    let file = "[tokens]\naccess_ttl_seconds = 20\n";
    assert_eq!(ttl(None, &[]), 900);
    assert_eq!(ttl(Some(file), &[]), 20);
    assert_eq!(ttl(Some(file), &[("tokens.access_ttl_seconds", "30")]), 30);
}

#[test]
fn the_file_of_the_mode_lies_between_the_default_and_the_file() {
    let docs = |file: Option<&str>, options: &[(&str, &str)]| {
        let file = file.map(|text| ("my.toml", text));
        Settings::from_layers(file, &variables(options)).map(|settings| settings.http.docs).unwrap()
    };
    assert!(docs(None, &[]), "development turns them on");
    assert!(!docs(None, PRODUCTION), "production leaves them off");
    assert!(!docs(Some("[http]\ndocs = false"), &[]));
    assert!(docs(Some("[http]\ndocs = true"), PRODUCTION));
}

#[test]
fn the_mode_comes_from_the_file_or_from_the_environment() {
    let file = Some(("my.toml", "mode = \"production\""));
    let mode = |options: &[(&str, &str)], plain: Option<&str>| {
        let mut variables = variables(options);
        variables.extend(plain.map(|mode| ("GATEWARD_MODE".to_owned(), mode.to_owned())));
        Settings::from_layers(file, &variables).map(|settings| settings.mode)
    };
    assert_eq!(mode(&PRODUCTION[1..], None).unwrap(), super::super::Mode::Production);
    assert_eq!(mode(&[], Some("development")).unwrap(), super::super::Mode::Development);
}

#[test]
fn a_list_in_the_environment_is_comma_separated() {
    let origins = |text: &str| with(&[("http.cors_origins", text)]).unwrap().http.cors_origins;
    assert_eq!(origins("https://a.example"), ["https://a.example"]);
    assert_eq!(
        origins(" https://a.example , https://b.example:8443,"),
        ["https://a.example", "https://b.example:8443"]
    );
    assert!(origins("").is_empty());
    let proxies = with(&[("http.trusted_proxies", "10.1.2.3, fd00::/8")]).unwrap();
    assert_eq!(proxies.http.trusted_proxies.len(), 2);
}

#[test]
fn a_section_without_options_sets_nothing() {
    assert_eq!(ttl(Some("[tokens]\n[http]\n"), &[]), 900);
}

#[test]
fn cookies_and_caches_and_the_age_of_keys_are_what_is_set() {
    let cookies = |word| with(&[("cookies.same_site", word)]).unwrap().http.same_site;
    assert!(matches!(with(&[]).unwrap().http.same_site, SameSite::Lax));
    assert!(matches!(cookies("Strict"), SameSite::Strict));
    assert!(matches!(cookies("Lax"), SameSite::Lax));
    assert!(matches!(cookies("None"), SameSite::None));

    let numbers = |options: &[(&str, &str)]| {
        let settings = with(options).unwrap();
        (settings.cached_tokens, settings.cached_users, settings.policy.rotate_after_days)
    };
    assert_eq!(numbers(&[]), (10_000, 10_000, 90));
    let options = [("cache.tokens", "0"), ("cache.users", "5"), ("keys.rotate_after_days", "7")];
    assert_eq!(numbers(&options), (0, 5, 7));
}

#[test]
fn an_empty_text_is_not_set() {
    let settings = with(&[("tokens.issuer", ""), ("keys.master_key", " ")]).unwrap();
    assert_eq!(settings.policy.issuer, "http://127.0.0.1:8080");
    assert_eq!(settings.audience, "http://127.0.0.1:8080");
}

#[test]
fn what_is_shown_says_where_it_comes_from() {
    let file = Some(("my.toml", "[tokens]\naccess_ttl_seconds = 20\n"));
    let settings = Settings::from_layers(file, &variables(&[("log.level", "debug")])).unwrap();
    for line in [
        "tokens.access_ttl_seconds = 20  # my.toml",
        "log.level = \"debug\"  # GATEWARD__LOG__LEVEL",
        "log.format = \"pretty\"  # development",
        "password.length_min = 8  # default",
    ] {
        assert!(settings.shown.lines().any(|shown| shown == line), "{line}: {}", settings.shown);
    }
}

#[test]
fn variables_of_others_are_left_alone() {
    let mut variables = variables(&[]);
    variables.insert("GATEWARD_PORT".to_owned(), "tcp://10.0.0.1:80".to_owned());
    variables.insert("HTTP__LISTEN".to_owned(), "nonsense".to_owned());
    assert!(Settings::from_layers(None, &variables).is_ok());
}

#[test]
fn an_empty_variable_is_not_set() {
    let file =
        "[tokens]\naccess_ttl_seconds = 20\n[http]\ncors_origins = [\"https://a.example\"]\n";
    let empty = [
        "mode",
        "http.docs",
        "http.cors_origins",
        "http.public_url",
        "database.pool_size",
        "database.url_file",
        "tokens.access_ttl_seconds",
        "log.level",
    ];
    for value in ["", " "] {
        let variables = variables(&empty.map(|option| (option, value)));
        let settings = Settings::from_layers(Some(("my.toml", file)), &variables).unwrap();
        assert_eq!(settings.policy.access_ttl_seconds, 20);
        assert_eq!(settings.http.cors_origins, ["https://a.example"]);
        assert!(
            settings.shown.contains("database.pool_size = 16  # default"),
            "{}",
            settings.shown
        );
    }
    refused(with(&[("tokens.nothing", "")]), "tokens.nothing", "unknown setting");
}

#[test]
fn the_root_is_a_base_path() {
    assert_eq!(with(&[("http.base_path", "/")]).unwrap().http.base_path, "");
}

/// In a file and in the environment alike.
#[test]
fn flags_numbers_and_lists_are_read_as_people_write_them() {
    let in_file = |text: &str| Settings::from_layers(Some(("my.toml", text)), &variables(&[]));
    for (flag, expected) in
        [("True", true), ("yes", true), ("1", true), ("FALSE", false), ("no", false), ("0", false)]
    {
        let docs = with(&[("http.docs", flag)]).unwrap().http.docs;
        assert_eq!(docs, expected, "{flag}");
        let docs = in_file(&format!("[http]\ndocs = \"{flag}\"")).unwrap().http.docs;
        assert_eq!(docs, expected, "{flag}");
    }
    assert!(!in_file("[http]\ndocs = 0").unwrap().http.docs);
    let settings = in_file("[database]\npool_size = \" 7 \"\n[http]\ncors_origins = \"https://a.example, https://b.example\"").unwrap();
    assert_eq!(settings.pool_size, 7);
    assert_eq!(settings.http.cors_origins, ["https://a.example", "https://b.example"]);
}

/// Every common JWT library verifies it.
#[test]
fn access_tokens_are_es256_unless_a_setting_says_otherwise() {
    use gateward_app::Policy;
    use gateward_app::domain::key::Algorithm;

    let algorithm = |options: &[(&str, &str)]| with(options).unwrap().policy.key_algorithm;
    assert_eq!(algorithm(&[]), Algorithm::Es256);
    assert_eq!(Policy::new("http://127.0.0.1:8080").key_algorithm, Algorithm::Es256);
    assert_eq!(algorithm(&[("keys.algorithm", "EdDSA")]), Algorithm::EdDsa);
}
