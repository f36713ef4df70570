//! Logs: one line for each thing that happens, written aside so that no request waits for it.

use std::io::IsTerminal;

use tracing::Level;
use tracing_appender::non_blocking::{NonBlockingBuilder, WorkerGuard};
use tracing_subscriber::EnvFilter;
use tracing_subscriber::fmt::format::FmtSpan;

use crate::settings::LogFormat;

/// How many lines wait while nobody reads them; beyond that lines are lost, requests are not.
const LINES_WAITING_MAX: usize = 16 * 1024;

/// Begins to log. Lines that wait are written when the guard is dropped.
///
/// The chosen level holds for this service. Libraries tell at most what they warn of: at their most
/// talkative they would tell what is in a statement or on the wire.
pub(crate) fn init(format: LogFormat, level: Level) -> WorkerGuard {
    let (writer, guard) = NonBlockingBuilder::default()
        .lossy(true)
        .buffered_lines_limit(LINES_WAITING_MAX)
        .thread_name("log")
        .finish(std::io::stdout());
    let ours = ["gateward", "gateward_app", "gateward_crypto", "gateward_diesel", "gateward_http"];
    let libraries = level.min(Level::WARN);
    let filter =
        ours.iter().fold(libraries.to_string(), |filter, name| format!("{filter},{name}={level}"));
    let builder = tracing_subscriber::fmt()
        .with_env_filter(EnvFilter::new(filter))
        .with_span_events(FmtSpan::NONE)
        .with_ansi(std::io::stdout().is_terminal())
        .with_writer(writer);
    match format {
        LogFormat::Pretty => builder.with_target(false).init(),
        LogFormat::Json => {
            builder.json().flatten_event(true).with_current_span(true).with_span_list(false).init()
        }
    }
    guard
}
