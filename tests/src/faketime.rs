//! Clocks that show a node another time of day: `FastClock` and `ShiftedClock`, by libfaketime.
//!
//! Only the time of day changes. The monotonic clock keeps its pace: tokio's timers and the waits
//! of the standard library, except for `std::thread::sleep` beside a fast clock, which is shorter
//! by the factor of the clock.

use std::collections::BTreeMap;
use std::fs;
use std::path::{Path, PathBuf};
use std::time::Instant;

use tempfile::TempDir;

use crate::not_checked;

/// The type of a [`Plan`](crate::Plan)'s environment.
pub type Environment = BTreeMap<String, String>;

/// A clock that runs many times as fast, from its creation.
pub struct FastClock {
    library: PathBuf,
    factor: u32,
    started: Instant,
}

/// A clock that is ahead or behind by a number of seconds, which can change at any time.
pub struct ShiftedClock {
    library: PathBuf,
    folder: TempDir,
}

impl FastClock {
    /// Creates a clock, or returns `None` with a message if libfaketime is missing.
    #[must_use]
    pub fn new(factor: u32) -> Option<Self> {
        Some(Self { library: find_library()?, factor, started: Instant::now() })
    }

    /// The environment of a node that starts now. It continues from the clock's current time, so
    /// that nodes with different starts agree on the time.
    #[must_use]
    pub fn environment(&self) -> Environment {
        let ahead = self.started.elapsed().as_secs_f64() * f64::from(self.factor - 1);
        let mut environment = base(&self.library);
        environment.insert("FAKETIME".to_owned(), format!("+{ahead:.6} x{}", self.factor));
        environment
    }
}

impl ShiftedClock {
    /// Creates a clock without a shift, or returns `None` with a message if libfaketime is missing.
    #[must_use]
    pub fn new() -> Option<Self> {
        let clock = Self { library: find_library()?, folder: tempfile::tempdir().unwrap() };
        clock.set(0);
        Some(clock)
    }

    /// Sets it this many seconds ahead of the real time, for running nodes as well.
    pub fn set(&self, seconds: i64) {
        // Renamed atomically, because nodes read it whenever they read the time.
        let new = self.folder.path().join("new");
        fs::write(&new, format!("{seconds:+}")).unwrap();
        fs::rename(new, self.file()).unwrap();
    }

    /// The environment of a node with this clock.
    #[must_use]
    pub fn environment(&self) -> Environment {
        let mut environment = base(&self.library);
        let file = self.file().display().to_string();
        environment.insert("FAKETIME_TIMESTAMP_FILE".to_owned(), file);
        environment.insert("FAKETIME_NO_CACHE".to_owned(), "1".to_owned());
        environment
    }

    fn file(&self) -> PathBuf {
        self.folder.path().join("shift")
    }
}

fn base(library: &Path) -> Environment {
    let library = library.display().to_string();
    let variables = [
        ("LD_PRELOAD", library.as_str()),
        ("FAKETIME_DONT_FAKE_MONOTONIC", "1"),
        ("NO_FAKE_STAT", "1"),
    ];
    variables.map(|(name, value)| (name.to_owned(), value.to_owned())).into()
}

/// Finds the library where packages install it: `/usr/lib/ARCHITECTURE/faketime` on Debian.
fn find_library() -> Option<PathBuf> {
    clean_up();
    let folders = ["/usr/lib", "/usr/lib64", "/usr/local/lib"].map(PathBuf::from);
    let inner = folders.iter().filter_map(|folder| fs::read_dir(folder).ok()).flatten();
    let inner: Vec<PathBuf> = inner.filter_map(|entry| Some(entry.ok()?.path())).collect();
    let library = folders.into_iter().chain(inner);
    let mut library = library.map(|folder| folder.join("faketime/libfaketimeMT.so.1"));
    let library = library.find(|path| path.exists());
    if library.is_none() {
        not_checked("what needs another time of day: no libfaketime (apt-get install faketime)");
    }
    library
}

/// Removes shared memory of killed processes. A later process with the same identifier could not
/// start.
fn clean_up() {
    for entry in fs::read_dir("/dev/shm").into_iter().flatten().flatten() {
        let name = entry.file_name().into_string().unwrap_or_default();
        let process = ["faketime_shm_", "sem.faketime_sem_"];
        let process = process.iter().find_map(|prefix| name.strip_prefix(prefix));
        if process.is_some_and(|process| !Path::new("/proc").join(process).exists()) {
            let _ = fs::remove_file(entry.path());
        }
    }
}
