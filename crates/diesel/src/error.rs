//! Errors of opening and migrating, and the conversion of Diesel's errors to those of the ports.

use std::error::Error;
use std::path::PathBuf;

use diesel::result::{DatabaseErrorInformation, DatabaseErrorKind, DeserializeFieldError};
use gateward_domain::ports::{StoreError, Taken};

/// Why a store could not be opened. No variant contains the URL, which may contain a password.
#[derive(Debug, thiserror::Error)]
#[non_exhaustive]
pub enum OpenError {
    /// The scheme of the URL is not supported.
    #[error("the database URL must start with sqlite://, postgres:// or postgresql://")]
    UnknownScheme,
    /// The URL cannot be parsed.
    #[error("{0}")]
    BadUrl(&'static str),
    /// The file does not exist, and must not be created here.
    #[error(
        "there is no database at {0}; restore it, correct the path, or run `gateward migrate` to \
         create a new one"
    )]
    Missing(PathBuf),
    /// The folder cannot be created.
    #[error("cannot create the folder {0}; create it, owned by the user that runs gateward")]
    Folder(PathBuf, #[source] std::io::Error),
    /// The file cannot be created.
    #[error("cannot create the file {0}; give the user that runs gateward write permission there")]
    Create(PathBuf, #[source] std::io::Error),
    /// The file or its folder is not writable.
    #[error("cannot write to {0}; give the user that runs gateward write permission")]
    NotWritable(PathBuf),
    /// The file is not an SQLite database.
    #[error("{0} is not an SQLite database; correct the path")]
    NotADatabase(PathBuf),
    /// The certificates for the verification of the server cannot be read.
    #[error("cannot read the certificates in {0}; `sslrootcert` must be the path of a PEM file")]
    Certificates(PathBuf, #[source] Box<dyn Error + Send + Sync>),
    /// There are no certificates to verify the server with.
    #[error("this system has no root certificates; set `sslrootcert` to a PEM file")]
    NoCertificates,
    /// The database failed.
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
    /// The server cannot be reached, or refuses the connection.
    #[error("the database cannot be reached")]
    Unreachable(#[source] Box<dyn Error + Send + Sync>),
    /// A migration failed and was rolled back.
    #[error("a migration failed and was rolled back")]
    Failed(#[source] Box<dyn Error + Send + Sync>),
}

/// Why a database could not be inspected.
#[derive(Debug, thiserror::Error)]
#[non_exhaustive]
pub enum InspectError {
    /// The database could not be opened.
    #[error(transparent)]
    Open(#[from] OpenError),
    /// The server cannot be reached, or refuses the connection.
    #[error("the database cannot be reached")]
    Unreachable(#[source] Box<dyn Error + Send + Sync>),
    /// A query failed: a table may be missing, or the database has failed.
    #[error("a database query failed")]
    Failed(#[source] Box<dyn Error + Send + Sync>),
}

/// A use of a unit of work that its access does not allow. This is a bug in the caller.
#[derive(Clone, Copy, Debug, PartialEq, Eq, thiserror::Error)]
pub enum Misuse {
    /// A write in a unit that only reads.
    #[error("a write in a unit of work that only reads")]
    WriteInRead,
    /// A lock, or a second method, in a unit with a single write.
    #[error("a lock in a unit of work with a single write")]
    LockOutsideWrite,
    /// A statement or a commit after one that failed or was cancelled.
    #[error("an earlier statement of this unit of work failed")]
    AfterFailure,
}

impl From<Misuse> for StoreError {
    fn from(misuse: Misuse) -> Self {
        Self::Unavailable(Box::new(misuse))
    }
}

/// Messages of the databases for which a retry helps. Neither Diesel nor diesel-async exposes the
/// error code, only the message.
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

/// Converts the error of a statement on `table` to that of a port.
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

/// Returns whether a retry helps after this message.
pub fn is_busy(message: &str) -> bool {
    BUSY_MESSAGES.iter().any(|busy| message.contains(busy))
}

/// Converts the violation of a unique index.
fn taken(about: Box<dyn DatabaseErrorInformation + Send + Sync>) -> StoreError {
    // Postgres names the index; SQLite mentions it in the message.
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

/// Returns the column of this name, among those whose type alone can refuse a value.
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
