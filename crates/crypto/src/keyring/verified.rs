//! `Verified`: access tokens whose signature was found good, so that none is verified on every
//! request.

use std::sync::Arc;

use aws_lc_rs::digest;
use quick_cache::sync::Cache;

use crate::claims::ReadAccess;
use crate::jws::TOKEN_LEN_MAX;

/// The SHA-256 of the whole text of a token. The text itself is not kept.
#[derive(Clone, Copy, PartialEq, Eq, Hash)]
pub(super) struct TokenHash([u8; 32]);

/// The last tokens that were found good, as many as there is room for.
///
/// It says nothing but that the signature is good: whether the key and the times are is judged
/// every time.
pub(super) struct Verified(Option<Cache<TokenHash, Arc<ReadAccess>>>);

impl Verified {
    /// Room for `max` tokens or a few more, because it is shared out evenly; none with 0.
    pub(super) fn new(max: usize) -> Self {
        Self((max > 0).then(|| Cache::new(max)))
    }

    /// What a token is found by; `None` if it is not to be looked for.
    pub(super) fn hash(&self, token: &str) -> Option<TokenHash> {
        let worthwhile = self.0.is_some() && token.len() <= TOKEN_LEN_MAX;
        let hash = worthwhile.then(|| digest::digest(&digest::SHA256, token.as_bytes()))?;
        hash.as_ref().try_into().ok().map(TokenHash)
    }

    /// The token, if it was found good before.
    pub(super) fn find(&self, hash: &TokenHash) -> Option<Arc<ReadAccess>> {
        self.0.as_ref()?.get(hash)
    }

    /// Notes a token that was found good.
    pub(super) fn insert(&self, hash: TokenHash, good: ReadAccess) {
        if let Some(cache) = &self.0 {
            cache.insert(hash, Arc::new(good));
        }
    }

    /// How many tokens it holds.
    #[cfg(test)]
    pub(super) fn len(&self) -> usize {
        self.0.as_ref().map_or(0, Cache::len)
    }
}
