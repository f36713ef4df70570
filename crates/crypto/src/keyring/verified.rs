//! `Verified`: a cache of access tokens with a verified signature, so that requests do not repeat
//! the verification.

use std::sync::Arc;

use aws_lc_rs::digest;
use quick_cache::sync::Cache;

use crate::claims::ReadAccess;
use crate::jws::TOKEN_LEN_MAX;

/// The SHA-256 of the whole token. The token itself is not stored.
#[derive(Clone, Copy, PartialEq, Eq, Hash)]
pub(super) struct TokenHash([u8; 32]);

/// The most recently verified tokens, up to a limit.
///
/// An entry only means that the signature is valid. Key and times are checked on every use.
pub(super) struct Verified(Option<Cache<TokenHash, Arc<ReadAccess>>>);

impl Verified {
    /// Creates a cache of `max` tokens or a few more, because it is divided into shards. 0 turns it
    /// off.
    pub(super) fn new(max: usize) -> Self {
        Self((max > 0).then(|| Cache::new(max)))
    }

    /// Returns the lookup key of a token. `None` if the cache is off.
    pub(super) fn hash(&self, token: &str) -> Option<TokenHash> {
        let worthwhile = self.0.is_some() && token.len() <= TOKEN_LEN_MAX;
        let hash = worthwhile.then(|| digest::digest(&digest::SHA256, token.as_bytes()))?;
        hash.as_ref().try_into().ok().map(TokenHash)
    }

    /// Returns the token if it was verified before.
    pub(super) fn find(&self, hash: &TokenHash) -> Option<Arc<ReadAccess>> {
        self.0.as_ref()?.get(hash)
    }

    /// Caches a verified token.
    pub(super) fn insert(&self, hash: TokenHash, good: ReadAccess) {
        if let Some(cache) = &self.0 {
            cache.insert(hash, Arc::new(good));
        }
    }

    /// Returns the number of cached tokens.
    #[cfg(test)]
    pub(super) fn len(&self) -> usize {
        self.0.as_ref().map_or(0, Cache::len)
    }
}
