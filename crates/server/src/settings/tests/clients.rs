//! Settings of clients: their names, secrets and rights, from a file and from the environment.

use gateward_http::ApiClient;

use super::*;

/// A good secret of a client.
const SECRET: &str = "6f1c9a7e42d83b5064f7a1e9c03d8b52";

/// The settings with this file.
fn in_file(text: &str) -> Result<Settings, Vec<SettingError>> {
    Settings::from_layers(Some(("my.toml", text)), &variables(&[]))
}

/// The clients of good settings.
fn clients(settings: Result<Settings, Vec<SettingError>>) -> Vec<ApiClient> {
    settings.unwrap().http.clients
}

#[test]
fn there_are_no_clients_unless_they_are_set() {
    assert!(clients(with(&[])).is_empty());
    assert!(clients(in_file("[clients]\n")).is_empty());
}

#[test]
fn clients_stand_in_a_file_or_in_the_environment() {
    let file = in_file(&format!("[clients.my-api_2]\nsecret = \"{SECRET}\"\nmay = [\"revoke\"]\n"));
    let client = format!("{:?}", clients(file));
    assert!(client.contains("my-api_2") && client.contains("Revoke"), "{client}");
    assert!(!client.contains("Revocations") && !client.contains("Introspect"), "{client}");

    let (secret, may) = (("clients.api.secret", SECRET), ("clients.api.may", "introspect"));
    let other = [("clients.b.secret", SECRET), ("clients.b.may", " revoke , revocations")];
    let clients = clients(with(&[&[secret, may], &other[..]].concat()));
    assert_eq!(clients.len(), 2);
    let (one, other) = (format!("{:?}", clients[0]), format!("{:?}", clients[1]));
    assert!(one.contains("api") && one.contains("Introspect"), "{one}");
    assert!(other.contains("Revoke") && other.contains("Revocations"), "{other}");
    assert!(!other.contains("Introspect"), "{other}");
}

#[test]
fn the_environment_adds_to_a_client_of_the_file_and_overrules_it() {
    let file = Some(("my.toml", "[clients.api]\nmay = [\"revoke\"]\n"));
    let secret = ("clients.api.secret", SECRET);
    let shown = |options: &[(&str, &str)]| {
        format!("{:?}", clients(Settings::from_layers(file, &variables(options))))
    };
    assert!(shown(&[secret]).contains("Revoke"));
    let overruled = shown(&[secret, ("clients.api.may", "introspect")]);
    assert!(overruled.contains("Introspect") && !overruled.contains("Revoke"), "{overruled}");
}

#[test]
fn the_secret_of_a_client_may_stand_in_a_file_of_its_own() {
    let folder = tempfile::tempdir().unwrap();
    let file = write(&folder.path().join("secret"), &format!("{SECRET}\n"), 0o600);
    let client =
        |file: &str| with(&[("clients.api.may", "revoke"), ("clients.api.secret_file", file)]);
    assert_eq!(clients(client(&file)).len(), 1);
    let short = write(&folder.path().join("short"), &SECRET[1..], 0o600);
    refused(client(&short), "clients.api.secret", "has fewer than 32 characters");
    let both = with(&[
        ("clients.api.may", "revoke"),
        ("clients.api.secret", SECRET),
        ("clients.api.secret_file", &file),
    ]);
    refused(both, "clients.api.secret", "keep one of them");
    // The secret itself instead of the path: it is not repeated.
    let errors = client(SECRET).err().unwrap();
    assert_eq!(errors[0].option, "clients.api.secret_file");
    assert!(!errors[0].message.contains(SECRET), "{errors:?}");
}

/// Row 13.3.2: what others can read is no secret.
#[test]
fn a13_3_2_the_secret_of_a_client_in_an_open_file_is_refused() {
    let folder = tempfile::tempdir().unwrap();
    let open = write(&folder.path().join("open"), SECRET, 0o644);
    let options = [("clients.api.may", "revoke"), ("clients.api.secret_file", open.as_str())];
    refused(with(&options), "clients.api.secret_file", "run: chmod 600");
}

#[test]
fn f23_a_bad_client_is_refused_by_its_option_with_the_remedy() {
    let good = format!("secret = \"{SECRET}\"\nmay = [\"revoke\"]");
    let long = "a".repeat(65);
    for (name, body, option, remedy) in [
        ("api", "", "clients.api", "use clients.NAME.secret"),
        (
            "api",
            "may = [\"revoke\"]",
            "clients.api.secret",
            "generate one with `openssl rand -hex 32`",
        ),
        ("api", "secret = \"\"", "clients.api.secret", "set it or clients.api.secret_file"),
        ("api", &good[..good.find('\n').unwrap()], "clients.api.may", "use one or more of"),
        ("api", "may = []", "clients.api.may", "\"introspect\", \"revoke\", \"revocations\""),
        ("api", "may = [\"revoke\", \"all\"]", "clients.api.may", "contains \"all\"; use one"),
        ("api", "may = [\"Revoke\"]", "clients.api.may", "contains \"Revoke\"; use one or more"),
        ("api", "may = true", "clients.api.may", "must be a list of strings"),
        ("api", "may = [1]", "clients.api.may", "must be a list of strings"),
        ("api", "secret = 1", "clients.api.secret", "must be a string"),
        ("api", "key = \"\"", "clients.api.key", "clients.NAME.secret_file"),
        ("api.b", &good, "clients.api.b.secret", "use clients.NAME.secret"),
        ("\"a.b\"", &good, "clients.a.b.secret", "use clients.NAME.secret"),
        ("API", &good, "clients.API.may", "1 to 64 characters from a-z, 0-9, - and _"),
        ("\"\"", &good, "clients..secret", "1 to 64 characters"),
        ("\"a b\"", &good, "clients.a b.secret", "1 to 64 characters"),
        ("\"ä\"", &good, "clients.ä.secret", "1 to 64 characters"),
        (&long, &good, &format!("clients.{long}.secret"), "1 to 64 characters"),
    ] {
        refused(in_file(&format!("[clients.{name}]\n{body}\n")), option, remedy);
    }
    refused(in_file("clients = 1"), "clients", "use clients.NAME.secret");
    assert_eq!(clients(in_file(&format!("[clients.{}]\n{good}\n", &long[1..]))).len(), 1);
}

#[test]
fn f23_a_bad_client_in_the_environment_is_refused_too() {
    for (option, value, remedy) in [
        ("clients.api.secret", SECRET, "use one or more of"),
        ("clients.api.may", "revoke", "is not set"),
        ("clients.api.may", "revoke,everything", "contains \"everything\"; use one or more of"),
        ("clients.api.secrets", SECRET, "use clients.NAME.secret"),
        ("clients.my.api.secret", SECRET, "use clients.NAME.secret"),
        ("clients.api", SECRET, "use clients.NAME.secret"),
        ("clients", SECRET, "use clients.NAME.secret"),
    ] {
        let errors = with(&[(option, value)]).err().unwrap();
        let lines: Vec<String> = errors.iter().map(ToString::to_string).collect();
        assert!(lines.iter().any(|line| line.contains(remedy)), "{option}: {lines:?}");
        assert!(lines.iter().all(|line| !line.contains(SECRET)), "a secret is shown: {lines:?}");
    }
}

#[test]
fn f23_a_variable_of_a_client_that_lacks_an_underscore_is_refused() {
    for (name, meant) in [
        ("GATEWARD_CLIENTS_API_SECRET", "GATEWARD__CLIENTS__API__SECRET"),
        ("GATEWARD_CLIENTS__MY_API__SECRET_FILE", "GATEWARD__CLIENTS__MY_API__SECRET_FILE"),
        ("GATEWARD_CLIENTS_API_MAY", "GATEWARD__CLIENTS__API__MAY"),
    ] {
        let mut variables = variables(&[]);
        variables.insert(name.to_owned(), SECRET.to_owned());
        refused(Settings::from_layers(None, &variables), name, meant);
    }
}

#[test]
fn f23_a_weak_secret_of_a_client_is_refused_without_repeating_it() {
    let may = ("clients.api.may", "revoke");
    let zeros = "0".repeat(64);
    let word = "hunter2".repeat(8);
    let lines = format!("{SECRET}\n{SECRET}");
    for (weak, words) in [
        ("hunter2", "has fewer than 32 characters"),
        (&SECRET[1..], "has fewer than 32 characters"),
        (zeros.as_str(), "has fewer than 8 different characters"),
        (word.as_str(), "has fewer than 8 different characters"),
        (lines.as_str(), "contains a line break"),
    ] {
        let errors = with(&[may, ("clients.api.secret", weak)]).err().unwrap();
        assert_eq!(errors[0].option, "clients.api.secret");
        assert!(errors[0].message.contains(words), "{errors:?}");
        assert!(errors[0].message.contains("openssl rand -hex 32"), "{errors:?}");
        assert!(!errors[0].message.contains(weak), "{errors:?}");
    }
}

#[test]
fn the_secrets_of_clients_are_not_shown() {
    let options = [("clients.api.secret", SECRET), ("clients.api.may", "introspect,revoke")];
    let settings = with(&options).unwrap();
    assert!(!settings.shown.contains(SECRET), "{}", settings.shown);
    assert!(!format!("{:?}", settings.http).contains(SECRET));
    for line in [
        "clients.api.secret = \"(hidden)\"  # GATEWARD__CLIENTS__API__SECRET",
        "clients.api.may = [\"introspect\", \"revoke\"]  # GATEWARD__CLIENTS__API__MAY",
    ] {
        assert!(settings.shown.lines().any(|shown| shown == line), "{line}: {}", settings.shown);
    }
}
