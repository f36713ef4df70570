//! `gateward-bench`: measures what the hardware allows, and how much of it Gateward reaches.
//!
//! It fails on errors, never on a figure. `docs/benchmark.md` explains the figures.

mod figure;
mod goals;
mod limits;
mod load;
mod measure;
mod node;
mod options;
mod population;
mod postgres;
mod report;

use std::path::{Path, PathBuf};
use std::process::ExitCode;
use std::thread;

use anyhow::{Context, ensure};
use clap::Parser;
use rustix::process::{Resource, Rlimit, getrlimit, setrlimit};
use tokio::signal::unix::{SignalKind, signal};

use crate::measure::Bench;
use crate::node::Program;
use crate::options::{Command, Options};
use crate::postgres::Postgres;
use crate::report::Machine;

/// The type of a file system in memory (`TMPFS_MAGIC` of Linux).
const TMPFS: rustix::fs::FsWord = 0x0102_1994;

fn main() -> ExitCode {
    let options = Options::parse();
    let done = match &options.command {
        Some(Command::Bare { body, address }) => limits::serve(body, *address),
        None => run(&options),
    };
    match done {
        Ok(()) => ExitCode::SUCCESS,
        Err(error) => {
            measure::progress(&format!("gateward-bench: {error:#}"));
            ExitCode::FAILURE
        }
    }
}

fn run(options: &Options) -> anyhow::Result<()> {
    report::clear(options)?;
    allow_many_connections()?;
    let folder = tempfile::Builder::new().prefix("gateward-bench.").tempdir()?;
    ensure_on_disk(folder.path())?;
    clean_up_on_signal(folder.path().to_owned())?;
    let machine = Machine::here();
    let program = Program::new(&options.program, folder.path(), options.algorithm.setting())?;
    let postgres = Postgres::from_environment()?;
    let bench = Bench::new(options.effort(), program, postgres, folder.path());
    let figures = bench.run(&options.groups())?;
    report::write(options, &machine, &figures)
}

/// Fails for a folder in memory, where writing durably costs nothing.
pub(crate) fn ensure_on_disk(folder: &Path) -> anyhow::Result<()> {
    let kind = rustix::fs::statfs(folder)?.f_type;
    let shown = folder.display();
    ensure!(kind != TMPFS, "{shown} is in memory; set TMPDIR to a folder on a disk");
    Ok(())
}

/// Raises the limit of open files as far as allowed: each client has a connection.
fn allow_many_connections() -> anyhow::Result<()> {
    let limit = getrlimit(Resource::Nofile);
    setrlimit(Resource::Nofile, Rlimit { current: limit.maximum, ..limit })?;
    Ok(())
}

/// Ends the nodes and deletes the files before a signal ends this process.
fn clean_up_on_signal(folder: PathBuf) -> anyhow::Result<()> {
    let runtime = load::runtime()?;
    let (mut terminate, mut interrupt) = {
        let _entered = runtime.enter();
        (signal(SignalKind::terminate())?, signal(SignalKind::interrupt())?)
    };
    let wait = move || {
        runtime.block_on(async {
            tokio::select! {
                _ = terminate.recv() => {}
                _ = interrupt.recv() => {}
            }
        });
        node::kill_all();
        remove(&folder);
        std::process::exit(130);
    };
    thread::Builder::new()
        .name("signals".to_owned())
        .spawn(wait)
        .context("cannot start a thread")?;
    Ok(())
}

fn remove(folder: &Path) {
    // Nothing more can be done about a file that cannot be deleted.
    let _ = std::fs::remove_dir_all(folder);
}
