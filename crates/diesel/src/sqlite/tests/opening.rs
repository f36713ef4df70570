//! Opening a file: problems are reported at once, and no file is replaced by an empty one.

use std::fs;
use std::os::unix::fs::PermissionsExt;

use crate::testing::SqliteDatabase;
use crate::{CreateIfMissing, MigrateError, OpenError, SqliteStore, migrate, pending};

#[tokio::test]
async fn f16_a_file_that_has_vanished_does_not_come_back_empty() {
    let database = SqliteDatabase::migrated().await;
    fs::remove_file(database.folder.path().join("gateward.db")).unwrap();
    let refused = SqliteStore::open(&database.url, CreateIfMissing::No).await;
    assert!(
        matches!(refused.unwrap_err(), OpenError::Missing(path) if path.ends_with("gateward.db"))
    );
    let refused = pending(&database.url).await.unwrap_err();
    assert!(matches!(refused, MigrateError::Open(OpenError::Missing(_))));
    assert!(!database.folder.path().join("gateward.db").exists());
}

#[tokio::test]
async fn a_new_file_is_its_owners_alone_and_so_is_its_journal() {
    let database = SqliteDatabase::missing();
    let folder = database.folder.path().join("some/new folder");
    let url = format!("sqlite://{}/100% new.db", folder.display());
    migrate(&url, CreateIfMissing::Yes).await.unwrap();
    let _open = SqliteStore::open(&url, CreateIfMissing::No).await.unwrap();
    for name in ["100% new.db", "100% new.db-wal"] {
        let mode = fs::metadata(folder.join(name)).unwrap().permissions().mode();
        assert_eq!(mode & 0o777, 0o600, "{name}");
    }
}

#[tokio::test]
async fn f16_what_cannot_be_written_is_named() {
    let database = SqliteDatabase::migrated().await;
    let file = database.folder.path().join("gateward.db");
    for (path, mode) in [(file.clone(), 0o400), (database.folder.path().to_owned(), 0o500)] {
        let before = fs::metadata(&path).unwrap().permissions();
        fs::set_permissions(&path, fs::Permissions::from_mode(mode)).unwrap();
        let refused = SqliteStore::open(&database.url, CreateIfMissing::Yes).await.unwrap_err();
        fs::set_permissions(&path, before).unwrap();
        let text = refused.to_string();
        assert!(matches!(refused, OpenError::NotWritable(named) if named == path), "{text}");
        assert!(text.contains("give the user that runs gateward write permission"), "{text}");
    }
    assert!(SqliteStore::open(&database.url, CreateIfMissing::No).await.is_ok());
}

#[tokio::test]
async fn a_folder_that_cannot_be_made_is_named() {
    let database = SqliteDatabase::migrated().await;
    let url = format!("{}/below/a.db", database.url);
    let refused = SqliteStore::open(&url, CreateIfMissing::Yes).await.unwrap_err();
    assert!(matches!(&refused, OpenError::Folder(folder, _) if folder.ends_with("below")));
}

#[tokio::test]
async fn a_file_of_another_kind_is_refused_and_left_alone() {
    let database = SqliteDatabase::missing();
    let file = database.folder.path().join("gateward.db");
    let message = "Dear Ada, ".repeat(500);
    fs::write(&file, &message).unwrap();
    let refused = migrate(&database.url, CreateIfMissing::Yes).await.unwrap_err();
    assert!(matches!(refused, MigrateError::Open(OpenError::NotADatabase(path)) if path == file));
    assert_eq!(fs::read_to_string(&file).unwrap(), message);
    let folder = format!("sqlite://{}", database.folder.path().display());
    let refused = SqliteStore::open(&folder, CreateIfMissing::Yes).await.unwrap_err();
    assert!(matches!(refused, OpenError::NotADatabase(_)));
}
