//! Rate limits: they slow down an attacker, not the account owner.
//!
//! Attempts are counted by the input, never by whether an account exists: an unknown username is
//! counted like a known one. The counter is checked before the work and again after it. Of
//! concurrent attempts, no more learn that they were right than the limit allows.

mod keys;

use std::sync::{Arc, Mutex, PoisonError};

use gateward_domain::ports::{Access, Metric, RateLimitScope, StoreError, Tx};
use gateward_domain::rate_limit::{AttemptCounter, LimitRule, RateLimitKey, ip_network};
use gateward_domain::{
    Actor, Event, EventKind, Identifier, RequestInfo, SessionId, Timestamp, User,
};

use crate::App;
use crate::rate_limited::{RateLimitError, RateLimited};
use keys::KeyLimit;
pub(crate) use keys::RateLimitKeys;

impl App {
    /// Returns the rate limits of a login with an identifier. A known device of the account has a
    /// limit of its own, which no other client can use up.
    pub(crate) fn login_rate_limit(
        &self,
        identifier: Option<&Identifier>,
        request_info: &RequestInfo,
        known_device: Option<&str>,
    ) -> Result<RateLimitKeys, StoreError> {
        let mut entries = Vec::new();
        if let Some(client) = known_device {
            entries.extend(self.backoff_limit("known_device", client, Share::Whole)?);
            return Ok(RateLimitKeys::new(RateLimitScope::Login, entries, request_info));
        }
        let network = request_info.ip.map(ip_network);
        if let Some(identifier) = identifier {
            let name = named(identifier);
            entries.extend(self.backoff_limit("account", &name, Share::Whole)?);
            if let Some(network) = &network {
                entries.extend(self.backoff_limit(
                    "pair",
                    &format!("{name} {network}"),
                    Share::Half,
                )?);
            }
        }
        if let Some(network) = &network {
            entries.extend(self.window_limit("client", network, Limit::Failures)?);
        }
        Ok(RateLimitKeys::new(RateLimitScope::Login, entries, request_info))
    }

    /// Returns the rate limits of a password confirmation. They belong to the session, so that
    /// neither failed logins of others nor the thief of another session block its user.
    pub(crate) fn session_rate_limit(
        &self,
        session_id: SessionId,
        request_info: &RequestInfo,
    ) -> Result<RateLimitKeys, StoreError> {
        let key_limit = self.backoff_limit("session", &session_id.to_string(), Share::Whole)?;
        let entries = key_limit.into_iter().collect();
        Ok(RateLimitKeys::new(RateLimitScope::Reauthentication, entries, request_info))
    }

    /// Returns the rate limits of an action that is limited per client.
    pub(crate) fn ip_rate_limit(
        &self,
        scope: RateLimitScope,
        request_info: &RequestInfo,
    ) -> Result<RateLimitKeys, StoreError> {
        let limit = if scope == RateLimitScope::Signup { Limit::Signups } else { Limit::Failures };
        let network = request_info.ip.map(ip_network);
        let key_limit = match network {
            Some(network) => self.window_limit(scope.as_str(), &network, limit)?,
            None => None,
        };
        Ok(RateLimitKeys::new(scope, key_limit.into_iter().collect(), request_info))
    }

    /// Counts a wrong secret of a configured client. Beyond the limit it returns an error and
    /// counts nothing more.
    pub async fn record_wrong_client_secret(
        &self,
        request_info: &RequestInfo,
    ) -> Result<(), RateLimitError> {
        let now = self.now();
        let mut limits = self.ip_rate_limit(RateLimitScope::Client, request_info)?;
        self.check_rate_limit_in_own_tx(&mut limits, now).await?;
        self.record_failure(&limits, None, now).await
    }

    /// Returns the rate limits of denials: a number of audit events per user in a window.
    pub(crate) fn denial_rate_limit(
        &self,
        user: &User,
        request_info: &RequestInfo,
    ) -> Result<RateLimitKeys, StoreError> {
        let key_limit = self.window_limit("denied", &user.id.to_string(), Limit::Failures)?;
        Ok(RateLimitKeys::new(
            RateLimitScope::Denial,
            key_limit.into_iter().collect(),
            request_info,
        ))
    }

    /// Checks the counters before any work is done. Fails if a limit is exceeded.
    pub(crate) async fn check_rate_limit(
        &self,
        tx: &mut dyn Tx,
        limits: &mut RateLimitKeys,
        now: Timestamp,
    ) -> Result<(), RateLimitError> {
        if limits.entries.is_empty() {
            return Ok(());
        }
        let found = tx.find_attempt_counters(&limits.keys()).await?;
        for key_limit in &mut limits.entries {
            let counter = found.iter().find(|counter| counter.key == key_limit.key);
            let active = counter.filter(|counter| counter.expires_at > now);
            key_limit.seen = active.map_or(0, |counter| counter.count);
        }
        Ok(self.refuse_blocked(limits, &found, now)?)
    }

    /// Like `check_rate_limit`, in a transaction of its own.
    pub(crate) async fn check_rate_limit_in_own_tx(
        &self,
        limits: &mut RateLimitKeys,
        now: Timestamp,
    ) -> Result<(), RateLimitError> {
        if limits.entries.is_empty() {
            return Ok(());
        }
        let mut tx = self.ports.store.begin(Access::Read).await?;
        self.check_rate_limit(&mut *tx, limits, now).await?;
        Ok(tx.commit().await?)
    }

    /// Counts a failed attempt and writes its event. If concurrent attempts have used up the limit
    /// since the check, the result of this one is withheld and not counted. Otherwise a burst of
    /// attempts would use up the limits of others too.
    pub(crate) async fn record_failure(
        &self,
        limits: &RateLimitKeys,
        event: Option<Event>,
        now: Timestamp,
    ) -> Result<(), RateLimitError> {
        // A client that disconnects now must not get a free attempt.
        let (app, limits) = (self.clone(), limits.clone());
        let outcome = Arc::new(Mutex::new(None));
        let told = outcome.clone();
        let counted = self.ports.tasks.run(Box::pin(async move {
            let counted = app.write_failure(&limits, event, now).await;
            *told.lock().unwrap_or_else(PoisonError::into_inner) = Some(counted);
        }));
        counted.await;
        let counted = outcome.lock().unwrap_or_else(PoisonError::into_inner).take();
        counted.unwrap_or_else(|| {
            Err(StoreError::Unavailable("the count came to no end".into()).into())
        })
    }

    async fn write_failure(
        &self,
        limits: &RateLimitKeys,
        event: Option<Event>,
        now: Timestamp,
    ) -> Result<(), RateLimitError> {
        if limits.entries.is_empty() && event.is_none() {
            return Ok(());
        }
        let mut tx = self.ports.store.begin(Access::Write).await?;
        self.recheck(&mut *tx, limits, now).await?;
        let (mut exceeded, mut is_now_blocked) = (Vec::new(), false);
        for key_limit in &limits.entries {
            let counter =
                tx.record_failed_attempt(&key_limit.rule.attempt(key_limit.key, now)).await?;
            is_now_blocked |= key_limit.rule.blocked_until(&counter, now).is_some();
            // The first attempt after the check was allowed.
            if counter.count > key_limit.seen.saturating_add(1) {
                exceeded.push(counter);
            }
        }
        if is_now_blocked {
            let (actor, user_id) = match &event {
                Some(event) => (event.actor, event.user_id),
                None => (Actor::Service, None),
            };
            let rate_limited = self.event(EventKind::RateLimited, actor, now);
            let detail = Some(limits.scope.as_str().to_owned());
            tx.insert_event(&Event { user_id, ip: limits.ip, detail, ..rate_limited }).await?;
        }
        if let Some(event) = event {
            tx.insert_event(&event).await?;
        }
        tx.commit().await?;
        Ok(self.refuse_blocked(limits, &exceeded, now)?)
    }

    /// Runs an action that takes a secret and is limited only by client IP network. A wrong secret
    /// counts.
    pub(crate) async fn with_rate_limit<T, E: From<RateLimitError>>(
        &self,
        scope: RateLimitScope,
        (request_info, now): (&RequestInfo, Timestamp),
        is_wrong: impl Fn(&E) -> bool + Send,
        work: impl Future<Output = Result<T, E>> + Send,
    ) -> Result<T, E> {
        let mut limits = self.ip_rate_limit(scope, request_info).map_err(RateLimitError::from)?;
        self.check_rate_limit_in_own_tx(&mut limits, now).await?;
        let done = work.await;
        if done.as_ref().err().is_some_and(is_wrong) {
            self.record_failure(&limits, None, now).await?;
        }
        done
    }

    /// Checks the counters again, in the transaction that grants access: of concurrent attempts,
    /// none succeeds after the limit was used up. Then resets the counters.
    pub(crate) async fn reset_failures(
        &self,
        tx: &mut dyn Tx,
        limits: &RateLimitKeys,
        now: Timestamp,
    ) -> Result<(), RateLimitError> {
        if limits.entries.is_empty() {
            return Ok(());
        }
        let found = self.recheck(tx, limits, now).await?;
        let is_resettable = |key_limit: &&KeyLimit| {
            matches!(key_limit.rule, LimitRule::Backoff { .. })
                && found.iter().any(|counter| counter.key == key_limit.key)
        };
        let resettable: Vec<_> =
            limits.entries.iter().filter(is_resettable).map(|key_limit| key_limit.key).collect();
        if !resettable.is_empty() {
            tx.reset_attempt_counters(&resettable).await?;
        }
        Ok(())
    }

    /// Returns the current counters. Fails if concurrent attempts have exceeded a limit.
    async fn recheck(
        &self,
        tx: &mut dyn Tx,
        limits: &RateLimitKeys,
        now: Timestamp,
    ) -> Result<Vec<AttemptCounter>, RateLimitError> {
        if limits.entries.is_empty() {
            return Ok(Vec::new());
        }
        let found = tx.find_attempt_counters(&limits.keys()).await?;
        let mut changed = found.clone();
        changed.retain(|counter| {
            let seen = limits.entries.iter().find(|key_limit| key_limit.key == counter.key);
            seen.is_some_and(|key_limit| counter.count != key_limit.seen)
        });
        self.refuse_blocked(limits, &changed, now)?;
        Ok(found)
    }

    /// Like `reset_failures`, for an action that grants no access: the caller is already logged in.
    pub(crate) async fn reset_failures_in_own_tx(
        &self,
        limits: &RateLimitKeys,
        now: Timestamp,
    ) -> Result<(), RateLimitError> {
        if limits.entries.is_empty() {
            return Ok(());
        }
        let mut tx = self.ports.store.begin(Access::Write).await?;
        self.reset_failures(&mut *tx, limits, now).await?;
        Ok(tx.commit().await?)
    }

    /// Resets the login counters of an account's identifiers, both overall and for this client: its
    /// owner has proved access to the mailbox.
    pub(crate) async fn reset_login_failures(
        &self,
        tx: &mut dyn Tx,
        user: &User,
        request_info: &RequestInfo,
    ) -> Result<(), StoreError> {
        let names =
            [Identifier::Username(user.username.clone()), Identifier::Email(user.email.clone())];
        let mut keys = Vec::new();
        for name in &names {
            let limits = self.login_rate_limit(Some(name), request_info, None)?;
            let backoff_limit =
                |key_limit: &&KeyLimit| matches!(key_limit.rule, LimitRule::Backoff { .. });
            keys.extend(limits.entries.iter().filter(backoff_limit).map(|key_limit| key_limit.key));
        }
        if !keys.is_empty() {
            tx.reset_attempt_counters(&keys).await?;
        }
        Ok(())
    }

    fn refuse_blocked(
        &self,
        limits: &RateLimitKeys,
        counter: &[AttemptCounter],
        now: Timestamp,
    ) -> Result<(), RateLimited> {
        let until = counter.iter().filter_map(|counter| {
            let key_limit = limits.entries.iter().find(|key_limit| key_limit.key == counter.key)?;
            key_limit.rule.blocked_until(counter, now)
        });
        let Some(until) = until.max() else { return Ok(()) };
        self.ports.metrics.count(Metric::RateLimited(limits.scope), 1);
        // Rounded up, so that waiting that long is enough.
        let micros = until.micros().saturating_sub(now.micros()).max(0);
        let seconds = micros.saturating_add(999_999).div_euclid(1_000_000);
        Err(RateLimited { retry_after_seconds: u32::try_from(seconds).unwrap_or(u32::MAX) })
    }

    /// Returns a counter with growing waits. `None` if rate limits are off.
    fn backoff_limit(
        &self,
        what: &str,
        whose: &str,
        share: Share,
    ) -> Result<Option<KeyLimit>, StoreError> {
        let Some(policy) = &self.policy.rate_limit else { return Ok(None) };
        let limit = match share {
            Share::Whole => policy.login_failures_per_account,
            Share::Half => policy.login_failures_per_account.div_ceil(2),
        };
        let wait_max_seconds = policy.window_seconds;
        self.key_limit(what, whose, LimitRule::Backoff { limit, wait_max_seconds }).map(Some)
    }

    /// Returns a counter over a fixed window. `None` if rate limits are off.
    fn window_limit(
        &self,
        what: &str,
        whose: &str,
        limit: Limit,
    ) -> Result<Option<KeyLimit>, StoreError> {
        let Some(policy) = &self.policy.rate_limit else { return Ok(None) };
        let limit = match limit {
            Limit::Failures => policy.login_failures_per_ip,
            Limit::Signups => policy.signups_per_ip,
        };
        let seconds = policy.window_seconds;
        self.key_limit(what, whose, LimitRule::FixedWindow { limit, seconds }).map(Some)
    }

    fn key_limit(&self, what: &str, whose: &str, rule: LimitRule) -> Result<KeyLimit, StoreError> {
        let key = self.ports.audit_keys.pseudonym(&format!("{what} {whose}"));
        let key = key.map_err(|error| StoreError::Unavailable(Box::new(error)))?;
        Ok(KeyLimit { key: RateLimitKey(key), rule, seen: 0 })
    }
}

/// The share of an account's limit.
#[derive(Clone, Copy)]
enum Share {
    Whole,
    /// One client on one account: it is stopped before it has used up the limit of others.
    Half,
}

/// The operator's setting.
#[derive(Clone, Copy)]
enum Limit {
    Failures,
    Signups,
}

/// Returns an identifier as it is counted. Username and email address are counted separately. A
/// shared counter would reveal which email address belongs to which username.
fn named(identifier: &Identifier) -> String {
    match identifier {
        Identifier::Email(email) => format!("email {}", email.as_str()),
        Identifier::Username(username) => format!("username {}", username.folded()),
    }
}
