//! `Ends`: which tokens are dead although they have not expired, and until when that matters.

use std::collections::HashMap;

use gateward_domain::feed::{FeedItem, News};
use gateward_domain::{AccessClaims, EndReason, SessionId, Timestamp, UserId};

/// Tokens made before a time are dead.
#[derive(Clone, Copy, Debug)]
struct CutOff {
    before: Timestamp,
    reason: EndReason,
    until: Timestamp,
}

/// Which tokens are dead although they have not expired.
#[derive(Debug, Default)]
pub(crate) struct Ends {
    sessions: HashMap<SessionId, (EndReason, Timestamp)>,
    users: HashMap<UserId, CutOff>,
    all: Option<CutOff>,
}

impl Ends {
    /// Learns an item, if it is about an end.
    pub(crate) fn learn(&mut self, item: &FeedItem) {
        let until = item.until;
        match item.news {
            News::SessionEnded { id, reason } => {
                self.sessions.insert(id, (reason, until));
            }
            News::UserCutOff { id, before, reason } => {
                let known = self.users.get(&id).copied();
                self.users.insert(id, later(known, CutOff { before, reason, until }));
            }
            News::AllCutOff { before, reason } => {
                self.all = Some(later(self.all, CutOff { before, reason, until }));
            }
            // Which keys are believed, the keyring knows.
            News::KeyRevoked { .. } | News::UserChanged { .. } | News::KeysChanged => {}
        }
    }

    /// Why the tokens with these claims are dead.
    pub(crate) fn find(&self, claims: &AccessClaims) -> Option<EndReason> {
        if let Some((reason, _)) = self.sessions.get(&claims.session_id) {
            return Some(*reason);
        }
        let is_cut = |cut: &&CutOff| claims.issued_at < cut.before;
        let user = self.users.get(&claims.user_id).filter(is_cut);
        // A session is as old as its identifier says.
        let began_before = |cut: &&CutOff| claims.session_id.made_at() < cut.before;
        let cut = user.or(self.all.as_ref().filter(began_before));
        cut.map(|cut| cut.reason)
    }

    /// Forgets what matters to nobody at `now`.
    pub(crate) fn forget(&mut self, now: Timestamp) {
        self.sessions.retain(|_, (_, until)| *until > now);
        self.users.retain(|_, cut| cut.until > now);
        self.all = self.all.filter(|cut| cut.until > now);
        self.sessions.shrink_to(self.sessions.len() * 2);
    }

    /// How many ends are known.
    pub(crate) fn len(&self) -> usize {
        self.sessions.len() + self.users.len() + usize::from(self.all.is_some())
    }
}

/// The one that cuts more off, for as long as either matters.
fn later(known: Option<CutOff>, new: CutOff) -> CutOff {
    match known {
        Some(known) if known.before > new.before => {
            CutOff { until: known.until.max(new.until), ..known }
        }
        Some(known) => CutOff { until: known.until.max(new.until), ..new },
        None => new,
    }
}
