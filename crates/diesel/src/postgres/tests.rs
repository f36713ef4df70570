//! The promises of the ports on Postgres, and failures of a server.

mod conformance {
    use gateward_testkit::Subject;

    use crate::testing::PostgresDatabase;

    async fn fresh() -> Subject {
        let database = PostgresDatabase::migrated().await;
        Subject::guarded(database.store(), database)
    }

    gateward_testkit::conformance!(fresh().await);
}

mod audit;
mod faults;
mod feed;
mod mail;
mod plans;
mod statements;
mod tls;
