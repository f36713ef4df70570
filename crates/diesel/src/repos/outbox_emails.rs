//! `OutboxRepo`: the queue of emails.

use async_trait::async_trait;
use diesel::dsl::{count_star, min};
use diesel::prelude::*;
use diesel_async::RunQueryDsl;
use gateward_domain::email::{EmailState, OutboxEmail};
use gateward_domain::ports::{OutboxCounts, OutboxFilter, OutboxRepo, StoreError};
use gateward_domain::{EmailId, LinkId, Timestamp, UserId};

use super::super::Tx;
use super::super::columns::{Id, Time};
use super::super::rows::OutboxEmailRow;
use super::super::schema::outbox_emails;

/// The condition for a waiting email. A constraint of the table ensures that every other email has
/// a time at which it finished, and the partial index only serves a condition without a bound
/// value.
macro_rules! waiting {
    ($id:expr) => {
        outbox_emails::id.eq(Id($id.uuid())).and(outbox_emails::finished_at.is_null())
    };
}

#[async_trait]
impl OutboxRepo for Tx {
    async fn insert_outbox_email(&mut self, message: &OutboxEmail) -> Result<bool, StoreError> {
        let insert = diesel::insert_into(outbox_emails::table)
            .values(OutboxEmailRow::from(message))
            .on_conflict(outbox_emails::slot)
            .do_nothing();
        Ok(change!(self, "outbox_emails", conn => insert.execute(conn))? > 0)
    }

    async fn lease_outbox_emails(
        &mut self,
        now: Timestamp,
        lease_until: Timestamp,
        limit: u32,
    ) -> Result<Vec<OutboxEmail>, StoreError> {
        let next = diesel::alias!(outbox_emails as next);
        let due = next
            .filter(next.field(outbox_emails::finished_at).is_null())
            .filter(next.field(outbox_emails::next_attempt_at).le(Time(now)))
            .order((next.field(outbox_emails::next_attempt_at), next.field(outbox_emails::id)))
            .limit(i64::from(limit))
            .select(next.field(outbox_emails::id));
        let free = outbox_emails::id
            .eq_any(unclaimed!(due))
            .and(outbox_emails::finished_at.is_null())
            .and(outbox_emails::next_attempt_at.le(Time(now)));
        let update = diesel::update(outbox_emails::table.filter(free))
            .set((
                outbox_emails::previous_attempt_due_at
                    .eq(outbox_emails::next_attempt_at.nullable()),
                outbox_emails::next_attempt_at.eq(Time(lease_until)),
                outbox_emails::attempts.eq(outbox_emails::attempts + 1),
            ))
            .returning(outbox_emails::all_columns);
        let mut rows = change!(self, "outbox_emails", conn => update.load::<OutboxEmailRow>(conn))?;
        rows.sort_by_key(|row| (row.previous_attempt_due_at.map(|at| at.0), row.id.0));
        Ok(rows.into_iter().filter_map(sound).collect())
    }

    async fn set_outbox_email_link(
        &mut self,
        id: EmailId,
        link: LinkId,
        user_id: Option<UserId>,
    ) -> Result<bool, StoreError> {
        let update = diesel::update(outbox_emails::table.filter(waiting!(id))).set((
            outbox_emails::link_id.eq(Some(Id(link.uuid()))),
            outbox_emails::user_id.eq(user_id.map(|id| Id(id.uuid()))),
        ));
        Ok(change!(self, "outbox_emails", conn => update.execute(conn))? > 0)
    }

    async fn finish_outbox_email(
        &mut self,
        id: EmailId,
        state: EmailState,
        failure: Option<String>,
        now: Timestamp,
    ) -> Result<bool, StoreError> {
        let update = diesel::update(outbox_emails::table.filter(waiting!(id))).set((
            outbox_emails::state.eq(state.as_str()),
            outbox_emails::finished_at.eq(Some(Time(now))),
            outbox_emails::failure.eq(failure),
        ));
        Ok(change!(self, "outbox_emails", conn => update.execute(conn))? > 0)
    }

    async fn postpone_outbox_email(
        &mut self,
        id: EmailId,
        attempts: u32,
        next_attempt_at: Timestamp,
        failure: &str,
    ) -> Result<bool, StoreError> {
        let mine = waiting!(id).and(outbox_emails::attempts.eq(i64::from(attempts)));
        let update = diesel::update(outbox_emails::table.filter(mine)).set((
            outbox_emails::next_attempt_at.eq(Time(next_attempt_at)),
            outbox_emails::failure.eq(Some(failure)),
        ));
        Ok(change!(self, "outbox_emails", conn => update.execute(conn))? > 0)
    }

    async fn retry_outbox_email(
        &mut self,
        id: EmailId,
        now: Timestamp,
    ) -> Result<bool, StoreError> {
        let failed = outbox_emails::state.eq(EmailState::Failed.as_str());
        let update = diesel::update(
            outbox_emails::table.filter(outbox_emails::id.eq(Id(id.uuid())).and(failed)),
        )
        .set((
            outbox_emails::state.eq(EmailState::Waiting.as_str()),
            outbox_emails::scheduled_at.eq(Time(now)),
            outbox_emails::next_attempt_at.eq(Time(now)),
            outbox_emails::attempts.eq(0),
            outbox_emails::finished_at.eq(None::<Time>),
            outbox_emails::failure.eq(None::<String>),
        ));
        Ok(change!(self, "outbox_emails", conn => update.execute(conn))? > 0)
    }

    async fn find_outbox_email(&mut self, id: EmailId) -> Result<Option<OutboxEmail>, StoreError> {
        let id = Id(id.uuid());
        let row = find!(self, "outbox_emails", conn => outbox_emails::table
            .filter(outbox_emails::id.eq(id))
            .first::<OutboxEmailRow>(conn))?;
        row.map(OutboxEmail::try_from).transpose()
    }

    async fn list_outbox_emails(
        &mut self,
        filter: OutboxFilter,
        limit: u32,
    ) -> Result<Vec<OutboxEmail>, StoreError> {
        let rows = read!(self, "outbox_emails", conn => {
            let mut query =
                outbox_emails::table.order(outbox_emails::id.desc()).limit(i64::from(limit)).into_boxed();
            if let Some(state) = filter.state {
                query = query.filter(outbox_emails::state.eq(state.as_str()));
            }
            if let Some(user_id) = filter.user_id {
                query = query.filter(outbox_emails::user_id.eq(Id(user_id.uuid())));
            }
            if let Some(before) = filter.before {
                query = query.filter(outbox_emails::id.lt(Id(before.uuid())));
            }
            query.load::<OutboxEmailRow>(conn)
        })?;
        rows.into_iter().map(OutboxEmail::try_from).collect()
    }

    async fn count_outbox_emails(&mut self) -> Result<OutboxCounts, StoreError> {
        let states = [EmailState::Waiting, EmailState::Failed].map(EmailState::as_str);
        let found = read!(self, "outbox_emails", conn => outbox_emails::table
            .filter(outbox_emails::state.eq_any(states))
            .group_by(outbox_emails::state)
            .select((outbox_emails::state, count_star(), min(outbox_emails::scheduled_at)))
            .load::<(String, i64, Option<Time>)>(conn))?;
        let mut counts = OutboxCounts::default();
        for (state, count, oldest_scheduled_at) in found {
            let count = u64::try_from(count).unwrap_or(0);
            if state == EmailState::Failed.as_str() {
                counts.failed = count;
            } else {
                counts.waiting = count;
                counts.oldest_scheduled_at = oldest_scheduled_at.map(|at| at.0);
            }
        }
        Ok(counts)
    }

    async fn delete_outbox_emails(
        &mut self,
        state: EmailState,
        before: Timestamp,
        limit: u32,
    ) -> Result<u64, StoreError> {
        let old = diesel::alias!(outbox_emails as old);
        let over = old
            .filter(old.field(outbox_emails::state).eq(state.as_str()))
            .filter(old.field(outbox_emails::finished_at).lt(Time(before)))
            .order(old.field(outbox_emails::finished_at))
            .limit(i64::from(limit))
            .select(old.field(outbox_emails::id));
        // An email that is retried meanwhile is kept.
        let still = outbox_emails::id.eq_any(over).and(outbox_emails::state.eq(state.as_str()));
        let delete = diesel::delete(outbox_emails::table.filter(still));
        let count = change!(self, "outbox_emails", conn => delete.execute(conn))?;
        Ok(u64::try_from(count).unwrap_or(u64::MAX))
    }
}

/// Converts a leased row. An email that cannot be parsed is logged and skipped: an error would
/// block all others of its batch, every time.
fn sound(row: OutboxEmailRow) -> Option<OutboxEmail> {
    let id = row.id.0;
    let message = OutboxEmail::try_from(row);
    message.inspect_err(|error| tracing::error!(message = %id, %error, "corrupt email row")).ok()
}
