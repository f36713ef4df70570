//! `Metrics`: counts what happens, for whoever watches the service.

use crate::EndReason;

/// Something that is counted.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub enum Metric {
    /// A session began.
    SessionStarted,
    /// A session ended.
    SessionEnded(EndReason),
    /// A login came to this.
    Login(LoginOutcome),
    /// A refresh came to this.
    Refresh(RefreshOutcome),
    /// Somebody must wait before another secret of theirs is looked at.
    RateLimited(RateLimitScope),
    /// Somebody asked for what they may not do.
    Denied,
    /// An event was given its place in the audit trail.
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
                /// Every one there is.
                pub const ALL: &[Self] = &[$(Self::$name),*];

                /// Its name.
                #[must_use]
                pub const fn as_str(self) -> &'static str {
                    match self { $(Self::$name => $text,)* }
                }
            }
        )*
    };
}

labels! {
    /// What became of a login.
    LoginOutcome {
        /// A session began.
        Succeeded = "succeeded",
        /// The name or the password was wrong.
        Failed = "failed",
        /// The account is disabled.
        Disabled = "disabled",
    }
    /// What became of a refresh.
    RefreshOutcome {
        /// The session went on to the next token.
        Rotated = "rotated",
        /// The next token was given once more.
        Repeated = "repeated",
        /// The session caught up with a token that was ahead of the store.
        Recovered = "recovered",
        /// A spent token was shown, and the session ended.
        Replayed = "replayed",
        /// The session was over.
        Ended = "ended",
        /// The token was not believed, or its time was over.
        Refused = "refused",
    }
    /// Where a secret is taken, or something that costs others.
    RateLimitScope {
        /// Logging in.
        Login = "login",
        /// The password given again by somebody who is logged in.
        Reauthentication = "reauthentication",
        /// Signing up.
        Signup = "signup",
        /// A mailed link or code.
        Link = "link",
        /// An email that strangers can ask for.
        Email = "email",
        /// The secret of a configured client.
        Client = "client",
        /// What a caller may not do, and is written down.
        Denial = "denial",
    }
}

/// Counts what happens. It never waits.
#[cfg_attr(feature = "mock", mockall::automock)]
pub trait Metrics: Send + Sync {
    /// Counts something that has happened so often.
    fn count(&self, metric: Metric, times: u64);
}

/// Counts nothing.
#[derive(Clone, Copy, Debug, Default)]
pub struct NoMetrics;

impl Metrics for NoMetrics {
    fn count(&self, _: Metric, _: u64) {}
}
