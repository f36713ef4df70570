//! `Aftermath`: what the world learns of a unit of work once it is committed.

use gateward_domain::feed::{FeedItem, News};
use gateward_domain::key::CLOCK_SKEW_SECONDS;
use gateward_domain::ports::{Occurrence, StoreError, Tx};
use gateward_domain::{EndReason, SessionId, Timestamp, UserId};

use crate::App;

/// For how many seconds news matter at least: a node that heard nothing for a shorter time has
/// missed nothing. It is an hour because whoever writes them may be set to shorter lives of tokens than
/// the nodes are, such as a command in the shell of an operator.
const NEWS_SECONDS_MIN: i64 = 3600;

/// What the world learns of a unit of work once it is committed.
#[derive(Debug, Default)]
pub(crate) struct Aftermath {
    news: Vec<News>,
    has_letter: bool,
}

impl Aftermath {
    /// A letter was written.
    pub(crate) fn letter(mut self) -> Self {
        self.has_letter = true;
        self
    }

    /// A letter was written, if it was.
    pub(crate) const fn letter_if(mut self, written: bool) -> Self {
        self.has_letter |= written;
        self
    }

    /// An account is not what it was.
    pub(crate) fn user_changed(self, id: UserId) -> Self {
        self.news(News::UserChanged { id })
    }

    /// A session ended.
    pub(crate) fn session_ended(self, id: SessionId, reason: EndReason) -> Self {
        self.news(News::SessionEnded { id, reason })
    }

    /// Some sessions ended.
    pub(crate) fn sessions_ended(mut self, ids: &[SessionId], reason: EndReason) -> Self {
        self.news.extend(ids.iter().map(|id| News::SessionEnded { id: *id, reason }));
        self
    }

    /// Nobody is to believe a token of this user that was made until now.
    pub(crate) fn cut_off(self, id: UserId, reason: EndReason, now: Timestamp) -> Self {
        // Tokens tell the second in which they were made, so the whole of this one counts.
        let before = Timestamp::from_seconds(now.seconds() + 1);
        self.news(News::UserCutOff { id, before, reason })
    }

    /// Something else.
    pub(crate) fn news(mut self, news: News) -> Self {
        self.news.push(news);
        self
    }
}

impl App {
    /// Ends a unit of work: what it tells is written in the same transaction, so that every node
    /// learns of it, and this node knows it before anybody gets an answer.
    pub(crate) async fn conclude(
        &self,
        mut tx: Box<dyn Tx>,
        aftermath: Aftermath,
        now: Timestamp,
    ) -> Result<(), StoreError> {
        let until = self.news_matter_until(now);
        let items: Vec<FeedItem> =
            aftermath.news.into_iter().map(|news| FeedItem { news, at: now, until }).collect();
        if !items.is_empty() {
            tx.insert_news(&items).await?;
        }
        tx.commit().await?;
        self.ports.knowledge.learn(&items);
        for item in &items {
            if let News::SessionEnded { reason, .. } = item.news {
                self.ports.meter.count(Occurrence::SessionEnded(reason), 1);
            }
        }
        if aftermath.has_letter {
            self.ports.bell.ring();
        }
        Ok(())
    }

    /// Until when what happens now matters: until the last token has expired that was made before, and
    /// nobody keeps the public keys of before any more, by the clock of any node.
    fn news_matter_until(&self, now: Timestamp) -> Timestamp {
        let lives = self.policy.access_ttl_seconds.max(self.policy.jwks_cache_seconds);
        let seconds = lives.max(NEWS_SECONDS_MIN);
        now.plus_seconds(seconds + 2 * CLOCK_SKEW_SECONDS)
    }
}
