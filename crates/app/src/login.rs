//! Logging in: a name and a password for a token pair.

use gateward_domain::client::KnownClient;
use gateward_domain::link::SecretHash;
use gateward_domain::ports::{Access, HashError, LoginOutcome, Occurrence, StoreError, Tx};
use gateward_domain::{
    AccountDisabled, Actor, End, EndReason, Event, EventKind, Identifier, Origin, Password,
    PasswordHash, Session, SessionId, Timestamp, TokenError, TokenPair, TokenText, User, UserId,
};

use crate::aftermath::Aftermath;
use crate::clients::ClientError;
use crate::rate_limited::throttled;
use crate::throttles::Tally;
use crate::{App, RateLimited};

/// Who logs in, and with what.
#[derive(Debug)]
pub struct Login {
    /// The name or the address; `None` if what was typed can be neither.
    pub identifier: Option<Identifier>,
    /// The password as it was received.
    pub password: Password,
    /// The name that the client gives itself.
    pub client_name: Option<String>,
    /// What it was given when it logged in before, if it has it still.
    pub device_token: Option<TokenText>,
    /// Where the request came from.
    pub origin: Origin,
}

/// Somebody who has shown the right password; nothing is written yet.
#[derive(Debug)]
pub struct VerifiedLogin {
    user: User,
    session: Session,
    renewed_hash: Option<PasswordHash>,
    device_token: Option<TokenText>,
    tally: Tally,
    now: Timestamp,
}

/// What a login gives.
#[derive(Debug)]
pub struct LoggedIn {
    /// The first pair of the new session.
    pub pair: TokenPair,
    /// Who logged in.
    pub user: User,
    /// What the client shows at its next login, to be known again.
    pub device_token: TokenText,
}

/// Why nobody was logged in.
#[derive(Debug, thiserror::Error)]
pub enum LoginError {
    /// There is no such account, the password is wrong, or the address must be confirmed first.
    #[error("unknown account, wrong password or address not confirmed")]
    BadCredentials,
    /// The password is right and the account disabled.
    #[error(transparent)]
    Disabled(#[from] AccountDisabled),
    /// Too much was tried.
    #[error(transparent)]
    RateLimited(#[from] RateLimited),
    /// The password could not be checked.
    #[error(transparent)]
    Hash(#[from] HashError),
    /// The tokens could not be made.
    #[error("the tokens could not be made")]
    Token(#[from] TokenError),
    /// The store has failed.
    #[error(transparent)]
    Store(#[from] StoreError),
}

impl App {
    /// Exchanges a name and a password for a token pair.
    ///
    /// Both halves at once. Where the client may go away, give up the first half with it, so that
    /// nobody waits for a hash that nobody wants; once begun, the second must come to its end.
    pub async fn login(&self, login: Login) -> Result<LoggedIn, LoginError> {
        let verified = self.verify_login(login).await?;
        self.complete_login(verified).await
    }

    /// The first half: finds the account and checks the password. Writes nothing but that it
    /// was wrong.
    ///
    /// An unknown name and a wrong password get the same answer after the same work: one hash is
    /// verified either way.
    #[tracing::instrument(skip_all, err(level = "debug"))]
    pub async fn verify_login(&self, login: Login) -> Result<VerifiedLogin, LoginError> {
        let now = self.now();
        let (user, tally) = self.meet(&login, now).await?;

        // No transaction is open here: verifying is slow on purpose.
        let user_id = user.as_ref().map(|user| user.id);
        let hash = user.as_ref().map_or(&self.decoy_hash, |user| &user.password_hash);
        let matches = self.ports.hasher.verify(&login.password, hash).await?;
        let Some(user) = user.filter(|user| matches && self.is_confirmed_enough(user)) else {
            let error = LoginError::BadCredentials;
            return Err(self.login_failed(&tally, (&login, user_id), error, now).await);
        };
        if let Err(error) = user.may_sign_in() {
            return Err(self.login_failed(&tally, (&login, user_id), error.into(), now).await);
        }
        let renewed_hash = self.renewed_hash(&user, &login.password).await;

        let session = self.begin_session(&user, login.origin, login.client_name, now)?;
        let device_token = login.device_token;
        Ok(VerifiedLogin { user, session, renewed_hash, device_token, tally, now })
    }

    /// The second half: begins the session, if the credentials are still those that were checked.
    #[tracing::instrument(skip_all, err(level = "debug"))]
    pub async fn complete_login(&self, verified: VerifiedLogin) -> Result<LoggedIn, LoginError> {
        let VerifiedLogin { user, session, renewed_hash, device_token, tally, now } = verified;
        let mut tx = self.ports.store.begin(Access::Write).await?;
        // The password may have changed, or the account been disabled, while we hashed.
        let user = match tx.lock_user(user.id).await? {
            Some(locked) if locked.credentials_version == user.credentials_version => locked,
            _ => return Err(LoginError::BadCredentials),
        };
        user.may_sign_in()?;
        self.forgive(&mut *tx, &tally, now).await?;
        if let Some(hash) = renewed_hash {
            tx.renew_password_hash(user.id, user.credentials_version, &hash).await?;
        }
        let ended = self.store_session(&mut *tx, &session, now).await?;
        let client = self.recognise_client(&mut *tx, (&user, &session), device_token, now).await?;
        let aftermath = Aftermath::default()
            .sessions_ended(&ended, EndReason::SessionLimit)
            .letter_if(client.letter);
        self.conclude(tx, aftermath, now).await?;

        self.ports.meter.count(Occurrence::Login(LoginOutcome::Succeeded), 1);
        self.ports.meter.count(Occurrence::SessionBegun, 1);
        tracing::info!(user_id = %user.id, session_id = %session.id, "session begun");
        let pair = self.issue_pair(&user, &session, now)?;
        Ok(LoggedIn { pair, user, device_token: client.token })
    }

    /// Whether the address is confirmed, where it must be.
    const fn is_confirmed_enough(&self, user: &User) -> bool {
        user.email_verified || !self.policy.confirmation_required
    }

    /// Finds the account, and what the try counts for. What is asked of the store is the same whether
    /// there is such an account or not.
    async fn meet(
        &self,
        login: &Login,
        now: Timestamp,
    ) -> Result<(Option<User>, Tally), LoginError> {
        let mut tx = self.ports.store.begin(Access::Read).await?;
        let user = match &login.identifier {
            Some(identifier) => tx.find_user_by_identifier(identifier).await?,
            None => None,
        };
        let client = match &login.device_token {
            Some(token) => {
                let nobody = UserId::from_uuid(uuid::Uuid::nil());
                let user_id = user.as_ref().map_or(nobody, |user| user.id);
                let known = tx.list_user_clients(user_id, KnownClient::PER_USER_MAX + 1).await?;
                let secret = SecretHash::of(token.expose());
                let is_it =
                    |client: &&KnownClient| client.secret == secret && client.expires_at > now;
                known.iter().find(is_it).map(|client| client.id.to_string())
            }
            None => None,
        };
        let (identifier, origin) = (login.identifier.as_ref(), &login.origin);
        let mut tally = self.login_tally(identifier, origin, client.as_deref())?;
        self.weigh(&mut *tx, &mut tally, now).await?;
        tx.commit().await?;
        Ok((user, tally))
    }

    /// Counts a log-in that failed and writes it down; gives what is said of it.
    async fn login_failed(
        &self,
        tally: &Tally,
        (login, user_id): (&Login, Option<UserId>),
        error: LoginError,
        now: Timestamp,
    ) -> LoginError {
        let (kind, outcome) = match error {
            LoginError::Disabled(_) => (EventKind::LoginRefused, LoginOutcome::Disabled),
            _ => (EventKind::LoginFailed, LoginOutcome::Failed),
        };
        self.ports.meter.count(Occurrence::Login(outcome), 1);
        let event = self.event(kind, Actor::Service, now);
        let event = Event { user_id, ip: login.origin.ip, ..event };
        match self.strike(tally, Some(event), now).await {
            Ok(()) => error,
            Err(throttled) => throttled.into(),
        }
    }

    /// A hash by the present parameters, if the stored one was made with others. When the hasher
    /// is too busy, the next login does it.
    async fn renewed_hash(&self, user: &User, password: &Password) -> Option<PasswordHash> {
        if !self.ports.hasher.is_outdated(&user.password_hash) {
            return None;
        }
        self.ports.hasher.hash(password).await.ok()
    }

    /// Stores a session of a user whom the caller has locked; the oldest make room for it. Gives
    /// which.
    async fn store_session(
        &self,
        tx: &mut dyn Tx,
        session: &Session,
        now: Timestamp,
    ) -> Result<Vec<SessionId>, StoreError> {
        let (user_id, ip) = (Some(session.user_id), session.origin.ip);
        let keep = self.policy.sessions_per_user_max.saturating_sub(1);
        let end = End { at: now, reason: EndReason::SessionLimit };
        let over = tx.end_oldest_sessions(session.user_id, keep, end).await?;
        for ended in &over {
            let kind = EventKind::SessionEnded(EndReason::SessionLimit);
            let event = self.event(kind, Actor::Service, now);
            tx.insert_event(&Event { user_id, session_id: Some(*ended), ip, ..event }).await?;
        }
        tx.insert_session(session).await?;
        let event = self.event(EventKind::SessionBegun, Actor::User(session.user_id), now);
        tx.insert_event(&Event { user_id, session_id: Some(session.id), ip, ..event }).await?;
        Ok(over)
    }
}

impl From<ClientError> for LoginError {
    fn from(error: ClientError) -> Self {
        match error {
            ClientError::Token(error) => Self::Token(error),
            ClientError::Store(error) => Self::Store(error),
        }
    }
}

throttled!(LoginError);
