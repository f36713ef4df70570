//! `Node`: a node of the real program.

mod process;

use std::collections::BTreeMap;
use std::ffi::OsString;
use std::path::{Path, PathBuf};
use std::process::{Command, Output, Stdio};
use std::sync::{LazyLock, OnceLock, mpsc};

use gateward_server::EmbeddedNode;
use rustix::process::Signal;
use tokio::runtime::{Builder, Runtime};

use self::process::Process;
use crate::{Client, TestDatabase};

/// The master key that all nodes of a test share.
pub const MASTER_KEY: &str = "q83vEjRWeJASNFZ4kKvN7wEjRWeJq83vq83vEjRWeJA=";

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

/// A running node, in a process of its own or in that of the test. It is killed when dropped.
pub struct Node {
    /// The URL of its API, such as `http://127.0.0.1:12345`.
    pub url: String,
    /// The URL of its metrics.
    pub ops_url: String,
    place: Place,
}

/// Where a node runs.
enum Place {
    Process(Process),
    /// In the process of the test. Empty once it is killed.
    Here(Option<EmbeddedNode>),
}

/// Where the nodes in the process of the test run. It outlives the runtime of each test, as a node
/// must.
static RUNTIME: LazyLock<Runtime> =
    LazyLock::new(|| Builder::new_multi_thread().worker_threads(2).enable_all().build().unwrap());

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

    /// The same with other settings.
    #[must_use]
    pub fn with_all(self, settings: &[(&str, &str)]) -> Self {
        settings.iter().fold(self, |plan, (option, value)| plan.with(option, value))
    }

    /// Starts a node in this process, which takes a fraction of the time of [`Plan::start`]: the
    /// same settings, adapters, listeners and background jobs. It has no process, no signals and no
    /// log, and sees the clock and the working folder of the test.
    pub async fn serve(&self) -> Node {
        let is_setting = |variable: &String| variable.starts_with("GATEWARD_");
        let unchanged = self.wrapper.is_empty() && self.program == program();
        assert!(
            unchanged && self.environment.keys().all(is_setting),
            "this needs a process: Plan::start"
        );
        let environment = self.environment.clone();
        let started = RUNTIME.spawn(async move { EmbeddedNode::start(&environment).await });
        let node = started.await.unwrap().unwrap_or_else(|error| panic!("{error:#}"));
        Node {
            url: format!("{}://{}", self.scheme(), node.address),
            ops_url: format!("http://{}", node.ops_address),
            place: Place::Here(Some(node)),
        }
    }

    /// Starts a process without waiting for anything.
    #[must_use]
    pub fn launch(&self) -> Node {
        let place = Place::Process(Process::start(self));
        Node { url: String::new(), ops_url: String::new(), place }
    }

    /// Starts a process and waits until it is ready.
    pub async fn start(&self) -> Node {
        let mut node = self.launch();
        let listening = node.wait_for_line("listening").await;
        node.url = format!("{}://{}", self.scheme(), listening["address"].as_str().unwrap());
        node.ops_url = format!("http://{}", listening["ops_address"].as_str().unwrap());
        if self.wait {
            node.wait_for_line("ready").await;
        }
        node
    }

    /// The command that starts a process, to redirect its output.
    #[must_use]
    pub fn command(&self) -> Command {
        command(self)
    }

    fn scheme(&self) -> &'static str {
        if self.environment.contains_key("GATEWARD__HTTP__TLS_CERT") { "https" } else { "http" }
    }
}

impl Node {
    /// A client of this node.
    #[must_use]
    pub fn client(&self) -> Client {
        Client::new(&self.url)
    }

    /// Stops it, as an operator would.
    pub async fn stop(&mut self) {
        match &mut self.place {
            Place::Process(_) => {
                self.signal(Signal::TERM);
                assert!(self.ended().await.success(), "{}", self.log());
            }
            Place::Here(node) => {
                let node = node.take().expect("a running node");
                RUNTIME.spawn(node.stop()).await.unwrap();
            }
        }
    }
}

/// A process is killed. A node in the process of the test closes its connections and drops its jobs;
/// afterwards it accepts no connections.
impl Drop for Node {
    fn drop(&mut self) {
        match &mut self.place {
            Place::Process(process) => process.kill(),
            Place::Here(node) => {
                let Some(node) = node.take() else { return };
                let (done, killed) = mpsc::channel();
                RUNTIME.spawn(async move {
                    node.kill().await;
                    let _ = done.send(());
                });
                let _ = killed.recv();
            }
        }
    }
}
