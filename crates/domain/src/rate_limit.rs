//! Rate limits: how many wrong secrets are accepted before the caller must wait.

use std::net::IpAddr;

use crate::Timestamp;

/// Number of seconds after the last failed attempt until the counter resets. It is longer than the
/// longest wait. Otherwise waiting would reset the counter, and an attacker would regain the
/// initial attempts.
pub const BACKOFF_RESET_SECONDS: i64 = 24 * 3600;

/// Duration of the first wait in seconds. Each further wait is twice as long.
const BACKOFF_INITIAL_SECONDS: i64 = 30;

/// Identifies a counter: a keyed digest, so that the store reveals no username and no IP address.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct RateLimitKey(pub [u8; 32]);

/// A counter of attempts.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct AttemptCounter {
    /// The counter's key.
    pub key: RateLimitKey,
    /// Number of attempts.
    pub count: u32,
    /// Time of the last attempt, UTC.
    pub last_at: Timestamp,
    /// Time at which the counter resets, UTC.
    pub expires_at: Timestamp,
}

/// One attempt to count.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct FailedAttempt {
    /// The counter's key.
    pub key: RateLimitKey,
    /// Time of the attempt, UTC.
    pub at: Timestamp,
    /// Time at which the counter resets, UTC.
    pub expires_at: Timestamp,
    /// Whether the attempt extends the life of the attempts before it.
    pub renews: bool,
}

/// How many attempts are allowed, and how long the caller then waits.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum LimitRule {
    /// After `limit` attempts in a row, a wait that doubles with each further attempt, up to
    /// `wait_max_seconds`.
    Backoff {
        /// Number of allowed attempts.
        limit: u32,
        /// The longest wait in seconds.
        wait_max_seconds: i64,
    },
    /// `limit` attempts within a window that starts with the first one, then a wait until it ends.
    FixedWindow {
        /// Number of allowed attempts.
        limit: u32,
        /// Length of the window in seconds.
        seconds: i64,
    },
}

impl LimitRule {
    /// Returns the failed attempt to count under this rule.
    #[must_use]
    pub const fn attempt(self, key: RateLimitKey, at: Timestamp) -> FailedAttempt {
        let (life_seconds, renews) = match self {
            Self::Backoff { .. } => (BACKOFF_RESET_SECONDS, true),
            Self::FixedWindow { seconds, .. } => (seconds, false),
        };
        FailedAttempt { key, at, expires_at: at.plus_seconds(life_seconds), renews }
    }

    /// Returns the time until which further attempts are refused, UTC. `None` if they are allowed.
    #[must_use]
    pub fn blocked_until(self, counter: &AttemptCounter, now: Timestamp) -> Option<Timestamp> {
        let until = match self {
            Self::Backoff { limit, wait_max_seconds } => {
                let over = counter.count.checked_sub(limit)?;
                let wait = BACKOFF_INITIAL_SECONDS.saturating_mul(1_i64 << over.min(30));
                counter.last_at.plus_seconds(wait.min(wait_max_seconds))
            }
            Self::FixedWindow { limit, .. } if counter.count >= limit => counter.expires_at,
            Self::FixedWindow { .. } => return None,
        };
        (counter.expires_at > now && until > now).then_some(until)
    }
}

/// Returns the network that counts as one client: an IPv4 address, or the 64-bit prefix of an IPv6
/// address that one household or machine is assigned (RFC 6177).
#[must_use]
pub fn ip_network(ip: IpAddr) -> String {
    match ip.to_canonical() {
        IpAddr::V4(ip) => ip.to_string(),
        IpAddr::V6(ip) => {
            let [a, b, c, d, ..] = ip.segments();
            format!("{a:x}:{b:x}:{c:x}:{d:x}::/64")
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    const KEY: RateLimitKey = RateLimitKey([1; 32]);

    fn counter(count: u32, last_at: i64, expires_at: i64) -> AttemptCounter {
        let (last_at, expires_at) =
            (Timestamp::from_seconds(last_at), Timestamp::from_seconds(expires_at));
        AttemptCounter { key: KEY, count, last_at, expires_at }
    }

    #[test]
    fn waits_grow_up_to_the_longest_and_never_wrap() {
        let allowance = LimitRule::Backoff { limit: 10, wait_max_seconds: 900 };
        let wait = |count| {
            let counter = counter(count, 1000, 1000 + BACKOFF_RESET_SECONDS);
            let until = allowance.blocked_until(&counter, Timestamp::from_seconds(1000));
            until.map(|until| until.seconds() - 1000)
        };
        let waits = [9, 10, 11, 12, 13, 14, 15, 16, u32::MAX].map(wait);
        let expected = [30, 60, 120, 240, 480, 900, 900, 900].map(Some);
        assert_eq!(waits[0], None);
        assert_eq!(waits[1..], expected);
    }

    #[test]
    fn waiting_does_not_make_forgotten() {
        let allowance = LimitRule::Backoff { limit: 10, wait_max_seconds: 900 };
        let attempt = allowance.attempt(KEY, Timestamp::from_seconds(0));
        assert!(attempt.renews && attempt.expires_at.seconds() > 900);
    }

    #[test]
    fn a_window_ends_when_it_was_to_end() {
        let allowance = LimitRule::FixedWindow { limit: 3, seconds: 900 };
        let until = |count, now| {
            let until =
                allowance.blocked_until(&counter(count, 50, 900), Timestamp::from_seconds(now));
            until.map(Timestamp::seconds)
        };
        assert_eq!(until(2, 50), None);
        assert_eq!(until(3, 50), Some(900));
        assert_eq!(until(3, 900), None);
        assert!(!allowance.attempt(KEY, Timestamp::from_seconds(0)).renews);
    }

    #[test]
    fn a_client_is_an_address_or_a_network_of_64_bits() {
        let network = |ip: &str| ip_network(ip.parse().unwrap());
        assert_eq!(network("192.0.2.1"), network("::ffff:192.0.2.1"));
        assert_eq!(network("2001:db8:1:2::1"), network("2001:db8:1:2:ffff::9"));
        assert_ne!(network("2001:db8:1:2::1"), network("2001:db8:1:3::1"));
    }
}
