//! Logs in: exchanges an identifier and a password for a token pair.

use gateward_domain::known_device::KnownDevice;
use gateward_domain::link::SecretHash;
use gateward_domain::ports::{Access, HashError, LoginOutcome, Metric, StoreError, Tx};
use gateward_domain::{
    AccountDisabled, Actor, End, EndReason, Event, EventKind, Identifier, Password, PasswordHash,
    RequestInfo, Session, SessionId, Timestamp, TokenError, TokenPair, TokenText, User, UserId,
};

use crate::after_commit::AfterCommit;
use crate::known_devices::KnownDeviceError;
use crate::rate_limited::rate_limited;
use crate::rate_limits::RateLimitKeys;
use crate::{App, RateLimited};

/// A login request.
#[derive(Debug)]
pub struct Login {
    /// The username or email address. `None` if the input can be neither.
    pub identifier: Option<Identifier>,
    /// The password as received.
    pub password: Password,
    /// The name that the client reports.
    pub client_name: Option<String>,
    /// The token that the device received at its previous login, if it still has it.
    pub known_device_token: Option<TokenText>,
    /// Client IP address and user agent of the request.
    pub request_info: RequestInfo,
}

/// A login with a verified password. Nothing is written yet.
#[derive(Debug)]
pub struct VerifiedLogin {
    user: User,
    session: Session,
    rehashed: Option<PasswordHash>,
    known_device_token: Option<TokenText>,
    limits: RateLimitKeys,
    now: Timestamp,
}

/// The result of a login.
#[derive(Debug)]
pub struct LoggedIn {
    /// The first token pair of the new session.
    pub pair: TokenPair,
    /// The user who logged in.
    pub user: User,
    /// The token that the device presents at its next login, to be recognized.
    pub known_device_token: TokenText,
}

/// Why a login failed.
#[derive(Debug, thiserror::Error)]
pub enum LoginError {
    /// The account does not exist, the password is wrong, or the email address must be confirmed
    /// first.
    #[error("unknown account, wrong password or unverified email address")]
    InvalidCredentials,
    /// The password is right, but the account is disabled.
    #[error(transparent)]
    Disabled(#[from] AccountDisabled),
    /// A rate limit applies.
    #[error(transparent)]
    RateLimited(#[from] RateLimited),
    /// The password could not be checked.
    #[error(transparent)]
    Hash(#[from] HashError),
    /// The tokens could not be issued.
    #[error("the tokens could not be created")]
    Token(#[from] TokenError),
    /// The store failed.
    #[error(transparent)]
    Store(#[from] StoreError),
}

impl App {
    /// Exchanges an identifier and a password for a token pair.
    ///
    /// Runs both halves. If the client may disconnect, cancel the first half with it, so that the
    /// server computes no hash in vain. Once started, the second half must complete.
    pub async fn login(&self, login: Login) -> Result<LoggedIn, LoginError> {
        let verified = self.verify_login(login).await?;
        self.complete_login(verified).await
    }

    /// The first half: finds the account and checks the password. Writes nothing, except a failed
    /// attempt.
    ///
    /// An unknown identifier and a wrong password get the same response after the same work: one
    /// hash is verified in either case.
    #[tracing::instrument(skip_all, err(level = "debug"))]
    pub async fn verify_login(&self, login: Login) -> Result<VerifiedLogin, LoginError> {
        let now = self.now();
        let (user, limits) = self.find_account_and_limits(&login, now).await?;

        // No transaction is open here: verification is deliberately slow.
        let user_id = user.as_ref().map(|user| user.id);
        let hash = user.as_ref().map_or(&self.dummy_hash, |user| &user.password_hash);
        let matches = self.ports.hasher.verify(&login.password, hash).await?;
        let Some(user) = user.filter(|user| matches && self.meets_confirmation_policy(user)) else {
            let error = LoginError::InvalidCredentials;
            return Err(self.record_failed_login(&limits, (&login, user_id), error, now).await);
        };
        if let Err(error) = user.check_enabled() {
            return Err(self
                .record_failed_login(&limits, (&login, user_id), error.into(), now)
                .await);
        }
        let rehashed = self.rehash_if_needed(&user, &login.password).await;

        let session = self.new_session(&user, login.request_info, login.client_name, now)?;
        let known_device_token = login.known_device_token;
        Ok(VerifiedLogin { user, session, rehashed, known_device_token, limits, now })
    }

    /// The second half: starts the session, if the credentials are still the ones that were
    /// checked.
    #[tracing::instrument(skip_all, err(level = "debug"))]
    pub async fn complete_login(&self, verified: VerifiedLogin) -> Result<LoggedIn, LoginError> {
        let VerifiedLogin { user, session, rehashed, known_device_token, limits, now } = verified;
        let mut tx = self.ports.store.begin(Access::Write).await?;
        // The password may have been changed, or the account disabled, during hashing.
        let user = match tx.lock_user(user.id).await? {
            Some(locked) if locked.credentials_version == user.credentials_version => locked,
            _ => return Err(LoginError::InvalidCredentials),
        };
        user.check_enabled()?;
        self.reset_failures(&mut *tx, &limits, now).await?;
        if let Some(hash) = rehashed {
            tx.set_rehashed_password(user.id, user.credentials_version, &hash).await?;
        }
        let ended = self.store_session(&mut *tx, &session, now).await?;
        let device =
            self.recognise_device(&mut *tx, (&user, &session), known_device_token, now).await?;
        let after_commit = AfterCommit::default()
            .sessions_ended(&ended, EndReason::SessionLimit)
            .email_queued_if(device.email_queued);
        self.commit_and_publish(tx, after_commit, now).await?;

        self.ports.metrics.count(Metric::Login(LoginOutcome::Succeeded), 1);
        self.ports.metrics.count(Metric::SessionStarted, 1);
        tracing::info!(user_id = %user.id, session_id = %session.id, "session started");
        let pair = self.issue_pair::<LoginError>(&user, &session, true, now).await?;
        Ok(LoggedIn { pair, user, known_device_token: device.token })
    }

    /// Returns whether the email address is confirmed, if the policy requires it.
    const fn meets_confirmation_policy(&self, user: &User) -> bool {
        user.email_verified || !self.policy.confirmation_required
    }

    /// Finds the account and the rate limits of the attempt. The queries are the same whether or
    /// not the account exists.
    async fn find_account_and_limits(
        &self,
        login: &Login,
        now: Timestamp,
    ) -> Result<(Option<User>, RateLimitKeys), LoginError> {
        let mut tx = self.ports.store.begin(Access::Read).await?;
        let user = match &login.identifier {
            Some(identifier) => tx.find_user_by_identifier(identifier).await?,
            None => None,
        };
        let device = match &login.known_device_token {
            Some(token) => {
                let nil_user_id = UserId::from_uuid(uuid::Uuid::nil());
                let user_id = user.as_ref().map_or(nil_user_id, |user| user.id);
                let known = tx.list_known_devices(user_id, KnownDevice::PER_USER_MAX + 1).await?;
                let secret = SecretHash::of(token.expose());
                let matches_token =
                    |device: &&KnownDevice| device.secret == secret && device.expires_at > now;
                known.iter().find(matches_token).map(|device| device.id.to_string())
            }
            None => None,
        };
        let (identifier, request_info) = (login.identifier.as_ref(), &login.request_info);
        let mut limits = self.login_rate_limit(identifier, request_info, device.as_deref())?;
        self.check_rate_limit(&mut *tx, &mut limits, now).await?;
        tx.commit().await?;
        Ok((user, limits))
    }

    /// Counts a failed login, writes the event, and returns the error to report.
    async fn record_failed_login(
        &self,
        limits: &RateLimitKeys,
        (login, user_id): (&Login, Option<UserId>),
        error: LoginError,
        now: Timestamp,
    ) -> LoginError {
        let (kind, outcome) = match error {
            LoginError::Disabled(_) => (EventKind::LoginRefused, LoginOutcome::Disabled),
            _ => (EventKind::LoginFailed, LoginOutcome::Failed),
        };
        self.ports.metrics.count(Metric::Login(outcome), 1);
        let event = self.event(kind, Actor::Service, now);
        let event = Event { user_id, ip: login.request_info.ip, ..event };
        match self.record_failure(limits, Some(event), now).await {
            Ok(()) => error,
            Err(rate_limited) => rate_limited.into(),
        }
    }

    /// Returns a hash with the current parameters, if the stored one was made with others. If the
    /// hasher is overloaded, the next login does it.
    async fn rehash_if_needed(&self, user: &User, password: &Password) -> Option<PasswordHash> {
        if !self.ports.hasher.needs_rehash(&user.password_hash) {
            return None;
        }
        self.ports.hasher.hash(password).await.ok()
    }

    /// Stores a session of a user whom the caller has locked, and ends the oldest sessions beyond
    /// the limit. Returns those.
    async fn store_session(
        &self,
        tx: &mut dyn Tx,
        session: &Session,
        now: Timestamp,
    ) -> Result<Vec<SessionId>, StoreError> {
        let (user_id, ip) = (Some(session.user_id), session.request_info.ip);
        let remaining_max = self.policy.sessions_per_user_max.saturating_sub(1);
        let end = End { at: now, reason: EndReason::SessionLimit };
        let evicted = tx.end_oldest_sessions(session.user_id, remaining_max, end).await?;
        for ended in &evicted {
            let kind = EventKind::SessionEnded(EndReason::SessionLimit);
            let event = self.event(kind, Actor::Service, now);
            tx.insert_event(&Event { user_id, session_id: Some(*ended), ip, ..event }).await?;
        }
        tx.insert_session(session).await?;
        let event = self.event(EventKind::SessionStarted, Actor::User(session.user_id), now);
        tx.insert_event(&Event { user_id, session_id: Some(session.id), ip, ..event }).await?;
        Ok(evicted)
    }
}

impl From<KnownDeviceError> for LoginError {
    fn from(error: KnownDeviceError) -> Self {
        match error {
            KnownDeviceError::Token(error) => Self::Token(error),
            KnownDeviceError::Store(error) => Self::Store(error),
        }
    }
}

rate_limited!(LoginError);
