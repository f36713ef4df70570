//! `Follower`: keeps what this node knows new, by following the feed.

use std::time::Duration;

use gateward_app::domain::ports::{FeedWatch, StoreError};
use gateward_app::{App, Following, KeysError};
use tokio::time::{Instant, sleep, sleep_until, timeout};

/// How often a node looks into the feed, whether or not it was woken: so often that what it knows
/// is new when it is asked (500 ms), and no more often than about four times a second.
const LOOK_INTERVAL: Duration = Duration::from_millis(300);

/// The shortest time between two looks, however often it is woken: what happens meanwhile is
/// learned together.
const LOOK_PAUSE: Duration = Duration::from_millis(50);

/// For how long one look, or opening a channel, may take: a server that does not answer is gone.
const PATIENCE: Duration = Duration::from_secs(2);

/// Follows the feed for as long as the process runs; `announce` is called when something was
/// learned.
pub(crate) async fn follow(app: &App, announce: impl Fn()) {
    let following = Following::default();
    let mut follower = Follower { app, following, watch: None, in_trouble: false };
    loop {
        follower.open().await;
        if follower.look().await {
            announce();
        }
        follower.wait().await;
    }
}

struct Follower<'a> {
    app: &'a App,
    following: Following,
    /// The channel; none while it is closed.
    watch: Option<Box<dyn FeedWatch>>,
    /// Whether something failed and nothing went well since.
    in_trouble: bool,
}

impl Follower<'_> {
    /// Opens the channel if it is closed.
    async fn open(&mut self) {
        if self.watch.is_some() {
            return;
        }
        match timeout(PATIENCE, self.app.watch_feed()).await {
            Ok(Ok(watch)) => self.watch = Some(watch),
            Ok(Err(error)) => self.note_trouble(error.into()),
            Err(_) => self.note_trouble(no_response()),
        }
    }

    /// Learns what is new; gives whether anything was.
    async fn look(&mut self) -> bool {
        let mut is_new = false;
        loop {
            match timeout(PATIENCE, self.app.follow_feed(&mut self.following)).await {
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
            // Without a channel invalidation events come late, so requests ask the database.
            self.app.invalidate_auth_cache();
        } else if std::mem::take(&mut self.in_trouble) {
            tracing::info!("the feed can be followed again");
        }
        is_new
    }

    /// Waits until it is time to look again.
    async fn wait(&mut self) {
        let due = Instant::now() + LOOK_INTERVAL;
        sleep(LOOK_PAUSE).await;
        let Some(watch) = &mut self.watch else { return sleep_until(due).await };
        tokio::select! {
            () = sleep_until(due) => {}
            changed = watch.changed() => {
                if let Err(error) = changed {
                    self.watch = None;
                    self.app.invalidate_auth_cache();
                    self.note_trouble(error.into());
                }
            }
        }
    }

    /// Says once that something is wrong.
    fn note_trouble(&mut self, error: KeysError) {
        if !std::mem::replace(&mut self.in_trouble, true) {
            let cause = format!("{:#}", anyhow::Error::from(error));
            tracing::warn!(cause, "the feed cannot be followed; requests ask the database");
        }
    }
}

fn no_response() -> KeysError {
    StoreError::Unavailable("no answer in time".into()).into()
}
