//! A node as a process: its log, its signals, its end.

use std::path::PathBuf;
use std::process::{Child, ExitStatus, Stdio};
use std::time::Duration;

use rustix::process::{Pid, Signal, kill_process};
use serde_json::Value;

use super::{Node, Place, Plan, command};
use crate::eventually;

/// How long a process may take to start or stop in a test, on a busy machine.
const PATIENCE: Duration = Duration::from_secs(30);

/// The process of a node, and the file of its log.
pub(super) struct Process {
    child: Child,
    log: PathBuf,
}

impl Process {
    pub(super) fn start(plan: &Plan) -> Self {
        let log = tempfile::Builder::new().suffix(".log").tempfile_in(&plan.folder).unwrap();
        let (file, log) = log.keep().unwrap();
        let errors = file.try_clone().unwrap();
        let child = command(plan).stdin(Stdio::null()).stdout(file).stderr(errors).spawn().unwrap();
        Self { child, log }
    }

    pub(super) fn kill(&mut self) {
        let _ = self.child.kill();
        let _ = self.child.wait();
    }

    fn log(&self) -> String {
        std::fs::read_to_string(&self.log).unwrap()
    }

    /// Waits until something is found in the log.
    async fn wait_for<T>(&mut self, what: &str, find: impl Fn(&str) -> Option<T>) -> T {
        eventually(PATIENCE, async || {
            let log = self.log();
            if let Some(found) = find(&log) {
                return Ok(found);
            }
            if let Some(status) = self.child.try_wait().unwrap() {
                panic!("the node ended with {status}:\n{}", self.log());
            }
            Err(format!("no {what}:\n{log}"))
        })
        .await
    }
}

/// The lines of a log in JSON with this message.
fn lines<'a>(log: &'a str, message: &'a str) -> impl Iterator<Item = Value> + 'a {
    let lines = log.lines().filter_map(|line| serde_json::from_str::<Value>(line).ok());
    lines.filter(move |line| line["message"] == message)
}

/// What only a process has. A node in the process of the test panics.
impl Node {
    fn process(&self) -> &Process {
        match &self.place {
            Place::Process(process) => process,
            Place::Here(_) => panic!("this needs a process: Plan::start"),
        }
    }

    fn process_mut(&mut self) -> &mut Process {
        match &mut self.place {
            Place::Process(process) => process,
            Place::Here(_) => panic!("this needs a process: Plan::start"),
        }
    }

    /// Its log so far.
    #[must_use]
    pub fn log(&self) -> String {
        self.process().log()
    }

    /// Waits for a log line with this message, and returns it.
    pub async fn wait_for_line(&mut self, message: &str) -> Value {
        let what = format!("line {message:?}");
        self.process_mut().wait_for(&what, |log| lines(log, message).next()).await
    }

    /// Waits until its log contains a text, and returns the log.
    pub async fn wait_for_text(&mut self, text: &str) -> String {
        let what = format!("text {text:?}");
        let find = |log: &str| log.contains(text).then(|| log.to_owned());
        self.process_mut().wait_for(&what, find).await
    }

    /// All log lines with this message.
    #[must_use]
    pub fn lines(&self, message: &str) -> Vec<Value> {
        lines(&self.log(), message).collect()
    }

    /// Its memory usage, in KiB. Linux only.
    #[must_use]
    pub fn memory_kib(&self) -> u64 {
        let path = format!("/proc/{}/status", self.process().child.id());
        let status = std::fs::read_to_string(path).unwrap();
        let line = status.lines().find(|line| line.starts_with("VmRSS:")).unwrap();
        line.split_whitespace().nth(1).unwrap().parse().unwrap()
    }

    /// Kills it, as a power failure would, if it still runs.
    pub fn kill(&mut self) {
        self.process_mut().kill();
    }

    /// Sends a signal.
    pub fn signal(&self, signal: Signal) {
        kill_process(self.pid(), signal).unwrap();
    }

    /// Its process identifier.
    #[must_use]
    pub fn pid(&self) -> Pid {
        Pid::from_raw(i32::try_from(self.process().child.id()).unwrap()).unwrap()
    }

    /// Waits until it has ended by itself.
    pub async fn ended(&mut self) -> ExitStatus {
        let process = self.process_mut();
        eventually(PATIENCE, async || match process.child.try_wait().unwrap() {
            Some(status) => Ok(status),
            None => Err(format!("the node does not end:\n{}", process.log())),
        })
        .await
    }
}
