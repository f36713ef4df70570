//! `Policy`: the numbers that an operator may change.

use gateward_domain::PasswordPolicy;
use gateward_domain::key::Algorithm;

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
    /// The span in seconds in which an address gets one letter that strangers can ask for; `None`
    /// is no limit.
    pub letters_per_address_seconds: Option<i64>,
    /// How often a code may be tried.
    pub code_tries_max: u32,
}
