//! `Policy`: the numbers that an operator may change.

use gateward_domain::PasswordPolicy;
use gateward_domain::key::Algorithm;

/// How much may be tried before whoever tries must wait.
#[derive(Clone, Copy, Debug)]
pub struct RateLimitPolicy {
    /// How many logins in a row may fail under one name.
    pub login_failures_per_account: u32,
    /// How many wrong secrets one client may give in a window.
    pub login_failures_per_ip: u32,
    /// The window in seconds, which is also the longest wait.
    pub window_seconds: i64,
    /// How many sign-ups one client may begin in a window.
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

/// The numbers that an operator may change; the settings fill it.
#[derive(Clone, Debug)]
pub struct Policy {
    /// The issuer of all tokens.
    pub issuer: String,
    /// What mailed links begin with: scheme, host and port.
    pub public_url: String,
    /// How access tokens are signed by keys that are made from now on.
    pub key_algorithm: Algorithm,
    /// For how many seconds a verifier may keep the public keys.
    pub jwks_cache_seconds: i64,
    /// After how many days the next keys are made.
    pub rotate_after_days: i64,
    /// For how many seconds an access token is good.
    pub access_ttl_seconds: i64,
    /// For how many seconds a session lives without a refresh.
    pub refresh_idle_seconds: i64,
    /// For how many seconds a session lives in all.
    pub session_max_seconds: i64,
    /// For how many seconds a spent refresh token without idempotency key may be shown again.
    pub refresh_leeway_seconds: i64,
    /// How many sessions a user may have; beyond that the oldest ends.
    pub sessions_per_user_max: u32,
    /// What a new password must meet.
    pub password: PasswordPolicy,
    /// Whether strangers may sign up.
    pub signup_enabled: bool,
    /// Whether there is no account before its address is confirmed.
    pub confirmation_required: bool,
    /// For how many seconds a password that was given is good for sensitive acts.
    pub reauthentication_seconds: i64,
    /// The span in seconds in which an address gets one email that strangers can ask for; `None`
    /// is no limit.
    pub email_interval_seconds: Option<i64>,
    /// How often a code may be tried.
    pub code_attempts_max: u32,
    /// How much may be tried; `None` is no limit.
    pub rate_limit: Option<RateLimitPolicy>,
    /// For how many days the audit trail is kept.
    pub audit_keep_days: i64,
}

impl Policy {
    /// What is in force where an operator has changed nothing but what the service is called:
    /// scheme, host and port.
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
        }
    }
}
