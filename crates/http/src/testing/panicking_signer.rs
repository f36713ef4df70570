//! `PanickingSigner`: a token signer that panics.

use gateward_app::domain::key::KeyId;
use gateward_app::domain::ports::TokenSigner;
use gateward_app::domain::refresh::PresentedToken;
use gateward_app::domain::{
    AccessClaims, AccessGrant, Session, SessionId, Timestamp, TokenError, TokenText,
};

/// Panics whenever a token is signed or verified, or the public keys are read.
pub(super) struct PanickingSigner;

fn panics() -> ! {
    panic!("canary: the signer panics")
}

impl TokenSigner for PanickingSigner {
    fn sign_access(&self, _: &AccessGrant<'_>) -> Result<TokenText, TokenError> {
        panics()
    }

    fn sign_refresh(&self, _: &Session) -> Result<TokenText, TokenError> {
        panics()
    }

    fn verify_access(&self, _: &str, _: Timestamp) -> Result<AccessClaims, TokenError> {
        panics()
    }

    fn verify_access_ignoring_expiry(
        &self,
        _: &str,
        _: Timestamp,
    ) -> Result<AccessClaims, TokenError> {
        panics()
    }

    fn verify_refresh(&self, _: &str, _: Timestamp) -> Result<PresentedToken, TokenError> {
        panics()
    }

    fn csrf_token(&self, _: SessionId) -> Result<TokenText, TokenError> {
        panics()
    }

    fn refresh_key(&self, _: Timestamp) -> Result<KeyId, TokenError> {
        panics()
    }

    fn jwks(&self, _: Timestamp) -> Option<String> {
        panics()
    }
}
