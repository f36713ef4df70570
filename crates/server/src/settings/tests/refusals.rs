//! Row F23: for each setting an invalid value, whose error names the setting and the remedy.

use super::super::layers::{Flat, Setting};
use super::super::reader::Reader;
use super::*;

/// A setting, an invalid value, and words of the remedy.
type Row = (&'static str, &'static str, &'static str);

/// At least one row for each setting of `config/default.toml`.
const BAD: &[Row] = &[
    ("mode", "prod", "must be one of \"development\", \"production\""),
    ("http.listen", "8080", "use an IP address and a port, such as 127.0.0.1:8080"),
    ("http.listen", "nowhere.invalid:80", "use an IP address and a port"),
    ("http.listen", "127.0.0.1:99999", "use an IP address and a port"),
    ("http.public_url", "auth.example.org", "such as https://auth.example.org"),
    ("http.public_url", "ftp://127.0.0.1", "must be a scheme, a host"),
    ("http.public_url", "http://127.0.0.1:8080/auth", "must be a scheme, a host"),
    ("http.public_url", "http://ada:hunter2@127.0.0.1", "must be a scheme, a host"),
    ("http.base_path", "v1", "must be / or like /v1"),
    ("http.base_path", "/v1/", "without a trailing slash"),
    ("http.base_path", "/../v1", "must be / or like /v1"),
    ("http.base_path", "/{id}", "must be / or like /v1"),
    ("http.base_path", "/health", "choose another"),
    ("http.base_path", "/confirm-email", "choose another"),
    ("http.trusted_proxies", "10.0.0.0/8,proxy", "use IP addresses or networks such as 10.0.0.0/8"),
    ("http.trusted_proxies", "0.0.0.0/0", "list only your own proxies"),
    ("http.trusted_proxies", "::/0", "list only your own proxies"),
    ("http.trusted_proxies", "0.0.0.0/1,128.0.0.0/1", "list only your own proxies"),
    ("http.cors_origins", "*", "list each origin exactly"),
    ("http.cors_origins", "https://*.example.org", "list each origin exactly"),
    ("http.cors_origins", "https://app.example.org/", "no path"),
    ("http.cors_origins", "null", "list each origin exactly"),
    ("http.cors_origins", "HTTPS://APP.example.org", "list each origin exactly"),
    (
        "http.tls_cert",
        "/nowhere/cert.pem",
        "http.tls_key is not set, but http.tls_cert is; set both",
    ),
    ("http.tls_key", "/nowhere/key.pem", "http.tls_cert is not set, but http.tls_key is; set both"),
    ("http.behind_tls_proxy", "2", "must be true or false"),
    ("http.docs", "on", "must be true or false"),
    ("ops.listen", "localhost", "use an IP address and a port"),
    ("ops.listen", "127.0.0.1:8080", "choose another port"),
    ("database.url", "", "is not set; set it to sqlite://PATH or postgres://USER@HOST/DATABASE"),
    ("database.url", " ", "is not set"),
    ("database.url", "mysql://root:hunter2@db/x", "must start with sqlite://, postgres://"),
    ("database.url", "postgres://ada:hunter2@host:port/x", "use sqlite://PATH or postgres://"),
    ("database.url", "postgres://ada:hunter2@db/x?sslmode=maybe", "use sqlite://PATH or"),
    ("database.url", "sqlite://", "must contain the path of a file"),
    ("database.url", "sqlite://:memory:", "loses its data on restart; use a file"),
    ("database.url", "sqlite://a.db?mode=rwc", "cannot have parameters; remove them"),
    ("database.url_file", "/nowhere/url", "cannot be read"),
    ("database.pool_size", "0", "must be from 1 to 1000"),
    ("database.pool_size", "many", "must be a whole number"),
    ("database.migrate_on_start", "later", "must be true or false"),
    ("keys.master_key", "hunter2", "gateward keys generate-master"),
    ("keys.master_key_file", "/nowhere/key", "correct the path"),
    ("keys.previous_master_key", "hunter2", "set the previous master key"),
    (
        "keys.previous_master_key",
        MASTER_KEY,
        "keys.master_key is not; set keys.master_key to the new key",
    ),
    ("keys.previous_master_key_file", "/nowhere/key", "correct the path"),
    ("keys.algorithm", "HS256", "must be one of \"ES256\", \"EdDSA\", \"PS256\", \"RS256\""),
    ("keys.algorithm", "none", "must be one of"),
    ("keys.rotate_after_days", "0", "must be from 1 to 3650"),
    ("keys.rotate_after_days", "3651", "must be from 1 to 3650"),
    ("keys.rotate_after_days", "never", "must be a whole number"),
    ("keys.jwks_cache_seconds", "0", "must be from 1 to 86400"),
    ("tokens.issuer", "example", "must be a URL"),
    ("tokens.issuer", "https://auth.example.org?x=1", "without user, query and fragment"),
    ("tokens.issuer", "https://ada:hunter2@auth.example.org", "without user"),
    ("tokens.audience", "my api", "without spaces"),
    ("tokens.access_ttl_seconds", "0", "must be from 1 to 86400"),
    ("tokens.access_ttl_seconds", "-1", "must be from 1 to 86400"),
    ("tokens.access_ttl_seconds", "99999999999999999999", "must be a whole number"),
    ("tokens.refresh_idle_seconds", "0", "must be from 1 to"),
    ("tokens.refresh_idle_seconds", "2592001", "longer than tokens.session_max_seconds"),
    ("tokens.session_max_seconds", "-5", "must be from 1 to"),
    ("tokens.refresh_leeway_seconds", "-1", "must be from 0 to 300"),
    ("tokens.sessions_per_user_max", "0", "must be from 1 to 10000"),
    ("tokens.reauthentication_seconds", "0", "must be from 1 to 86400"),
    ("password.length_min", "7", "must be from 8 to 128"),
    ("password.argon2_memory_kib", "7167", "must be from 7168 to 262144"),
    ("password.argon2_iterations", "0", "must be from 1 to 32"),
    ("password.hash_threads", "-1", "must be from 0 to 256"),
    ("password.hash_queue_max", "0", "must be from 1 to 10000"),
    ("password.breached_list", "/nowhere", "set a folder of range files, or one file"),
    ("signup.enabled", "maybe", "must be true or false"),
    ("signup.email_verification", "never", "must be one of \"optional\", \"required\""),
    ("cookies.same_site", "lax", "must be one of \"Strict\", \"Lax\", \"None\""),
    ("mail.transport", "sendmail", "must be one of \"inbox\", \"smtp\""),
    ("mail.transport", "smtp", "mail.smtp_url is not set, but mail.transport is \"smtp\"; set it"),
    ("mail.from", "nobody", "write login@example.org"),
    ("mail.from", "ada@example.org, bob@example.org", "this is not one sender"),
    ("mail.smtp_url", "smtp.example.org", "is invalid: "),
    ("mail.smtp_url", "https://ada:hunter2@smtp.example.org", "must start with smtps:// (TLS)"),
    ("mail.smtp_url", "smtp://ada:hunter2@smtp.example.org", "?tls=required"),
    ("mail.smtp_url", "smtps://hunter2@smtp.example.org", "needs both user and password"),
    ("mail.smtp_url_file", "/nowhere/url", "correct the path"),
    ("mail.smtp_url_file", "smtps://ada:hunter2@smtp.example.org", "or set mail.smtp_url"),
    ("mail.fallback_smtp_url", "smtp://ada:hunter2@smtp.example.org", "?tls=required"),
    ("mail.fallback_smtp_url_file", "/nowhere/url", "correct the path"),
    ("mail.templates", "/nowhere", "/nowhere cannot be read; correct the path"),
    ("rate_limit.enabled", "off", "must be true or false"),
    ("rate_limit.login_failures_per_account", "0", "must be from 1 to 1000"),
    ("rate_limit.login_failures_per_account", "1001", "must be from 1 to 1000"),
    ("rate_limit.login_failures_per_ip", "0", "must be from 1 to 100000"),
    ("rate_limit.login_failures_per_ip", "100001", "must be from 1 to 100000"),
    ("rate_limit.window_seconds", "0", "must be from 1 to 43200"),
    ("rate_limit.window_seconds", "43201", "must be from 1 to 43200"),
    ("rate_limit.signups_per_ip", "-1", "must be from 1 to 100000"),
    ("rate_limit.email_interval_seconds", "0", "must be from 1 to 86400"),
    ("rate_limit.code_attempts_max", "0", "must be from 1 to 20"),
    ("rate_limit.code_attempts_max", "21", "must be from 1 to 20"),
    ("dialects.enabled", "django", "the dialects are \"simplejwt\", \"flask\""),
    ("dialects.simplejwt_rotate", "never", "must be true or false"),
    ("dialects.flask_rotate", "never", "must be true or false"),
    ("dialects.flask_path", "auth/", "must be / or like /auth"),
    ("dialects.flask_transport", "both", "must be one of \"header\", \"cookie\""),
    ("dialects.flask_csrf", "sometimes", "must be true or false"),
    ("dialects.user_ids", "name", "must be one of \"uuid\", \"integer\""),
    ("audit.keep_days", "0", "must be from 1 to 36525"),
    ("audit.keep_days", "for ever", "must be a whole number"),
    ("cache.tokens", "-1", "must be from 0 to 1000000"),
    ("cache.tokens", "1000001", "must be from 0 to 1000000"),
    ("cache.users", "-1", "must be from 0 to 1000000"),
    ("cache.users", "some", "must be a whole number"),
    ("log.format", "xml", "must be one of \"pretty\", \"json\""),
    ("log.level", "verbose", "must be one of \"error\", \"warn\", \"info\", \"debug\", \"trace\""),
];

#[test]
fn f23_each_bad_value_is_refused_by_its_name_with_the_remedy() {
    for (option, value, remedy) in BAD {
        let errors = with(&[(option, value)]).err();
        let errors = errors.unwrap_or_else(|| panic!("{option} = {value:?} is not refused"));
        let lines: Vec<String> = errors.iter().map(ToString::to_string).collect();
        // If one of a pair is missing, the error names the other one.
        let found = lines.iter().any(|line| line.contains(option) && line.contains(remedy));
        assert!(found, "{option} = {value:?} does not say {remedy:?}: {lines:?}");
        assert!(lines.iter().all(|line| !line.contains("hunter2")), "a secret is shown: {lines:?}");
    }
}

#[test]
fn f23_no_setting_lacks_a_bad_value() {
    let shown = with(&[]).map(|settings| settings.shown).unwrap();
    for line in shown.lines() {
        let option = line.split(" = ").next().unwrap();
        assert!(BAD.iter().any(|(name, _, _)| *name == option), "{option} has no row");
    }
    for (option, _, _) in BAD {
        assert!(shown.contains(&format!("{option} = ")), "{option} is not a setting");
    }
}

#[test]
fn f23_all_that_is_wrong_is_told_at_once() {
    let errors = with(&[
        ("mode", "prod"),
        ("http.lisen", "127.0.0.1:80"),
        ("keys.algorithm", "none"),
        ("tokens.access_ttl_seconds", "0"),
        ("database.pool_size", "x"),
    ]);
    let mut options: Vec<String> = errors.err().unwrap().into_iter().map(|e| e.option).collect();
    options.sort();
    let all =
        ["database.pool_size", "http.lisen", "keys.algorithm", "mode", "tokens.access_ttl_seconds"];
    assert_eq!(options, all);
}

/// An invalid value says nothing about others: no second error follows from the first.
#[test]
fn f23_a_wrong_value_is_one_error() {
    for (text, option) in [
        ("[tokens]\nsession_max_seconds = 0", "tokens.session_max_seconds"),
        (
            "[tokens]\nsession_max_seconds = 1.5\nrefresh_idle_seconds = 9000000",
            "tokens.session_max_seconds",
        ),
        ("[tokens]\nrefresh_idle_seconds = 99999999", "tokens.refresh_idle_seconds"),
        (
            "[clients.shop]\nsecret = \"0123456789abcdef0123456789abcdef\"\nmay = [1]",
            "clients.shop.may",
        ),
        ("[clients.shop]\nsecret = 1\nmay = [\"revoke\"]", "clients.shop.secret"),
        ("[clients.shop]\nsecret_file = 1\nmay = [\"revoke\"]", "clients.shop.secret_file"),
        ("[mail]\nfrom = 1", "mail.from"),
        ("[mail]\ntransport = \"smtp\"\nsmtp_url = 1", "mail.smtp_url"),
    ] {
        let errors = Settings::from_layers(Some(("my.toml", text)), &variables(&[])).err();
        let options: Vec<_> = errors.unwrap().into_iter().map(|error| error.option).collect();
        assert_eq!(options, [option], "{text}");
    }
}

/// The layers refuse wrong types, so these values are given to the reader directly.
#[test]
fn f23_a_value_that_cannot_be_read_is_refused_by_its_name() {
    let table = || config::ValueKind::Table(config::Map::new());
    let kinds = [
        ("a.number", config::ValueKind::U128(u128::MAX)),
        ("a.count", config::ValueKind::String("many".to_owned())),
        ("a.flag", table()),
        ("a.list", table()),
        ("a.text", table()),
        ("a.choice", table()),
    ];
    let flat: Flat = kinds
        .into_iter()
        .map(|(option, kind)| {
            let value = config::Value::new(None, kind);
            (option.to_owned(), Setting { value, source: "test".to_owned() })
        })
        .collect();
    let mut reader = Reader::new(&flat, Vec::new());
    reader.number("a.number", 0..=9);
    reader.count::<u32>("a.count", 0..=9);
    reader.number("a.missing", 0..=9);
    for _ in 0..2 {
        reader.flag("a.flag");
    }
    reader.list("a.list");
    reader.text("a.text");
    reader.choice("a.choice", &[("one", 1)]);
    let lines: Vec<_> = reader.errors.iter().map(ToString::to_string).collect();
    let expected = [
        "a.number must be a whole number from 0 to 9",
        "a.count must be a whole number from 0 to 9",
        "a.missing must be a whole number from 0 to 9",
        "a.flag must be true or false",
        "a.list must be a list of strings, such as [\"one\", \"two\"]",
        "a.text must be a string",
        "a.choice must be a string",
    ];
    assert_eq!(lines, expected);
}

#[test]
fn f23_an_option_that_does_not_exist_is_refused_with_the_nearest_one() {
    refused(
        with(&[("tokens.acces_ttl_seconds", "5")]),
        "tokens.acces_ttl_seconds",
        "unknown setting `tokens.acces_ttl_seconds` (from GATEWARD__TOKENS__ACCES_TTL_SECONDS); \
         did you mean `tokens.access_ttl_seconds`?",
    );
    refused(with(&[("gizmo", "5")]), "gizmo", "config/default.toml lists all settings");
    refused(
        with(&[("tokens.access_ttl", "5")]),
        "tokens.access_ttl",
        "`tokens.access_ttl_seconds`?",
    );
    for (name, meant) in [
        ("GATEWARD_HTTP_LISTEN", "GATEWARD__HTTP__LISTEN"),
        ("GATEWARD_DATABASE__URL", "GATEWARD__DATABASE__URL"),
    ] {
        let mut variables = variables(&[]);
        variables.insert(name.to_owned(), "x".to_owned());
        refused(Settings::from_layers(None, &variables), name, meant);
    }
    let file = Some(("my.toml", "[http]\nlistn = \"127.0.0.1:1\"\n"));
    let settings = Settings::from_layers(file, &variables(&[]));
    refused(settings, "http.listn", "(from my.toml); did you mean `http.listen`?");
}

#[test]
fn f23_a_value_of_the_wrong_type_is_refused() {
    for (text, option, wanted) in [
        ("[tokens]\naccess_ttl_seconds = \"\"", "tokens.access_ttl_seconds", "a whole number"),
        ("[tokens]\naccess_ttl_seconds = 1.5", "tokens.access_ttl_seconds", "a whole number"),
        ("[http]\nlisten = 8080", "http.listen", "a string"),
        ("[http]\ndocs = \"on\"", "http.docs", "true or false"),
        ("[http]\ndocs = 2", "http.docs", "true or false"),
        ("[database]\nurl = \"\"", "database.url", "is not set"),
        ("[mail]\nfrom = \"\"", "mail.from", "set the sender"),
        ("[http]\ncors_origins = [1]", "http.cors_origins", "a list of strings"),
        ("[mode]\nname = 1", "mode.name", "unknown setting"),
        ("http = 1", "http", "unknown setting"),
        ("[htpp]", "htpp", "unknown setting"),
    ] {
        refused(Settings::from_layers(Some(("my.toml", text)), &variables(&[])), option, wanted);
    }
}
