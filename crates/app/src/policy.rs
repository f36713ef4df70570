//! `Policy`: the values that an operator can configure.

use gateward_domain::PasswordPolicy;
use gateward_domain::key::Algorithm;

/// The rate limits.
#[derive(Clone, Copy, Debug)]
pub struct RateLimitPolicy {
    /// Number of consecutive failed logins allowed per account.
    pub login_failures_per_account: u32,
    /// Number of wrong secrets allowed per client IP network in a window.
    pub login_failures_per_ip: u32,
    /// Length of the window in seconds, which is also the longest wait.
    pub window_seconds: i64,
    /// Number of sign-ups allowed per client IP network in a window.
    pub signups_per_ip: u32,
}

impl Default for RateLimitPolicy {
    fn default() -> Self {
        Self {
            login_failures_per_account: 10,
            login_failures_per_ip: 100,
            window_seconds: 900,
            signups_per_ip: 30,
        }
    }
}

/// Which identifier of an account the dialects show.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub enum UserIds {
    /// The account's identifier, a UUID.
    #[default]
    Uuid,
    /// The account's number.
    Integer,
}

/// The values that an operator can configure. The settings fill them.
#[derive(Clone, Debug)]
pub struct Policy {
    /// The issuer of all tokens.
    pub issuer: String,
    /// Base URL of emailed links: scheme, host and port.
    pub public_url: String,
    /// Signature algorithm of access-token keys created from now on.
    pub key_algorithm: Algorithm,
    /// Number of seconds for which a verifier may cache the public keys.
    pub jwks_cache_seconds: i64,
    /// Number of days after which the next keys are created.
    pub rotate_after_days: i64,
    /// Lifetime of an access token in seconds.
    pub access_ttl_seconds: i64,
    /// Number of seconds after which a session expires without a refresh.
    pub refresh_idle_seconds: i64,
    /// Maximum lifetime of a session in seconds.
    pub session_max_seconds: i64,
    /// Number of seconds for which a spent refresh token without an idempotency key may be
    /// presented again.
    pub refresh_leeway_seconds: i64,
    /// Maximum number of sessions per user. Beyond it, the oldest ends.
    pub sessions_per_user_max: u32,
    /// The rules for new passwords.
    pub password: PasswordPolicy,
    /// Whether anyone can sign up.
    pub signup_enabled: bool,
    /// Whether an account is created only once its email address is confirmed.
    pub confirmation_required: bool,
    /// Number of seconds for which a confirmed password allows sensitive actions.
    pub reauthentication_seconds: i64,
    /// Interval in seconds in which an email address receives one email that unauthenticated
    /// callers can request. `None` means no limit.
    pub email_interval_seconds: Option<i64>,
    /// Maximum number of attempts for a code.
    pub code_attempts_max: u32,
    /// The rate limits. `None` turns them off.
    pub rate_limit: Option<RateLimitPolicy>,
    /// Number of days for which the audit trail is kept.
    pub audit_keep_days: i64,
    /// Which identifier of an account the dialects show.
    pub user_ids: UserIds,
}

impl Policy {
    /// Returns the defaults for a service with this public URL: scheme, host and port.
    #[must_use]
    pub fn new(public_url: &str) -> Self {
        Self {
            issuer: public_url.to_owned(),
            public_url: public_url.to_owned(),
            key_algorithm: Algorithm::Es256,
            jwks_cache_seconds: 600,
            rotate_after_days: 90,
            access_ttl_seconds: 900,
            refresh_idle_seconds: 7 * 24 * 3600,
            session_max_seconds: 30 * 24 * 3600,
            refresh_leeway_seconds: 10,
            sessions_per_user_max: 100,
            password: PasswordPolicy { length_min: 8 },
            signup_enabled: true,
            confirmation_required: false,
            reauthentication_seconds: 900,
            email_interval_seconds: Some(60),
            code_attempts_max: 5,
            rate_limit: Some(RateLimitPolicy::default()),
            audit_keep_days: 365,
            user_ids: UserIds::Uuid,
        }
    }
}
