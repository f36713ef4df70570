//! Requests that Schemathesis generates from the API document, valid and invalid ones (row F32):
//! each gets a documented response, no invalid one is accepted, and none without credentials.
//!
//! `make packages` installs Schemathesis. Without it this test is skipped with a message, or fails
//! in the gate.

use std::io::Write;
use std::process::Command;

use gateward_e2e::{not_checked, root, rounds};

use crate::support::api::{CLIENT, CLIENT_SECRET};
use crate::support::commands::{create, said};
use crate::support::test_server::TestServer;

/// How many requests of each kind are generated for each operation.
const EXAMPLES: u32 = 4;

/// The administrator as whom Schemathesis logs in. No example in the document has the username or
/// the password: the examples are requests too, and one of them changes the password.
const ADMIN: &str = "root.of.all";
const ADMIN_EMAIL: &str = "root.of.all@example.org";
const ADMIN_PASSWORD: &str = "a staple in no example";

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn f32_generated_requests_get_documented_responses() {
    let program = root().join("target/schemathesis/bin/schemathesis");
    if !program.is_file() {
        not_checked("the API document by Schemathesis; install it with `make packages`");
        return;
    }
    let server = TestServer::with(&CLIENT).await;
    said(&create(&server.plan, (ADMIN, ADMIN_EMAIL), ADMIN_PASSWORD));
    let folder = tempfile::tempdir().unwrap();
    let output = Command::new(program)
        .args(["--no-color", "--config-file"])
        .arg(root().join("tests/schemathesis/schemathesis.toml"))
        .args(["run", "--seed=1", &format!("--max-examples={}", rounds(EXAMPLES))])
        .arg(root().join("openapi.json"))
        .env("GATEWARD_URL", &server.client.url)
        .env("GATEWARD_CLIENT_SECRET", CLIENT_SECRET)
        .env("GATEWARD_EMAIL", ADMIN_EMAIL)
        .env("GATEWARD_PASSWORD", ADMIN_PASSWORD)
        .current_dir(folder.path())
        .output()
        .expect("Schemathesis runs");
    let text = String::from_utf8_lossy(&output.stdout);
    let errors = String::from_utf8_lossy(&output.stderr);
    assert!(output.status.success(), "{text}\n{errors}");
    let count = text.lines().find(|line| line.contains(" generated")).unwrap_or_default();
    let _ = writeln!(std::io::stdout(), "Schemathesis: {}", count.trim());
    assert_eq!(server.client.login(ADMIN_EMAIL, ADMIN_PASSWORD).await.status, 200);
}
