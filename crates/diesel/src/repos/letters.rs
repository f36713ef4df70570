//! `Outbox`: letters that wait to be sent.

use async_trait::async_trait;
use diesel::dsl::{count_star, min};
use diesel::prelude::*;
use diesel_async::RunQueryDsl;
use gateward_domain::mail::{LetterState, QueuedLetter};
use gateward_domain::ports::{LetterFilter, Outbox, OutboxCounts, StoreError};
use gateward_domain::{LetterId, LinkId, Timestamp, UserId};

use super::super::Tx;
use super::super::columns::{Id, Time};
use super::super::rows::LetterRow;
use super::super::schema::letters;

/// A letter that waits: the table sees to it that no other lacks an end, and its index serves a
/// condition without a value alone.
macro_rules! waiting {
    ($id:expr) => {
        letters::id.eq(Id($id.uuid())).and(letters::finished_at.is_null())
    };
}

#[async_trait]
impl Outbox for Tx {
    async fn insert_letter(&mut self, letter: &QueuedLetter) -> Result<bool, StoreError> {
        let insert = diesel::insert_into(letters::table)
            .values(LetterRow::from(letter))
            .on_conflict(letters::slot)
            .do_nothing();
        Ok(change!(self, "letters", conn => insert.execute(conn))? > 0)
    }

    async fn take_letters(
        &mut self,
        now: Timestamp,
        lease_until: Timestamp,
        limit: u32,
    ) -> Result<Vec<QueuedLetter>, StoreError> {
        let next = diesel::alias!(letters as next);
        let due = next
            .filter(next.field(letters::finished_at).is_null())
            .filter(next.field(letters::due_at).le(Time(now)))
            .order((next.field(letters::due_at), next.field(letters::id)))
            .limit(i64::from(limit))
            .select(next.field(letters::id));
        let free = letters::id
            .eq_any(unclaimed!(due))
            .and(letters::finished_at.is_null())
            .and(letters::due_at.le(Time(now)));
        let update = diesel::update(letters::table.filter(free))
            .set((
                letters::was_due_at.eq(letters::due_at.nullable()),
                letters::due_at.eq(Time(lease_until)),
                letters::attempts.eq(letters::attempts + 1),
            ))
            .returning(letters::all_columns);
        let mut rows = change!(self, "letters", conn => update.load::<LetterRow>(conn))?;
        rows.sort_by_key(|row| (row.was_due_at.map(|at| at.0), row.id.0));
        Ok(rows.into_iter().filter_map(sound).collect())
    }

    async fn set_letter_link(
        &mut self,
        id: LetterId,
        link: LinkId,
        user_id: Option<UserId>,
    ) -> Result<bool, StoreError> {
        let update = diesel::update(letters::table.filter(waiting!(id))).set((
            letters::link_id.eq(Some(Id(link.uuid()))),
            letters::user_id.eq(user_id.map(|id| Id(id.uuid()))),
        ));
        Ok(change!(self, "letters", conn => update.execute(conn))? > 0)
    }

    async fn finish_letter(
        &mut self,
        id: LetterId,
        state: LetterState,
        failure: Option<String>,
        now: Timestamp,
    ) -> Result<bool, StoreError> {
        let update = diesel::update(letters::table.filter(waiting!(id))).set((
            letters::state.eq(state.as_str()),
            letters::finished_at.eq(Some(Time(now))),
            letters::failure.eq(failure),
        ));
        Ok(change!(self, "letters", conn => update.execute(conn))? > 0)
    }

    async fn postpone_letter(
        &mut self,
        id: LetterId,
        attempts: u32,
        due_at: Timestamp,
        failure: &str,
    ) -> Result<bool, StoreError> {
        let mine = waiting!(id).and(letters::attempts.eq(i64::from(attempts)));
        let update = diesel::update(letters::table.filter(mine))
            .set((letters::due_at.eq(Time(due_at)), letters::failure.eq(Some(failure))));
        Ok(change!(self, "letters", conn => update.execute(conn))? > 0)
    }

    async fn retry_letter(&mut self, id: LetterId, now: Timestamp) -> Result<bool, StoreError> {
        let dead = letters::state.eq(LetterState::Dead.as_str());
        let update = diesel::update(letters::table.filter(letters::id.eq(Id(id.uuid())).and(dead)))
            .set((
                letters::state.eq(LetterState::Waiting.as_str()),
                letters::planned_at.eq(Time(now)),
                letters::due_at.eq(Time(now)),
                letters::attempts.eq(0),
                letters::finished_at.eq(None::<Time>),
                letters::failure.eq(None::<String>),
            ));
        Ok(change!(self, "letters", conn => update.execute(conn))? > 0)
    }

    async fn find_letter(&mut self, id: LetterId) -> Result<Option<QueuedLetter>, StoreError> {
        let id = Id(id.uuid());
        let row = find!(self, "letters", conn => letters::table
            .filter(letters::id.eq(id))
            .first::<LetterRow>(conn))?;
        row.map(QueuedLetter::try_from).transpose()
    }

    async fn list_letters(
        &mut self,
        filter: LetterFilter,
        limit: u32,
    ) -> Result<Vec<QueuedLetter>, StoreError> {
        let rows = read!(self, "letters", conn => {
            let mut query =
                letters::table.order(letters::id.desc()).limit(i64::from(limit)).into_boxed();
            if let Some(state) = filter.state {
                query = query.filter(letters::state.eq(state.as_str()));
            }
            if let Some(user_id) = filter.user_id {
                query = query.filter(letters::user_id.eq(Id(user_id.uuid())));
            }
            if let Some(before) = filter.before {
                query = query.filter(letters::id.lt(Id(before.uuid())));
            }
            query.load::<LetterRow>(conn)
        })?;
        rows.into_iter().map(QueuedLetter::try_from).collect()
    }

    async fn count_letters(&mut self) -> Result<OutboxCounts, StoreError> {
        let states = [LetterState::Waiting, LetterState::Dead].map(LetterState::as_str);
        let found = read!(self, "letters", conn => letters::table
            .filter(letters::state.eq_any(states))
            .group_by(letters::state)
            .select((letters::state, count_star(), min(letters::planned_at)))
            .load::<(String, i64, Option<Time>)>(conn))?;
        let mut counts = OutboxCounts::default();
        for (state, count, oldest_planned_at) in found {
            let count = u64::try_from(count).unwrap_or(0);
            if state == LetterState::Dead.as_str() {
                counts.dead = count;
            } else {
                counts.waiting = count;
                counts.oldest_planned_at = oldest_planned_at.map(|at| at.0);
            }
        }
        Ok(counts)
    }

    async fn delete_letters(
        &mut self,
        state: LetterState,
        before: Timestamp,
        limit: u32,
    ) -> Result<u64, StoreError> {
        let old = diesel::alias!(letters as old);
        let over = old
            .filter(old.field(letters::state).eq(state.as_str()))
            .filter(old.field(letters::finished_at).lt(Time(before)))
            .order(old.field(letters::finished_at))
            .limit(i64::from(limit))
            .select(old.field(letters::id));
        // One that is tried again meanwhile stays.
        let still = letters::id.eq_any(over).and(letters::state.eq(state.as_str()));
        let delete = diesel::delete(letters::table.filter(still));
        let count = change!(self, "letters", conn => delete.execute(conn))?;
        Ok(u64::try_from(count).unwrap_or(u64::MAX))
    }
}

/// The letter of a row that was taken. One that cannot be read is named and left alone: if it were
/// an error, it would keep all others of its batch from being sent, each time anew.
fn sound(row: LetterRow) -> Option<QueuedLetter> {
    let id = row.id.0;
    let letter = QueuedLetter::try_from(row);
    letter.inspect_err(|error| tracing::error!(letter = %id, %error, "a letter is corrupt")).ok()
}
