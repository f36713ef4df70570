//! The port of the pending sign-ups.

use async_trait::async_trait;
use gateward_domain::link::SecretHash;
use gateward_domain::ports::{SignupRepo, StoreError};
use gateward_domain::signup::PendingSignup;
use gateward_domain::{EmailAddress, SignupId, Timestamp};
use redb::WriteTransaction;

use crate::rows::SignupRow;
use crate::tables::{
    SIGNUP_ENDS, SIGNUP_SECRETS, SIGNUPS_OF_EMAIL, View, claim_secret, count_of, enter, insert,
    place_in_time, remove, table,
};
use crate::unit::RedbTx;

#[async_trait]
impl SignupRepo for RedbTx {
    async fn insert_signup(&mut self, signup: &PendingSignup) -> Result<(), StoreError> {
        let signup = signup.clone();
        self.write(move |transaction| add(transaction, &signup)).await
    }

    async fn find_signup(
        &mut self,
        id: SignupId,
        now: Timestamp,
    ) -> Result<Option<PendingSignup>, StoreError> {
        self.read(move |view| find(view, key(id), now)).await
    }

    async fn find_signup_by_secret(
        &mut self,
        secret: &SecretHash,
        now: Timestamp,
    ) -> Result<Option<PendingSignup>, StoreError> {
        let secret = *secret;
        self.read(move |view| match view.owner(SIGNUP_SECRETS, &secret.0)? {
            Some(id) => find(view, id, now),
            None => Ok(None),
        })
        .await
    }

    /// Reads all sign-ups of the email address.
    async fn find_newest_signup(
        &mut self,
        email: &EmailAddress,
        now: Timestamp,
    ) -> Result<Option<PendingSignup>, StoreError> {
        let email = email.clone();
        self.read(move |view| {
            let signups = of_email(view, &email)?;
            Ok(signups.into_iter().rfind(|signup| is_in_time(signup, now)))
        })
        .await
    }

    async fn delete_signups_of_email(&mut self, email: &EmailAddress) -> Result<u64, StoreError> {
        let email = email.clone();
        self.write(move |transaction| {
            let signups = of_email(View::Own(transaction), &email)?;
            forget_all(transaction, &signups)
        })
        .await
    }

    async fn delete_signups(&mut self, before: Timestamp, limit: u32) -> Result<u64, StoreError> {
        self.write(move |transaction| {
            let view = View::Own(transaction);
            let over = view.span(SIGNUP_ENDS, ..place_in_time(before, 0), count_of(limit))?;
            forget_all(transaction, &view.find_all::<SignupRow>(over)?)
        })
        .await
    }
}

const fn key(id: SignupId) -> u128 {
    id.uuid().as_u128()
}

fn is_in_time(signup: &PendingSignup, now: Timestamp) -> bool {
    now < signup.expires_at
}

fn find(view: View<'_>, id: u128, now: Timestamp) -> Result<Option<PendingSignup>, StoreError> {
    Ok(view.find::<SignupRow>(id)?.filter(|signup| is_in_time(signup, now)))
}

/// Returns the sign-ups of an email address, oldest first, including expired ones.
fn of_email(view: View<'_>, email: &EmailAddress) -> Result<Vec<PendingSignup>, StoreError> {
    view.find_all::<SignupRow>(view.members(SIGNUPS_OF_EMAIL, email.as_str(), usize::MAX)?)
}

/// Returns the index key of a sign-up among those of its email address.
fn place_of_email(signup: &PendingSignup) -> (&str, i64, u128) {
    (signup.email.as_str(), signup.created_at.micros(), key(signup.id))
}

fn add(transaction: &WriteTransaction, signup: &PendingSignup) -> Result<(), StoreError> {
    let id = key(signup.id);
    claim_secret(transaction, SIGNUP_SECRETS, &signup.secret, id)?;
    enter(transaction, SIGNUPS_OF_EMAIL, place_of_email(signup))?;
    enter(transaction, SIGNUP_ENDS, place_in_time(signup.expires_at, id))?;
    insert::<SignupRow>(transaction, id, signup)
}

/// Deletes sign-ups and their index entries. Returns their number.
fn forget_all(
    transaction: &WriteTransaction,
    signups: &[PendingSignup],
) -> Result<u64, StoreError> {
    let mut count = 0;
    for signup in signups {
        let id = key(signup.id);
        remove(transaction, SIGNUP_SECRETS, &signup.secret.0)?;
        remove(transaction, SIGNUPS_OF_EMAIL, place_of_email(signup))?;
        remove(transaction, SIGNUP_ENDS, place_in_time(signup.expires_at, id))?;
        remove(transaction, table::<SignupRow>(), id)?;
        count += 1;
    }
    Ok(count)
}
