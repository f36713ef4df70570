//! The use cases of Gateward: what happens, in what order.
//!
//! Each is a method on [`App`], with its input and its errors beside it. Each file covers one
//! subject.

#![warn(missing_docs)]

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
mod public_user_id;
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
pub use policy::{Policy, RateLimitPolicy, UserIds};
pub use rate_limited::{RateLimitError, RateLimited};
pub use ready::NotReady;
pub use reauthenticate::{PasswordConfirmed, ReauthenticateError, Reauthenticated};
pub use refresh::{Refresh, RefreshError, Refreshed};
pub use report_login::NotMeError;
pub use reset::{PreparedReset, ResetPassword, ResetPasswordError};
pub use sessions::EndSessionError;
pub use signup::{PreparedSignup, SignedUp, Signup, SignupError};
pub use timeline::{SessionTimeline, TimelineEntry};
pub use tokens::{ActiveToken, InactiveToken, TokenKind};
pub use user_list::{UserFilter, UserPage};

/// What the use cases need from their environment.
#[derive(Clone)]
pub struct Ports {
    /// The database.
    pub store: Arc<dyn Store>,
    /// Hashes passwords.
    pub hasher: Arc<dyn PasswordHasher>,
    /// Issues and verifies tokens.
    pub signer: Arc<dyn TokenSigner>,
    /// Derives the secrets of emailed links.
    pub links: Arc<dyn LinkMaker>,
    /// Signs the checkpoints of the audit trail.
    pub audit_keys: Arc<dyn AuditKeys>,
    /// Breached passwords, which cannot be chosen.
    pub breached: Arc<dyn BreachedPasswords>,
    /// Runs work that must complete.
    pub tasks: Arc<dyn Tasks>,
    /// Counts events for monitoring.
    pub metrics: Arc<dyn Metrics>,
    /// The authentication cache of this node.
    pub auth_cache: Arc<dyn AuthCache>,
    /// Wakes the outbox worker.
    pub outbox_notifier: Arc<dyn OutboxNotifier>,
    /// Sends emails.
    pub mailer: Arc<dyn Mailer>,
    /// Creates keys and installs them.
    pub key_maker: Arc<dyn KeyMaker>,
    /// The current time.
    pub clock: Arc<dyn Clock>,
    /// The source of randomness.
    pub entropy: Arc<dyn Entropy>,
}

/// The use cases: ports and policy, without state of its own.
#[derive(Clone)]
pub struct App {
    ports: Ports,
    policy: Policy,
    /// Verified if there is no account, so that the work is the same.
    dummy_hash: PasswordHash,
}

impl App {
    /// Connects the use cases to their ports. Hashes one random password, for logins to accounts
    /// that do not exist.
    pub async fn new(ports: Ports, policy: Policy) -> Result<Self, HashError> {
        let mut bytes = [0; 16];
        ports.entropy.fill(&mut bytes);
        let text = format!("{:032x}", u128::from_be_bytes(bytes));
        let password = Password::received(text).map_err(|_| HashError::Failed)?;
        let dummy_hash = ports.hasher.hash(&password).await?;
        Ok(Self { ports, policy, dummy_hash })
    }

    /// Returns the operator's policy.
    #[must_use]
    pub const fn policy(&self) -> &Policy {
        &self.policy
    }

    /// Returns the time by the clock of this installation.
    ///
    /// A use case reads it once and passes it down. Where one reads it again, a comment says why.
    /// The two halves of a use case run one after the other, and each reads it for itself.
    #[must_use]
    pub fn now(&self) -> Timestamp {
        self.ports.clock.now()
    }

    /// Returns the public keys, as a JSON Web Key Set (RFC 7517, section 5). `None` before any
    /// exist.
    #[must_use]
    pub fn jwks(&self) -> Option<String> {
        self.ports.signer.jwks(self.now())
    }

    /// Returns the CSRF token that pages must send with every request authenticated by the cookie
    /// of this session.
    pub fn csrf_token(&self, session_id: SessionId) -> Result<TokenText, TokenError> {
        self.ports.signer.csrf_token(session_id)
    }

    /// Creates a secret of 256 bits.
    fn new_secret(&self) -> TokenText {
        let mut halves = [[0; 16]; 2];
        for half in &mut halves {
            self.ports.entropy.fill(half);
        }
        let [first, second] = halves.map(u128::from_be_bytes);
        TokenText::new(format!("{first:032x}{second:032x}"))
    }

    /// Builds an event without an account and a session.
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

    /// Builds an event about the caller's own account and session.
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
