//! `Node`: the release program as a separate process, with the settings of production.

use std::collections::BTreeMap;
use std::fs::File;
use std::io::{ErrorKind, Read, Write};
use std::net::{Ipv4Addr, SocketAddr, TcpListener, TcpStream};
use std::path::{Path, PathBuf};
use std::process::{Child, Command, Stdio};
use std::sync::{Mutex, PoisonError};
use std::time::{Duration, Instant};

use anyhow::{Context, bail, ensure};
use rustix::process::{Pid, Signal, kill_process};

/// How long a process may take to start or to stop.
const PATIENCE: Duration = Duration::from_secs(30);

/// The pause between two attempts to reach a process that starts.
const POLL: Duration = Duration::from_millis(1);

/// The processes that run, so that a signal can end them.
static RUNNING: Mutex<Vec<Pid>> = Mutex::new(Vec::new());

/// Kills all processes that the benchmark has started.
pub(crate) fn kill_all() {
    for pid in RUNNING.lock().unwrap_or_else(PoisonError::into_inner).drain(..) {
        // It may have ended already.
        let _ = kill_process(pid, Signal::KILL);
    }
}

/// A process that is killed when dropped.
pub(crate) struct Process(Child);

impl Process {
    pub(crate) fn spawn(command: &mut Command) -> anyhow::Result<Self> {
        // Under the lock, so that a signal does not miss a process that was just started.
        let mut running = RUNNING.lock().unwrap_or_else(PoisonError::into_inner);
        let child = command.spawn();
        let child =
            child.with_context(|| format!("cannot start {}", command.get_program().display()))?;
        running.push(Pid::from_child(&child));
        Ok(Self(child))
    }

    /// Asks the process to stop, and waits until it has.
    fn stop(&mut self) -> anyhow::Result<()> {
        kill_process(Pid::from_child(&self.0), Signal::TERM)?;
        let started = Instant::now();
        while self.0.try_wait()?.is_none() {
            ensure!(started.elapsed() < PATIENCE, "a process does not stop");
            std::thread::sleep(POLL);
        }
        Ok(())
    }

    /// Returns a line of its status in kibibytes, such as `VmRSS`.
    fn status_kib(&self, name: &str) -> anyhow::Result<u64> {
        let status = std::fs::read_to_string(format!("/proc/{}/status", self.0.id()))?;
        memory_line(&status, name).with_context(|| format!("the system does not report {name}"))
    }
}

impl Drop for Process {
    fn drop(&mut self) {
        let mut running = RUNNING.lock().unwrap_or_else(PoisonError::into_inner);
        running.retain(|pid| *pid != Pid::from_child(&self.0));
        let _ = self.0.kill();
        let _ = self.0.wait();
    }
}

/// Finds a number of kibibytes in a file like `/proc/PID/status`.
fn memory_line(status: &str, name: &str) -> Option<u64> {
    let line = status.lines().find_map(|line| line.strip_prefix(name)?.strip_prefix(':'))?;
    line.split_whitespace().next()?.parse().ok()
}

/// The program and the settings that all its nodes share.
#[derive(Clone)]
pub(crate) struct Program {
    pub(crate) path: PathBuf,
    folder: PathBuf,
    environment: BTreeMap<&'static str, String>,
}

impl Program {
    /// The program at this path, with files in `folder`.
    ///
    /// Only settings without a usable default are set, besides the algorithm.
    pub(crate) fn new(path: &Path, folder: &Path, algorithm: &str) -> anyhow::Result<Self> {
        let path = path.canonicalize();
        let path = path.context("cannot find the program; build it with `make release`")?;
        let environment = BTreeMap::from([
            ("GATEWARD_MODE", "production".to_owned()),
            ("GATEWARD__KEYS__ALGORITHM", algorithm.to_owned()),
            // All nodes of a database share the issuer, whatever their port.
            ("GATEWARD__TOKENS__ISSUER", "http://127.0.0.1".to_owned()),
            ("GATEWARD__MAIL__FROM", "Benchmark <benchmark@example.org>".to_owned()),
            // No measured request sends an email, so no server is needed.
            ("GATEWARD__MAIL__SMTP_URL", "smtp://127.0.0.1:1".to_owned()),
        ]);
        let mut program = Self { path, folder: folder.to_owned(), environment };
        let key = program.run(&["keys", "generate-master"], "")?;
        program.environment.insert("GATEWARD__KEYS__MASTER_KEY", key.trim().to_owned());
        Ok(program)
    }

    /// The same program on a database.
    pub(crate) fn on(&self, database_url: &str) -> Self {
        let mut program = self.clone();
        program.environment.insert("GATEWARD__DATABASE__URL", database_url.to_owned());
        program
    }

    /// The same program in development mode, as `make run` starts it: it creates the SQLite
    /// database and the master key in this folder by itself.
    pub(crate) fn in_development(&self, folder: &Path) -> Self {
        let mut program = self.clone();
        folder.clone_into(&mut program.folder);
        program.environment.insert("GATEWARD_MODE", "development".to_owned());
        program.environment.remove("GATEWARD__KEYS__MASTER_KEY");
        program
    }

    /// Runs a command to its end and returns what it printed.
    pub(crate) fn run(&self, arguments: &[&str], input: &str) -> anyhow::Result<String> {
        let mut command = self.command(&self.environment);
        command.args(arguments).stdin(Stdio::piped()).stdout(Stdio::piped());
        let mut process = Process::spawn(&mut command)?;
        let mut stdin = process.0.stdin.take().context("no standard input")?;
        stdin.write_all(input.as_bytes())?;
        drop(stdin);
        let mut output = String::new();
        process.0.stdout.take().context("no standard output")?.read_to_string(&mut output)?;
        let status = process.0.wait()?;
        ensure!(status.success(), "gateward {} failed: {status}", arguments.join(" "));
        Ok(output)
    }

    /// Starts a node and waits until it is ready.
    pub(crate) fn start(&self) -> anyhow::Result<Node> {
        let (address, ops_address) = (free_address()?, free_address()?);
        let mut environment = self.environment.clone();
        environment.insert("GATEWARD__HTTP__LISTEN", address.to_string());
        environment.insert("GATEWARD__HTTP__PUBLIC_URL", format!("http://{address}"));
        environment.insert("GATEWARD__OPS__LISTEN", ops_address.to_string());
        let log = File::create(self.folder.join(format!("{}.log", address.port())))?;
        let mut command = self.command(&environment);
        command.arg("serve").stdin(Stdio::null()).stdout(log);
        let started = Instant::now();
        let mut process = Process::spawn(&mut command)?;
        while !is_ready(address) {
            if let Some(status) = process.0.try_wait()? {
                bail!("the node ended at its start: {status}");
            }
            ensure!(started.elapsed() < PATIENCE, "the node does not become ready");
            std::thread::sleep(POLL);
        }
        Ok(Node { address, time_to_ready: started.elapsed(), process })
    }

    fn command(&self, environment: &BTreeMap<&'static str, String>) -> Command {
        let mut command = Command::new(&self.path);
        command.current_dir(&self.folder).env_clear().envs(environment);
        command
    }
}

/// A running node. It is killed when dropped.
pub(crate) struct Node {
    /// Where its API listens.
    pub(crate) address: SocketAddr,
    /// From the start of the process to the first 200 of its readiness endpoint.
    pub(crate) time_to_ready: Duration,
    process: Process,
}

impl Node {
    /// Returns its memory now, in MiB.
    pub(crate) fn memory_mib(&self) -> anyhow::Result<f64> {
        Ok(as_mib(self.process.status_kib("VmRSS")?))
    }

    /// Returns the most memory it has ever used, in MiB.
    pub(crate) fn memory_peak_mib(&self) -> anyhow::Result<f64> {
        Ok(as_mib(self.process.status_kib("VmHWM")?))
    }

    /// Stops it as an operator would.
    pub(crate) fn stop(mut self) -> anyhow::Result<()> {
        self.process.stop()
    }
}

#[expect(clippy::cast_precision_loss, reason = "some million at most")]
fn as_mib(kib: u64) -> f64 {
    kib as f64 / 1024.0
}

/// Returns an address on which nothing listens now.
pub(crate) fn free_address() -> anyhow::Result<SocketAddr> {
    let listener = TcpListener::bind((Ipv4Addr::LOCALHOST, 0))?;
    Ok(listener.local_addr()?)
}

/// Waits until something accepts connections there.
pub(crate) fn wait_for_port(address: SocketAddr) -> anyhow::Result<()> {
    let started = Instant::now();
    while let Err(error) = TcpStream::connect(address) {
        ensure!(error.kind() == ErrorKind::ConnectionRefused, "cannot connect: {error}");
        ensure!(started.elapsed() < PATIENCE, "nothing listens on {address}");
        std::thread::sleep(POLL);
    }
    Ok(())
}

fn is_ready(address: SocketAddr) -> bool {
    let ask = || -> std::io::Result<bool> {
        let mut stream = TcpStream::connect(address)?;
        stream.set_read_timeout(Some(PATIENCE))?;
        let request = "GET /health/ready HTTP/1.1\r\nHost: 127.0.0.1\r\nConnection: close\r\n\r\n";
        stream.write_all(request.as_bytes())?;
        let mut status = [0; 12];
        stream.read_exact(&mut status)?;
        Ok(&status == b"HTTP/1.1 200")
    };
    ask().unwrap_or(false)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn memory_is_read_from_its_line() {
        let status = "Name:\tgateward\nVmHWM:\t   40960 kB\nVmRSS:\t   10240 kB\n";
        assert_eq!(memory_line(status, "VmRSS"), Some(10_240));
        assert_eq!(memory_line(status, "VmHWM"), Some(40_960));
        assert_eq!(memory_line(status, "VmSwap"), None);
    }

    #[test]
    fn a_process_that_was_dropped_is_not_signalled_later() {
        let process = Process::spawn(Command::new("sleep").arg("60")).unwrap();
        let pid = Pid::from_child(&process.0);
        assert!(RUNNING.lock().unwrap().contains(&pid));
        drop(process);
        assert!(!RUNNING.lock().unwrap().contains(&pid));
    }
}
