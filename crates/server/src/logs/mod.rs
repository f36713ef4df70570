//! Logs: one line per event, written in the background so that no request waits for it.

mod json;

use std::io::IsTerminal;
use std::panic;
use std::sync::mpsc;
use std::time::Duration;

use tracing::Level;
use tracing_appender::non_blocking::{NonBlockingBuilder, WorkerGuard};
use tracing_subscriber::EnvFilter;
use tracing_subscriber::fmt::format::{FmtSpan, JsonFields};

use crate::settings::LogFormat;

/// How many lines are buffered if the output blocks; further lines are dropped.
const LINES_WAITING_MAX: usize = 16 * 1024;

/// How long shutdown waits for the last lines.
const LAST_LINES_DEADLINE: Duration = Duration::from_secs(2);

/// Installs the logger. Buffered lines are written when the guard is dropped.
///
/// The level applies to this service. Libraries log warnings at most: their debug output would
/// contain statements and network traffic.
pub(crate) fn init(format: LogFormat, level: Level) -> Guard {
    let (writer, guard) = NonBlockingBuilder::default()
        .lossy(true)
        .buffered_lines_limit(LINES_WAITING_MAX)
        .thread_name("log")
        .finish(std::io::stdout());
    let ours = [
        "gateward_app",
        "gateward_crypto",
        "gateward_diesel",
        "gateward_http",
        "gateward_node",
        "gateward_server",
    ];
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
            builder.fmt_fields(JsonFields::new()).event_format(json::JsonLine).init();
        }
    }
    panic::set_hook(Box::new(|panic| {
        let location = panic.location().map(ToString::to_string);
        tracing::error!(location, cause = panic.payload_as_str(), "panicked");
    }));
    Guard(Some(guard))
}

/// Writes the buffered lines when it is dropped, unless the output blocks.
pub(crate) struct Guard(Option<WorkerGuard>);

impl Drop for Guard {
    fn drop(&mut self) {
        let guard = self.0.take();
        let (done, waiting) = mpsc::channel();
        // If the output blocks, the library's guard would wait forever.
        std::thread::spawn(move || {
            drop(guard);
            let _ = done.send(());
        });
        let _ = waiting.recv_timeout(LAST_LINES_DEADLINE);
    }
}
