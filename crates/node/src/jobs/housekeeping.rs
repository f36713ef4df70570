//! The jobs that need no state: keys are rotated, expired rows deleted, queued emails counted.

use std::sync::Arc;
use std::time::Duration;

use async_trait::async_trait;
use gateward_app::App as Core;

use super::{Failed, Work};
use crate::metrics::NodeMetrics;

/// How often a node checks whether a key needs a successor.
pub(super) const KEY_AGE_INTERVAL: Duration = Duration::from_mins(1);

/// How often expired rows are deleted.
pub(super) const CLEANUP_INTERVAL: Duration = Duration::from_mins(1);

/// How often the emails are counted in the database: about as often as metrics are scraped.
pub(super) const COUNT_INTERVAL: Duration = Duration::from_secs(15);

/// Creates the successors of keys that are old enough.
pub(super) struct RotateKeys(pub(super) Arc<Core>);

#[async_trait]
impl Work for RotateKeys {
    async fn run_once(&mut self) -> Result<(), Failed> {
        match self.0.rotate_old_keys().await {
            Ok(false) => {}
            Ok(true) => tracing::info!("new signing keys published"),
            Err(error) => {
                let cause = format!("{:#}", anyhow::Error::from(error));
                tracing::warn!(cause, "key rotation failed, will retry");
                return Err(Failed);
            }
        }
        Ok(())
    }
}

/// Deletes expired rows.
pub(super) struct CleanUp(pub(super) Arc<Core>);

impl CleanUp {
    /// If one part fails, the other is cleaned up nevertheless.
    async fn clean_up(&self) -> anyhow::Result<u64> {
        let (rows, events) = (self.0.clean_up().await, self.0.apply_audit_retention().await);
        Ok(rows? + events?)
    }
}

#[async_trait]
impl Work for CleanUp {
    async fn run_once(&mut self) -> Result<(), Failed> {
        match self.clean_up().await {
            Ok(0) => {}
            Ok(count) => tracing::info!(count, "rows cleaned up"),
            Err(error) => {
                tracing::warn!(cause = format!("{error:#}"), "cleanup failed");
                return Err(Failed);
            }
        }
        Ok(())
    }
}

/// Counts waiting and failed emails, for the metrics.
pub(super) struct CountOutboxEmails(pub(super) Arc<Core>, pub(super) NodeMetrics);

#[async_trait]
impl Work for CountOutboxEmails {
    async fn run_once(&mut self) -> Result<(), Failed> {
        let Self(core, metrics) = self;
        match core.count_outbox_emails().await {
            Ok(counts) => metrics.outbox_counted(counts, core.now()),
            Err(error) => {
                // The outbox worker warns about it.
                tracing::debug!(%error, "counting emails failed");
                return Err(Failed);
            }
        }
        Ok(())
    }
}
