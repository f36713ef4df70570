//! `LinkRepo`: emailed links.

use std::cmp::Reverse;

use async_trait::async_trait;
use diesel::prelude::*;
use diesel::query_dsl::methods;
use diesel::sql_types::Bool;
use diesel_async::RunQueryDsl;
use gateward_domain::key::KeyId;
use gateward_domain::link::{Link, LinkPurpose, LinkSubject, SecretHash};
use gateward_domain::ports::{CODE_LINKS_MAX, CodeAttempt, LinkRepo, StoreError};
use gateward_domain::{LinkId, Timestamp, UserId};

use super::super::Tx;
use super::super::columns::{Id, Time};
use super::super::rows::LinkRow;
use super::super::schema::links;

/// The condition for links about an account. It excludes links that confirm a sign-up, whose
/// subject is not an account.
macro_rules! about {
    ($user_id:expr) => {
        links::subject_id
            .eq(Id($user_id.uuid()))
            .and(links::purpose.ne(LinkPurpose::ConfirmSignup.as_str()))
    };
}

#[async_trait]
impl LinkRepo for Tx {
    async fn put_link(&mut self, link: &Link) -> Result<(), StoreError> {
        let put = diesel::insert_into(links::table)
            .values(LinkRow::from(link))
            .on_conflict((links::purpose, links::dedup_key))
            .do_update()
            .set(LinkRow::from(link));
        let put = methods::FilterDsl::filter(put, links::id.ne(Id(link.id.uuid())));
        if change!(self, "links", conn => put.execute(conn))? == 0 {
            self.fail();
            return Err(StoreError::Unavailable("this link is there already".into()));
        }
        Ok(())
    }

    async fn find_link(&mut self, id: LinkId) -> Result<Option<Link>, StoreError> {
        let id = Id(id.uuid());
        let row = find!(self, "links", conn => links::table
            .filter(links::id.eq(id))
            .first::<LinkRow>(conn))?;
        row.map(Link::try_from).transpose()
    }

    async fn find_link_by_secret(
        &mut self,
        secret: &SecretHash,
    ) -> Result<Option<Link>, StoreError> {
        let row = find!(self, "links", conn => links::table
            .filter(links::secret.eq(secret.0.as_slice()))
            .first::<LinkRow>(conn))?;
        row.map(Link::try_from).transpose()
    }

    async fn try_code(&mut self, attempt: &CodeAttempt) -> Result<Vec<Link>, StoreError> {
        let (now, attempts_max) = (Time(attempt.now), i64::from(attempt.attempts_max));
        let newest = diesel::alias!(links as newest);
        let meant = newest
            .filter(newest.field(links::email).eq(attempt.email.as_str()))
            .filter(newest.field(links::purpose).eq_any(purposes(attempt)))
            .filter(
                newest
                    .field(links::subject_id)
                    .eq(Id(attempt.subject.map_or(uuid::Uuid::nil(), LinkSubject::uuid)))
                    .or(attempt.subject.is_none().into_sql::<Bool>()),
            )
            .filter(newest.field(links::code_attempts).lt(attempts_max))
            .filter(newest.field(links::expires_at).gt(now))
            .order((newest.field(links::created_at).desc(), newest.field(links::id).desc()))
            .limit(i64::from(CODE_LINKS_MAX))
            .select(newest.field(links::id));
        // A caller that waited for a concurrent attempt compares with the count of that attempt.
        let open = links::id.eq_any(in_turn!(meant)).and(links::code_attempts.lt(attempts_max));
        let update = diesel::update(links::table.filter(open))
            .set(links::code_attempts.eq(links::code_attempts + 1))
            .returning(links::all_columns);
        let rows = change!(self, "links", conn => update.load::<LinkRow>(conn))?;
        let links: Result<Vec<_>, _> = rows.into_iter().map(Link::try_from).collect();
        let mut links = links?;
        links.sort_by_key(|link| Reverse((link.created_at, link.id)));
        Ok(links)
    }

    async fn spend_link(&mut self, id: LinkId, now: Timestamp) -> Result<bool, StoreError> {
        let in_time = links::id.eq(Id(id.uuid())).and(links::expires_at.gt(Time(now)));
        let delete = diesel::delete(links::table.filter(in_time));
        Ok(change!(self, "links", conn => delete.execute(conn))? > 0)
    }

    async fn delete_user_links(
        &mut self,
        user_id: UserId,
        purposes: &[LinkPurpose],
        from: Timestamp,
    ) -> Result<u64, StoreError> {
        let purposes: Vec<_> = purposes.iter().map(|purpose| purpose.as_str()).collect();
        let meant = about!(user_id)
            .and(links::purpose.eq_any(purposes))
            .and(links::created_at.ge(Time(from)));
        let delete = diesel::delete(links::table.filter(meant));
        let count = change!(self, "links", conn => delete.execute(conn))?;
        Ok(u64::try_from(count).unwrap_or(u64::MAX))
    }

    async fn delete_links_of_key(&mut self, key: &KeyId, limit: u32) -> Result<u64, StoreError> {
        let signed = diesel::alias!(links as signed);
        // In the order in which codes are tried.
        let newest = signed
            .filter(signed.field(links::key_id).eq(&key.0))
            .order((signed.field(links::created_at).desc(), signed.field(links::id).desc()))
            .limit(i64::from(limit))
            .select(signed.field(links::id));
        // A link that was replaced meanwhile is kept.
        let still = links::id.eq_any(in_turn!(newest)).and(links::key_id.eq(&key.0));
        let delete = diesel::delete(links::table.filter(still));
        let count = change!(self, "links", conn => delete.execute(conn))?;
        Ok(u64::try_from(count).unwrap_or(u64::MAX))
    }

    async fn list_user_links(
        &mut self,
        user_id: UserId,
        limit: u32,
    ) -> Result<Vec<Link>, StoreError> {
        let rows = read!(self, "links", conn => links::table
            .filter(about!(user_id))
            .order((links::created_at, links::id))
            .limit(i64::from(limit))
            .load::<LinkRow>(conn))?;
        rows.into_iter().map(Link::try_from).collect()
    }

    async fn delete_links(&mut self, before: Timestamp, limit: u32) -> Result<u64, StoreError> {
        let old = diesel::alias!(links as old);
        let over = old
            .filter(old.field(links::expires_at).lt(Time(before)))
            .order(old.field(links::expires_at))
            .limit(i64::from(limit))
            .select(old.field(links::id));
        let delete = diesel::delete(links::table.filter(links::id.eq_any(over)));
        let count = change!(self, "links", conn => delete.execute(conn))?;
        Ok(u64::try_from(count).unwrap_or(u64::MAX))
    }
}

impl Tx {
    /// Deletes all links about an account.
    pub(super) async fn delete_links_about(&mut self, user_id: UserId) -> Result<(), StoreError> {
        let delete = diesel::delete(links::table.filter(about!(user_id)));
        change!(self, "links", conn => delete.execute(conn)).map(drop)
    }
}

/// Returns the names of the purposes whose links a code is tried on. If the subject is known, only
/// those that can be about it.
fn purposes(attempt: &CodeAttempt) -> Vec<&'static str> {
    let fits = |purpose: &LinkPurpose| {
        let is_it = |subject: LinkSubject| LinkSubject::of(*purpose, subject.uuid()) == subject;
        attempt.subject.is_none_or(is_it)
    };
    attempt.purposes.iter().copied().filter(fits).map(LinkPurpose::as_str).collect()
}
