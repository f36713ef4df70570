//! Tidiness: what the documents promise of the code, held mechanically.
#![expect(clippy::unwrap_used, reason = "a test fails by a panic, and JSON is read by its members")]

mod words;

use std::collections::{BTreeMap, BTreeSet};
use std::fs;
use std::path::PathBuf;
use std::process::Command;

use cargo_metadata::{DependencyKind, MetadataCommand};
use gateward_e2e::root;
use regex::Regex;
use serde_json::Value;

/// What each package of ours may know: in its code, and besides that in its tests.
const MAP: &[(&str, &[&str], &[&str])] = &[
    ("gateward-domain", &[], &[]),
    ("gateward-app", &["domain"], &["domain", "cache", "testkit"]),
    ("gateward-testkit", &["domain"], &[]),
    ("gateward-crypto", &["domain"], &["testkit"]),
    ("gateward-diesel", &["domain"], &["testkit"]),
    ("gateward-http", &["app"], &["crypto", "domain", "testkit"]),
    ("gateward-cache", &["domain"], &["testkit"]),
    ("gateward-email", &["domain"], &["testkit"]),
    ("gateward-node", &["app", "cache", "crypto", "http"], &["testkit"]),
    ("gateward-server", &["app", "crypto", "diesel", "domain", "http", "email", "node"], &["e2e"]),
    ("gateward-bench", &[], &[]),
    ("gateward-e2e", &["server", "testkit"], &[]),
    ("gateward-fuzz", &["crypto", "domain", "http", "testkit"], &[]),
    ("gateward-example-adapter", &["domain"], &["testkit"]),
    ("gateward-example-mounted", &["crypto", "diesel", "http", "email", "node"], &[]),
];

/// What `domain` must stay free of: input and output, runtimes, wire formats.
const NOT_IN_DOMAIN: &[&str] = &["actix-web", "diesel", "serde", "serde_json", "tokio"];

/// The most lines of a file.
const LINES_MAX: usize = 400;

fn read(path: &str) -> String {
    fs::read_to_string(root().join(path)).unwrap_or_else(|error| panic!("{path}: {error}"))
}

/// All files in folders of the root, except what is built.
fn files(folders: &[&str]) -> Vec<PathBuf> {
    let mut files = Vec::new();
    let mut folders: Vec<_> = folders.iter().map(|folder| root().join(folder)).collect();
    while let Some(folder) = folders.pop() {
        for entry in fs::read_dir(folder).unwrap() {
            let path = entry.unwrap().path();
            if path.is_dir() && !path.ends_with("target") {
                folders.push(path);
            } else if path.is_file() {
                files.push(path);
            }
        }
    }
    files
}

/// All files of code.
fn code() -> Vec<PathBuf> {
    let mut files = files(&["crates", "examples", "tests"]);
    files.retain(|path| path.extension().is_some_and(|ending| ending == "rs"));
    assert!(files.len() > 100, "the code was found");
    files
}

#[test]
fn packages_know_only_what_the_map_allows() {
    let mut command = MetadataCommand::new();
    command.no_deps().other_options(vec!["--offline".into()]).current_dir(root());
    let packages = command.exec().unwrap().packages;
    for package in &packages {
        let row = MAP.iter().find(|(name, ..)| *name == package.name.as_str());
        let Some((name, code, tests)) = row else { panic!("{} is not on the map", package.name) };
        for dependency in &package.dependencies {
            let other = dependency.name.as_str();
            let in_tests = dependency.kind == DependencyKind::Development;
            if *name == "gateward-domain" && !in_tests {
                assert!(!NOT_IN_DOMAIN.contains(&other), "domain must not know {other}");
            }
            let Some(ours) = other.strip_prefix("gateward-") else { continue };
            let allowed = code.contains(&ours) || (in_tests && tests.contains(&ours));
            assert!(allowed, "{name} must not know {other}");
        }
    }
    assert_eq!(packages.len(), MAP.len(), "the map has a row for each package");
}

#[test]
fn files_are_short_and_say_what_is_in_them() {
    for path in code() {
        let text = fs::read_to_string(&path).unwrap();
        let lines = text.lines().count();
        assert!(lines <= LINES_MAX, "{} has {lines} lines", path.display());
        assert!(text.starts_with("//! "), "{} does not say what is in it", path.display());
    }
}

#[test]
fn both_databases_have_the_same_migrations() {
    let names = |database: &str| -> BTreeSet<String> {
        let entries = fs::read_dir(root().join("migrations").join(database)).unwrap();
        entries.map(|entry| entry.unwrap().file_name().into_string().unwrap()).collect()
    };
    assert_eq!(names("postgres"), names("sqlite"));
    assert!(!names("sqlite").is_empty());
}

#[test]
fn the_api_document_is_fresh() {
    let output = Command::new(gateward_e2e::program()).arg("openapi").output().unwrap();
    let served = String::from_utf8(output.stdout).unwrap();
    assert!(served == read("openapi.json"), "openapi.json is stale; run `make openapi`");
}

#[test]
fn every_operation_has_an_authorization_row() {
    let document: Value = serde_json::from_str(&read("openapi.json")).unwrap();
    let mut operations = BTreeSet::new();
    for (path, item) in document["paths"].as_object().unwrap() {
        for method in item.as_object().unwrap().keys() {
            operations.insert(format!("{} {path}", method.to_uppercase()));
        }
    }
    let who = "anyone|caller|client|holder|`[a-z]+:[a-z]+`";
    let row = Regex::new(&format!(r"(?m)^\| `([A-Z]+ [^`]+)` \| ({who}) \|")).unwrap();
    let table = read("docs/authorization.md");
    let rows: BTreeSet<String> = row.captures_iter(&table).map(|row| row[1].to_owned()).collect();
    assert_eq!(rows, operations);
}

#[test]
fn every_setting_has_a_comment() {
    let text = read("config/default.toml");
    let mut before = "";
    for line in text.lines() {
        if line.contains(" = ") && !line.starts_with('#') {
            assert!(before.starts_with("# "), "no comment stands before {line:?}");
        }
        before = line;
    }
}

#[test]
fn presets_name_settings_that_exist() {
    let keys = |path: &str| -> BTreeSet<String> {
        let table: toml::Table = read(path).parse().unwrap();
        table
            .iter()
            .flat_map(|(section, value)| match value.as_table() {
                Some(table) => table.keys().map(|key| format!("{section}.{key}")).collect(),
                None => vec![section.clone()],
            })
            .collect()
    };
    let known = keys("config/default.toml");
    for preset in ["config/development.toml", "config/production.toml"] {
        assert!(keys(preset).is_subset(&known), "{preset}");
    }
}

/// The rows of `docs/security.md`: name, then state and where.
fn security_rows() -> BTreeMap<String, (String, String)> {
    let row = Regex::new(
        r"(?m)^\| ([A-Z]*[0-9][0-9A-Za-z.–-]*) \| [^|]* \| (shown|documented|later|declined) \| ([^|]*) \|$",
    );
    let text = read("docs/security.md");
    let mut rows = BTreeMap::new();
    for found in row.unwrap().captures_iter(&text) {
        let cell = (found[2].to_owned(), found[3].to_owned());
        assert!(rows.insert(found[1].to_owned(), cell).is_none(), "{} stands twice", &found[1]);
    }
    assert!(rows.len() > 400, "only {} rows were read", rows.len());
    rows
}

#[test]
fn security_rows_and_tests_name_each_other() {
    let function = Regex::new(r"fn ([a-z0-9_]+)").unwrap();
    let mut functions = BTreeSet::new();
    for path in code() {
        let text = fs::read_to_string(path).unwrap();
        functions.extend(function.captures_iter(&text).map(|found| found[1].to_owned()));
    }
    let rows = security_rows();
    let name = Regex::new(r"`([a-z0-9_]+)`").unwrap();
    let mut wrong = Vec::new();
    for (row, (state, index)) in rows.iter().filter(|(_, (state, _))| state == "shown") {
        let named: Vec<String> =
            name.captures_iter(index).map(|found| found[1].to_owned()).collect();
        if named.is_empty() {
            wrong.push(format!("{row} is {state} by no test"));
        }
        let missing = named.iter().filter(|test| !functions.contains(*test));
        wrong.extend(missing.map(|test| format!("{row} names {test}, which does not exist")));
    }
    let asvs = Regex::new(r"^a([0-9]+)_([0-9]+)_([0-9]+)_").unwrap();
    let prefix = Regex::new(r"^((?:(?:inv|[abefhjlmprstvw])[0-9]+_)+)").unwrap();
    for test in functions {
        let named = match (asvs.captures(&test), prefix.captures(&test)) {
            (Some(found), _) => vec![format!("{}.{}.{}", &found[1], &found[2], &found[3])],
            (None, Some(found)) => found[1].split_terminator('_').map(str::to_uppercase).collect(),
            (None, None) => continue,
        };
        for row in named {
            let state = rows.get(&row).map(|(state, _)| state.as_str());
            if state != Some("shown") {
                wrong.push(format!("{test} names {row}, which is {}", state.unwrap_or("no row")));
            }
        }
    }
    assert!(wrong.is_empty(), "{}", wrong.join("\n"));
}
