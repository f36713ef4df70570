//! One file with all hashes in order, searched by bisection.

use std::cmp::Ordering;
use std::fs::File;
use std::io::{self, Read as _, Seek as _, SeekFrom};
use std::path::{Path, PathBuf};

use super::at;
use super::line::{HASH_DIGITS, LINE_LEN_MAX, Line, wrong};

/// Number of bytes read at once: from any offset, the rest of one line and the whole next one.
const WINDOW: usize = 2 * LINE_LEN_MAX;

/// Number of samples that check the order of the hashes. The same list is also published by
/// frequency, in which bisection would find nothing.
const SAMPLES: u64 = 64;

/// An open file of hashes.
pub(super) struct Sorted {
    path: PathBuf,
    file: File,
    len: u64,
}

/// A line and its offsets.
struct Located {
    line: Line,
    /// Offset of the line.
    start: u64,
    /// Offset of the next line.
    end: u64,
}

impl Sorted {
    /// Opens a file.
    pub(super) fn open(path: &Path) -> io::Result<Self> {
        let file = File::open(path).map_err(at(path))?;
        let len = file.metadata().map_err(at(path))?.len();
        Ok(Self { path: path.to_owned(), file, len })
    }

    /// Checks that the file contains hashes, in order as far as the samples show.
    pub(super) fn check(&self) -> io::Result<()> {
        self.check_order().map_err(at(&self.path))
    }

    /// Returns whether the file contains the hash, in upper case.
    pub(super) fn contains(&self, hash: &str) -> io::Result<bool> {
        // The line of the hash, if any, starts within these bounds.
        let (mut from, mut until) = (0, self.len);
        while from < until {
            let middle = from + (until - from) / 2;
            let Some(located) = self.state_after(middle)?.filter(|located| located.start < until)
            else {
                until = middle;
                continue;
            };
            match located.line.digits.as_slice().cmp(hash.as_bytes()) {
                Ordering::Equal => return Ok(located.line.seen),
                Ordering::Less => from = located.end,
                Ordering::Greater => until = middle,
            }
        }
        Ok(false)
    }

    fn check_order(&self) -> io::Result<()> {
        let first = self.state_after(0)?.ok_or_else(|| wrong("the file is empty"))?;
        let mut before = first.line.digits;
        for sample in 1..SAMPLES {
            let Some(located) = self.state_after(self.len.saturating_mul(sample) / SAMPLES)? else {
                break;
            };
            if located.line.digits < before {
                return Err(wrong("the hashes are not in order; sort the lines"));
            }
            before = located.line.digits;
        }
        Ok(())
    }

    /// Returns the first line that starts at or after `offset`. `None` if there is none.
    fn state_after(&self, offset: u64) -> io::Result<Option<Located>> {
        // The byte before shows whether a line starts exactly there.
        let from = offset.saturating_sub(1);
        let window = self.read(from)?;
        let ends = from + window.len() as u64 >= self.len;
        let end_in = |bytes: &[u8]| bytes.iter().position(|byte| *byte == b'\n');
        let skipped = match end_in(&window) {
            _ if offset == 0 => 0,
            Some(index) => index + 1,
            None if ends => return Ok(None),
            None => return Err(too_long()),
        };
        let rest = window.get(skipped..).unwrap_or_default();
        if rest.is_empty() {
            return Ok(None);
        }
        let length = match end_in(rest) {
            Some(index) => index + 1,
            None if ends => rest.len(),
            None => return Err(too_long()),
        };
        let line = Line::parse(rest.get(..length).unwrap_or_default(), HASH_DIGITS)?;
        let start = from + skipped as u64;
        Ok(Some(Located { line, start, end: start + length as u64 }))
    }

    /// Reads the file from an offset.
    fn read(&self, from: u64) -> io::Result<Vec<u8>> {
        let mut file = &self.file;
        file.seek(SeekFrom::Start(from))?;
        let mut window = Vec::with_capacity(WINDOW);
        file.take(WINDOW as u64).read_to_end(&mut window)?;
        Ok(window)
    }
}

fn too_long() -> io::Error {
    wrong("a line is too long")
}
