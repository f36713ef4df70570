//! `LinkRepo`: mailed links.

use async_trait::async_trait;

use super::StoreError;
use crate::key::KeyId;
use crate::link::{Link, LinkPurpose, LinkSubject, SecretHash};
use crate::{EmailAddress, LinkId, Timestamp, UserId};

/// On which links a code is tried.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct CodeAttempt {
    /// Those of this address,
    pub email: EmailAddress,
    /// of these purposes,
    pub purposes: Vec<LinkPurpose>,
    /// where it is known, of this subject,
    pub subject: Option<LinkSubject>,
    /// that were tried less often than this,
    pub attempts_max: u32,
    /// and are in time now.
    pub now: Timestamp,
}

/// The links that were mailed and can still be used.
#[async_trait]
pub trait LinkRepo: Send {
    /// Adds a link. One of the same purpose and subject is replaced by it, unless the purpose is
    /// one of which many may live ([`LinkPurpose::is_superseded`]). An identifier or secret that is
    /// there already is [`StoreError::Unavailable`].
    async fn put_link(&mut self, link: &Link) -> Result<(), StoreError>;

    /// The link with this identifier, in time or not.
    async fn find_link(&mut self, id: LinkId) -> Result<Option<Link>, StoreError>;

    /// The link whose token has this hash, in time or not.
    async fn find_link_by_secret(
        &mut self,
        secret: &SecretHash,
    ) -> Result<Option<Link>, StoreError>;

    /// Counts one try of a code on the links that `attempt` means, that are in time and were tried
    /// less often than is allowed, and gives them as they are then: the newest first, and only the
    /// newest [`CODE_LINKS_MAX`].
    ///
    /// The tries are counted before anybody learns what the code is, so that callers that race
    /// cannot try more often than is allowed.
    async fn try_code(&mut self, attempt: &CodeAttempt) -> Result<Vec<Link>, StoreError>;

    /// Uses a link up, if it is there and in time. Of callers that race, exactly one gets `true`.
    async fn spend_link(&mut self, id: LinkId, now: Timestamp) -> Result<bool, StoreError>;

    /// Deletes the links of these purposes about an account that were made at `from` or later;
    /// gives how many.
    async fn delete_user_links(
        &mut self,
        user_id: UserId,
        purposes: &[LinkPurpose],
        from: Timestamp,
    ) -> Result<u64, StoreError>;

    /// Deletes at most `limit` links whose secrets follow from this key; gives how many.
    async fn delete_links_of_key(&mut self, key: &KeyId, limit: u32) -> Result<u64, StoreError>;

    /// The links about an account, the oldest first, at most `limit`.
    async fn list_user_links(
        &mut self,
        user_id: UserId,
        limit: u32,
    ) -> Result<Vec<Link>, StoreError>;

    /// Deletes at most `limit` links whose time was over before `before`.
    async fn delete_links(&mut self, before: Timestamp, limit: u32) -> Result<u64, StoreError>;
}

/// On how many links of one address a code is tried at once: more sign-ups of one address that wait
/// at the same time are not made by people.
pub const CODE_LINKS_MAX: u32 = 20;
