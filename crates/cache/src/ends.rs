//! `Ends`: which sessions are over although their tokens have not expired, and until when that
//! matters.

use std::collections::HashMap;
use std::time::Instant;

use gateward_domain::feed::InvalidationEvent;
use gateward_domain::{AccessClaims, EndReason, SessionId, Timestamp};

/// Sessions that began before a time are over.
#[derive(Clone, Copy, Debug)]
struct Revocation {
    before: Timestamp,
    reason: EndReason,
    until: Instant,
}

/// Which sessions are over although their tokens have not expired.
#[derive(Debug, Default)]
pub(crate) struct Ends {
    sessions: HashMap<SessionId, (EndReason, Instant)>,
    all: Option<Revocation>,
}

impl Ends {
    /// Learns invalidation events, if they are about an end, for as long as that matters.
    pub(crate) fn apply(&mut self, invalidation: &InvalidationEvent, until: Instant) {
        match *invalidation {
            InvalidationEvent::SessionEnded { id, reason } => {
                self.sessions.insert(id, (reason, until));
            }
            InvalidationEvent::AllTokensRevoked { before, reason } => {
                self.all = Some(later(self.all, Revocation { before, reason, until }));
            }
            // The ends of a user's sessions are told one by one, and so precisely that a login in
            // the same second goes on. Which keys are believed, the keyring knows.
            InvalidationEvent::UserTokensRevoked { .. }
            | InvalidationEvent::KeyRevoked { .. }
            | InvalidationEvent::UserChanged { .. }
            | InvalidationEvent::KeysChanged
            | InvalidationEvent::RolesChanged
            | InvalidationEvent::Unknown => {}
        }
    }

    /// Why the session of these claims is over.
    pub(crate) fn find(&self, claims: &AccessClaims) -> Option<EndReason> {
        if let Some((reason, _)) = self.sessions.get(&claims.session_id) {
            return Some(*reason);
        }
        // A session is as old as its identifier says.
        let began_before =
            |revocation: &&Revocation| claims.session_id.made_at() < revocation.before;
        self.all.as_ref().filter(began_before).map(|revocation| revocation.reason)
    }

    /// Forgets what matters to nobody at `now`.
    pub(crate) fn forget(&mut self, now: Instant) {
        self.sessions.retain(|_, (_, until)| *until > now);
        self.sessions.shrink_to(self.sessions.len() * 2);
        self.all = self.all.filter(|revocation| revocation.until > now);
    }

    /// How many ends are known.
    pub(crate) fn len(&self) -> usize {
        self.sessions.len() + usize::from(self.all.is_some())
    }
}

/// The one that cuts more off, for as long as either matters.
fn later(known: Option<Revocation>, new: Revocation) -> Revocation {
    match known {
        Some(known) if known.before > new.before => {
            Revocation { until: known.until.max(new.until), ..known }
        }
        Some(known) => Revocation { until: known.until.max(new.until), ..new },
        None => new,
    }
}
