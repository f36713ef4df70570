//! `Follower`: keeps this node's cache current by following the invalidation events.

use std::sync::Arc;
use std::time::Duration;

use async_trait::async_trait;
use gateward_app::domain::ports::{FeedWatch, StoreError};
use gateward_app::{App as Core, Following, KeysError};
use gateward_http::App;
use tokio::time::{Instant, sleep, sleep_until, timeout};

use super::{Failed, Work};

/// How often a node polls the feed, whether or not it was notified: often enough to be current
/// within 500 ms, and no more than about four times a second.
pub(super) const LOOK_INTERVAL: Duration = Duration::from_millis(300);

/// The shortest time between two polls, however often it is notified: events are read in batches.
const LOOK_PAUSE: Duration = Duration::from_millis(50);

/// The deadline for a poll or for opening the channel: a slower server counts as unavailable.
const PATIENCE: Duration = Duration::from_secs(2);

/// Follows the feed, and wakes the open streams when there are new events.
pub(super) struct Follower {
    app: App,
    core: Arc<Core>,
    following: Following,
    /// The channel; none while it is closed.
    watch: Option<Box<dyn FeedWatch>>,
    /// Whether the feed has failed and not recovered yet.
    in_trouble: bool,
}

#[async_trait]
impl Work for Follower {
    async fn run_once(&mut self) -> Result<(), Failed> {
        self.open().await;
        if self.look().await {
            self.app.announce_invalidations();
        }
        if self.in_trouble { Err(Failed) } else { Ok(()) }
    }

    /// Waits until the next poll is due, or the channel reports new events.
    async fn wait(&mut self, due: Instant) {
        sleep(LOOK_PAUSE).await;
        let Some(watch) = &mut self.watch else { return sleep_until(due).await };
        tokio::select! {
            () = sleep_until(due) => {}
            changed = watch.changed() => {
                if let Err(error) = changed {
                    self.watch = None;
                    self.core.invalidate_auth_cache();
                    self.note_trouble(error.into());
                }
            }
        }
    }
}

impl Follower {
    pub(super) fn new(app: App, core: Arc<Core>) -> Self {
        Self { app, core, following: Following::default(), watch: None, in_trouble: false }
    }

    /// Opens the channel if it is closed.
    async fn open(&mut self) {
        if self.watch.is_some() {
            return;
        }
        match timeout(PATIENCE, self.core.watch_feed()).await {
            Ok(Ok(watch)) => self.watch = Some(watch),
            Ok(Err(error)) => self.note_trouble(error.into()),
            Err(_) => self.note_trouble(no_response()),
        }
    }

    /// Reads new events; returns whether there were any.
    async fn look(&mut self) -> bool {
        let mut is_new = false;
        loop {
            match timeout(PATIENCE, self.core.follow_feed(&mut self.following)).await {
                Ok(Ok(followed)) => {
                    is_new |= followed.is_new;
                    if followed.is_complete {
                        break;
                    }
                }
                Ok(Err(error)) => {
                    self.note_trouble(error);
                    return is_new;
                }
                Err(_) => {
                    self.note_trouble(no_response());
                    return is_new;
                }
            }
        }
        if self.watch.is_none() {
            // Without a channel, invalidation events arrive late, so requests check the database.
            self.core.invalidate_auth_cache();
        } else if std::mem::take(&mut self.in_trouble) {
            tracing::info!("revocation feed available again");
        }
        is_new
    }

    /// Logs once that the feed is unavailable.
    fn note_trouble(&mut self, error: KeysError) {
        if !std::mem::replace(&mut self.in_trouble, true) {
            let cause = format!("{:#}", anyhow::Error::from(error));
            tracing::warn!(cause, "revocation feed unavailable, checking sessions in the database");
        }
    }
}

fn no_response() -> KeysError {
    StoreError::Unavailable("no response in time".into()).into()
}
