//! Errors of opening and migrating, and how Diesel's errors become the ports'.

use std::error::Error;
use std::path::PathBuf;

use diesel::result::{DatabaseErrorInformation, DatabaseErrorKind, DeserializeFieldError};
use gateward_domain::ports::{StoreError, Taken};

/// Why a store could not be opened. No variant holds the URL, because a password may stand in it.
#[derive(Debug, thiserror::Error)]
#[non_exhaustive]
pub enum OpenError {
    /// The URL names no database that is known.
    #[error("the database URL must begin with sqlite://, postgres:// or postgresql://")]
    UnknownScheme,
    /// The URL cannot be read.
    #[error("the database URL cannot be read: {0}")]
    BadUrl(&'static str),
    /// The file is not there, and it is not for us to make a new one.
    #[error(
        "there is no database at {0}: restore it, correct the path, or make a new one with \
         `gateward migrate`"
    )]
    Missing(PathBuf),
    /// The folder cannot be made.
    #[error("the folder {0} cannot be made: make it, owned by the user of this process")]
    Folder(PathBuf, #[source] std::io::Error),
    /// The file cannot be made.
    #[error("the file {0} cannot be made: give the user of this process the right to write there")]
    Create(PathBuf, #[source] std::io::Error),
    /// The file or its folder cannot be written.
    #[error("{0} cannot be written: give the user of this process the right to write it")]
    NotWritable(PathBuf),
    /// The file is something else.
    #[error("{0} is not a file of a database: correct the path")]
    NotADatabase(PathBuf),
    /// The certificates to check the server against cannot be read.
    #[error("the certificates in {0} cannot be read: `sslrootcert` wants a file in PEM form")]
    Certificates(PathBuf, #[source] Box<dyn Error + Send + Sync>),
    /// There is nothing to check the server against.
    #[error("this system has no root certificates: name a file with `sslrootcert`")]
    NoCertificates,
    /// The database has failed.
    #[error("the database could not be opened")]
    Failed(#[source] Box<dyn Error + Send + Sync>),
}

/// Why migrations could not be applied or listed.
#[derive(Debug, thiserror::Error)]
#[non_exhaustive]
pub enum MigrateError {
    /// The database could not be opened.
    #[error(transparent)]
    Open(#[from] OpenError),
    /// The server cannot be reached, or refuses us.
    #[error("the database cannot be reached")]
    Unreachable(#[source] Box<dyn Error + Send + Sync>),
    /// A migration has failed; what it did is undone.
    #[error("a migration has failed and was undone")]
    Failed(#[source] Box<dyn Error + Send + Sync>),
}

/// Why a database could not be inspected.
#[derive(Debug, thiserror::Error)]
#[non_exhaustive]
pub enum InspectError {
    /// The database could not be opened.
    #[error(transparent)]
    Open(#[from] OpenError),
    /// The server cannot be reached, or refuses us.
    #[error("the database cannot be reached")]
    Unreachable(#[source] Box<dyn Error + Send + Sync>),
    /// A question was not answered: a table may lack, or the database has failed.
    #[error("the database did not answer")]
    Failed(#[source] Box<dyn Error + Send + Sync>),
}

/// A use of a unit of work that its kind does not allow; a mistake in this program.
#[derive(Clone, Copy, Debug, PartialEq, Eq, thiserror::Error)]
pub enum Misuse {
    /// A write where only reads were announced.
    #[error("a write in a unit of work that was begun for reading")]
    WriteInRead,
    /// A lock, or another method, where one write was announced.
    #[error("a lock in a unit of work that was not begun for several writes")]
    LockOutsideWrite,
    /// A statement or a commit after one that failed or was given up.
    #[error("a statement of this unit of work has failed before")]
    AfterFailure,
}

impl From<Misuse> for StoreError {
    fn from(misuse: Misuse) -> Self {
        Self::Unavailable(Box::new(misuse))
    }
}

/// What the databases say when trying again helps. Neither Diesel nor diesel-async passes on the
/// code of such an error, only its text.
const BUSY_MESSAGES: &[&str] = &[
    // Postgres
    "canceling statement due to lock timeout",
    "canceling statement due to statement timeout",
    "deadlock detected",
    "sorry, too many clients already",
    "remaining connection slots are reserved",
    // SQLite
    "database is locked",
    "database table is locked",
];

/// The error of a port, from that of a statement on `table`.
pub fn store_error(table: &'static str, error: diesel::result::Error) -> StoreError {
    use diesel::result::Error::{DatabaseError, DeserializationError};

    match error {
        DatabaseError(DatabaseErrorKind::UniqueViolation, about) => taken(about),
        DatabaseError(DatabaseErrorKind::SerializationFailure, _) => StoreError::Busy,
        DatabaseError(_, about) if is_busy(about.message()) => StoreError::Busy,
        DeserializationError(error) => {
            let field = error
                .downcast_ref::<DeserializeFieldError>()
                .and_then(|error| error.field_name.as_deref());
            StoreError::Corrupt { table, column: known_column(field) }
        }
        other => StoreError::Unavailable(Box::new(other)),
    }
}

/// Whether a database says this when trying again helps.
pub fn is_busy(message: &str) -> bool {
    BUSY_MESSAGES.iter().any(|busy| message.contains(busy))
}

/// The error of a statement that would have made two of what must be unique.
fn taken(about: Box<dyn DatabaseErrorInformation + Send + Sync>) -> StoreError {
    // Postgres names the index, SQLite says it in the message.
    let index = about.constraint_name().unwrap_or_else(|| about.message());
    if index.contains("users_username_key") {
        StoreError::Taken(Taken::Username)
    } else if index.contains("users_email_key") || index.contains("users.email") {
        StoreError::Taken(Taken::Email)
    } else {
        let error = diesel::result::Error::DatabaseError(DatabaseErrorKind::UniqueViolation, about);
        StoreError::Unavailable(Box::new(error))
    }
}

/// The column of this name, among those whose type alone can refuse a value.
fn known_column(field: Option<&str>) -> &'static str {
    const COLUMNS: &[&str] = &[
        "id",
        "user_id",
        "session_id",
        "actor_id",
        "actor_session_id",
        "subject_id",
        "signup_id",
        "link_id",
        "dedup_key",
        "created_at",
        "updated_at",
        "auth_time",
        "lifetime_ends_at",
        "rotated_at",
        "expires_at",
        "ended_at",
        "happened_at",
        "active_from",
        "revoked_at",
        "created_at",
        "scheduled_at",
        "next_attempt_at",
        "previous_attempt_due_at",
        "finished_at",
        "last_used_at",
        "last_at",
        "retention_boundary_at",
        "checkpoint_at",
        "requested_at",
        "revoked_before",
        "expires_at",
    ];
    let known = |name: &str| COLUMNS.iter().copied().find(|column| *column == name);
    field.and_then(known).unwrap_or("(unknown)")
}
