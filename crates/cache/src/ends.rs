//! `Ends`: which sessions ended although their tokens have not expired, and until when that is
//! relevant.

use std::collections::HashMap;
use std::time::Instant;

use gateward_domain::feed::InvalidationEvent;
use gateward_domain::{AccessClaims, EndReason, SessionId, Timestamp};

/// Sessions that started before a time have ended.
#[derive(Clone, Copy, Debug)]
struct Revocation {
    before: Timestamp,
    reason: EndReason,
    until: Instant,
}

/// Sessions that ended although their tokens have not expired.
#[derive(Debug, Default)]
pub(crate) struct Ends {
    sessions: HashMap<SessionId, (EndReason, Instant)>,
    all: Option<Revocation>,
}

impl Ends {
    /// Applies an invalidation event if it reports an end, for as long as it is relevant.
    pub(crate) fn apply(&mut self, invalidation: &InvalidationEvent, until: Instant) {
        match *invalidation {
            InvalidationEvent::SessionEnded { id, reason } => {
                self.sessions.insert(id, (reason, until));
            }
            InvalidationEvent::AllTokensRevoked { before, reason } => {
                self.all = Some(later(self.all, Revocation { before, reason, until }));
            }
            // The ends of a user's sessions are reported one by one, so precisely that a login in
            // the same second stays valid. The keyring knows which keys are accepted.
            InvalidationEvent::UserTokensRevoked { .. }
            | InvalidationEvent::KeyRevoked { .. }
            | InvalidationEvent::UserChanged { .. }
            | InvalidationEvent::KeysChanged
            | InvalidationEvent::RolesChanged
            | InvalidationEvent::Unknown => {}
        }
    }

    /// Returns why the session of these claims ended.
    pub(crate) fn find(&self, claims: &AccessClaims) -> Option<EndReason> {
        if let Some((reason, _)) = self.sessions.get(&claims.session_id) {
            return Some(*reason);
        }
        // The identifier of a session contains its time of creation.
        let began_before =
            |revocation: &&Revocation| claims.session_id.made_at() < revocation.before;
        self.all.as_ref().filter(began_before).map(|revocation| revocation.reason)
    }

    /// Drops entries that are irrelevant at `now`.
    pub(crate) fn forget(&mut self, now: Instant) {
        self.sessions.retain(|_, (_, until)| *until > now);
        self.sessions.shrink_to(self.sessions.len() * 2);
        self.all = self.all.filter(|revocation| revocation.until > now);
    }

    /// Returns the number of entries.
    pub(crate) fn len(&self) -> usize {
        self.sessions.len() + usize::from(self.all.is_some())
    }
}

/// Returns the later of both times, for as long as either is relevant.
fn later(known: Option<Revocation>, new: Revocation) -> Revocation {
    match known {
        Some(known) if known.before > new.before => {
            Revocation { until: known.until.max(new.until), ..known }
        }
        Some(known) => Revocation { until: known.until.max(new.until), ..new },
        None => new,
    }
}
