//! Asking whether a command is meant, before something is lost for good.

use std::io::{BufRead, IsTerminal};

use anyhow::{Context, bail, ensure};

use super::super::complain;

/// The most bytes of an answer that are read: more than any name has.
const RESPONSE_LEN_MAX: u64 = 1024;

/// Goes on if whoever is at the terminal types the name, or has said before that it is meant.
pub(super) fn confirm(question: &str, name: &str, yes: bool) -> anyhow::Result<()> {
    if yes {
        return Ok(());
    }
    // The question goes to standard error, where it is in nobody's way.
    if !std::io::stdin().is_terminal() || !std::io::stderr().is_terminal() {
        bail!("there is no terminal to ask on; if it is meant, add --yes");
    }
    complain(&format!("{question} Type the name to go on:"));
    check_response(std::io::stdin().lock(), name)
}

fn check_response(input: impl BufRead, name: &str) -> anyhow::Result<()> {
    let mut response = String::new();
    input.take(RESPONSE_LEN_MAX).read_line(&mut response).context("no answer was read")?;
    ensure!(response.trim() == name, "that is not the name; nothing was changed");
    Ok(())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn only_the_very_name_goes_on() {
        for good in ["ada\n", "ada\r\n", " ada", "ada\nbob\n"] {
            assert!(check_response(good.as_bytes(), "ada").is_ok(), "{good:?}");
        }
        for bad in ["", "\n", "y\n", "yes\n", "Ada\n", "adam\n", "bob\nada\n"] {
            assert!(check_response(bad.as_bytes(), "ada").is_err(), "{bad:?}");
        }
        assert!(check_response(&[0xff, b'\n'][..], "ada").is_err());
    }

    #[test]
    fn without_a_terminal_nothing_is_taken_for_meant_but_the_flag() {
        assert!(confirm("Delete ada?", "ada", true).is_ok());
        // Whoever runs the tests at a terminal is not asked.
        if !std::io::stdin().is_terminal() {
            let refused = confirm("Delete ada?", "ada", false).unwrap_err();
            assert!(refused.to_string().contains("--yes"), "{refused}");
        }
    }
}
