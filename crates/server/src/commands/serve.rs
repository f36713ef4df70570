//! `gateward serve`

use std::net::SocketAddr;
use std::time::Duration;

use actix_web::dev::ServerHandle;
use anyhow::Context;
use gateward_app::NewAlgorithm;
use gateward_diesel::CreateIfMissing;
use gateward_node::Node;
use tokio::signal::unix::{Signal, SignalKind, signal};

use super::tell;
use crate::listening::{Listening, finish_requests, listen};
use crate::logs;
use crate::settings::{LogFormat, Mode, Settings, Transport};
use crate::wiring::{BringUpError, Wired, wire};

/// How often a node retries a database that is unavailable at startup.
const RETRY: Duration = Duration::from_secs(1);

/// Serves until a stop signal arrives.
pub(crate) async fn run(settings: &Settings) -> anyhow::Result<()> {
    let _guard = logs::init(settings.log_format, settings.log_level);
    let (wired, trouble) = begin(settings).await?;
    // Before this node is visible, so that it can be stopped at any time.
    let signals = StopSignals::listen().context("cannot listen for stop signals")?;
    let Listening { address, ops_address, api, ops } = listen(&wired.node, settings)?;
    let node = wired.node.clone();
    let handles = [api.handle(), ops.handle()];

    tracing::info!(%address, %ops_address, mode = settings.mode.as_str(), "listening");
    warn_of_another_port(settings, address);
    let settings = settings.clone();
    tokio::spawn(async move {
        come_up(&wired, &settings, trouble).await;
        tracing::info!("ready");
        // JSON logs must not contain prose.
        if settings.mode == Mode::Development && settings.log_format == LogFormat::Pretty {
            greet(&settings, (address, ops_address));
        }
        wired.node.spawn_jobs();
    });
    tokio::spawn(stop_on_signal(signals, node.clone(), handles));
    let ops = tokio::spawn(ops);
    api.await?;
    ops.await??;
    node.stop().await;
    tracing::info!("stopped");
    Ok(())
}

/// Wires a node and brings it up. A database that is unavailable is returned beside it.
pub(crate) async fn begin(settings: &Settings) -> anyhow::Result<(Wired, Option<BringUpError>)> {
    let wired = wire(settings, CreateIfMissing::Yes).await?;
    match wired.bring_up(settings, NewAlgorithm::Begins).await {
        Ok(()) => Ok((wired, None)),
        Err(BringUpError::Fatal(error)) => Err(error),
        Err(outage) => Ok((wired, Some(outage))),
    }
}

/// In development there is no proxy, so a public URL with another port leads elsewhere.
fn warn_of_another_port(settings: &Settings, address: SocketAddr) {
    let public_url = &settings.http.public_url;
    let port = url::Url::parse(public_url).ok().and_then(|url| url.port_or_known_default());
    if settings.mode == Mode::Development && port != Some(address.port()) {
        tracing::warn!(%address, public_url, "http.public_url has a different port");
    }
}

/// Prints where everything is, in one write so that no log line comes between.
fn greet(settings: &Settings, (address, ops_address): (SocketAddr, SocketAddr)) {
    let scheme = if settings.tls.is_some() { "https" } else { "http" };
    let base = format!("{scheme}://{address}");
    let base_path = &settings.http.base_path;
    let database = settings.shown_database_url();
    let docs =
        if settings.http.docs { format!("\n  Try it on  {base}/docs") } else { String::new() };
    let inbox = match settings.mail.transport {
        Transport::Inbox => format!("\n  Inbox      {base}/dev/inbox"),
        Transport::Smtp { .. } => String::new(),
    };
    tell(&format!(
        "
Gateward is ready.
  API        {base}{base_path}{docs}{inbox}
  Metrics    http://{ops_address}/metrics
  Data       {database}
  Create the first administrator in another terminal, in this folder:
    gateward user create --username NAME --email ADDRESS --admin
  (from a clone: cargo run -- user create --username NAME --email ADDRESS --admin)
"
    ));
}

/// Retries until the database that was unavailable at startup is there.
async fn come_up(wired: &Wired, settings: &Settings, mut trouble: Option<BringUpError>) {
    let mut told = String::new();
    while let Some(error) = trouble {
        let fatal = matches!(error, BringUpError::Fatal(_));
        let cause = format!("{:#}", error.into_inner());
        // The same cause every second would flood the log.
        if cause != told {
            if fatal {
                // Other nodes may be fine, and an operator may fix this while the node retries.
                tracing::error!(cause, "not ready, operator action required");
            } else {
                tracing::warn!(cause, "not ready, database unavailable");
            }
            told = cause;
        }
        tokio::time::sleep(RETRY).await;
        trouble = wired.bring_up(settings, NewAlgorithm::Begins).await.err();
    }
}

struct StopSignals(Signal, Signal);

impl StopSignals {
    /// From here on they no longer kill the process.
    fn listen() -> std::io::Result<Self> {
        Ok(Self(signal(SignalKind::terminate())?, signal(SignalKind::interrupt())?))
    }
}

/// Finishes the running requests when a signal arrives.
async fn stop_on_signal(mut signals: StopSignals, node: Node, handles: [ServerHandle; 2]) {
    tokio::select! {
        _ = signals.0.recv() => {}
        _ = signals.1.recv() => {}
    }
    tracing::info!("stopping");
    finish_requests(&node, handles).await;
}
