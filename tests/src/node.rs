//! `Node`: the real program as a separate process.

use std::collections::BTreeMap;
use std::ffi::OsString;
use std::fs::File;
use std::path::{Path, PathBuf};
use std::process::{Child, Command, ExitStatus, Output, Stdio};
use std::sync::OnceLock;
use std::time::{Duration, Instant};

use rustix::process::{Pid, Signal, kill_process};
use serde_json::Value;

use crate::{Client, TestDatabase};

/// The master key that all nodes of a test share.
pub const MASTER_KEY: &str = "q83vEjRWeJASNFZ4kKvN7wEjRWeJq83vq83vEjRWeJA=";

/// How long a node may take to start or stop in a test, on a busy machine.
const PATIENCE: Duration = Duration::from_secs(30);

/// The settings and environment of a node.
#[derive(Clone)]
pub struct Plan {
    /// The environment, on top of an empty one.
    pub environment: BTreeMap<String, String>,
    /// The working folder.
    pub folder: PathBuf,
    /// Whether [`Plan::start`] waits until the node is ready.
    pub wait: bool,
    /// The program, or a copy of it.
    pub program: PathBuf,
    /// A program with its arguments that starts the program, such as `setpriv`.
    pub wrapper: Vec<String>,
}

/// A running node. It is killed when dropped.
pub struct Node {
    child: Child,
    /// The URL of its API, such as `http://127.0.0.1:12345`.
    pub url: String,
    /// The URL of its metrics.
    pub ops_url: String,
    log: PathBuf,
}

/// The program. Cargo builds it before the tests of its package.
pub fn program() -> &'static Path {
    static PROGRAM: OnceLock<PathBuf> = OnceLock::new();
    PROGRAM.get_or_init(|| {
        // This test is in target/debug/deps, the program in target/debug.
        let deps = std::env::current_exe().unwrap();
        let program = deps.parent().and_then(Path::parent).unwrap().join("gateward");
        assert!(program.is_file(), "run: cargo build --package gateward-server");
        program
    })
}

/// Runs a command of the program to its end, with only the given environment.
#[must_use]
pub fn run(plan: &Plan, arguments: &[&str], input: &str) -> Output {
    use std::io::Write;
    let mut child = command(plan)
        .args(arguments)
        .stdin(Stdio::piped())
        .stdout(Stdio::piped())
        .stderr(Stdio::piped())
        .spawn()
        .unwrap();
    // A program that has already ended does not read.
    let _ = child.stdin.take().unwrap().write_all(input.as_bytes());
    child.wait_with_output().unwrap()
}

fn command(plan: &Plan) -> Command {
    let mut words = plan.wrapper.iter().map(OsString::from).chain([plan.program.clone().into()]);
    let mut command = Command::new(words.next().unwrap());
    command.args(words).current_dir(&plan.folder).env_clear().envs(&plan.environment);
    command
}

impl Plan {
    /// The plan of a node that sets only free ports.
    #[must_use]
    pub fn bare(folder: &Path) -> Self {
        let environment =
            ["GATEWARD__HTTP__LISTEN", "GATEWARD__OPS__LISTEN"].map(|name| (name, "127.0.0.1:0"));
        let environment = environment.map(|(name, value)| (name.to_owned(), value.to_owned()));
        Self {
            environment: environment.into(),
            folder: folder.to_owned(),
            wait: true,
            program: program().to_owned(),
            wrapper: Vec::new(),
        }
    }

    /// The plan of a node on a database: free ports, cheap hashes, logs as JSON.
    #[must_use]
    pub fn on(database: &TestDatabase) -> Self {
        let environment = [
            ("GATEWARD__DATABASE__URL", database.url.as_str()),
            ("GATEWARD__HTTP__LISTEN", "127.0.0.1:0"),
            ("GATEWARD__OPS__LISTEN", "127.0.0.1:0"),
            ("GATEWARD__KEYS__MASTER_KEY", MASTER_KEY),
            ("GATEWARD__PASSWORD__ARGON2_MEMORY_KIB", "7168"),
            ("GATEWARD__PASSWORD__ARGON2_ITERATIONS", "1"),
            ("GATEWARD__DATABASE__POOL_SIZE", "8"),
            ("GATEWARD__LOG__FORMAT", "json"),
            ("GATEWARD__RATE_LIMIT__ENABLED", "false"),
        ];
        let environment = environment.map(|(name, value)| (name.to_owned(), value.to_owned()));
        let folder = database.folder.path().to_owned();
        Self { environment: environment.into(), ..Self::bare(&folder) }
    }

    /// The same with another setting, such as `with("tokens.access_ttl_seconds", 20)`.
    #[must_use]
    pub fn with(mut self, option: &str, value: impl std::fmt::Display) -> Self {
        let variable = option.to_uppercase().replace('.', "__");
        self.environment.insert(format!("GATEWARD__{variable}"), value.to_string());
        self
    }

    /// Starts a node without waiting for anything.
    #[must_use]
    pub fn launch(&self) -> Node {
        let log = tempfile::Builder::new().suffix(".log").tempfile_in(&self.folder).unwrap();
        let (file, path) = log.keep().unwrap();
        self.spawn(file, path)
    }

    /// Starts a node and waits until it is ready.
    pub async fn start(&self) -> Node {
        let mut node = self.launch();
        let listening = node.wait_for_line("listening").await;
        let scheme = if self.environment.contains_key("GATEWARD__HTTP__TLS_CERT") {
            "https"
        } else {
            "http"
        };
        node.url = format!("{scheme}://{}", listening["address"].as_str().unwrap());
        node.ops_url = format!("http://{}", listening["ops_address"].as_str().unwrap());
        if self.wait {
            node.wait_for_line("ready").await;
        }
        node
    }

    /// The command that starts a node, to redirect its output.
    #[must_use]
    pub fn command(&self) -> Command {
        command(self)
    }

    fn spawn(&self, log: File, path: PathBuf) -> Node {
        let errors = log.try_clone().unwrap();
        let child = command(self).stdin(Stdio::null()).stdout(log).stderr(errors).spawn().unwrap();
        Node { child, url: String::new(), ops_url: String::new(), log: path }
    }
}

impl Node {
    /// A client of this node.
    #[must_use]
    pub fn client(&self) -> Client {
        Client::new(&self.url)
    }

    /// Its log so far.
    #[must_use]
    pub fn log(&self) -> String {
        std::fs::read_to_string(&self.log).unwrap()
    }

    /// Waits for a log line with this message, and returns it.
    pub async fn wait_for_line(&mut self, message: &str) -> Value {
        let started = Instant::now();
        loop {
            let log = self.log();
            let lines = log.lines().filter_map(|line| serde_json::from_str::<Value>(line).ok());
            if let Some(line) = lines.into_iter().find(|line| line["message"] == message) {
                return line;
            }
            if let Some(status) = self.child.try_wait().unwrap() {
                panic!("the node ended with {status}:\n{}", self.log());
            }
            assert!(started.elapsed() < PATIENCE, "no line {message:?}:\n{log}");
            tokio::time::sleep(Duration::from_millis(10)).await;
        }
    }

    /// Waits until its log contains a text, and returns the log.
    pub async fn wait_for_text(&mut self, text: &str) -> String {
        let started = Instant::now();
        loop {
            let log = self.log();
            if log.contains(text) {
                return log;
            }
            if let Some(status) = self.child.try_wait().unwrap() {
                panic!("the node ended with {status}:\n{}", self.log());
            }
            assert!(started.elapsed() < PATIENCE, "no text {text:?}:\n{log}");
            tokio::time::sleep(Duration::from_millis(10)).await;
        }
    }

    /// All log lines with this message.
    #[must_use]
    pub fn lines(&self, message: &str) -> Vec<Value> {
        let log = self.log();
        let lines = log.lines().filter_map(|line| serde_json::from_str::<Value>(line).ok());
        lines.filter(|line| line["message"] == message).collect()
    }

    /// Its memory usage, in KiB. Linux only.
    #[must_use]
    pub fn memory_kib(&self) -> u64 {
        let path = format!("/proc/{}/status", self.child.id());
        let status = std::fs::read_to_string(path).unwrap();
        let line = status.lines().find(|line| line.starts_with("VmRSS:")).unwrap();
        line.split_whitespace().nth(1).unwrap().parse().unwrap()
    }

    /// Sends a signal.
    pub fn signal(&self, signal: Signal) {
        kill_process(self.pid(), signal).unwrap();
    }

    /// Its process identifier.
    #[must_use]
    pub fn pid(&self) -> Pid {
        Pid::from_raw(i32::try_from(self.child.id()).unwrap()).unwrap()
    }

    /// Kills it, as a power failure would, and waits until it is gone.
    pub fn kill(&mut self) {
        let _ = self.child.kill();
        let _ = self.child.wait();
    }

    /// Waits until it has ended by itself.
    pub async fn ended(&mut self) -> ExitStatus {
        let started = Instant::now();
        loop {
            if let Some(status) = self.child.try_wait().unwrap() {
                return status;
            }
            assert!(started.elapsed() < PATIENCE, "the node does not end:\n{}", self.log());
            tokio::time::sleep(Duration::from_millis(10)).await;
        }
    }
}

impl Drop for Node {
    fn drop(&mut self) {
        self.kill();
    }
}
