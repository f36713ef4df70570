//! `MailServer`: a real SMTP server in a process of its own, which misbehaves on command.

mod received;

use std::fs::File;
use std::io::{BufRead, BufReader, Write};
use std::path::{Path, PathBuf};
use std::process::{Child, ChildStdin, ChildStdout, Command, Stdio};
use std::sync::{LazyLock, Mutex, PoisonError};
use std::time::{Duration, Instant};

use serde_json::Value;
use tempfile::TempDir;

use crate::not_checked;
pub use received::Mail;

/// The server, which explains its modes.
const SERVER: &str = concat!(env!("CARGO_MANIFEST_DIR"), "/smtp_server.py");

/// How the server speaks TLS.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum MailTls {
    /// From the first byte.
    Implicit,
    /// After `STARTTLS`, which it requires.
    StartTls,
}

/// The settings of a server.
#[derive(Clone, Debug, Default)]
pub struct MailPlan {
    /// How it speaks TLS; not at all if unset.
    pub tls: Option<MailTls>,
    /// The user and the password that it requires; none if unset.
    pub login: Option<(String, String)>,
}

/// A running SMTP server on a free port of 127.0.0.1. It ends when dropped.
pub struct MailServer {
    child: Child,
    pipes: Mutex<(ChildStdin, BufReader<ChildStdout>)>,
    folder: TempDir,
    tls: Option<MailTls>,
    /// The port.
    pub port: u16,
}

impl MailPlan {
    /// Starts a server, or returns `None` with a message if the package for it is missing.
    pub async fn start(&self) -> Option<MailServer> {
        let plan = self.clone();
        tokio::task::spawn_blocking(move || plan.launch()).await.unwrap()
    }

    fn launch(&self) -> Option<MailServer> {
        let python = find_python()?;
        let folder = tempfile::tempdir().unwrap();
        let errors = File::create(folder.path().join("errors")).unwrap();
        let mut command = Command::new(python);
        command.arg(SERVER).args(self.arguments(folder.path()));
        command.stdin(Stdio::piped()).stdout(Stdio::piped()).stderr(errors);
        let mut child = command.spawn().unwrap();
        let stdin = child.stdin.take().unwrap();
        let mut stdout = BufReader::new(child.stdout.take().unwrap());
        let errors = folder.path().join("errors");
        let port = read_line(&mut stdout, &errors).parse().unwrap();
        let pipes = Mutex::new((stdin, stdout));
        Some(MailServer { child, pipes, folder, tls: self.tls, port })
    }

    fn arguments(&self, folder: &Path) -> Vec<String> {
        let file = |name: &str| folder.join(name).display().to_string();
        let mut arguments = vec![file("journal")];
        if let Some(tls) = self.tls {
            make_certificate(folder);
            let name = if tls == MailTls::Implicit { "implicit" } else { "starttls" };
            let words = ["--tls", name, "--cert", &file("cert.pem"), "--key", &file("key.pem")];
            arguments.extend(words.map(ToOwned::to_owned));
        }
        if let Some((user, password)) = &self.login {
            arguments.extend(["--auth", user, password].map(ToOwned::to_owned));
        }
        arguments
    }
}

impl MailServer {
    /// Starts a server without TLS and without a login.
    pub async fn start() -> Option<Self> {
        MailPlan::default().start().await
    }

    /// The address of the server.
    #[must_use]
    pub fn url(&self) -> String {
        let scheme = if self.tls == Some(MailTls::Implicit) { "smtps" } else { "smtp" };
        format!("{scheme}://127.0.0.1:{}", self.port)
    }

    /// The file with its certificate, for clients that trust it. Only with TLS.
    #[must_use]
    pub fn certificate(&self) -> PathBuf {
        self.folder.path().join("cert.pem")
    }

    /// Sets its behaviour: one of the modes that `smtp_server.py` explains, such as `refuse`.
    pub fn mode(&self, mode: &str) {
        self.tell(mode);
    }

    /// Lets it respond to the emails that mode `hold` has kept waiting.
    pub fn release(&self) {
        self.tell("release");
    }

    /// All emails that were fully received, in order, accepted or not.
    #[must_use]
    pub fn emails(&self) -> Vec<Mail> {
        let journal = self.journal();
        let answered: Vec<&Value> = of_event(&journal, "answered").collect();
        of_event(&journal, "email")
            .map(|line| {
                let accepted = answered.iter().any(|other| other["number"] == line["number"]);
                Mail::read(line, accepted)
            })
            .collect()
    }

    /// All emails to this recipient.
    #[must_use]
    pub fn emails_to(&self, address: &str) -> Vec<Mail> {
        let mut emails = self.emails();
        emails.retain(|mail| mail.to.iter().any(|to| to == address));
        emails
    }

    /// The number of connections so far.
    #[must_use]
    pub fn connections(&self) -> usize {
        of_event(&self.journal(), "connection").count()
    }

    /// The refused commands: objects with `command`, `address` and `answer`.
    #[must_use]
    pub fn refusals(&self) -> Vec<Value> {
        of_event(&self.journal(), "refused").cloned().collect()
    }

    /// Waits until the emails meet the condition, and returns them.
    pub async fn wait_until(
        &self,
        patience: Duration,
        good: impl Fn(&[Mail]) -> bool,
    ) -> Vec<Mail> {
        let started = Instant::now();
        loop {
            let emails = self.emails();
            if good(&emails) {
                return emails;
            }
            assert!(started.elapsed() < patience, "after {patience:?}: {emails:#?}");
            tokio::time::sleep(Duration::from_millis(20)).await;
        }
    }

    /// Waits until there are this many emails to this recipient, and returns them.
    pub async fn wait_for(&self, address: &str, count: usize, patience: Duration) -> Vec<Mail> {
        let to = |mail: &&Mail| mail.to.iter().any(|to| to == address);
        self.wait_until(patience, |emails| emails.iter().filter(to).count() >= count).await;
        self.emails_to(address)
    }

    fn journal(&self) -> Vec<Value> {
        let text = std::fs::read_to_string(self.folder.path().join("journal")).unwrap();
        // A line without a line feed is still being written.
        let whole = text.rsplit_once('\n').map_or("", |(whole, _)| whole);
        whole.lines().map(|line| serde_json::from_str(line).unwrap()).collect()
    }

    fn tell(&self, command: &str) {
        let mut pipes = self.pipes.lock().unwrap_or_else(PoisonError::into_inner);
        writeln!(pipes.0, "{command}").unwrap();
        assert_eq!(read_line(&mut pipes.1, &self.folder.path().join("errors")), "ok");
    }
}

impl Drop for MailServer {
    fn drop(&mut self) {
        let _ = self.child.kill();
        let _ = self.child.wait();
    }
}

fn read_line(pipe: &mut BufReader<ChildStdout>, errors: &Path) -> String {
    let mut line = String::new();
    let read = pipe.read_line(&mut line).unwrap();
    let errors = || std::fs::read_to_string(errors).unwrap_or_default();
    assert!(read > 0, "the SMTP server has ended:\n{}", errors());
    line.trim_end().to_owned()
}

fn of_event<'a>(journal: &'a [Value], event: &'a str) -> impl Iterator<Item = &'a Value> {
    journal.iter().filter(move |line| line["event"] == event)
}

/// A Python with aiosmtpd: the one on the path, or that of the system.
fn find_python() -> Option<&'static str> {
    // To look takes as long as to start a server.
    static PYTHON: LazyLock<Option<&str>> = LazyLock::new(look_for_python);
    if PYTHON.is_none() {
        not_checked(
            "what needs an SMTP server: no python3 has aiosmtpd \
             (apt-get install python3-aiosmtpd, or pip install aiosmtpd)",
        );
    }
    *PYTHON
}

fn look_for_python() -> Option<&'static str> {
    let knows = |python: &&str| {
        let mut command = Command::new(python);
        command.args(["-c", "import aiosmtpd.smtp"]).stdout(Stdio::null()).stderr(Stdio::null());
        command.status().is_ok_and(|status| status.success())
    };
    ["python3", "/usr/bin/python3"].into_iter().find(knows)
}

fn make_certificate(folder: &Path) {
    let names = ["localhost".to_owned(), "127.0.0.1".to_owned()];
    let made = rcgen::generate_simple_self_signed(names).unwrap();
    std::fs::write(folder.join("cert.pem"), made.cert.pem()).unwrap();
    std::fs::write(folder.join("key.pem"), made.signing_key.serialize_pem()).unwrap();
}
