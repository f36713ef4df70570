//! `OwnServer`: a Postgres server for one test, which may stop, kill and freeze it.

use std::fs;
use std::net::TcpListener;
use std::os::unix::fs::{MetadataExt, chown};
use std::os::unix::process::CommandExt;
use std::path::{Path, PathBuf};
use std::process::{Child, Command, Stdio};
use std::time::Duration;

use gateward_e2e::{Database, Plan, TestDatabase, eventually, not_checked};
use rustix::process::{Pid, Signal, kill_process};
use tempfile::TempDir;
use tokio_postgres::{Client, NoTls};

/// How long the server may take to start or stop.
const PATIENCE: Duration = Duration::from_secs(30);

/// The settings of each server that a test starts: small, and without a socket.
pub(crate) const SETTINGS: [&str; 5] = [
    "listen_addresses=127.0.0.1",
    "unix_socket_directories=",
    "max_connections=60",
    "shared_buffers=32MB",
    // The machine keeps running, so written data survives a kill.
    "fsync=off",
];

/// A server with one database; stopped and gone when dropped.
pub(crate) struct OwnServer {
    pub(crate) url: String,
    programs: PathBuf,
    folder: TempDir,
    owner: (u32, u32),
    port: u16,
    settings: Vec<String>,
    child: Option<Child>,
    /// The nodes use its folder; its database is unused.
    phase: TestDatabase,
}

impl OwnServer {
    /// Creates a server like the one of the tests, and starts it with further settings. `None` with
    /// a message if that one runs on another machine.
    pub(crate) async fn start(settings: &[&str]) -> Option<Self> {
        let phase = TestDatabase::new(Database::Postgres).await;
        let Some((programs, owner)) = like_that_of(&phase).await else {
            not_checked("a Postgres server of one's own: that of the tests is not on this machine");
            return None;
        };
        let folder = tempfile::Builder::new().prefix("gateward-own.").tempdir_in("/tmp").unwrap();
        chown(folder.path(), Some(owner.0), Some(owner.1)).unwrap();
        // It was free a moment ago, and no other process takes it on purpose.
        let port = TcpListener::bind("127.0.0.1:0").unwrap().local_addr().unwrap().port();
        let settings = settings.iter().map(ToString::to_string).collect();
        let url = format!("postgres://gateward@127.0.0.1:{port}/postgres");
        let mut server = Self { url, programs, folder, owner, port, settings, child: None, phase };
        let made = server
            .command("initdb")
            .args(["--username=gateward", "--auth=trust", "--encoding=UTF8", "--locale=C"])
            .args(["--no-sync", "--pgdata"])
            .arg(server.data())
            .output()
            .unwrap();
        assert!(made.status.success(), "{made:?}");
        server.go_on().await;
        Some(server)
    }

    /// A plan of a node on this server.
    pub(crate) fn plan(&self) -> Plan {
        Plan::on(&self.phase).with("database.url", &self.url)
    }

    /// Starts it again after [`OwnServer::stop`].
    pub(crate) async fn go_on(&mut self) {
        let log = fs::File::options().create(true).append(true).open(self.log_path()).unwrap();
        let errors = log.try_clone().unwrap();
        let settings = SETTINGS.into_iter().chain(self.settings.iter().map(String::as_str));
        let child = self
            .command("postgres")
            .arg("-D")
            .arg(self.data())
            .arg(format!("--port={}", self.port))
            .args(settings.flat_map(|setting| ["-c", setting]))
            .stdin(Stdio::null())
            .stdout(log)
            .stderr(errors)
            .spawn()
            .unwrap();
        self.child = Some(child);
        eventually(PATIENCE, async || {
            if tokio_postgres::connect(&self.url, tokio_postgres::NoTls).await.is_ok() {
                Ok(())
            } else {
                Err(format!("the server does not start: {}", self.log()))
            }
        })
        .await;
    }

    /// Stops it at once, as `pg_ctl stop -m immediate` does: it recovers at the next start.
    pub(crate) async fn stop(&mut self) {
        let Some(mut child) = self.child.take() else { return };
        kill_process(pid(&child), Signal::QUIT).unwrap();
        eventually(PATIENCE, async || {
            if child.try_wait().unwrap().is_some() {
                Ok(())
            } else {
                Err(format!("the server does not stop: {}", self.log()))
            }
        })
        .await;
    }

    /// Copies its data, while it is stopped.
    pub(crate) fn back_up(&self) {
        copy(&self.data(), &self.folder.path().join("backup"));
    }

    /// Restores the copied data, while it is stopped.
    pub(crate) fn restore(&self) {
        fs::remove_dir_all(self.data()).unwrap();
        copy(&self.folder.path().join("backup"), &self.data());
    }

    /// Freezes every process of the server, or resumes them. Connections stay open and silent.
    pub(crate) fn signal_all(&self, signal: Signal) {
        let parent = pid(self.child.as_ref().unwrap());
        // The parent first, so that no child starts and is missed.
        kill_process(parent, signal).unwrap();
        for child in children(parent) {
            let _ = kill_process(child, signal);
        }
    }

    /// The server's log.
    pub(crate) fn log(&self) -> String {
        String::from_utf8_lossy(&fs::read(self.log_path()).unwrap()).into_owned()
    }

    fn data(&self) -> PathBuf {
        self.folder.path().join("data")
    }

    fn log_path(&self) -> PathBuf {
        self.folder.path().join("log")
    }

    /// A program of the server, run as the server's user.
    fn command(&self, program: &str) -> Command {
        let mut command = Command::new(self.programs.join(program));
        command.current_dir(self.folder.path());
        if rustix::process::geteuid().is_root() {
            command.uid(self.owner.0).gid(self.owner.1);
        }
        command
    }
}

impl Drop for OwnServer {
    fn drop(&mut self) {
        if let Some(mut child) = self.child.take() {
            let parent = pid(&child);
            let _ = kill_process(parent, Signal::QUIT);
            // A frozen process handles no signals, so wake it.
            for process in children(parent).into_iter().chain([parent]) {
                let _ = kill_process(process, Signal::CONT);
            }
            let _ = child.wait();
        }
    }
}

fn pid(child: &Child) -> Pid {
    Pid::from_raw(i32::try_from(child.id()).unwrap()).unwrap()
}

/// Copies a folder, with its owners.
fn copy(from: &Path, to: &Path) {
    let status = Command::new("cp").arg("-a").arg(from).arg(to).status().unwrap();
    assert!(status.success(), "{status}");
}

/// The child processes of a process.
fn children(parent: Pid) -> Vec<Pid> {
    let parent = parent.as_raw_nonzero();
    let path = format!("/proc/{parent}/task/{parent}/children");
    let children = fs::read_to_string(path).unwrap_or_default();
    children.split_whitespace().filter_map(|id| Pid::from_raw(id.parse().ok()?)).collect()
}

/// The programs of a database's server, and the user that it runs as, if it is on this machine.
async fn like_that_of(database: &TestDatabase) -> Option<(PathBuf, (u32, u32))> {
    // The process lives as long as the connection.
    let connection = database.postgres().await;
    let row = connection.query_one("SELECT pg_backend_pid()", &[]).await.unwrap();
    let process = PathBuf::from(format!("/proc/{}", row.get::<_, i32>(0)));
    let owner = fs::metadata(&process).ok()?;
    let program = fs::read_link(process.join("exe")).ok()?;
    let is_server = program.file_name()? == "postgres";
    is_server.then(|| (program.with_file_name(""), (owner.uid(), owner.gid())))
}

/// Connects to a database of any server.
/// A separate connection.
pub(crate) async fn connect(url: &str) -> Client {
    let (client, connection) = tokio_postgres::connect(url, NoTls).await.unwrap();
    tokio::spawn(connection);
    client
}
