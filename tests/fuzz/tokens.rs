//! Fuzz target: the verification of tokens. Its input is a word, a line break and a token, or the
//! header and the claims of one, which is then signed.
#![no_main]
#![expect(clippy::expect_used, clippy::indexing_slicing, reason = "a target fails by a panic")]

use std::cell::LazyCell;

use gateward_crypto::Keyring;
use gateward_domain::key::{Algorithm, KeyId, KeyPurpose};
use gateward_domain::ports::{AuditKeys as _, KeyMaker as _, TokenSigner as _};
use gateward_domain::refresh::PresentedToken;
use gateward_domain::{AccessClaims, AccessGrant, PublicUserId, Session, Timestamp, TokenError};
use gateward_fuzz::{AUDIENCE, ISSUER, Variables, keyring};
use gateward_testkit::fixtures::{self, NOW};
use libfuzzer_sys::fuzz_target;
use serde_json::Value;

thread_local! {
    static TOKENS: LazyCell<Tokens> = LazyCell::new(Tokens::new);
}

fuzz_target!(|input: &[u8]| TOKENS.with(|tokens| tokens.f32_no_token_is_misread(input)));

/// Keyrings and genuine tokens.
struct Tokens {
    /// It caches what it has verified.
    caching: Keyring,
    /// It has the same keys, and caches nothing.
    forgetful: Keyring,
    variables: Variables,
    issued: [String; 2],
}

impl Tokens {
    fn new() -> Self {
        let [caching, forgetful] = [64, 0].map(keyring);
        let made = [
            ("es256", KeyPurpose::Access, Algorithm::Es256),
            ("eddsa", KeyPurpose::Access, Algorithm::EdDsa),
            ("refresh", KeyPurpose::Refresh, Algorithm::Hs256),
            ("audit", KeyPurpose::Audit, Algorithm::EdDsa),
        ];
        let mut variables = Variables::default();
        let mut keys = Vec::new();
        for (name, purpose, algorithm) in made {
            let key = caching.make_key(purpose, algorithm, NOW, NOW).expect("a key");
            variables.set(name, key.id.0.clone());
            keys.push(key);
        }
        for keyring in [&caching, &forgetful] {
            keyring.install_keys(&keys).expect("the keys fit");
        }
        let user = fixtures::user(1);
        let session = fixtures::session(1, &user);
        let mut state = session.refresh_state.clone();
        state.key_id = KeyId(variables.get("refresh").to_owned());
        let session = Session { refresh_state: state, ..session };
        let grant = AccessGrant {
            id: "0190b2a4-7c1e-7d3a-8f00-aaaaaaaaaaaa".parse().expect("an identifier"),
            user: &user,
            public_user_id: PublicUserId::Uuid(user.id),
            session_id: session.id,
            is_fresh: true,
            auth_time: NOW,
            issued_at: NOW,
            expires_at: NOW.plus_seconds(900),
        };
        let access = caching.sign_access(&grant).expect("a token").expose().to_owned();
        let refresh = caching.sign_refresh(&session).expect("a token").expose().to_owned();
        for (name, token) in [("access", &access), ("refresh_token", &refresh)] {
            variables.set(name, token);
            for (part, segment) in ["header", "claims", "signature"].iter().zip(token.split('.')) {
                variables.set(&format!("{name}.{part}"), segment);
            }
        }
        variables.set("issuer", ISSUER);
        variables.set("audience", AUDIENCE);
        variables.set("now", NOW.seconds().to_string());
        variables.set("later", NOW.plus_seconds(900).seconds().to_string());
        Self { caching, forgetful, variables, issued: [access, refresh] }
    }

    /// Row F32: no token is accepted that is not issued, and no claim is read in two ways.
    fn f32_no_token_is_misread(&self, input: &[u8]) {
        let input = self.variables.fill(input);
        let mut lines = input.splitn(2, |byte| *byte == b'\n');
        let (word, rest) = (lines.next().unwrap_or_default(), lines.next().unwrap_or_default());
        let Ok(word) = std::str::from_utf8(word) else { return };
        if !["es256", "eddsa", "refresh", "audit"].contains(&word) {
            let token = String::from_utf8_lossy(rest);
            if self.verify(&token) != (None, None) {
                assert!(self.issued.contains(&token.into_owned()), "not issued: {rest:?}");
            }
            return;
        }
        let mut parts = rest.splitn(2, |byte| *byte == b'\n');
        let (header, claims) = (parts.next().unwrap_or_default(), parts.next().unwrap_or_default());
        let key_id = KeyId(self.variables.get(word).to_owned());
        let token = self.caching.forge(&key_id, header, claims).expect("a signature");
        let (access, refresh) = self.verify(&token);
        if access.is_none() && refresh.is_none() {
            return;
        }
        let header: Value = serde_json::from_slice(header).expect("the header is JSON");
        assert_eq!(header["kid"], key_id.0, "{header}");
        assert_eq!(header.as_object().map(serde_json::Map::len), Some(3), "{header}");
        let claims: Value = serde_json::from_slice(claims).expect("the claims are JSON");
        match (access, refresh) {
            (Some(access), None) => check_access(&claims, &access),
            (None, Some(refresh)) => check_refresh(&claims, &refresh),
            _ => panic!("a token of two kinds: {claims}"),
        }
    }

    /// Verifies a token in every way. Asserts that all agree.
    fn verify(&self, token: &str) -> (Option<AccessClaims>, Option<PresentedToken>) {
        let access = self.forgetful.verify_access(token, NOW);
        let past = self.forgetful.verify_access_ignoring_expiry(token, NOW);
        for _ in 0..2 {
            assert_eq!(self.caching.verify_access(token, NOW), access, "{token}");
            assert_eq!(self.caching.verify_access_ignoring_expiry(token, NOW), past, "{token}");
        }
        match &access {
            Err(TokenError::Expired) => assert!(past.is_ok_and(|past| past.expires_at <= NOW)),
            access => assert_eq!(&past, access, "{token}"),
        }
        let refresh = self.forgetful.verify_refresh(token, NOW);
        let is_refresh = access == Err(TokenError::WrongKind);
        assert_eq!(is_refresh, refresh.is_ok(), "{token}");
        let is_access = matches!(access, Ok(_) | Err(TokenError::Expired));
        assert_eq!(is_access, refresh == Err(TokenError::WrongKind), "{token}");
        if self.forgetful.read_checkpoint(token).is_ok() {
            assert!(!is_access && !is_refresh, "a checkpoint is a token: {token}");
        }
        (access.ok(), refresh.ok())
    }
}

fn check_access(claims: &Value, access: &AccessClaims) {
    for name in ["iss", "client_id"] {
        assert_eq!(claims[name], ISSUER, "{claims}");
    }
    assert_eq!(claims["aud"], AUDIENCE, "{claims}");
    assert_eq!(claims["sub"], access.user_id.to_string(), "{claims}");
    assert_eq!(claims["sid"], access.session_id.to_string(), "{claims}");
    assert_eq!(claims["jti"], access.id.to_string(), "{claims}");
    assert_eq!(claims["exp"], access.expires_at.seconds(), "{claims}");
    assert!(access.expires_at > NOW && has_come(&claims["nbf"]), "{claims}");
    assert!(has_come(&claims["iat"]), "{claims}");
}

fn check_refresh(claims: &Value, refresh: &PresentedToken) {
    for name in ["iss", "aud"] {
        assert_eq!(claims[name], ISSUER, "{claims}");
    }
    assert_eq!(claims["sub"], refresh.user_id.to_string(), "{claims}");
    assert_eq!(claims["sid"], refresh.session_id.to_string(), "{claims}");
    assert_eq!(claims["gen"], refresh.generation, "{claims}");
    assert_eq!(claims["exp"], refresh.expires_at.seconds(), "{claims}");
    assert!(refresh.generation > 0 && has_come(&claims["iat"]), "{claims}");
}

/// Whether a time is not in the future, by a clock that is a few seconds ahead.
fn has_come(time: &Value) -> bool {
    let latest: Timestamp = NOW.plus_seconds(gateward_domain::key::CLOCK_SKEW_SECONDS);
    time.as_i64().is_some_and(|time| time <= latest.seconds())
}
