//! The README keeps its word: its walk is run, line by line, and prints what stands there.

use std::process::{Command, Stdio};

use gateward_e2e::{Database, Plan, TestDatabase};
use regex::Regex;

/// What is printed between the outputs of two lines.
const MARK: &str = "--- next line ---";

#[tokio::test(flavor = "multi_thread")]
async fn the_walk_of_the_readme_prints_what_it_says() {
    let database = TestDatabase::new(Database::Sqlite).await;
    let node = Plan::on(&database).with("http.docs", true).start().await;
    let address = node.url.trim_start_matches("http://").to_owned();

    let walk = walk();
    assert!(walk.len() >= 12, "the walk was found");
    // The public URL of a node stays what the settings say; the port that it listens on is free.
    let lines = walk.iter().map(|(line, _)| line.replace("127.0.0.1:8080", &address));
    let script: Vec<String> = lines.map(|line| format!("{line}\necho '{MARK}'")).collect();
    let script = script.join("\n");
    let output = Command::new("bash").args(["-euc", &script]).stdin(Stdio::null()).output();
    let output = output.expect("bash runs");
    let printed = String::from_utf8(output.stdout).unwrap();
    assert!(output.status.success(), "{printed}\n{}", String::from_utf8_lossy(&output.stderr));

    let parts: Vec<&str> = printed.split(&format!("{MARK}\n")).collect();
    for ((line, promised), printed) in walk.iter().zip(parts) {
        let pattern = regex::escape(promised).replace('…', ".*");
        let pattern = Regex::new(&format!("^{pattern}$")).unwrap();
        assert!(
            pattern.is_match(printed.trim_end()),
            "{line}\npromised {promised}\nprinted  {printed}"
        );
    }
}

/// The lines of the walk, each with what it prints.
fn walk() -> Vec<(String, String)> {
    let path = concat!(env!("CARGO_MANIFEST_DIR"), "/../README.md");
    let readme = std::fs::read_to_string(path).unwrap();
    let mut walk: Vec<(String, String)> = Vec::new();
    for block in readme.split("```console\n").skip(1) {
        for line in block.split("```").next().unwrap_or_default().lines() {
            match (line.strip_prefix("$ "), walk.last_mut()) {
                (Some(command), _) => walk.push((command.to_owned(), String::new())),
                (None, Some((_, printed))) => {
                    printed.push_str(line);
                    printed.push('\n');
                }
                (None, None) => panic!("a walk begins with a command"),
            }
        }
    }
    for (_, printed) in &mut walk {
        printed.truncate(printed.trim_end().len());
    }
    walk
}
