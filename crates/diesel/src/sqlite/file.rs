//! The file of an SQLite database: whether it may be used, and how it is opened.

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

/// For how long a writer waits while another process writes. Commits take milliseconds, so
/// whoever writes longer than this is stuck, and the caller is better told.
pub const BUSY_TIMEOUT: Duration = Duration::from_secs(5);

/// What every connection is told first. `FULL`: a commit is on the disk before it is answered.
const SETUP: &str = "\
    PRAGMA busy_timeout = 5000; \
    PRAGMA foreign_keys = ON; \
    PRAGMA synchronous = FULL;";

/// How often a change of mode is tried again within [`BUSY_TIMEOUT`]; SQLite itself does not wait
/// for it.
const MODE_RETRY: Duration = Duration::from_millis(10);

/// What has a meaning in the path of a `file:` URI.
const NOT_IN_PATH: &AsciiSet = &CONTROLS.add(b'%').add(b'?').add(b'#').add(b' ');

/// Opens the connection that writes.
pub fn open_writer(path: &Path, create: CreateIfMissing) -> Result<SqliteConnection, OpenError> {
    prepare(path, create)?;
    let mut conn = connect(path)?;
    use_wal(&mut conn, path)?;
    // What cannot be written is found out now, and not by the first login.
    match conn.batch_execute("BEGIN IMMEDIATE; ROLLBACK;") {
        Err(error) if !is_busy(&error.to_string()) => Err(failed(path, error)),
        _ => Ok(conn),
    }
}

/// Opens a connection that reads.
pub fn open_reader(path: &Path) -> Result<SqliteConnection, OpenError> {
    let mut conn = connect(path)?;
    conn.batch_execute("PRAGMA query_only = ON;").map_err(|error| failed(path, error))?;
    Ok(conn)
}

/// Connects to a file that is there.
fn connect(path: &Path) -> Result<SqliteConnection, OpenError> {
    let text = path.to_str().ok_or(OpenError::BadUrl("the path is not UTF-8"))?;
    // As a URI, because that alone can say that the file must not be made.
    let uri = format!("file:{}?mode=rw", utf8_percent_encode(text, NOT_IN_PATH));
    let conn = SqliteConnection::establish(&uri);
    let mut conn = conn.map_err(|_| OpenError::NotWritable(path.to_owned()))?;
    conn.batch_execute(SETUP).map_err(|error| failed(path, error))?;
    Ok(conn)
}

/// Lets readers go on while one writes.
fn use_wal(conn: &mut SqliteConnection, path: &Path) -> Result<(), OpenError> {
    let begin = Instant::now();
    loop {
        match sql::<Text>("PRAGMA journal_mode = WAL").get_result::<String>(conn) {
            Err(error) if is_busy(&error.to_string()) && begin.elapsed() < BUSY_TIMEOUT => {
                std::thread::sleep(MODE_RETRY);
            }
            Err(error) => return Err(failed(path, error)),
            Ok(mode) if mode == "wal" => return Ok(()),
            // The only way in which SQLite says that it cannot change it.
            Ok(_) => return Err(OpenError::NotWritable(path.to_owned())),
        }
    }
}

/// Looks at the file, and makes it if it may be made.
///
/// An existing one is not opened for this: closing it again would take away all locks that this
/// process holds on it.
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
        // No right to look is no right to write either.
        (Err(_), _) => return Err(OpenError::NotWritable(path.to_owned())),
    }
    // Beside the file, SQLite makes its journal.
    match fs::metadata(&folder) {
        Ok(found) if found.permissions().readonly() => Err(OpenError::NotWritable(folder)),
        _ => Ok(()),
    }
}

/// Makes an empty file for its owner alone; SQLite gives its journal the same mode.
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

/// What SQLite's refusal means to whoever configured the path.
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
