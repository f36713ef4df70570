//! Row F16: the file of the database, or its folder, has the wrong state.

use std::fs::{self, Permissions};
use std::os::unix::fs::{PermissionsExt, chown};
use std::path::{Path, PathBuf};

use gateward_e2e::{Database, Plan, TestDatabase, program, run};

use crate::support::commands::{complained, said};

/// An unprivileged user.
const NOBODY: u32 = 65_534;

/// A plan whose node has only the rights of the files. Root can open every file, so as root the
/// tests run the node as an unprivileged user.
fn without_rights(database: &TestDatabase) -> Plan {
    let mut plan = Plan::on(database);
    if !rustix::process::geteuid().is_root() {
        return plan;
    }
    let nobody = ["setpriv", "--reuid=65534", "--regid=65534", "--clear-groups"];
    plan.wrapper = nobody.map(str::to_owned).into();
    // The program may be in a folder of root.
    plan.program = plan.folder.join("gateward");
    fs::copy(program(), &plan.program).unwrap();
    give_away(&plan.folder);
    plan
}

/// Changes the owner of all files in a folder to the unprivileged user.
fn give_away(folder: &Path) {
    chown(folder, Some(NOBODY), Some(NOBODY)).unwrap();
    for entry in fs::read_dir(folder).unwrap() {
        chown(entry.unwrap().path(), Some(NOBODY), Some(NOBODY)).unwrap();
    }
}

fn set_mode(path: &Path, mode: u32) {
    fs::set_permissions(path, Permissions::from_mode(mode)).unwrap();
}

/// Row F16: an unwritable file is reported at the start, with its path.
#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn f16_what_cannot_be_written_is_refused_at_the_start() {
    let database = TestDatabase::new(Database::Sqlite).await;
    let plan = without_rights(&database);
    let folder = database.folder.path();
    let file = folder.join("gateward.db");
    said(&run(&plan, &["keys", "list"], ""));

    for (path, mode) in [(&file, 0o400), (&file, 0o000), (&folder.to_owned(), 0o500)] {
        let before = fs::metadata(path).unwrap().permissions().mode();
        set_mode(path, mode);
        let complaint = complained(&run(&plan, &["serve"], ""));
        let migrating = complained(&run(&plan, &["migrate"], ""));
        set_mode(path, before);
        for complaint in [complaint, migrating] {
            assert!(complaint.contains(&path.display().to_string()), "{mode:o}: {complaint}");
            assert!(complaint.contains("write permission"), "{mode:o}: {complaint}");
        }
    }
    said(&run(&plan, &["keys", "list"], ""));
    plan.with("http.docs", false).start().await;
}

/// Row F16: missing files are not created, and no other file is mistaken for a database.
#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn f16_a_path_without_a_database_is_refused_and_stays_as_it_is() {
    let database = TestDatabase::new(Database::Sqlite).await;
    let folder = database.folder.path().to_owned();
    let plan = |path: &Path| {
        Plan::on(&database).with("database.url", format!("sqlite://{}", path.display()))
    };
    let text = folder.join("email.txt");
    fs::write(&text, "Dear Ada, ".repeat(1000)).unwrap();
    let cases: [(PathBuf, &str); 4] = [
        (folder.join("missing.db"), "there is no database at"),
        (folder.join("no/such/folder/gateward.db"), "there is no database at"),
        (folder.clone(), "is not an SQLite database; correct the path"),
        (text.clone(), "is not an SQLite database; correct the path"),
    ];
    for (path, expected) in cases {
        let complaint = complained(&run(&plan(&path), &["serve"], ""));
        assert!(complaint.contains(expected), "{complaint}");
        assert!(complaint.contains(&path.display().to_string()), "{complaint}");
    }
    assert!(!folder.join("missing.db").exists() && !folder.join("no").exists());
    assert_eq!(fs::read_to_string(&text).unwrap(), "Dear Ada, ".repeat(1000));

    for url in ["sqlite://", "sqlite://data/", "sqlite://:memory:", "sqlite://a.db?mode=rwc"] {
        let complaint = complained(&run(&Plan::on(&database).with("database.url", url), &[], ""));
        assert!(complaint.contains("error: database.url is invalid"), "{complaint}");
    }
}
