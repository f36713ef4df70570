//! `RateLimitKeys`: what one attempt counts under.

use std::net::IpAddr;

use gateward_domain::RequestInfo;
use gateward_domain::ports::RateLimitScope;
use gateward_domain::rate_limit::{LimitRule, RateLimitKey};

/// Something that is counted, and what is allowed of it.
#[derive(Clone, Copy, Debug)]
pub(super) struct KeyLimit {
    pub(super) key: RateLimitKey,
    pub(super) rule: LimitRule,
    /// How many there were when it was looked at.
    pub(super) seen: u32,
}

/// What one try counts for.
#[derive(Clone, Debug)]
pub(crate) struct RateLimitKeys {
    pub(super) scope: RateLimitScope,
    pub(super) entries: Vec<KeyLimit>,
    pub(super) ip: Option<IpAddr>,
}

impl RateLimitKeys {
    /// The counters in one order, so that those who write them at once wait for each other.
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
