//! A node of Gateward: the use cases with their adapters, the HTTP interface, the background jobs
//! and the metrics.
//!
//! [`Node::builder`] takes what has no default; everything else is optional. The program `gateward`
//! and an application that mounts Gateward build their node the same way:
//!
//! ```ignore
//! let node = Node::builder(store, master_key, mailer, Policy::new(public_url)).build().await?;
//! node.prepare_keys(NewAlgorithm::Begins).await?;
//! node.spawn_jobs();
//! // Mount node.app() with gateward_http::configure, and serve.
//! node.stop().await;
//! ```
//!
//! A node keeps no state outside itself: several nodes can run in one process, each with its own
//! metrics.

#![warn(missing_docs)]

mod builder;
mod jobs;
mod master_key_file;
mod metrics;
mod node;
#[cfg(test)]
mod testing;
#[cfg(test)]
mod tests;

pub use self::metrics::{ConnectionLoad, MetricsError};
pub use builder::{NodeBuilder, NodeError};
pub use gateward_http as http;
pub use master_key_file::{
    MasterKeyFileError, is_exposed, read_master_key, read_or_create_master_key, write_master_key,
};
pub use node::Node;
