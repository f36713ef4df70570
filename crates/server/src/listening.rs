//! The listeners of a node: its API, and its metrics.

use std::net::{SocketAddr, TcpListener};
use std::num::NonZero;
use std::time::Duration;

use actix_web::HttpServer;
use actix_web::dev::{Server, ServerHandle};
use anyhow::Context;
use gateward_http::App;
use gateward_node::Node;

use crate::settings::Settings;
use crate::{limits, metrics, tls};

/// How long the head of a request may take to arrive.
const HEAD_DEADLINE: Duration = Duration::from_secs(5);

/// How long an idle connection is kept for the next request: longer than most proxies keep theirs,
/// so that the proxy closes it first.
const KEEP_ALIVE: Duration = Duration::from_secs(75);

/// How long running requests may take to finish after SIGTERM, in seconds.
const SHUTDOWN_SECONDS: u64 = 25;

/// How many connections a thread serves at once. Each takes some tens of KiB.
const CONNECTIONS_PER_WORKER_MAX: usize = 25_000;

/// Two servers that accept connections, and answer them once they are polled.
pub(crate) struct Listening {
    pub(crate) address: SocketAddr,
    pub(crate) ops_address: SocketAddr,
    pub(crate) api: Server,
    pub(crate) ops: Server,
}

/// Listens where the settings say.
pub(crate) fn listen(node: &Node, settings: &Settings) -> anyhow::Result<Listening> {
    let listener = bind("http.listen", settings.listen)?;
    let ops_listener = bind("ops.listen", settings.ops_listen)?;
    Ok(Listening {
        address: listener.local_addr()?,
        ops_address: ops_listener.local_addr()?,
        api: server(node.app(), listener, settings)?,
        ops: metrics::serve(ops_listener, node.clone())?,
    })
}

/// Prepares for shutdown: the readiness check fails, running requests finish, and no more emails are
/// taken.
pub(crate) async fn finish_requests(node: &Node, [api, ops]: [ServerHandle; 2]) {
    node.drain();
    tokio::join!(api.stop(true), ops.stop(true));
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

fn server(app: &App, listener: TcpListener, settings: &Settings) -> anyhow::Result<Server> {
    let app = app.clone();
    let connections_max = limits::connections_max(settings.pool_size);
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
