//! The file of an SQLite database: checks whether it may be used, and opens it.

use std::fs;
use std::io::ErrorKind;
use std::path::{Path, PathBuf};
use std::time::{Duration, Instant};

use diesel::connection::SimpleConnection;
use diesel::dsl::sql;
use diesel::sql_types::Text;
use diesel::{Connection, RunQueryDsl, SqliteConnection};
use percent_encoding::{AsciiSet, CONTROLS, utf8_percent_encode};

use crate::error::{OpenError, is_busy};
use crate::open::CreateIfMissing;

/// Maximum wait of a writer for another process. Commits take milliseconds, so a process that
/// writes for longer is stuck, and the caller receives an error.
pub const BUSY_TIMEOUT: Duration = Duration::from_secs(5);

/// The first statements on every connection. `FULL`: a commit is on the disk before the response.
const SETUP: &str = "\
    PRAGMA busy_timeout = 5000; \
    PRAGMA foreign_keys = ON; \
    PRAGMA synchronous = FULL;";

/// Interval between attempts to change the journal mode within [`BUSY_TIMEOUT`]. SQLite itself does
/// not wait for it.
const MODE_RETRY: Duration = Duration::from_millis(10);

/// Characters with a meaning in the path of a `file:` URI.
const NOT_IN_PATH: &AsciiSet = &CONTROLS.add(b'%').add(b'?').add(b'#').add(b' ');

/// Opens the writing connection.
pub fn open_writer(path: &Path, create: CreateIfMissing) -> Result<SqliteConnection, OpenError> {
    prepare(path, create)?;
    let mut conn = connect(path)?;
    use_wal(&mut conn, path)?;
    // A read-only file is detected now, and not by the first login.
    match conn.batch_execute("BEGIN IMMEDIATE; ROLLBACK;") {
        Err(error) if !is_busy(&error.to_string()) => Err(failed(path, error)),
        _ => Ok(conn),
    }
}

/// Opens a reading connection.
pub fn open_reader(path: &Path) -> Result<SqliteConnection, OpenError> {
    let mut conn = connect(path)?;
    conn.batch_execute("PRAGMA query_only = ON;").map_err(|error| failed(path, error))?;
    Ok(conn)
}

/// Connects to an existing file.
fn connect(path: &Path) -> Result<SqliteConnection, OpenError> {
    let text = path.to_str().ok_or(OpenError::BadUrl("the path is not valid UTF-8"))?;
    // As a URI, the only way to forbid the creation of the file.
    let uri = format!("file:{}?mode=rw", utf8_percent_encode(text, NOT_IN_PATH));
    let conn = SqliteConnection::establish(&uri);
    let mut conn = conn.map_err(|_| OpenError::NotWritable(path.to_owned()))?;
    conn.batch_execute(SETUP).map_err(|error| failed(path, error))?;
    Ok(conn)
}

/// Lets readers continue during a write.
fn use_wal(conn: &mut SqliteConnection, path: &Path) -> Result<(), OpenError> {
    let begin = Instant::now();
    loop {
        match sql::<Text>("PRAGMA journal_mode = WAL").get_result::<String>(conn) {
            Err(error) if is_busy(&error.to_string()) && begin.elapsed() < BUSY_TIMEOUT => {
                std::thread::sleep(MODE_RETRY);
            }
            Err(error) => return Err(failed(path, error)),
            Ok(mode) if mode == "wal" => return Ok(()),
            // The only way in which SQLite reports that it cannot change the mode.
            Ok(_) => return Err(OpenError::NotWritable(path.to_owned())),
        }
    }
}

/// Checks the file, and creates it if that is allowed.
///
/// An existing file is not opened for this: closing it would release all locks that this process
/// holds on it.
fn prepare(path: &Path, create: CreateIfMissing) -> Result<(), OpenError> {
    let folder = match path.parent() {
        Some(folder) if !folder.as_os_str().is_empty() => folder.to_owned(),
        _ => PathBuf::from("."),
    };
    match (fs::metadata(path), create) {
        (Ok(found), _) if !found.is_file() => return Err(OpenError::NotADatabase(path.to_owned())),
        (Ok(found), _) if found.permissions().readonly() => {
            return Err(OpenError::NotWritable(path.to_owned()));
        }
        (Ok(_), _) => {}
        (Err(error), CreateIfMissing::Yes) if error.kind() == ErrorKind::NotFound => {
            fs::create_dir_all(&folder)
                .map_err(|error| OpenError::Folder(folder.clone(), error))?;
            make(path)?;
        }
        (Err(error), CreateIfMissing::No) if error.kind() == ErrorKind::NotFound => {
            return Err(OpenError::Missing(path.to_owned()));
        }
        (Err(error), _) if error.kind() == ErrorKind::NotADirectory => {
            return Err(OpenError::Folder(folder, error));
        }
        // Without the right to read the metadata there is no right to write either.
        (Err(_), _) => return Err(OpenError::NotWritable(path.to_owned())),
    }
    // SQLite creates its journal beside the file.
    match fs::metadata(&folder) {
        Ok(found) if found.permissions().readonly() => Err(OpenError::NotWritable(folder)),
        _ => Ok(()),
    }
}

/// Creates an empty file that only its owner can read. SQLite creates its journal with the same
/// mode.
fn make(path: &Path) -> Result<(), OpenError> {
    let mut options = fs::OpenOptions::new();
    options.write(true).create_new(true);
    #[cfg(unix)]
    std::os::unix::fs::OpenOptionsExt::mode(&mut options, 0o600);
    match options.open(path) {
        Err(error) if error.kind() != ErrorKind::AlreadyExists => {
            Err(OpenError::Create(path.to_owned(), error))
        }
        _ => Ok(()),
    }
}

/// Converts SQLite's error to one about the configured path.
fn failed(path: &Path, error: diesel::result::Error) -> OpenError {
    let message = error.to_string();
    if message.contains("not a database") {
        OpenError::NotADatabase(path.to_owned())
    } else if message.contains("readonly") || message.contains("unable to open") {
        OpenError::NotWritable(path.to_owned())
    } else {
        OpenError::Failed(Box::new(error))
    }
}

#[cfg(test)]
mod tests {
    use diesel::result::{DatabaseErrorKind, Error};

    use super::*;

    /// The messages of SQLite. A test that removes permissions changes nothing for root.
    #[test]
    fn f16_what_sqlite_says_is_an_error_of_the_path() {
        let told = |message: &str| {
            let message = Box::new(message.to_owned());
            failed(Path::new("a.db"), Error::DatabaseError(DatabaseErrorKind::Unknown, message))
        };
        for message in ["attempt to write a readonly database", "unable to open database file"] {
            assert!(matches!(told(message), OpenError::NotWritable(_)), "{message}");
        }
        assert!(matches!(told("file is not a database"), OpenError::NotADatabase(_)));
        assert!(matches!(told("disk I/O error"), OpenError::Failed(_)));
    }
}
