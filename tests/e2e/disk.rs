//! Row F13: the disk under SQLite is full. Writes fail without partial effects, and work again once
//! there is space.

use std::fs::{self, File};
use std::io::Write;
use std::path::{Path, PathBuf};
use std::process::Command;

use gateward_e2e::{Client, Database, Node, PASSWORD, Plan, TestDatabase, not_checked};
use rustix::process::{Pid, Resource, Rlimit, getrlimit, prlimit};

/// A full disk: a small volume where this process may mount one, else a limit on the node's files,
/// which SQLite sees as a write error.
enum Disk {
    Mounted(PathBuf),
    Limited,
}

impl Disk {
    fn under(folder: &Path) -> Self {
        let mount = Command::new("mount")
            .args(["-t", "tmpfs", "-o", "size=2m", "tmpfs"])
            .arg(folder)
            .output();
        if mount.is_ok_and(|output| output.status.success()) {
            return Self::Mounted(folder.to_owned());
        }
        // If no volume can be mounted, the size of the node's files is limited instead.
        Self::Limited
    }

    /// Fills the disk.
    fn fill(&self, node: &Node, journal: &Path) {
        match self {
            Self::Mounted(folder) => {
                let mut filler = File::create(folder.join("filler")).unwrap();
                for size in [4096, 1] {
                    while filler.write_all(&vec![0; size]).is_ok() {}
                }
            }
            Self::Limited => limit(node.pid(), Some(fs::metadata(journal).unwrap().len())),
        }
    }

    fn free(&self, node: &Node) {
        match self {
            Self::Mounted(folder) => fs::remove_file(folder.join("filler")).unwrap(),
            Self::Limited => limit(node.pid(), None),
        }
    }
}

impl Drop for Disk {
    fn drop(&mut self) {
        if let Self::Mounted(folder) = self {
            let _ = Command::new("umount").arg("--lazy").arg(folder).status();
        }
    }
}

/// Sets the maximum file size of a process.
fn limit(pid: Pid, most: Option<u64>) {
    let maximum = getrlimit(Resource::Fsize).maximum;
    prlimit(Some(pid), Resource::Fsize, Rlimit { current: most, maximum }).unwrap();
}

/// Row F13.
#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn f13_a_full_disk_refuses_writes_whole_and_heals_when_there_is_room() {
    let database = TestDatabase::new(Database::Sqlite).await;
    let small = database.folder.path().join("small");
    fs::create_dir(&small).unwrap();
    let disk = Disk::under(&small);
    let file = small.join("gateward.db");
    let mut plan = Plan::on(&database).with("database.url", format!("sqlite://{}", file.display()));
    // A process that writes more than its limit is killed unless it ignores the signal.
    plan.wrapper = ["sh", "-c", "trap '' XFSZ; exec \"$0\" \"$@\""].map(str::to_owned).into();
    let made = gateward_e2e::run(&plan, &["migrate"], "");
    assert!(made.status.success(), "{made:?}");
    let node = plan.start().await;
    let client = node.client();
    let pair = client.begin("ada").await;

    disk.fill(&node, &small.join("gateward.db-wal"));
    let refused = fill_with_users(&client).await;
    client.login("ada", PASSWORD).await.is(503, "unavailable");
    client.refresh(pair.refresh_token(), Some("key")).await.is(503, "unavailable");
    client.logout(pair.refresh_token()).await.is(503, "unavailable");
    assert_eq!(client.me(pair.access()).await.status, 200, "what only reads goes on");
    assert_eq!(client.get("/health/live").await.status, 200);

    disk.free(&node);
    // No partial writes: the account does not exist, and the refresh token is unchanged.
    client.login(&refused, PASSWORD).await.is(401, "invalid_credentials");
    assert_eq!(client.signup(&refused).await.status, 201);
    assert_eq!(client.login(&refused, PASSWORD).await.status, 200);
    let next = client.refresh(pair.refresh_token(), Some("other")).await;
    assert_eq!(next.status, 200, "{next:?}");
    assert_eq!(client.logout(next.refresh_token()).await.status, 204);
    check_integrity(&file);

    // Each failed request logs its cause once.
    let causes = node.lines("the store is unavailable");
    assert!(causes.len() >= 3, "{}", node.log());
}

/// Signs users up until one is refused, and returns the name of that one. All others exist.
async fn fill_with_users(client: &Client) -> String {
    for number in 0..2_000 {
        let name = format!("user-{number}");
        let response = client.signup(&name).await;
        if response.status != 201 {
            response.is(503, "unavailable");
            for name in (0..number).map(|number| format!("user-{number}")) {
                client.signup(&name).await.is(409, "username_taken");
            }
            return name;
        }
    }
    panic!("the disk does not become full");
}

/// Has SQLite check the integrity of the file.
fn check_integrity(file: &Path) {
    let mut command = Command::new("sqlite3");
    match command.arg(file).arg("PRAGMA integrity_check").output() {
        Ok(output) => assert_eq!(String::from_utf8_lossy(&output.stdout), "ok\n", "{output:?}"),
        Err(error) => not_checked(&format!("f13: the file: sqlite3 is not here: {error}")),
    }
}
