//! Where and when the figures were measured.

use std::num::NonZero;
use std::process::Command;

/// The machine, the commit and the date.
pub(crate) struct Machine {
    pub(crate) cores: usize,
    pub(crate) model: String,
    pub(crate) commit: String,
    pub(crate) date: String,
}

impl Machine {
    /// Describes this machine now. What cannot be found out is `unknown`.
    pub(crate) fn here() -> Self {
        let information = std::fs::read_to_string("/proc/cpuinfo").unwrap_or_default();
        Self {
            cores: std::thread::available_parallelism().map_or(1, NonZero::get),
            model: model(&information).unwrap_or("unknown").to_owned(),
            commit: commit().unwrap_or_else(|| "unknown".to_owned()),
            date: date(),
        }
    }
}

/// Finds the name of the processor.
fn model(information: &str) -> Option<&str> {
    let line = information.lines().find(|line| line.starts_with("model name"))?;
    Some(line.split_once(':')?.1.trim())
}

/// Returns the current commit, marked if files differ from it.
fn commit() -> Option<String> {
    let git = |arguments: &[&str]| {
        let output = Command::new("git").args(arguments).output().ok()?;
        output.status.success().then(|| String::from_utf8_lossy(&output.stdout).trim().to_owned())
    };
    let commit = git(&["rev-parse", "HEAD"])?;
    let is_changed = git(&["status", "--porcelain"]).is_some_and(|files| !files.is_empty());
    Some(if is_changed { commit + "-changed" } else { commit })
}

#[expect(clippy::disallowed_methods, reason = "the date of a measurement is the real one")]
fn date() -> String {
    jiff::Timestamp::now().strftime("%Y-%m-%dT%H:%M:%SZ").to_string()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_model_is_the_first_of_its_name() {
        let information = "processor\t: 0\nmodel name\t: Some CPU @ 2.50GHz\ncpu MHz\t: 1\n";
        assert_eq!(model(information), Some("Some CPU @ 2.50GHz"));
        assert_eq!(model("Hardware : board"), None);
    }
}
