//! Checks of password hashing and of the list of breached passwords.

use std::num::NonZeroUsize;
use std::sync::Arc;

use gateward_app::domain::ports::{BreachedPasswords, NoBreachedPasswords};
use gateward_crypto::{Argon2Settings, BreachedFiles};

use crate::settings::reader::Reader;

pub(super) fn argon2(reader: &mut Reader<'_>) -> Argon2Settings {
    let threads = NonZeroUsize::new(reader.count("password.hash_threads", 0..=256));
    Argon2Settings {
        memory_kib: reader.count("password.argon2_memory_kib", 7_168..=262_144),
        iterations: reader.count("password.argon2_iterations", 1..=32),
        threads,
        queue_max_per_thread: reader.count("password.hash_queue_max", 1..=10_000),
    }
}

/// The list of breached passwords, after its format was checked.
pub(super) fn breached(reader: &mut Reader<'_>) -> Arc<dyn BreachedPasswords> {
    let option = "password.breached_list";
    let Some(path) = reader.text(option) else { return Arc::new(NoBreachedPasswords) };
    match BreachedFiles::open(&path) {
        Ok(list) => Arc::new(list),
        Err(error) => {
            let message = format!(
                "cannot be used: {error}; set a folder of range files, or one file of sorted \
                 hashes, as published by Have I Been Pwned"
            );
            reader.wrong(option, message);
            Arc::new(NoBreachedPasswords)
        }
    }
}
