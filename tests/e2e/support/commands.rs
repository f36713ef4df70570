//! What commands of the program print, and the command that creates an administrator.

use std::process::Output;

use gateward_e2e::{Plan, run};

/// The standard output of a successful command.
#[track_caller]
pub(crate) fn said(output: &Output) -> String {
    assert!(output.status.success(), "{output:?}");
    assert!(output.stderr.is_empty(), "{output:?}");
    String::from_utf8(output.stdout.clone()).unwrap()
}

/// The errors of a failed command, in lines that each start with `error: `.
#[track_caller]
pub(crate) fn complained(output: &Output) -> String {
    assert_eq!(output.status.code(), Some(1), "{output:?}");
    assert!(output.stdout.is_empty(), "{output:?}");
    let complaint = String::from_utf8(output.stderr.clone()).unwrap();
    assert!(complaint.lines().all(|line| line.starts_with("error: ")), "{complaint}");
    complaint
}

/// Creates an administrator. The input is the password.
pub(crate) fn create(plan: &Plan, (name, email): (&str, &str), input: &str) -> Output {
    let arguments =
        ["user", "create", "--username", name, "--email", email, "--admin", "--password-stdin"];
    run(plan, &arguments, input)
}

/// Runs a command while the nodes of this test go on. It must succeed.
pub(crate) async fn run_beside(plan: &Plan, arguments: &[&str]) -> Output {
    let plan = plan.clone();
    let arguments: Vec<String> = arguments.iter().map(ToString::to_string).collect();
    let running = tokio::task::spawn_blocking(move || {
        let arguments: Vec<&str> = arguments.iter().map(String::as_str).collect();
        run(&plan, &arguments, "")
    });
    let output = running.await.unwrap();
    assert!(output.status.success(), "{}", String::from_utf8_lossy(&output.stderr));
    output
}
