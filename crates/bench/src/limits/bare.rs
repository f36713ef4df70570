//! The limit of reads: an actix-web server in a process of its own that sends the same bytes
//! without looking at the request.

use std::net::{SocketAddr, TcpListener};
use std::path::{Path, PathBuf};
use std::process::{Command, Stdio};

use actix_web::web::{self, Bytes};
use actix_web::{App, HttpResponse, HttpServer};
use anyhow::Context;

use crate::node::{Process, free_address};

/// The paths of the bare server.
#[derive(Clone, Copy)]
pub(crate) enum Resource {
    /// The account of the caller.
    Me,
    /// The public keys.
    Jwks,
}

impl Resource {
    /// Returns the path, which is the same in Gateward.
    pub(crate) const fn path(self) -> &'static str {
        match self {
            Self::Me => "/v1/me",
            Self::Jwks => "/.well-known/jwks.json",
        }
    }
}

/// A running bare server. It is killed when dropped.
pub(crate) struct BareServer {
    pub(crate) address: SocketAddr,
    _process: Process,
}

impl BareServer {
    /// Starts a server that sends `body`, which is written to a file in `folder`.
    pub(crate) fn start(folder: &Path, body: &[u8]) -> anyhow::Result<Self> {
        let (path, address) = (folder.join("bare.json"), free_address()?);
        std::fs::write(&path, body).context("cannot write the body of the bare server")?;
        let mut command = Command::new(std::env::current_exe()?);
        command.arg("bare").arg(&path).arg(address.to_string()).stdin(Stdio::null());
        let process = Process::spawn(&mut command)?;
        crate::node::wait_for_port(address)?;
        Ok(Self { address, _process: process })
    }
}

/// Runs the bare server in this process, until it is killed.
pub(crate) fn serve(body: &PathBuf, address: SocketAddr) -> anyhow::Result<()> {
    let body = Bytes::from(std::fs::read(body)?);
    let listener = TcpListener::bind(address)?;
    listener.set_nonblocking(true)?;
    let server = HttpServer::new(move || {
        let body = body.clone();
        let send = move || {
            let body = body.clone();
            async move { HttpResponse::Ok().content_type("application/json").body(body) }
        };
        App::new()
            .route(Resource::Me.path(), web::get().to(send.clone()))
            .route(Resource::Jwks.path(), web::get().to(send))
    });
    actix_web::rt::System::new().block_on(server.listen(listener)?.run())?;
    Ok(())
}
