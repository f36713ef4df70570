//! `Metrics`: counters for monitoring.

use crate::EndReason;

/// A counter.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub enum Metric {
    /// A session started.
    SessionStarted,
    /// A session ended.
    SessionEnded(EndReason),
    /// A login finished with this outcome.
    Login(LoginOutcome),
    /// A refresh finished with this outcome.
    Refresh(RefreshOutcome),
    /// A rate limit refused an attempt.
    RateLimited(RateLimitScope),
    /// A request lacked the required permission.
    Denied,
    /// An event was appended to the audit chain.
    EventChained,
}

macro_rules! labels {
    ($($(#[$type_doc:meta])* $type:ident { $($(#[$doc:meta])* $name:ident = $text:literal,)* })*) => {
        $(
            $(#[$type_doc])*
            #[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
            pub enum $type {
                $($(#[$doc])* $name,)*
            }

            impl $type {
                /// All variants.
                pub const ALL: &[Self] = &[$(Self::$name),*];

                /// The variant's name as a label value.
                #[must_use]
                pub const fn as_str(self) -> &'static str {
                    match self { $(Self::$name => $text,)* }
                }
            }
        )*
    };
}

labels! {
    /// The outcome of a login.
    LoginOutcome {
        /// A session started.
        Succeeded = "succeeded",
        /// The username or the password was wrong.
        Failed = "failed",
        /// The account is disabled.
        Disabled = "disabled",
    }
    /// The outcome of a refresh.
    RefreshOutcome {
        /// The next token was issued.
        Rotated = "rotated",
        /// The next token was returned again.
        Repeated = "repeated",
        /// The token stayed the current one, by a dialect without rotation.
        Kept = "kept",
        /// The session recovered from a token that was ahead of the store.
        Recovered = "recovered",
        /// A token was reused, and the session ended.
        Replayed = "replayed",
        /// The session had already ended.
        Ended = "ended",
        /// The token was invalid or had expired.
        Refused = "refused",
    }
    /// An action that is rate limited because it takes a secret or burdens others.
    RateLimitScope {
        /// Login.
        Login = "login",
        /// Password confirmation by a user who is logged in.
        Reauthentication = "reauthentication",
        /// Sign-up.
        Signup = "signup",
        /// An emailed link or code.
        Link = "link",
        /// An email that unauthenticated callers can request.
        Email = "email",
        /// The secret of a configured client.
        Client = "client",
        /// A denied request, which is written to the audit log.
        Denial = "denial",
    }
}

/// Counts events. It never blocks.
#[cfg_attr(feature = "mock", mockall::automock)]
pub trait Metrics: Send + Sync {
    /// Adds `times` to a counter.
    fn count(&self, metric: Metric, times: u64);
}

/// Discards all counts.
#[derive(Clone, Copy, Debug, Default)]
pub struct NoMetrics;

impl Metrics for NoMetrics {
    fn count(&self, _: Metric, _: u64) {}
}
