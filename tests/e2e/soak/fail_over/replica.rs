//! `Replica`: a second Postgres server that follows the first and can take over.

use std::fs;
use std::net::TcpListener;
use std::os::unix::fs::{MetadataExt, chown};
use std::os::unix::process::CommandExt;
use std::path::{Path, PathBuf};
use std::process::{Child, Command, Stdio};
use std::time::Duration;

use gateward_e2e::eventually;
use rustix::process::{Pid, Signal, kill_process};
use tempfile::TempDir;
use tokio_postgres::{Client, NoTls};

use crate::support::own_server::{OwnServer, SETTINGS, connect};

/// How long any operation on the servers may take.
const PATIENCE: Duration = Duration::from_secs(30);

/// A hot standby of a test's own server; stopped and removed when dropped.
pub(crate) struct Replica {
    pub(crate) port: u16,
    child: Child,
    folder: TempDir,
}

impl Replica {
    /// Copies the primary and follows it.
    pub(crate) async fn of(primary: &OwnServer) -> Self {
        let (programs, owner) = server_of(&connect(&primary.url).await).await;
        let folder = tempfile::Builder::new().prefix("gateward-two.").tempdir_in("/tmp").unwrap();
        chown(folder.path(), Some(owner.0), Some(owner.1)).unwrap();
        let command = |program: &str| {
            let mut command = Command::new(programs.join(program));
            command.current_dir(folder.path()).stdin(Stdio::null());
            if rustix::process::geteuid().is_root() {
                command.uid(owner.0).gid(owner.1);
            }
            command
        };
        let copied = command("pg_basebackup")
            .args(["--write-recovery-conf", "--checkpoint=fast", "--no-sync", "--pgdata=data"])
            .arg(format!("--dbname={}", primary.url))
            .output()
            .unwrap();
        assert!(copied.status.success(), "{copied:?}");
        let port = TcpListener::bind("127.0.0.1:0").unwrap().local_addr().unwrap().port();
        let log = fs::File::create(folder.path().join("log")).unwrap();
        let child = command("postgres")
            .args(["-D", "data"])
            .arg(format!("--port={port}"))
            .args(SETTINGS.iter().flat_map(|setting| ["-c", setting]))
            .stdout(log.try_clone().unwrap())
            .stderr(log)
            .spawn()
            .unwrap();
        let replica = Self { port, child, folder };
        until("the replica answers", async || {
            tokio_postgres::connect(&replica.url(), NoTls).await.is_ok()
        })
        .await;
        replica
    }

    pub(crate) fn url(&self) -> String {
        format!("postgres://gateward@127.0.0.1:{}/postgres", self.port)
    }

    /// Waits until it has everything that the primary has committed so far.
    pub(crate) async fn catch_up(&self, primary: &OwnServer) {
        let primary = connect(&primary.url).await;
        let row = primary.query_one("SELECT pg_current_wal_lsn()::text", &[]).await.unwrap();
        let there: String = row.get(0);
        let replica = connect(&self.url()).await;
        let sql = format!("SELECT coalesce(pg_last_wal_replay_lsn() >= '{there}', false)");
        until("the replica catches up", async || is_true(&replica, &sql).await).await;
    }

    /// Stops following: new commits of the primary do not reach it.
    pub(crate) async fn fall_behind(&self) {
        let replica = connect(&self.url()).await;
        replica.batch_execute("ALTER SYSTEM SET primary_conninfo = ''").await.unwrap();
        replica.batch_execute("SELECT pg_reload_conf()").await.unwrap();
        let sql = "SELECT count(*) = 0 FROM pg_stat_wal_receiver";
        until("the replica is cut off", async || is_true(&replica, sql).await).await;
    }

    /// Takes over.
    pub(crate) async fn promote(&self) {
        let replica = connect(&self.url()).await;
        assert!(is_true(&replica, "SELECT pg_promote()").await, "{}", self.log());
    }

    fn log(&self) -> String {
        fs::read_to_string(self.folder.path().join("log")).unwrap()
    }
}

impl Drop for Replica {
    fn drop(&mut self) {
        let process = Pid::from_raw(i32::try_from(self.child.id()).unwrap()).unwrap();
        let _ = kill_process(process, Signal::QUIT);
        let _ = self.child.wait();
    }
}

async fn is_true(client: &Client, sql: &str) -> bool {
    client.query_one(sql, &[]).await.unwrap().get(0)
}

async fn until(what: &str, mut is_so: impl AsyncFnMut() -> bool) {
    eventually(PATIENCE, async || {
        if is_so().await { Ok(()) } else { Err(format!("it takes too long until {what}")) }
    })
    .await;
}

/// The programs of the server, and the user that it runs as.
async fn server_of(client: &Client) -> (PathBuf, (u32, u32)) {
    let row = client.query_one("SELECT pg_backend_pid()", &[]).await.unwrap();
    let process = PathBuf::from(format!("/proc/{}", row.get::<_, i32>(0)));
    let owner = fs::metadata(&process).unwrap();
    let program = fs::read_link(process.join("exe")).unwrap();
    (program.parent().map(Path::to_owned).unwrap(), (owner.uid(), owner.gid()))
}
