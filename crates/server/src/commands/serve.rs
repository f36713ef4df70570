//! `gateward serve`

use std::net::{SocketAddr, TcpListener};
use std::num::NonZero;
use std::time::Duration;

use actix_web::HttpServer;
use actix_web::dev::ServerHandle;
use anyhow::Context;
use gateward_app::NewAlgorithm;
use gateward_diesel::CreateIfMissing;
use gateward_http::App;
use gateward_node::Node;
use tokio::signal::unix::{Signal, SignalKind, signal};

use super::tell;
use crate::settings::{LogFormat, Mode, Settings, Transport};
use crate::wiring::{BringUpError, Wired, wire};
use crate::{limits, logs, metrics, tls};

/// How long the head of a request may take to arrive.
const HEAD_DEADLINE: Duration = Duration::from_secs(5);

/// How long an idle connection is kept for the next request: longer than most proxies keep theirs,
/// so that the proxy closes it first.
const KEEP_ALIVE: Duration = Duration::from_secs(75);

/// How long running requests may take to finish after SIGTERM, in seconds.
const SHUTDOWN_SECONDS: u64 = 25;

/// How many connections a thread serves at once. Each takes some tens of KiB.
const CONNECTIONS_PER_WORKER_MAX: usize = 25_000;

/// How often a node retries a database that is unavailable at startup.
const RETRY: Duration = Duration::from_secs(1);

/// Serves until a stop signal arrives.
pub(crate) async fn run(settings: &Settings) -> anyhow::Result<()> {
    let _guard = logs::init(settings.log_format, settings.log_level);
    let wired = wire(settings, CreateIfMissing::Yes).await?;
    let trouble = match wired.bring_up(settings, NewAlgorithm::Begins).await {
        Err(BringUpError::Fatal(error)) => return Err(error),
        brought_up => brought_up.err(),
    };

    // Before this node is visible, so that it can be stopped at any time.
    let signals = StopSignals::listen().context("cannot listen for stop signals")?;
    let listener = bind("http.listen", settings.listen)?;
    let ops_listener = bind("ops.listen", settings.ops_listen)?;
    let address = listener.local_addr()?;
    let ops_address = ops_listener.local_addr()?;
    let node = wired.node.clone();
    let connections_max = limits::connections_max(settings.pool_size);
    let server = server(node.app(), listener, settings, connections_max)?;
    let ops = metrics::serve(ops_listener, node.clone())?;
    let handles = [server.handle(), ops.handle()];

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
    server.await?;
    ops.await??;
    node.stop().await;
    tracing::info!("stopped");
    Ok(())
}

fn bind(option: &str, address: SocketAddr) -> anyhow::Result<TcpListener> {
    let listener = TcpListener::bind(address).with_context(|| {
        format!(
            "cannot listen on {option} = {address}; stop the process that uses it, or choose \
             another port (and a matching http.public_url)"
        )
    })?;
    listener.set_nonblocking(true)?;
    Ok(listener)
}

fn server(
    app: &App,
    listener: TcpListener,
    settings: &Settings,
    connections_max: usize,
) -> anyhow::Result<actix_web::dev::Server> {
    let app = app.clone();
    let workers = std::thread::available_parallelism().map_or(1, NonZero::get);
    let server = HttpServer::new(move || {
        let app = app.clone();
        actix_web::App::new()
            .configure(move |config| gateward_http::configure(&app, config))
            .configure(gateward_http::configure_not_found)
    })
    .workers(workers)
    // Beyond that, connections wait in the system's queue until others end.
    .max_connections((connections_max / workers).clamp(1, CONNECTIONS_PER_WORKER_MAX))
    // A client that has hung up needs no response: its password need not be hashed.
    .h1_allow_half_closed(false)
    .client_request_timeout(HEAD_DEADLINE)
    .client_disconnect_timeout(HEAD_DEADLINE)
    .keep_alive(KEEP_ALIVE)
    .shutdown_timeout(SHUTDOWN_SECONDS)
    .disable_signals();
    let server = match &settings.tls {
        None => server.listen(listener)?,
        Some(files) => {
            let config = tls::config(files)
                .map_err(|(option, message)| anyhow::anyhow!("{option} {message}"))?;
            server.listen_rustls_0_23(listener, config)?
        }
    };
    Ok(server.run())
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

/// Stops on a signal: readiness turns off, running requests finish, no more emails are taken.
async fn stop_on_signal(mut signals: StopSignals, node: Node, handles: [ServerHandle; 2]) {
    tokio::select! {
        _ = signals.0.recv() => {}
        _ = signals.1.recv() => {}
    }
    tracing::info!("stopping");
    node.drain();
    let [api, ops] = handles;
    tokio::join!(api.stop(true), ops.stop(true));
}
