//! Identifiers: UUIDs of version 7 (RFC 9562, section 5.7), one type for each kind of entity.

use uuid::Uuid;

use crate::ports::Entropy;
use crate::time::Timestamp;

/// Creates a UUID of version 7 from a time and the given source of randomness.
fn uuid_v7(now: Timestamp, entropy: &dyn Entropy) -> Uuid {
    let mut random = [0; 10];
    entropy.fill(&mut random);
    let millis = u64::try_from(now.micros().div_euclid(1000)).unwrap_or(0);
    uuid::Builder::from_unix_timestamp_millis(millis, &random).into_uuid()
}

macro_rules! identifier {
    ($(#[$doc:meta])* $name:ident) => {
        $(#[$doc])*
        #[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
        pub struct $name(Uuid);

        impl $name {
            /// Creates an identifier, ordered by `now`.
            #[must_use]
            pub fn new(now: Timestamp, entropy: &dyn Entropy) -> Self {
                Self(uuid_v7(now, entropy))
            }

            /// Wraps an existing UUID.
            #[must_use]
            pub const fn from_uuid(uuid: Uuid) -> Self {
                Self(uuid)
            }

            /// Time of creation, in whole milliseconds, UTC.
            #[must_use]
            pub const fn made_at(self) -> Timestamp {
                let millis = (self.0.as_u128() >> 80) as i64;
                Timestamp::from_micros(millis.saturating_mul(1000))
            }

            /// Returns an identifier ordered before all that are created at `time` or later.
            #[must_use]
            pub fn before_all_at(time: Timestamp) -> Self {
                let millis = u64::try_from(time.micros().div_euclid(1000)).unwrap_or(0);
                Self(uuid::Builder::from_unix_timestamp_millis(millis, &[0; 10]).into_uuid())
            }

            /// Returns the UUID.
            #[must_use]
            pub const fn uuid(self) -> Uuid {
                self.0
            }
        }

        impl std::fmt::Display for $name {
            fn fmt(&self, formatter: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
                self.0.fmt(formatter)
            }
        }

        impl std::str::FromStr for $name {
            type Err = uuid::Error;

            fn from_str(text: &str) -> Result<Self, Self::Err> {
                text.parse().map(Self)
            }
        }
    };
}

identifier! {
    /// Identifies a user: the `sub` of their tokens. Never reused for another user.
    UserId
}
identifier! {
    /// Identifies a session: the `sid` of its tokens.
    SessionId
}
identifier! {
    /// Identifies an event of the audit log.
    EventId
}
identifier! {
    /// Identifies one access token: its `jti` (RFC 7519, section 4.1.7).
    TokenId
}
identifier! {
    /// Identifies a sign-up that waits for confirmation of its email address.
    SignupId
}
identifier! {
    /// Identifies one issue of an emailed link.
    LinkId
}
identifier! {
    /// Identifies a known device.
    KnownDeviceId
}
identifier! {
    /// Identifies an email: its `Message-ID` on every attempt.
    EmailId
}
