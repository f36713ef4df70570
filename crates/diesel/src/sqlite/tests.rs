//! The promises of the ports on SQLite, and failures of a file.

mod conformance {
    use gateward_testkit::Subject;

    use crate::testing::SqliteDatabase;

    async fn fresh() -> Subject {
        let database = SqliteDatabase::migrated().await;
        Subject::guarded(database.store().await, database)
    }

    gateward_testkit::conformance!(fresh().await);
}

mod audit;
mod faults;
mod feed;
mod mail;
mod opening;
mod plans;
