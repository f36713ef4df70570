//! A line of a list of breached passwords: hexadecimal digits, a colon, and how often they were
//! seen.

use std::io;

/// Number of hexadecimal digits of a SHA-1.
pub(super) const HASH_DIGITS: usize = 40;

/// Maximum length of a line in bytes: a hash, a colon, a 64-bit number and the line ending.
pub(super) const LINE_LEN_MAX: usize = HASH_DIGITS + 1 + 20 + 2;

/// A line of a list.
pub(super) struct Line {
    /// The hexadecimal digits, in upper case.
    pub(super) digits: Vec<u8>,
    /// Whether the password was found in any breach. Lines that pad a response have the number 0.
    pub(super) seen: bool,
}

impl Line {
    /// Parses a line with this number of digits, with or without its ending.
    pub(super) fn parse(line: &[u8], digits: usize) -> io::Result<Self> {
        Self::read(line, digits)
            .ok_or_else(|| wrong("a line is not a SHA-1 hash, ':' and a number"))
    }

    fn read(line: &[u8], digits: usize) -> Option<Self> {
        let line = line.strip_suffix(b"\n").unwrap_or(line);
        let line = std::str::from_utf8(line.strip_suffix(b"\r").unwrap_or(line)).ok()?;
        let (hash, count) = line.split_once(':')?;
        let hexadecimal = hash.len() == digits && hash.bytes().all(|it| it.is_ascii_hexdigit());
        let number = count.bytes().all(|it| it.is_ascii_digit());
        let seen = count.parse::<u64>().ok().filter(|_| number)? > 0;
        hexadecimal.then(|| Self { digits: hash.to_ascii_uppercase().into_bytes(), seen })
    }
}

/// Builds the error of an invalid list.
pub(super) fn wrong(problem: &'static str) -> io::Error {
    io::Error::new(io::ErrorKind::InvalidData, problem)
}
