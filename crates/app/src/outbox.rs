//! Writing letters: into the outbox, in the transaction of the change that they tell of.

use std::net::IpAddr;

use gateward_domain::mail::{self, LetterKind, LetterState, QueuedLetter};
use gateward_domain::ports::{StoreError, Tx};
use gateward_domain::{Email, LetterId, Timestamp, User};

use crate::App;

/// How many letters of one subject may wait for one address; each has a span of its own, and who
/// wants more in so short a time is no person.
const SPACED_MAX: i64 = 10;

impl App {
    /// A letter that is due now, not stored yet.
    pub(crate) fn letter(
        &self,
        kind: LetterKind,
        recipient: &Email,
        ip: Option<IpAddr>,
        now: Timestamp,
    ) -> QueuedLetter {
        QueuedLetter {
            id: LetterId::new(now, &*self.ports.entropy),
            kind,
            recipient: recipient.clone(),
            user_id: None,
            signup_id: None,
            link_id: None,
            caused_at: now,
            ip,
            slot: None,
            planned_at: now,
            due_at: now,
            attempts: 0,
            state: LetterState::Waiting,
            finished_at: None,
            failure: None,
        }
    }

    /// The same for the owner of an account, about what has happened to it. An address that was never
    /// proved may be a stranger's: it gets one such letter in a span, whatever happens.
    pub(crate) fn notice(
        &self,
        kind: LetterKind,
        user: &User,
        ip: Option<IpAddr>,
        now: Timestamp,
    ) -> QueuedLetter {
        let letter = self.letter(kind, &user.email, ip, now);
        let letter = QueuedLetter { user_id: Some(user.id), ..letter };
        if user.email_verified { letter } else { self.once(NOTICE, letter) }
    }

    /// The same letter with its place in time, where those are few: a second one of this subject to
    /// the same address within the span is not written.
    pub(crate) fn once(&self, about: &str, letter: QueuedLetter) -> QueuedLetter {
        let Some(window) = self.policy.letters_per_address_seconds else { return letter };
        let slot = mail::slot(about, &letter.recipient, letter.planned_at, window);
        QueuedLetter { slot: Some(slot), ..letter }
    }

    /// Writes a letter that nobody else's may keep out: if its place in time is taken, it goes into
    /// the next one that is free.
    pub(crate) async fn post_spaced(
        &self,
        tx: &mut dyn Tx,
        about: &str,
        letter: QueuedLetter,
    ) -> Result<(), StoreError> {
        let window = self.policy.letters_per_address_seconds.unwrap_or(1);
        let first = letter.planned_at.seconds().div_euclid(window);
        for step in 0..SPACED_MAX {
            let start = Timestamp::from_seconds((first + step) * window);
            let planned_at = letter.planned_at.max(start);
            let planned = QueuedLetter { planned_at, due_at: planned_at, ..letter.clone() };
            if tx.insert_letter(&self.once(about, planned)).await? {
                return Ok(());
            }
        }
        tracing::info!(kind = %letter.kind, "too many letters wait for one address; not written");
        Ok(())
    }
}

/// What letters that confirm an address share a place in time under.
pub(crate) const CONFIRMING: &str = "confirm";

/// What letters that reset a password share a place in time under.
pub(crate) const RESETTING: &str = "reset";

/// What notices to an address that was never proved share a place in time under.
const NOTICE: &str = "notice";

/// What letters about a new name share a place in time under.
pub(crate) const RENAMING: &str = "rename";
