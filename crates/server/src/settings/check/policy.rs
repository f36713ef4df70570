//! Checks of the policy: tokens, passwords, sign-up and rate limits.

use gateward_app::domain::PasswordPolicy;
use gateward_app::domain::key::Algorithm;
use gateward_app::domain::rate_limit::BACKOFF_RESET_SECONDS;
use gateward_app::{Policy, RateLimitPolicy};
use url::Url;

use crate::settings::reader::Reader;

/// A day, the maximum of short lifetimes.
const DAY_SECONDS: i64 = 24 * 3600;

/// A year, the maximum of every lifetime.
const YEAR_SECONDS: i64 = 366 * DAY_SECONDS;

/// The longest window of the rate limits: counters must be kept for longer than any wait.
const WINDOW_SECONDS_MAX: i64 = BACKOFF_RESET_SECONDS / 2;

/// The maximum per IP address in a window: a whole campus may share one.
const PER_CLIENT_MAX: i64 = 100_000;

/// The maximum retention of the audit trail in days: a hundred years.
const KEEP_DAYS_MAX: i64 = 36_525;

/// The maximum length of an audience.
const AUDIENCE_LEN_MAX: usize = 255;

pub(super) fn policy(reader: &mut Reader<'_>, public_url: &str) -> Policy {
    let algorithms = [
        ("ES256", Algorithm::Es256),
        ("EdDSA", Algorithm::EdDsa),
        ("PS256", Algorithm::Ps256),
        ("RS256", Algorithm::Rs256),
    ];
    // All errors are reported together, so checking continues with a default.
    let key_algorithm = reader.choice("keys.algorithm", &algorithms).unwrap_or(Algorithm::Es256);
    let verification = [("optional", false), ("required", true)];
    let confirmation_required = reader.choice("signup.email_verification", &verification);
    let policy = Policy {
        issuer: issuer(reader, public_url),
        public_url: public_url.to_owned(),
        key_algorithm,
        jwks_cache_seconds: reader.number("keys.jwks_cache_seconds", 1..=DAY_SECONDS),
        rotate_after_days: reader.number("keys.rotate_after_days", 1..=3650),
        access_ttl_seconds: reader.number("tokens.access_ttl_seconds", 1..=DAY_SECONDS),
        refresh_idle_seconds: reader.number("tokens.refresh_idle_seconds", 1..=YEAR_SECONDS),
        session_max_seconds: reader.number("tokens.session_max_seconds", 1..=YEAR_SECONDS),
        refresh_leeway_seconds: reader.number("tokens.refresh_leeway_seconds", 0..=300),
        sessions_per_user_max: reader.count("tokens.sessions_per_user_max", 1..=10_000),
        password: PasswordPolicy { length_min: reader.count("password.length_min", 8..=128) },
        signup_enabled: reader.flag("signup.enabled"),
        confirmation_required: confirmation_required.unwrap_or(true),
        reauthentication_seconds: reader.number("tokens.reauthentication_seconds", 1..=DAY_SECONDS),
        email_interval_seconds: email_interval(reader),
        code_attempts_max: reader.count("rate_limit.code_attempts_max", 1..=20),
        rate_limit: rate_limit(reader),
        audit_keep_days: reader.number("audit.keep_days", 1..=KEEP_DAYS_MAX),
        user_ids: super::dialects::user_ids(reader),
    };
    let lives = ["tokens.refresh_idle_seconds", "tokens.session_max_seconds"];
    let comparable = !lives.iter().any(|option| reader.is_wrong(option));
    if comparable && policy.refresh_idle_seconds > policy.session_max_seconds {
        let message = "is longer than tokens.session_max_seconds; lower it, or raise \
                       tokens.session_max_seconds";
        reader.wrong("tokens.refresh_idle_seconds", message);
    }
    policy
}

/// The interval between emails to one recipient; checked even if rate limits are disabled.
fn email_interval(reader: &mut Reader<'_>) -> Option<i64> {
    let seconds = reader.number("rate_limit.email_interval_seconds", 1..=DAY_SECONDS);
    Some(seconds).filter(|_| reader.flag("rate_limit.enabled"))
}

/// The rate limits; checked even if they are disabled.
fn rate_limit(reader: &mut Reader<'_>) -> Option<RateLimitPolicy> {
    let policy = RateLimitPolicy {
        login_failures_per_account: reader.count("rate_limit.login_failures_per_account", 1..=1000),
        login_failures_per_ip: reader.count("rate_limit.login_failures_per_ip", 1..=PER_CLIENT_MAX),
        window_seconds: reader.number("rate_limit.window_seconds", 1..=WINDOW_SECONDS_MAX),
        signups_per_ip: reader.count("rate_limit.signups_per_ip", 1..=PER_CLIENT_MAX),
    };
    Some(policy).filter(|_| reader.flag("rate_limit.enabled"))
}

/// An issuer is a URL without query and fragment (RFC 8414, section 2).
fn issuer(reader: &mut Reader<'_>, public_url: &str) -> String {
    let Some(text) = reader.text("tokens.issuer") else { return public_url.to_owned() };
    let good = Url::parse(&text).is_ok_and(|url| {
        matches!(url.scheme(), "http" | "https")
            && url.username().is_empty()
            && url.password().is_none()
            && url.query().is_none()
            && url.fragment().is_none()
    });
    if !good {
        let message = "must be a URL without user, query and fragment, such as \
                       https://auth.example.org; or remove it and set http.public_url";
        reader.wrong("tokens.issuer", message);
    }
    text
}

/// An audience is any name, usually a URL.
pub(super) fn audience(reader: &mut Reader<'_>, public_url: &str) -> String {
    let Some(text) = reader.text("tokens.audience") else { return public_url.to_owned() };
    if text.len() > AUDIENCE_LEN_MAX || text.contains(|c: char| c.is_whitespace() || c.is_control())
    {
        let message = "must be a name or URL of at most 255 characters, without spaces";
        reader.wrong("tokens.audience", message);
    }
    text
}
