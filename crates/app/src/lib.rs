//! The use cases of Gateward: what happens, in what order.
//!
//! Each is a method on [`App`], with its input and its errors beside it; a file holds one subject.

mod admin;
mod after_commit;
mod audit;
mod audit_chain;
mod authenticate;
mod change_email;
mod change_password;
mod change_username;
mod cleanup;
mod compose;
mod confirm;
mod delete_account;
mod deliver;
mod denial;
mod end_all;
mod explain;
mod export;
mod feed;
mod forgot;
mod invite;
mod issue;
mod issuer;
mod key_changes;
mod keys;
mod known_devices;
mod links;
mod login;
mod logout;
mod mail;
mod operator;
mod outbox;
mod passwords;
mod policy;
mod rate_limited;
mod rate_limits;
mod ready;
mod reauthenticate;
mod refresh;
mod report_login;
mod reset;
mod roles;
mod sessions;
mod signup;
mod timeline;
mod tokens;
mod user_list;
mod user_sessions;

use std::sync::Arc;

use gateward_domain::ports::{
    AuditKeys, AuthCache, BreachedPasswords, Clock, Entropy, HashError, KeyMaker, LinkMaker,
    Mailer, Metrics, OutboxNotifier, PasswordHasher, Store, Tasks, TokenSigner,
};
use gateward_domain::{
    Actor, Event, EventId, EventKind, EventSalt, Password, PasswordHash, RequestInfo, SessionId,
    Timestamp, TokenError, TokenText,
};

pub use admin::{AdminActor, AdminError};
pub use audit::{EventFilter, EventPage};
pub use audit_chain::{AuditChainError, AuditReport};
pub use authenticate::{AuthenticateError, Caller, Forbidden};
pub use change_email::{ChangeEmailError, UndoEmailError};
pub use change_password::{ChangePassword, ChangePasswordError, PreparedChange};
pub use change_username::ChangeUsernameError;
pub use confirm::{AccountProof, ConfirmEmail, ConfirmEmailError, PreparedConfirmation};
pub use delete_account::{DeleteAccountError, NotRecent};
pub use deliver::Delivery;
pub use explain::ExplainError;
pub use export::Export;
pub use feed::{Followed, Following};
pub use gateward_domain as domain;
pub use invite::{AcceptInvitationError, Invitation, PreparedAcceptance};
pub use key_changes::{RetireError, Retired, Rotated};
pub use keys::{KeysError, NewAlgorithm};
pub use links::LinkProof;
pub use login::{LoggedIn, Login, LoginError, VerifiedLogin};
pub use logout::{LogoutAllError, LogoutError};
pub use operator::{NewAccount, OperatorError};
pub use policy::{Policy, RateLimitPolicy};
pub use rate_limited::{RateLimitError, RateLimited};
pub use ready::NotReady;
pub use reauthenticate::{PasswordConfirmed, ReauthenticateError, Reauthenticated};
pub use refresh::{Refresh, RefreshError, Refreshed};
pub use report_login::NotMeError;
pub use reset::{PreparedReset, ResetPassword, ResetPasswordError};
pub use sessions::EndSessionError;
pub use signup::{PreparedSignup, SignedUp, Signup, SignupError};
pub use timeline::{SessionTimeline, TimelineEntry};
pub use tokens::{ActiveToken, TokenKind};
pub use user_list::{UserFilter, UserPage};

/// What the use cases need from the world.
#[derive(Clone)]
pub struct Ports {
    /// Where everything is kept.
    pub store: Arc<dyn Store>,
    /// Hashes passwords.
    pub hasher: Arc<dyn PasswordHasher>,
    /// Makes and reads tokens.
    pub signer: Arc<dyn TokenSigner>,
    /// Makes the secrets of mailed links.
    pub links: Arc<dyn LinkMaker>,
    /// Signs the heads of the audit trail.
    pub audit_keys: Arc<dyn AuditKeys>,
    /// The passwords that nobody may choose because they were stolen somewhere.
    pub breached: Arc<dyn BreachedPasswords>,
    /// Does what must come to its end.
    pub tasks: Arc<dyn Tasks>,
    /// Counts what happens.
    pub metrics: Arc<dyn Metrics>,
    /// What this node knows without asking the store.
    pub auth_cache: Arc<dyn AuthCache>,
    /// Wakes whoever delivers emails.
    pub outbox_notifier: Arc<dyn OutboxNotifier>,
    /// Sends emails.
    pub mailer: Arc<dyn Mailer>,
    /// Makes keys and takes them into use.
    pub key_maker: Arc<dyn KeyMaker>,
    /// Tells the time.
    pub clock: Arc<dyn Clock>,
    /// Gives randomness.
    pub entropy: Arc<dyn Entropy>,
}

/// The use cases: ports and policy, no state of its own.
#[derive(Clone)]
pub struct App {
    ports: Ports,
    policy: Policy,
    /// Verified where there is no account, so that the work is the same.
    dummy_hash: PasswordHash,
}

impl App {
    /// Wires the use cases. Hashes one password nobody knows, for the accounts that do not exist.
    pub async fn new(ports: Ports, policy: Policy) -> Result<Self, HashError> {
        let mut bytes = [0; 16];
        ports.entropy.fill(&mut bytes);
        let text = format!("{:032x}", u128::from_be_bytes(bytes));
        let password = Password::received(text).map_err(|_| HashError::Failed)?;
        let dummy_hash = ports.hasher.hash(&password).await?;
        Ok(Self { ports, policy, dummy_hash })
    }

    /// The numbers that the operator chose.
    #[must_use]
    pub const fn policy(&self) -> &Policy {
        &self.policy
    }

    /// The time by the clock of this installation.
    ///
    /// A use case asks once and passes the time down. Where one asks again, a comment says why. The
    /// two halves of a use case are called one after the other, and each asks for itself.
    #[must_use]
    pub fn now(&self) -> Timestamp {
        self.ports.clock.now()
    }

    /// The public keys, as a JSON Web Key Set (RFC 7517, section 5); `None` before there are any.
    #[must_use]
    pub fn jwks(&self) -> Option<String> {
        self.ports.signer.jwks(self.now())
    }

    /// What a page must send back with everything that it asks for by a cookie of this session.
    pub fn csrf_token(&self, session_id: SessionId) -> Result<TokenText, TokenError> {
        self.ports.signer.csrf_token(session_id)
    }

    /// A secret of 256 bits.
    fn new_secret(&self) -> TokenText {
        let mut halves = [[0; 16]; 2];
        for half in &mut halves {
            self.ports.entropy.fill(half);
        }
        let [first, second] = halves.map(u128::from_be_bytes);
        TokenText::new(format!("{first:032x}{second:032x}"))
    }

    /// An event that tells of no account and no session yet.
    fn event(&self, kind: EventKind, actor: Actor, now: Timestamp) -> Event {
        let mut salt = [0; 16];
        self.ports.entropy.fill(&mut salt);
        Event {
            id: EventId::new(now, &*self.ports.entropy),
            at: now,
            kind,
            actor,
            actor_session_id: None,
            user_id: None,
            session_id: None,
            detail: None,
            ip: None,
            salt: Some(EventSalt(salt)),
        }
    }

    /// An event about the caller's own account and session.
    fn event_of(
        &self,
        caller: &Caller,
        kind: EventKind,
        request_info: &RequestInfo,
        now: Timestamp,
    ) -> Event {
        Event {
            actor_session_id: Some(caller.session_id),
            user_id: Some(caller.user.id),
            session_id: Some(caller.session_id),
            ip: request_info.ip,
            ..self.event(kind, Actor::User(caller.user.id), now)
        }
    }
}

#[cfg(test)]
mod tests;
