//! A folder of range files: each contains the hashes that start with the five digits of its name.

use std::fs::{self, File};
use std::io::{self, BufRead, BufReader, Read as _};
use std::path::Path;

use super::at;
use super::line::{HASH_DIGITS, LINE_LEN_MAX, Line, wrong};

/// Number of digits of a hash that name its range.
const PREFIX_DIGITS: usize = 5;

/// Number of digits in a line.
const SUFFIX_DIGITS: usize = HASH_DIGITS - PREFIX_DIGITS;

/// Maximum length of a range file in bytes: ten times the largest published one.
const RANGE_LEN_MAX: u64 = 1024 * 1024;

/// Checks that the folder contains a range file and that its first line is valid.
pub(super) fn check(folder: &Path) -> io::Result<()> {
    for entry in fs::read_dir(folder).map_err(at(folder))? {
        let entry = entry.map_err(at(folder))?;
        if entry.file_name().to_str().is_some_and(is_range) {
            let path = entry.path();
            return File::open(&path).and_then(check_first).map_err(at(&path));
        }
    }
    let problem = "the folder holds no range file, such as 00000 or 00000.txt";
    Err(at(folder)(io::Error::new(io::ErrorKind::NotFound, problem)))
}

/// Returns whether the file of the hash's range contains it.
pub(super) fn contains(folder: &Path, hash: &str) -> io::Result<bool> {
    let (prefix, suffix) = hash.split_at_checked(PREFIX_DIGITS).unwrap_or_default();
    let file = open(folder, prefix)?;
    if file.metadata()?.len() > RANGE_LEN_MAX {
        return Err(wrong("a range file is too long"));
    }
    let mut lines = Lines(BufReader::new(file.take(RANGE_LEN_MAX)));
    // Every range contains some passwords, so a file without a line was not written completely.
    let mut line = lines.next_line()?.ok_or_else(|| wrong("a range file is empty"))?;
    loop {
        if line.digits == suffix.as_bytes() {
            return Ok(line.seen);
        }
        match lines.next_line()? {
            Some(next) => line = next,
            None => return Ok(false),
        }
    }
}

/// Opens the file of a range. Errors do not name it: five digits of the hash of an entered password
/// must not be logged.
fn open(folder: &Path, prefix: &str) -> io::Result<File> {
    let lower = prefix.to_ascii_lowercase();
    for name in [prefix, &lower].into_iter().flat_map(|name| [name.into(), format!("{name}.txt")]) {
        match File::open(folder.join(name)) {
            Err(error) if error.kind() == io::ErrorKind::NotFound => {}
            opened => return opened,
        }
    }
    Err(io::Error::new(io::ErrorKind::NotFound, "a range file is missing"))
}

fn is_range(name: &str) -> bool {
    let prefix = name.strip_suffix(".txt").unwrap_or(name);
    prefix.len() == PREFIX_DIGITS && prefix.bytes().all(|byte| byte.is_ascii_hexdigit())
}

fn check_first(file: File) -> io::Result<()> {
    let first = Lines(BufReader::new(file)).next_line()?;
    first.map(drop).ok_or_else(|| wrong("the range file is empty"))
}

/// The lines of a range file.
struct Lines<R>(R);

impl<R: BufRead> Lines<R> {
    /// Returns the next line. `None` at the end.
    fn next_line(&mut self) -> io::Result<Option<Line>> {
        let mut bytes = Vec::with_capacity(LINE_LEN_MAX);
        // Reads at most enough of an overlong line to detect it.
        self.0.by_ref().take(LINE_LEN_MAX as u64).read_until(b'\n', &mut bytes)?;
        if bytes.is_empty() { Ok(None) } else { Line::parse(&bytes, SUFFIX_DIGITS).map(Some) }
    }
}
