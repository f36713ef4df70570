//! The command line of `gateward audit`.

use std::path::PathBuf;

use clap::Subcommand;
use gateward_app::domain::Timestamp;
use gateward_app::domain::audit::{Checkpoint, Digest};

/// The commands of `gateward audit`.
#[derive(Debug, Subcommand)]
pub(crate) enum AuditCommand {
    /// Check whether entries were changed, removed or forged; exits with 1 if so.
    Verify {
        /// Check a file from `gateward audit export` instead of the database; its signatures are
        /// checked with the keys of the database.
        file: Option<PathBuf>,
        /// A checkpoint that you stored elsewhere: the chain must contain it.
        #[arg(long, value_name = "SEQ:DIGEST", value_parser = checkpoint)]
        expect: Option<Checkpoint>,
        /// Print JSON.
        #[arg(long)]
        json: bool,
    },
    /// Print the whole audit trail as JSON lines, for `gateward audit verify FILE`.
    Export,
}

/// Parses a checkpoint as `gateward audit verify` prints it; the time is unknown.
fn checkpoint(text: &str) -> Result<Checkpoint, String> {
    let parts = text.split_once(':');
    let checkpoint = parts.and_then(|(seq, digest)| {
        let seq = seq.parse().ok().filter(|seq| *seq > 0)?;
        Some(Checkpoint { seq, digest: Digest::from_hex(digest)?, at: Timestamp::from_seconds(0) })
    });
    checkpoint.ok_or_else(|| "use an entry number, a colon and 64 hexadecimal digits".to_owned())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_kept_checkpoint_is_read_as_it_was_printed() {
        let digest = Digest([0xab; 32]);
        let kept = checkpoint(&format!("17:{digest}")).unwrap();
        assert_eq!((kept.seq, kept.digest), (17, digest));
        for bad in ["", "17", "17:", ":ab", &format!("0:{digest}"), &format!("x:{digest}")] {
            assert!(checkpoint(bad).is_err(), "{bad:?}");
        }
    }
}
