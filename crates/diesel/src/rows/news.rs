//! The rows of `news`.

use diesel::prelude::{Insertable, Queryable, Selectable};
use gateward_domain::EndReason;
use gateward_domain::feed::{FeedItem, News};
use gateward_domain::ports::StoreError;

use super::super::columns::Time;
use super::super::schema::news;
use super::corrupt;

/// A row of `news`, but for its place, which the database gives it.
#[derive(Queryable, Selectable, Insertable)]
#[diesel(table_name = news)]
pub struct NewsRow {
    kind: String,
    subject: Option<String>,
    cut_off: Option<Time>,
    reason: Option<String>,
    happened_at: Time,
    matters_until: Time,
}

impl From<&FeedItem> for NewsRow {
    fn from(item: &FeedItem) -> Self {
        let news = &item.news;
        Self {
            kind: news.kind().to_owned(),
            subject: news.subject(),
            cut_off: news.before().map(Time),
            reason: news.reason().map(|reason| reason.as_str().to_owned()),
            happened_at: Time(item.at),
            matters_until: Time(item.until),
        }
    }
}

impl TryFrom<NewsRow> for FeedItem {
    type Error = StoreError;

    fn try_from(row: NewsRow) -> Result<Self, StoreError> {
        let reason = row.reason.as_deref().map(EndReason::from_code);
        let reason = match reason {
            Some(None) => return Err(corrupt("news", "reason")),
            known => known.flatten(),
        };
        let before = row.cut_off.map(|before| before.0);
        let news = News::from_parts(&row.kind, row.subject.as_deref(), before, reason);
        Ok(Self {
            news: news.ok_or_else(|| corrupt("news", "kind"))?,
            at: row.happened_at.0,
            until: row.matters_until.0,
        })
    }
}
