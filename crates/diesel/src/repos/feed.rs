//! `Feed`: what all nodes must learn.

use async_trait::async_trait;
use diesel::prelude::*;
use diesel_async::RunQueryDsl;
use gateward_domain::Timestamp;
use gateward_domain::feed::{FeedCursor, FeedItem, FeedPage};
use gateward_domain::ports::{Feed, StoreError};

use super::super::Tx;
use super::super::columns::Time;
use super::super::rows::NewsRow;
use super::super::schema::news;

#[async_trait]
impl Feed for Tx {
    async fn insert_news(&mut self, items: &[FeedItem]) -> Result<(), StoreError> {
        let rows: Vec<_> = items.iter().map(NewsRow::from).collect();
        atomically!(self, self.insert_news_rows(rows))
    }

    async fn list_news(
        &mut self,
        since: Option<FeedCursor>,
        limit: u32,
    ) -> Result<FeedPage, StoreError> {
        self.news_after(since, limit).await
    }

    async fn delete_news(&mut self, before: Timestamp, limit: u32) -> Result<u64, StoreError> {
        let old = diesel::alias!(news as old);
        let over = old
            .filter(old.field(news::matters_until).lt(Time(before)))
            .order(old.field(news::matters_until))
            .limit(i64::from(limit))
            .select(old.field(news::seq));
        let delete = diesel::delete(news::table.filter(news::seq.eq_any(over)));
        let count = change!(self, "news", conn => delete.execute(conn))?;
        Ok(u64::try_from(count).unwrap_or(u64::MAX))
    }
}
