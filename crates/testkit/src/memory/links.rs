//! Emailed links in a [`MemoryStore`](super::MemoryStore).

use std::cmp::Reverse;

use gateward_domain::link::{Link, LinkPurpose};
use gateward_domain::ports::{CODE_LINKS_MAX, CodeAttempt, StoreError};
use gateward_domain::{EmailAddress, LinkId, Timestamp, UserId};

use super::state::{State, doubled, remove_where, truncate};

impl State {
    /// Returns the accounts for which valid links reserve an email address.
    pub fn reservations(
        &self,
        email: &EmailAddress,
        now: Timestamp,
    ) -> impl Iterator<Item = Option<UserId>> {
        let keeps = move |link: &&Link| {
            link.reserves_email && link.email == *email && link.expires_at > now
        };
        self.links.iter().filter(keeps).map(Link::user_id)
    }

    pub fn put_link(&mut self, link: &Link) -> Result<(), StoreError> {
        if self.links.iter().any(|other| other.id == link.id) {
            return Err(doubled("link"));
        }
        let dedup_key = (link.purpose, link.dedup_key());
        self.links.retain(|other| (other.purpose, other.dedup_key()) != dedup_key);
        self.links.push(link.clone());
        Ok(())
    }

    pub fn find_link(&self, wanted: impl Fn(&Link) -> bool) -> Option<Link> {
        self.links.iter().find(|link| wanted(link)).cloned()
    }

    pub fn try_code(&mut self, attempt: &CodeAttempt) -> Vec<Link> {
        let mut meant: Vec<&mut Link> =
            self.links.iter_mut().filter(|link| is_meant(link, attempt)).collect();
        meant.sort_by_key(|link| Reverse((link.created_at, link.id)));
        let tried = truncate(meant, CODE_LINKS_MAX).into_iter().map(|link| {
            link.code_attempts += 1;
            link.clone()
        });
        tried.collect()
    }

    pub fn spend_link(&mut self, id: LinkId, now: Timestamp) -> bool {
        remove_where(&mut self.links, 1, |link| link.id == id && link.expires_at > now) == 1
    }

    pub fn delete_user_links(
        &mut self,
        user_id: UserId,
        purposes: &[LinkPurpose],
        from: Timestamp,
    ) -> u64 {
        remove_where(&mut self.links, u32::MAX, |link| {
            link.user_id() == Some(user_id)
                && purposes.contains(&link.purpose)
                && link.created_at >= from
        })
    }

    pub fn list_user_links(&self, user_id: UserId, limit: u32) -> Vec<Link> {
        let of_user = |link: &&Link| link.user_id() == Some(user_id);
        let mut links: Vec<_> = self.links.iter().filter(of_user).cloned().collect();
        links.sort_by_key(|link| (link.created_at, link.id));
        truncate(links, limit)
    }

    pub fn delete_links(&mut self, before: Timestamp, limit: u32) -> u64 {
        remove_where(&mut self.links, limit, |link| link.expires_at < before)
    }
}

/// Returns whether a code is tried on this link.
fn is_meant(link: &Link, attempt: &CodeAttempt) -> bool {
    link.email == attempt.email
        && attempt.purposes.contains(&link.purpose)
        && attempt.subject.is_none_or(|subject| subject == link.subject)
        && link.code_attempts < attempt.attempts_max
        && link.expires_at > attempt.now
}
