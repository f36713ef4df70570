//! `SignupRepo`: pending sign-ups.

use async_trait::async_trait;
use diesel::prelude::*;
use diesel_async::RunQueryDsl;
use gateward_domain::link::SecretHash;
use gateward_domain::ports::{SignupRepo, StoreError};
use gateward_domain::signup::PendingSignup;
use gateward_domain::{EmailAddress, SignupId, Timestamp};

use super::super::Tx;
use super::super::columns::{Id, Time};
use super::super::rows::SignupRow;
use super::super::schema::signups;

#[async_trait]
impl SignupRepo for Tx {
    async fn insert_signup(&mut self, signup: &PendingSignup) -> Result<(), StoreError> {
        let insert = diesel::insert_into(signups::table).values(SignupRow::from(signup));
        change!(self, "signups", conn => insert.execute(conn)).map(drop)
    }

    async fn find_signup(
        &mut self,
        id: SignupId,
        now: Timestamp,
    ) -> Result<Option<PendingSignup>, StoreError> {
        let id = Id(id.uuid());
        let row = find!(self, "signups", conn => signups::table
            .filter(signups::id.eq(id).and(signups::expires_at.gt(Time(now))))
            .first::<SignupRow>(conn))?;
        row.map(PendingSignup::try_from).transpose()
    }

    async fn find_signup_by_secret(
        &mut self,
        secret: &SecretHash,
        now: Timestamp,
    ) -> Result<Option<PendingSignup>, StoreError> {
        let secret = secret.0.as_slice();
        let row = find!(self, "signups", conn => signups::table
            .filter(signups::secret.eq(secret).and(signups::expires_at.gt(Time(now))))
            .first::<SignupRow>(conn))?;
        row.map(PendingSignup::try_from).transpose()
    }

    async fn find_newest_signup(
        &mut self,
        email: &EmailAddress,
        now: Timestamp,
    ) -> Result<Option<PendingSignup>, StoreError> {
        let row = find!(self, "signups", conn => signups::table
            .filter(signups::email.eq(email.as_str()).and(signups::expires_at.gt(Time(now))))
            .order((signups::created_at.desc(), signups::id.desc()))
            .first::<SignupRow>(conn))?;
        row.map(PendingSignup::try_from).transpose()
    }

    async fn delete_signups_of_email(&mut self, email: &EmailAddress) -> Result<u64, StoreError> {
        let delete = diesel::delete(signups::table.filter(signups::email.eq(email.as_str())));
        let count = change!(self, "signups", conn => delete.execute(conn))?;
        Ok(u64::try_from(count).unwrap_or(u64::MAX))
    }

    async fn delete_signups(&mut self, before: Timestamp, limit: u32) -> Result<u64, StoreError> {
        let old = diesel::alias!(signups as old);
        let over = old
            .filter(old.field(signups::expires_at).lt(Time(before)))
            .order(old.field(signups::expires_at))
            .limit(i64::from(limit))
            .select(old.field(signups::id));
        let delete = diesel::delete(signups::table.filter(signups::id.eq_any(over)));
        let count = change!(self, "signups", conn => delete.execute(conn))?;
        Ok(u64::try_from(count).unwrap_or(u64::MAX))
    }
}
