//! Creates sessions and issues their tokens.

use gateward_domain::ports::StoreError;
use gateward_domain::refresh::{RefreshState, Salt};
use gateward_domain::{
    AccessGrant, AccessToken, RequestInfo, Session, SessionId, Timestamp, TokenError, TokenId,
    TokenPair, User,
};

use crate::App;

impl App {
    /// Creates a session of this user, without storing it.
    pub(crate) fn new_session(
        &self,
        user: &User,
        request_info: RequestInfo,
        client_name: Option<String>,
        now: Timestamp,
    ) -> Result<Session, TokenError> {
        let mut salt = [0; 32];
        self.ports.entropy.fill(&mut salt);
        let lifetime_ends_at = now.plus_seconds(self.policy.session_max_seconds);
        let idle_ends_at = now.plus_seconds(self.policy.refresh_idle_seconds);
        Ok(Session {
            id: SessionId::new(now, &*self.ports.entropy),
            user_id: user.id,
            created_at: now,
            auth_time: now,
            lifetime_ends_at,
            request_info,
            client_name,
            refresh_state: RefreshState {
                generation: RefreshState::FIRST_GENERATION,
                rotated_at: now,
                expires_at: idle_ends_at.min(lifetime_ends_at),
                key_id: self.ports.signer.refresh_key(now)?,
                idempotency_key: None,
                salt: Salt(salt),
            },
            ended: None,
        })
    }

    /// Issues the pair for the session's refresh state. The refresh token is derived from that
    /// state alone; the access token is new.
    pub(crate) async fn issue_pair<E: From<TokenError> + From<StoreError>>(
        &self,
        user: &User,
        session: &Session,
        is_fresh: bool,
        now: Timestamp,
    ) -> Result<TokenPair, E> {
        Ok(TokenPair {
            access: self.issue_access::<E>(user, session, is_fresh, now).await?,
            refresh: self.ports.signer.sign_refresh(session)?,
            refresh_expires_in: session.refresh_state.expires_at.seconds() - now.seconds(),
            session_id: session.id,
        })
    }

    /// Issues an access token, which never outlives its session.
    pub(crate) async fn issue_access<E: From<TokenError> + From<StoreError>>(
        &self,
        user: &User,
        session: &Session,
        is_fresh: bool,
        now: Timestamp,
    ) -> Result<AccessToken, E> {
        let expires_at = now.plus_seconds(self.policy.access_ttl_seconds);
        let expires_at = expires_at.min(session.refresh_state.expires_at);
        let text = self.ports.signer.sign_access(&AccessGrant {
            id: TokenId::new(now, &*self.ports.entropy),
            user,
            public_user_id: self.public_user_id(user.id).await?,
            session_id: session.id,
            is_fresh,
            auth_time: session.auth_time,
            issued_at: now,
            expires_at,
        })?;
        Ok(AccessToken { text, expires_in: expires_at.seconds() - now.seconds() })
    }
}
