//! Pending sign-ups in a [`MemoryStore`](super::MemoryStore).

use gateward_domain::ports::StoreError;
use gateward_domain::signup::PendingSignup;
use gateward_domain::{EmailAddress, Timestamp};

use super::state::{State, doubled, remove_where};

impl State {
    pub fn insert_signup(&mut self, signup: &PendingSignup) -> Result<(), StoreError> {
        if self.signups.iter().any(|other| other.id == signup.id) {
            return Err(doubled("sign-up"));
        }
        self.signups.push(signup.clone());
        Ok(())
    }

    /// Returns the newest valid sign-up that satisfies `wanted`.
    pub fn find_signup(
        &self,
        now: Timestamp,
        wanted: impl Fn(&PendingSignup) -> bool,
    ) -> Option<PendingSignup> {
        let found = self.signups.iter().filter(|signup| signup.expires_at > now && wanted(signup));
        found.max_by_key(|signup| (signup.created_at, signup.id)).cloned()
    }

    pub fn delete_signups_of_email(&mut self, email: &EmailAddress) -> u64 {
        remove_where(&mut self.signups, u32::MAX, |signup| signup.email == *email)
    }

    pub fn delete_signups(&mut self, before: Timestamp, limit: u32) -> u64 {
        remove_where(&mut self.signups, limit, |signup| signup.expires_at < before)
    }
}
