//! `RateLimitKeys`: the counters of one attempt.

use std::net::IpAddr;

use gateward_domain::RequestInfo;
use gateward_domain::ports::RateLimitScope;
use gateward_domain::rate_limit::{LimitRule, RateLimitKey};

/// A counter and its limit.
#[derive(Clone, Copy, Debug)]
pub(super) struct KeyLimit {
    pub(super) key: RateLimitKey,
    pub(super) rule: LimitRule,
    /// The count at the time of the check.
    pub(super) seen: u32,
}

/// The counters of one attempt.
#[derive(Clone, Debug)]
pub(crate) struct RateLimitKeys {
    pub(super) scope: RateLimitScope,
    pub(super) entries: Vec<KeyLimit>,
    pub(super) ip: Option<IpAddr>,
}

impl RateLimitKeys {
    /// Sorts the counters, so that concurrent writers lock them in the same order.
    pub(super) fn new(
        scope: RateLimitScope,
        mut entries: Vec<KeyLimit>,
        request_info: &RequestInfo,
    ) -> Self {
        entries.sort_unstable_by_key(|key_limit| key_limit.key);
        entries.dedup_by_key(|key_limit| key_limit.key);
        Self { scope, entries, ip: request_info.ip }
    }

    pub(super) fn keys(&self) -> Vec<RateLimitKey> {
        self.entries.iter().map(|key_limit| key_limit.key).collect()
    }
}
