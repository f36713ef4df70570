//! The rows of `news`.

use diesel::prelude::{Insertable, Queryable, Selectable};
use gateward_domain::feed::{FeedItem, News};

use super::super::columns::Time;
use super::super::schema::news;

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

impl From<NewsRow> for FeedItem {
    fn from(row: NewsRow) -> Self {
        let (subject, reason) = (row.subject.as_deref(), row.reason.as_deref());
        let news = News::read(&row.kind, subject, row.cut_off.map(|before| before.0), reason);
        if news == News::Unknown {
            tracing::error!(kind = row.kind, "news that cannot be read");
        }
        Self { news, at: row.happened_at.0, until: row.matters_until.0 }
    }
}
