//! `EmbeddedNode`: `gateward serve` in a process that does something else.

use std::collections::BTreeMap;
use std::net::SocketAddr;

use actix_web::dev::ServerHandle;
use gateward_node::Node;

use crate::BadSettings;
use crate::commands::serve::begin;
use crate::listening::{Listening, finish_requests, listen};
use crate::settings::Settings;

/// A node that serves in this process, with the settings, the wiring and the listeners of
/// `gateward serve`, and without its log and its stop signals.
pub struct EmbeddedNode {
    /// Where the API listens.
    pub address: SocketAddr,
    /// Where the metrics are served.
    pub ops_address: SocketAddr,
    node: Node,
    handles: [ServerHandle; 2],
}

impl EmbeddedNode {
    /// Starts a node with these environment variables alone: without `.env` and settings file. It
    /// serves when this returns. Call it within a Tokio runtime that outlives the node.
    pub async fn start(environment: &BTreeMap<String, String>) -> anyhow::Result<Self> {
        let settings = Settings::from_layers(None, environment).map_err(BadSettings)?;
        let (wired, trouble) = begin(&settings).await?;
        if let Some(outage) = trouble {
            return Err(outage.into_inner());
        }
        let Listening { address, ops_address, api, ops } = listen(&wired.node, &settings)?;
        let handles = [api.handle(), ops.handle()];
        tokio::spawn(api);
        tokio::spawn(ops);
        wired.node.spawn_jobs();
        Ok(Self { address, ops_address, node: wired.node, handles })
    }

    /// Stops like `gateward serve` on a signal: running requests finish, and the last emails and
    /// events are kept.
    pub async fn stop(self) {
        finish_requests(&self.node, self.handles).await;
        self.node.stop().await;
    }

    /// Closes all connections, and ends the background jobs as if the process was killed.
    pub async fn kill(self) {
        let [api, ops] = &self.handles;
        tokio::join!(api.stop(false), ops.stop(false));
    }
}
