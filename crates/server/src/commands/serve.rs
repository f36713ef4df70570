//! `gateward serve`

use std::net::{SocketAddr, TcpListener};
use std::sync::Arc;
use std::time::Duration;

use actix_web::HttpServer;
use actix_web::dev::ServerHandle;
use anyhow::Context;
use gateward_http::App;
use tokio::signal::unix::{SignalKind, signal};

use super::tell;
use crate::settings::{Mode, Settings};
use crate::wiring::{BringUpError, Wired, wire};
use crate::{logs, metrics, tls};

/// How long the head of a request may take to arrive.
const HEAD_DEADLINE: Duration = Duration::from_secs(5);

/// How long an idle connection is kept for the next request: longer than most proxies keep theirs,
/// so that they are the ones to hang up.
const KEEP_ALIVE: Duration = Duration::from_secs(75);

/// How long running requests may take to finish after SIGTERM, in seconds.
const SHUTDOWN_SECONDS: u64 = 25;

/// How often a node looks for a database that is down at the start.
const RETRY: Duration = Duration::from_secs(1);

/// How often a node looks for keys that another has made.
const KEY_INTERVAL: Duration = Duration::from_secs(5);

/// How often what no longer matters is swept away.
const SWEEP_INTERVAL: Duration = Duration::from_secs(60);

/// Serves until a signal says stop.
pub(crate) async fn run(settings: &Settings) -> anyhow::Result<()> {
    let _guard = logs::init(settings.log_format, settings.log_level);
    let wired = Arc::new(wire(settings).await?);
    let outage = match wired.bring_up(settings).await {
        Ok(()) => None,
        Err(BringUpError::Fatal(error)) => return Err(error),
        Err(BringUpError::Outage(error)) => Some(error),
    };

    let listener = bind("http.listen", settings.listen)?;
    let ops_listener = bind("ops.listen", settings.ops_listen)?;
    let address = listener.local_addr()?;
    let ops_address = ops_listener.local_addr()?;
    let app = App::new(wired.app.clone(), settings.http.clone());
    let server = server(&app, listener, settings)?;
    let ops = metrics::serve(ops_listener, metrics::init()?, wired.hasher.clone())?;
    let handles = [server.handle(), ops.handle()];

    tracing::info!(%address, %ops_address, mode = ?settings.mode, "listening");
    if settings.mode == Mode::Development {
        greet(settings, address, ops_address);
    }
    tokio::spawn(chores(wired, settings.clone(), outage));
    tokio::spawn(stop_on_signal(app, handles));
    let ops = tokio::spawn(ops);
    server.await?;
    ops.await??;
    tracing::info!("stopped");
    Ok(())
}

fn bind(option: &str, address: SocketAddr) -> anyhow::Result<TcpListener> {
    let listener = TcpListener::bind(address)
        .with_context(|| format!("{option} is {address}, which cannot be listened on"))?;
    listener.set_nonblocking(true)?;
    Ok(listener)
}

fn server(
    app: &App,
    listener: TcpListener,
    settings: &Settings,
) -> anyhow::Result<actix_web::dev::Server> {
    let app = app.clone();
    let server = HttpServer::new(move || {
        let app = app.clone();
        actix_web::App::new()
            .configure(move |config| gateward_http::configure(&app, config))
            .configure(gateward_http::configure_not_found)
    })
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

/// Tells a developer where everything is.
fn greet(settings: &Settings, address: SocketAddr, ops_address: SocketAddr) {
    let scheme = if settings.tls.is_some() { "https" } else { "http" };
    let base = format!("{scheme}://{address}");
    tell(&format!("\nGateward is ready.\n  API        {base}{}", settings.http.base_path));
    if settings.http.docs {
        tell(&format!("  Try it on  {base}/docs"));
    }
    tell(&format!("  Metrics    http://{ops_address}/metrics"));
    tell("  The first administrator is made in another terminal, in this folder, by");
    tell("    gateward user create --username NAME --email ADDRESS --admin");
    tell("  (from a clone: cargo run -- user create --username NAME --email ADDRESS --admin)\n");
}

/// What a node does besides serving: it looks for the database until it is there, for new keys,
/// and for what can be swept away.
async fn chores(wired: Arc<Wired>, settings: Settings, mut outage: Option<anyhow::Error>) {
    while let Some(error) = outage.take() {
        tracing::warn!(cause = format!("{error:#}"), "the database is not there yet; not ready");
        tokio::time::sleep(RETRY).await;
        outage = match wired.bring_up(&settings).await {
            Ok(()) => None,
            Err(BringUpError::Outage(error) | BringUpError::Fatal(error)) => Some(error),
        };
    }
    tracing::info!("ready");
    let mut keys = tokio::time::interval(KEY_INTERVAL);
    let mut sweep = tokio::time::interval(SWEEP_INTERVAL);
    loop {
        tokio::select! {
            _ = keys.tick() => {
                if let Err(error) = wired.app.reload_keys().await {
                    tracing::warn!(cause = format!("{:#}", anyhow::Error::from(error)), "the keys could not be read");
                }
            }
            _ = sweep.tick() => match wired.app.sweep().await {
                Ok(0) => {}
                Ok(count) => tracing::info!(count, "sessions swept away"),
                Err(error) => {
                    tracing::warn!(cause = format!("{:#}", anyhow::Error::from(error)), "sweeping failed");
                }
            },
        }
    }
}

/// Stops when told to: readiness turns off, running requests finish.
async fn stop_on_signal(app: App, handles: [ServerHandle; 2]) {
    let (Ok(mut terminate), Ok(mut interrupt)) =
        (signal(SignalKind::terminate()), signal(SignalKind::interrupt()))
    else {
        tracing::error!("signals cannot be received; only SIGKILL will stop this process");
        return;
    };
    tokio::select! {
        _ = terminate.recv() => {}
        _ = interrupt.recv() => {}
    }
    tracing::info!("stopping");
    app.drain();
    for handle in handles {
        handle.stop(true).await;
    }
}
