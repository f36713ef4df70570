//! Asks for confirmation before something is lost permanently.

use std::io::{BufRead, IsTerminal};

use anyhow::{Context, bail, ensure};

use super::super::complain;

/// The maximum length of the confirmation in bytes; every username is shorter.
const RESPONSE_LEN_MAX: u64 = 1024;

/// Continues if the operator types the username, or passed --yes.
pub(super) fn confirm(question: &str, name: &str, yes: bool) -> anyhow::Result<()> {
    if yes {
        return Ok(());
    }
    // On standard error, so that standard output has only results.
    if !std::io::stdin().is_terminal() || !std::io::stderr().is_terminal() {
        bail!("confirmation needed; pass --yes to run without a terminal");
    }
    complain(&format!("{question} Type the username to confirm:"));
    check_response(std::io::stdin().lock(), name)
}

fn check_response(input: impl BufRead, name: &str) -> anyhow::Result<()> {
    let mut response = String::new();
    input
        .take(RESPONSE_LEN_MAX)
        .read_line(&mut response)
        .context("cannot read the confirmation")?;
    ensure!(response.trim() == name, "the username does not match; nothing was changed");
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
        // At a terminal, this test would wait for input.
        if !std::io::stdin().is_terminal() {
            let refused = confirm("Delete ada?", "ada", false).unwrap_err();
            assert!(refused.to_string().contains("--yes"), "{refused}");
        }
    }
}
