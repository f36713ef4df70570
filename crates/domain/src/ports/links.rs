//! `LinkRepo`: emailed links.

use async_trait::async_trait;

use super::StoreError;
use crate::key::KeyId;
use crate::link::{Link, LinkPurpose, LinkSubject, SecretHash};
use crate::{EmailAddress, LinkId, Timestamp, UserId};

/// The links on which a code is tried.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct CodeAttempt {
    /// Links sent to this email address.
    pub email: EmailAddress,
    /// Links with one of these purposes.
    pub purposes: Vec<LinkPurpose>,
    /// Links with this subject, if it is known.
    pub subject: Option<LinkSubject>,
    /// Links with fewer attempts than this.
    pub attempts_max: u32,
    /// Links that have not expired at this time, UTC.
    pub now: Timestamp,
}

/// The emailed links that can still be used.
#[async_trait]
pub trait LinkRepo: Send {
    /// Inserts a link. It replaces the link of the same purpose and subject, unless several may be
    /// valid ([`LinkPurpose::is_superseded`]). Returns [`StoreError::Unavailable`] if the
    /// identifier or the secret already exists.
    async fn put_link(&mut self, link: &Link) -> Result<(), StoreError>;

    /// Returns the link with this identifier, even if it has expired.
    async fn find_link(&mut self, id: LinkId) -> Result<Option<Link>, StoreError>;

    /// Returns the link whose token has this hash, even if it has expired.
    async fn find_link_by_secret(
        &mut self,
        secret: &SecretHash,
    ) -> Result<Option<Link>, StoreError>;

    /// Counts one attempt on each link that matches `attempt`, and returns the links with their new
    /// counts, newest first. Only the newest [`CODE_LINKS_MAX`] are counted and returned.
    ///
    /// The attempt is counted before the caller compares the code, so that concurrent callers
    /// cannot exceed the limit.
    async fn try_code(&mut self, attempt: &CodeAttempt) -> Result<Vec<Link>, StoreError>;

    /// Consumes a link if it exists and has not expired. Of concurrent callers, exactly one
    /// receives `true`.
    async fn spend_link(&mut self, id: LinkId, now: Timestamp) -> Result<bool, StoreError>;

    /// Deletes the links of these purposes about an account that were created at `from` or later,
    /// and returns their number.
    async fn delete_user_links(
        &mut self,
        user_id: UserId,
        purposes: &[LinkPurpose],
        from: Timestamp,
    ) -> Result<u64, StoreError>;

    /// Deletes at most `limit` links whose secrets are derived from this key, and returns their
    /// number.
    async fn delete_links_of_key(&mut self, key: &KeyId, limit: u32) -> Result<u64, StoreError>;

    /// Returns at most `limit` links about an account, oldest first.
    async fn list_user_links(
        &mut self,
        user_id: UserId,
        limit: u32,
    ) -> Result<Vec<Link>, StoreError>;

    /// Deletes at most `limit` links that expired before `before`.
    async fn delete_links(&mut self, before: Timestamp, limit: u32) -> Result<u64, StoreError>;
}

/// Maximum number of links of one email address on which a code is tried at once. People do not
/// create more concurrent sign-ups with one email address.
pub const CODE_LINKS_MAX: u32 = 20;
