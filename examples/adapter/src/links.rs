//! The port of the emailed links, and the email addresses that they reserve.

use async_trait::async_trait;
use gateward_domain::key::KeyId;
use gateward_domain::link::{Link, LinkPurpose, LinkSubject, SecretHash};
use gateward_domain::ports::{CODE_LINKS_MAX, CodeAttempt, LinkRepo, StoreError};
use gateward_domain::{EmailAddress, LinkId, Timestamp, UserId};
use redb::WriteTransaction;

use crate::rows::LinkRow;
use crate::tables::{
    LINK_ENDS, LINK_SECRETS, LINKS_OF_EMAIL, LINKS_OF_SUBJECT, View, claim_secret, count_of, enter,
    insert, place_in_time, remove, table, update,
};
use crate::unit::RedbTx;

#[async_trait]
impl LinkRepo for RedbTx {
    async fn put_link(&mut self, link: &Link) -> Result<(), StoreError> {
        let link = link.clone();
        self.write(move |transaction| put(transaction, &link)).await
    }

    async fn find_link(&mut self, id: LinkId) -> Result<Option<Link>, StoreError> {
        self.read(move |view| view.find::<LinkRow>(key(id))).await
    }

    async fn find_link_by_secret(
        &mut self,
        secret: &SecretHash,
    ) -> Result<Option<Link>, StoreError> {
        let secret = *secret;
        self.read(move |view| match view.owner(LINK_SECRETS, &secret.0)? {
            Some(id) => view.find::<LinkRow>(id),
            None => Ok(None),
        })
        .await
    }

    async fn try_code(&mut self, attempt: &CodeAttempt) -> Result<Vec<Link>, StoreError> {
        let attempt = attempt.clone();
        self.write(move |transaction| count_try(transaction, &attempt)).await
    }

    async fn spend_link(&mut self, id: LinkId, now: Timestamp) -> Result<bool, StoreError> {
        self.write(move |transaction| {
            let link = View::Own(transaction).find::<LinkRow>(key(id))?;
            let spent: Vec<_> = link.into_iter().filter(|link| is_in_time(link, now)).collect();
            Ok(forget_all(transaction, &spent)? > 0)
        })
        .await
    }

    async fn delete_user_links(
        &mut self,
        user_id: UserId,
        purposes: &[LinkPurpose],
        from: Timestamp,
    ) -> Result<u64, StoreError> {
        let purposes = purposes.to_vec();
        self.write(move |transaction| {
            let mut links = about(View::Own(transaction), LinkSubject::User(user_id))?;
            links.retain(|link| purposes.contains(&link.purpose) && link.created_at >= from);
            forget_all(transaction, &links)
        })
        .await
    }

    /// Scans all links.
    async fn delete_links_of_key(&mut self, key: &KeyId, limit: u32) -> Result<u64, StoreError> {
        let key = key.clone();
        self.write(move |transaction| {
            let follows = |link: &Link| link.key_id == key;
            let view = View::Own(transaction);
            let links = view.after::<LinkRow>(None, count_of(limit), follows)?;
            forget_all(transaction, &links)
        })
        .await
    }

    async fn list_user_links(
        &mut self,
        user_id: UserId,
        limit: u32,
    ) -> Result<Vec<Link>, StoreError> {
        self.read(move |view| {
            let mut links = about(view, LinkSubject::User(user_id))?;
            links.truncate(count_of(limit));
            Ok(links)
        })
        .await
    }

    async fn delete_links(&mut self, before: Timestamp, limit: u32) -> Result<u64, StoreError> {
        self.write(move |transaction| {
            let view = View::Own(transaction);
            let over = view.span(LINK_ENDS, ..place_in_time(before, 0), count_of(limit))?;
            forget_all(transaction, &view.find_all::<LinkRow>(over)?)
        })
        .await
    }
}

/// Returns the links that reserve an email address, oldest first.
pub fn reservations(
    view: View<'_>,
    email: &EmailAddress,
    now: Timestamp,
) -> Result<Vec<Link>, StoreError> {
    let mut links = of_email(view, email)?;
    links.retain(|link| link.reserves_email && is_in_time(link, now));
    Ok(links)
}

/// Deletes all links about an account.
pub fn delete_of_user(transaction: &WriteTransaction, user_id: UserId) -> Result<(), StoreError> {
    let links = about(View::Own(transaction), LinkSubject::User(user_id))?;
    forget_all(transaction, &links)?;
    Ok(())
}

const fn key(id: LinkId) -> u128 {
    id.uuid().as_u128()
}

fn is_in_time(link: &Link, now: Timestamp) -> bool {
    now < link.expires_at
}

/// Returns the links of an email address, oldest first.
fn of_email(view: View<'_>, email: &EmailAddress) -> Result<Vec<Link>, StoreError> {
    view.find_all::<LinkRow>(view.members(LINKS_OF_EMAIL, email.as_str(), usize::MAX)?)
}

/// Returns the links about a sign-up, an account or a session, oldest first.
fn about(view: View<'_>, subject: LinkSubject) -> Result<Vec<Link>, StoreError> {
    let ids = view.members(LINKS_OF_SUBJECT, subject.uuid().as_u128(), usize::MAX)?;
    let mut links = view.find_all::<LinkRow>(ids)?;
    // An account may have the same identifier as its sign-up.
    links.retain(|link| link.subject == subject);
    Ok(links)
}

/// Inserts a link. It replaces the previous one if only one may be valid.
fn put(transaction: &WriteTransaction, link: &Link) -> Result<(), StoreError> {
    let id = key(link.id);
    insert::<LinkRow>(transaction, id, link)?;
    if link.purpose.is_superseded() {
        // The new one is not among them: it has no index entries yet.
        let mut older = about(View::Own(transaction), link.subject)?;
        older.retain(|older| older.purpose == link.purpose);
        forget_all(transaction, &older)?;
    }
    claim_secret(transaction, LINK_SECRETS, &link.secret, id)?;
    enter(transaction, LINKS_OF_EMAIL, place_of_email(link))?;
    enter(transaction, LINKS_OF_SUBJECT, place_of_subject(link))?;
    enter(transaction, LINK_ENDS, place_in_time(link.expires_at, id))
}

/// Counts an attempt on the newest matching links. Returns them, newest first.
fn count_try(
    transaction: &WriteTransaction,
    attempt: &CodeAttempt,
) -> Result<Vec<Link>, StoreError> {
    let mut links = of_email(View::Own(transaction), &attempt.email)?;
    links.retain(|link| is_meant(link, attempt));
    links.reverse();
    links.truncate(count_of(CODE_LINKS_MAX));
    for link in &mut links {
        link.code_attempts += 1;
        update::<LinkRow>(transaction, key(link.id), |row| {
            row.code_attempts = link.code_attempts;
            true
        })?;
    }
    Ok(links)
}

fn is_meant(link: &Link, attempt: &CodeAttempt) -> bool {
    attempt.purposes.contains(&link.purpose)
        && attempt.subject.is_none_or(|subject| subject == link.subject)
        && link.code_attempts < attempt.attempts_max
        && is_in_time(link, attempt.now)
}

/// Returns the index key of a link among those of its email address.
fn place_of_email(link: &Link) -> (&str, i64, u128) {
    (link.email.as_str(), link.created_at.micros(), key(link.id))
}

/// Returns the index key of a link among those of its subject.
const fn place_of_subject(link: &Link) -> (u128, i64, u128) {
    (link.subject.uuid().as_u128(), link.created_at.micros(), key(link.id))
}

/// Deletes links and their index entries. Returns their number.
fn forget_all(transaction: &WriteTransaction, links: &[Link]) -> Result<u64, StoreError> {
    let mut count = 0;
    for link in links {
        let id = key(link.id);
        remove(transaction, LINK_SECRETS, &link.secret.0)?;
        remove(transaction, LINKS_OF_EMAIL, place_of_email(link))?;
        remove(transaction, LINKS_OF_SUBJECT, place_of_subject(link))?;
        remove(transaction, LINK_ENDS, place_in_time(link.expires_at, id))?;
        remove(transaction, table::<LinkRow>(), id)?;
        count += 1;
    }
    Ok(count)
}
