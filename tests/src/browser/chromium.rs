//! `Chromium`: the processes of a browser, and their command lines.

use std::fs;
use std::path::{Path, PathBuf};
use std::process::{Child, Command, Stdio};
use std::time::{Duration, Instant};

use rustix::process::{Pid, Signal, kill_process};
use serde_json::{Value, json};
use tempfile::TempDir;

use super::BrowserPlan;
use crate::not_checked;

/// Flags that every plan adds.
const FLAGS: &[&str] = &[
    "--headless=new",
    "--no-sandbox",
    "--disable-gpu",
    "--disable-dev-shm-usage",
    "--disable-quic",
    "--no-first-run",
    "--no-proxy-server",
    "--disable-background-networking",
    "--disable-breakpad",
    "--disable-component-update",
    "--disable-sync",
    // Names under `.test` resolve to this machine, so that pages can have several origins. Others
    // do not resolve: a test depends on no network.
    "--host-resolver-rules=MAP *.test 127.0.0.1, MAP * ~NOTFOUND, EXCLUDE 127.0.0.1, EXCLUDE localhost",
];

/// How long processes may take to start or to exit, on a busy machine.
const PATIENCE: Duration = Duration::from_secs(20);

/// How often chromedriver is started if its port is taken.
const STARTS_MAX: u32 = 5;

/// chromedriver with a separate folder, and Chromium once a session starts. Both end when dropped.
pub struct Chromium {
    driver: Child,
    program: PathBuf,
    /// The URL of chromedriver.
    pub url: String,
    /// A folder for its files.
    pub folder: TempDir,
}

impl Chromium {
    /// Starts chromedriver, or returns `None` with a message if it or Chromium is missing.
    pub fn start() -> Option<Self> {
        let found = (find_program("chromium"), find_program("chromedriver"));
        let (Some(program), Some(driver)) = found else {
            not_checked("what needs a browser: apt-get install chromium chromium-driver");
            return None;
        };
        (0..STARTS_MAX).find_map(|_| Self::try_start(&program, &driver)).or_else(|| {
            panic!("chromedriver found its port taken {STARTS_MAX} times");
        })
    }

    /// Starts chromedriver, or returns `None` if its port is taken: it chooses one that is free for
    /// IPv6, and another process may have it for IPv4.
    fn try_start(program: &Path, driver: &Path) -> Option<Self> {
        let folder = tempfile::tempdir().unwrap();
        let log = folder.path().join("chromedriver.log");
        let output = fs::File::create(&log).unwrap();
        let errors = output.try_clone().unwrap();
        let mut command = Command::new(driver);
        // Other files of Chromium, besides its profile, go into the folder as well.
        command.arg("--port=0").env("HOME", folder.path()).env("TMPDIR", folder.path());
        let driver = command.stdin(Stdio::null()).stdout(output).stderr(errors).spawn().unwrap();
        let program = program.to_owned();
        let mut chromium = Self { driver, program, url: String::new(), folder };
        chromium.url = format!("http://127.0.0.1:{}", wait_for_port(&log)?);
        Some(chromium)
    }

    /// The capabilities that a session requests from chromedriver.
    pub fn capabilities(&self, plan: &BrowserPlan) -> Value {
        let profile = format!("--user-data-dir={}", self.folder.path().join("profile").display());
        let size = format!("--window-size={},{}", plan.width, plan.height);
        let own = [profile.as_str(), size.as_str()].into_iter();
        let dark = plan.dark.then_some("--force-dark-mode");
        let flags: Vec<&str> = FLAGS.iter().copied().chain(own).chain(dark).collect();
        let scripts = if plan.scripts { 1 } else { 2 };
        json!({
            "acceptInsecureCerts": plan.any_certificate,
            "goog:loggingPrefs": {"browser": "ALL"},
            "goog:chromeOptions": {
                "binary": self.program,
                "args": flags,
                "prefs": {"profile.managed_default_content_settings.javascript": scripts},
            },
        })
    }
}

impl Drop for Chromium {
    fn drop(&mut self) {
        let processes = descendants(self.driver.id());
        for process in &processes {
            let process = i32::try_from(*process).ok().and_then(Pid::from_raw);
            let _ = process.map(|process| kill_process(process, Signal::KILL));
        }
        let _ = self.driver.kill();
        let _ = self.driver.wait();
        // They must have stopped writing into the folder before it is removed.
        let started = Instant::now();
        while started.elapsed() < PATIENCE && processes.iter().any(|process| runs(*process)) {
            std::thread::sleep(Duration::from_millis(10));
        }
    }
}

/// Waits until chromedriver has logged its port, or that it is taken.
fn wait_for_port(log: &Path) -> Option<u16> {
    let started = Instant::now();
    loop {
        let text = fs::read_to_string(log).unwrap();
        let rest = text.split_once("started successfully on port ").map(|(_, rest)| rest);
        if let Some((port, _)) = rest.and_then(|rest| rest.split_once(".\n")) {
            return Some(port.parse().unwrap());
        }
        if text.contains("port not available") {
            return None;
        }
        assert!(started.elapsed() < PATIENCE, "chromedriver does not start:\n{text}");
        std::thread::sleep(Duration::from_millis(10));
    }
}

/// The state and the parent of a process; `None` if it does not exist.
fn look_at(process: u32) -> Option<(char, u32)> {
    let stat = fs::read_to_string(format!("/proc/{process}/stat")).ok()?;
    // The name before them is in parentheses, and may contain some.
    let mut words = stat.rsplit_once(") ")?.1.split(' ');
    Some((words.next()?.parse().ok()?, words.next()?.parse().ok()?))
}

fn runs(process: u32) -> bool {
    look_at(process).is_some_and(|(state, _)| state != 'Z')
}

/// The child processes of a process, and theirs. Linux only.
fn descendants(process: u32) -> Vec<u32> {
    let names =
        fs::read_dir("/proc").into_iter().flatten().flatten().map(|entry| entry.file_name());
    let all = names.filter_map(|name| name.to_str()?.parse().ok());
    let pairs: Vec<(u32, u32)> = all.filter_map(|one| Some((one, look_at(one)?.1))).collect();
    let mut found = vec![process];
    let mut at = 0;
    while let Some(parent) = found.get(at).copied() {
        found.extend(pairs.iter().filter(|pair| pair.1 == parent).map(|pair| pair.0));
        at += 1;
    }
    found.split_off(1)
}

#[expect(clippy::disallowed_methods, reason = "the environment configures a test")]
fn find_program(name: &str) -> Option<PathBuf> {
    let path = std::env::var_os("PATH")?;
    std::env::split_paths(&path).map(|folder| folder.join(name)).find(|index| index.is_file())
}
