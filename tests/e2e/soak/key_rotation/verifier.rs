//! `ResourceServer`: a service that checks tokens with the published keys, as any library does.

use std::collections::BTreeMap;
use std::sync::atomic::{AtomicUsize, Ordering};
use std::sync::{Arc, PoisonError};
use std::time::{Duration, Instant, SystemTime, UNIX_EPOCH};

use gateward_e2e::{Client, Environment, FastClock, claims, eventually};
use jsonwebtoken::jwk::JwkSet;
use jsonwebtoken::{Algorithm, DecodingKey, Validation, decode, decode_header};
use serde_json::Value;
use tokio::sync::Mutex;

/// How many times as fast the clock runs.
const FACTOR: u32 = 6;

/// How long the nodes let their keys be cached: a second of real time.
pub(super) const CACHE_SECONDS: u32 = 6;

/// A fast clock, and the time that it shows.
pub(super) struct Time {
    clock: FastClock,
    started: Instant,
    day: f64,
}

/// Keys, and their expiry.
type Kept = (JwkSet, f64);

/// A service beside a node, which fetches the node's keys only when its cached ones have expired.
pub(super) struct ResourceServer {
    /// A client of the node.
    pub(super) client: Client,
    time: Arc<Time>,
    kept: Mutex<Option<Kept>>,
    fetches: AtomicUsize,
    /// When each key signed its first token, by the token's `iat`.
    signed: std::sync::Mutex<BTreeMap<String, f64>>,
}

/// The name of the key that signed a token.
pub(super) fn kid(token: &str) -> String {
    decode_header(token).unwrap().kid.unwrap()
}

impl Time {
    /// Starts, or returns `None` with a message if libfaketime is missing.
    #[expect(clippy::disallowed_methods, reason = "the clock starts at the time of the system")]
    pub(super) fn new() -> Option<Self> {
        let clock = FastClock::new(FACTOR)?;
        let day = SystemTime::now().duration_since(UNIX_EPOCH).unwrap().as_secs_f64();
        Some(Self { clock, started: Instant::now(), day })
    }

    /// The environment of a node with this clock.
    pub(super) fn environment(&self) -> Environment {
        self.clock.environment()
    }

    /// The time, in seconds.
    pub(super) fn now(&self) -> f64 {
        self.day + self.started.elapsed().as_secs_f64() * f64::from(FACTOR)
    }

    /// Whether a token has expired, or is about to.
    pub(super) fn is_past(&self, token: &str) -> bool {
        self.now() > claims(token)["exp"].as_f64().unwrap() - 1.0
    }
}

impl ResourceServer {
    pub(super) fn new(client: Client, time: Arc<Time>) -> Self {
        let (kept, signed) = (Mutex::default(), std::sync::Mutex::default());
        Self { client, time, kept, fetches: AtomicUsize::new(0), signed }
    }

    /// How many times it has fetched the keys.
    pub(super) fn fetches(&self) -> usize {
        self.fetches.load(Ordering::Relaxed)
    }

    /// Checks a token's signature and audience. Its expiry is checked elsewhere, because the
    /// library's clock does not run fast.
    pub(super) async fn check(&self, token: &str) -> Result<(), String> {
        let mut kept = self.kept.lock().await;
        let current = kept.take().filter(|(_, until)| self.time.now() < *until);
        let current = match current {
            Some(current) => current,
            None => self.fetch().await,
        };
        let (keys, _) = kept.insert(current);
        let key = keys.find(&kid(token)).ok_or_else(|| format!("no key {}", kid(token)))?;
        let key = DecodingKey::from_jwk(key).map_err(|error| error.to_string())?;
        let mut validation = Validation::new(Algorithm::ES256);
        validation.set_audience(&["http://127.0.0.1:8080"]);
        validation.set_issuer(&["http://127.0.0.1:8080"]);
        validation.validate_exp = false;
        decode::<Value>(token, &key, &validation).map_err(|error| error.to_string())?;
        Ok(())
    }

    async fn fetch(&self) -> Kept {
        self.fetches.fetch_add(1, Ordering::Relaxed);
        // A cache counts from when it asked (RFC 9111, section 4.2.3).
        let asked = self.time.now();
        let response = self.client.get("/.well-known/jwks.json").await;
        let life = response.header("cache-control").and_then(|text| text.strip_prefix("public, "));
        let life: f64 = life.unwrap().strip_prefix("max-age=").unwrap().parse().unwrap();
        assert!((life - f64::from(CACHE_SECONDS)).abs() < f64::EPSILON, "{response:?}");
        (serde_json::from_value(response.body).unwrap(), asked + life)
    }

    /// Records the key that signed a token of the node.
    pub(super) fn note(&self, token: &str) {
        let at = claims(token)["iat"].as_f64().unwrap();
        let mut signed = self.signed.lock().unwrap_or_else(PoisonError::into_inner);
        let first = signed.entry(kid(token)).or_insert(at);
        *first = first.min(at);
    }

    /// Waits until a key has signed, and returns the time of its first token, by the token's `iat`.
    pub(super) async fn first_signed(&self, kid: &str, patience: Duration) -> f64 {
        eventually(patience, async || {
            let signed = self.signed.lock().unwrap_or_else(PoisonError::into_inner);
            signed.get(kid).copied().ok_or_else(|| format!("{kid} does not sign"))
        })
        .await
    }
}
