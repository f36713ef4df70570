//! The same requests to the real package and to Gateward, case by case.

use gateward_e2e::{Database, TestDatabase};

use super::{python, run_program, start};

const COMPARE: &str = "tests/dialects/compare.py";

async fn compare(package: &str, settings: &[(&str, &str)]) {
    let Some(python) = python() else { return };
    let database = TestDatabase::new(Database::Sqlite).await;
    let Some((_node, context)) = start(&database, settings).await else { return };
    run_program(&python, &[COMPARE, package], &context);
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn simplejwt_responds_as_the_package_does() {
    compare("simplejwt", &[("dialects.enabled", "simplejwt")]).await;
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn flask_with_headers_responds_as_the_package_does() {
    compare("flask-header", &[("dialects.enabled", "flask")]).await;
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn flask_with_cookies_responds_as_the_package_does() {
    let cookie = ("dialects.flask_transport", "cookie");
    compare("flask-cookie", &[("dialects.enabled", "flask"), cookie]).await;
}
