//! Walks: the `console` blocks of a document, run line by line.

use std::process::{Command, Stdio};

use gateward_e2e::Node;
use regex::Regex;

/// The separator between the outputs of two lines.
const MARK: &str = "--- next line ---";

/// Types the lines of a text's walk into a shell, and compares what they print. Returns their
/// number.
pub(crate) fn check_walk(text: &str, node: &Node) -> usize {
    let address = node.url.trim_start_matches("http://").to_owned();
    let walk = walk(text);
    // The public URL of a node is the configured one; its port is a free one.
    let lines = walk.iter().map(|(line, _)| line.replace("127.0.0.1:8080", &address));
    let script: Vec<String> = lines.map(|line| format!("{line}\necho '{MARK}'")).collect();
    let script = script.join("\n");
    let folder = tempfile::tempdir().unwrap();
    let mut command = Command::new("bash");
    command.args(["-euc", &script]).current_dir(folder.path()).stdin(Stdio::null());
    let output = command.output().expect("bash runs");
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
    walk.len()
}

/// The commands of the walk, each with its output.
fn walk(text: &str) -> Vec<(String, String)> {
    let mut walk: Vec<(String, String)> = Vec::new();
    for block in text.split("```console\n").skip(1) {
        for line in block.split("```").next().unwrap_or_default().lines() {
            match (line.strip_prefix("$ "), walk.last_mut()) {
                (Some(command), _) => walk.push((command.to_owned(), String::new())),
                (None, Some((command, _))) if command.ends_with('\\') => {
                    command.push('\n');
                    command.push_str(line);
                }
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
