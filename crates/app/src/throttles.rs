//! Throttles: whoever gives too many wrong secrets waits, and nobody else does.
//!
//! What is counted is what was given, never whether it exists: a name that has no account is counted
//! like one that has. A place is looked at before the work, and again where it is over: of those who
//! try at once, no more are told that they were right than the allowance says.

use std::net::IpAddr;
use std::sync::{Arc, Mutex, PoisonError};

use gateward_domain::ports::{Access, Occurrence, Pathway, StoreError, Tx};
use gateward_domain::throttle::{Allowance, Strikes, ThrottleKey, client_network};
use gateward_domain::{Actor, Event, EventKind, Identifier, Origin, SessionId, Timestamp, User};

use crate::App;
use crate::rate_limited::{RateLimited, ThrottleError};

/// Something that is counted, and what is allowed of it.
#[derive(Clone, Copy, Debug)]
struct Counter {
    key: ThrottleKey,
    allowance: Allowance,
    /// How many there were when it was looked at.
    seen: u32,
}

/// What one try counts for.
#[derive(Clone, Debug)]
pub(crate) struct Tally {
    pathway: Pathway,
    counters: Vec<Counter>,
    ip: Option<IpAddr>,
}

impl Tally {
    /// The counters in one order, so that those who write them at once wait for each other.
    fn new(pathway: Pathway, mut counters: Vec<Counter>, origin: &Origin) -> Self {
        counters.sort_unstable_by_key(|counter| counter.key);
        counters.dedup_by_key(|counter| counter.key);
        Self { pathway, counters, ip: origin.ip }
    }

    fn keys(&self) -> Vec<ThrottleKey> {
        self.counters.iter().map(|counter| counter.key).collect()
    }
}

impl App {
    /// What a log-in under a name counts for. A client that has logged in to the account before has an
    /// allowance of its own, which nobody else can use up.
    pub(crate) fn login_tally(
        &self,
        identifier: Option<&Identifier>,
        origin: &Origin,
        known_client: Option<&str>,
    ) -> Result<Tally, StoreError> {
        let mut counters = Vec::new();
        if let Some(client) = known_client {
            counters.extend(self.growing("device", client, Share::Whole)?);
            return Ok(Tally::new(Pathway::Login, counters, origin));
        }
        let network = origin.ip.map(client_network);
        if let Some(identifier) = identifier {
            let name = named(identifier);
            counters.extend(self.growing("account", &name, Share::Whole)?);
            if let Some(network) = &network {
                counters.extend(self.growing("pair", &format!("{name} {network}"), Share::Half)?);
            }
        }
        if let Some(network) = &network {
            counters.extend(self.window("client", network, Limit::Failures)?);
        }
        Ok(Tally::new(Pathway::Login, counters, origin))
    }

    /// What a password counts for that somebody gives who is logged in: for the session, so that neither
    /// strangers who fail to log in nor whoever has stolen another session keep its user from what they
    /// do when they are in.
    pub(crate) fn insider_tally(
        &self,
        session_id: SessionId,
        origin: &Origin,
    ) -> Result<Tally, StoreError> {
        let counter = self.growing("insider", &session_id.to_string(), Share::Whole)?;
        let counters = counter.into_iter().collect();
        Ok(Tally::new(Pathway::Reauthentication, counters, origin))
    }

    /// What one more of something counts for that a client may do so often in a window.
    pub(crate) fn client_tally(
        &self,
        pathway: Pathway,
        origin: &Origin,
    ) -> Result<Tally, StoreError> {
        let limit = if pathway == Pathway::Signup { Limit::Signups } else { Limit::Failures };
        let network = origin.ip.map(client_network);
        let counter = match network {
            Some(network) => self.window(pathway.as_str(), &network, limit)?,
            None => None,
        };
        Ok(Tally::new(pathway, counter.into_iter().collect(), origin))
    }

    /// Counts a wrong secret of a configured client. Where there were too many, the answer says so, and
    /// nothing more is counted.
    pub async fn wrong_client_secret(&self, origin: &Origin) -> Result<(), ThrottleError> {
        let now = self.now();
        let mut tally = self.client_tally(Pathway::Client, origin)?;
        self.weigh_alone(&mut tally, now).await?;
        self.strike(&tally, None, now).await
    }

    /// What a refusal counts for: so many of a user are written down in a window.
    pub(crate) fn denial_tally(&self, user: &User, origin: &Origin) -> Result<Tally, StoreError> {
        let counter = self.window("denied", &user.id.to_string(), Limit::Failures)?;
        Ok(Tally::new(Pathway::Denial, counter.into_iter().collect(), origin))
    }

    /// Looks at what was counted before any work is done; refuses where it is too much.
    pub(crate) async fn weigh(
        &self,
        tx: &mut dyn Tx,
        tally: &mut Tally,
        now: Timestamp,
    ) -> Result<(), ThrottleError> {
        if tally.counters.is_empty() {
            return Ok(());
        }
        let found = tx.find_strikes(&tally.keys()).await?;
        for counter in &mut tally.counters {
            let strikes = found.iter().find(|strikes| strikes.key == counter.key);
            let living = strikes.filter(|strikes| strikes.expires_at > now);
            counter.seen = living.map_or(0, |strikes| strikes.count);
        }
        Ok(self.refuse_blocked(tally, &found, now)?)
    }

    /// The same in a transaction of its own.
    pub(crate) async fn weigh_alone(
        &self,
        tally: &mut Tally,
        now: Timestamp,
    ) -> Result<(), ThrottleError> {
        if tally.counters.is_empty() {
            return Ok(());
        }
        let mut tx = self.ports.store.begin(Access::Read).await?;
        self.weigh(&mut *tx, tally, now).await?;
        Ok(tx.commit().await?)
    }

    /// Counts a try that was wrong, and writes down what is to be told of it. Where others have used the
    /// allowance up since it was weighed, nothing is said of the try, and it is not counted: whoever
    /// tries much at once would use up what others have, too.
    pub(crate) async fn strike(
        &self,
        tally: &Tally,
        event: Option<Event>,
        now: Timestamp,
    ) -> Result<(), ThrottleError> {
        // A client that hangs up now must not have tried for nothing.
        let (app, tally) = (self.clone(), tally.clone());
        let outcome = Arc::new(Mutex::new(None));
        let told = outcome.clone();
        let counted = self.ports.tasks.run(Box::pin(async move {
            let counted = app.count_strike(&tally, event, now).await;
            *told.lock().unwrap_or_else(PoisonError::into_inner) = Some(counted);
        }));
        counted.await;
        let counted = outcome.lock().unwrap_or_else(PoisonError::into_inner).take();
        counted.unwrap_or_else(|| {
            Err(StoreError::Unavailable("the count came to no end".into()).into())
        })
    }

    async fn count_strike(
        &self,
        tally: &Tally,
        event: Option<Event>,
        now: Timestamp,
    ) -> Result<(), ThrottleError> {
        if tally.counters.is_empty() && event.is_none() {
            return Ok(());
        }
        let mut tx = self.ports.store.begin(Access::Write).await?;
        self.look_again(&mut *tx, tally, now).await?;
        let (mut after, mut blocks) = (Vec::new(), false);
        for counter in &tally.counters {
            let strikes = tx.add_strike(&counter.allowance.strike(counter.key, now)).await?;
            blocks |= counter.allowance.blocked_until(&strikes, now).is_some();
            // The first one after it was weighed was allowed.
            if strikes.count > counter.seen.saturating_add(1) {
                after.push(strikes);
            }
        }
        if blocks {
            let (actor, user_id) = match &event {
                Some(event) => (event.actor, event.user_id),
                None => (Actor::Service, None),
            };
            let throttled = self.event(EventKind::Throttled, actor, now);
            let detail = Some(tally.pathway.as_str().to_owned());
            tx.insert_event(&Event { user_id, ip: tally.ip, detail, ..throttled }).await?;
        }
        if let Some(event) = event {
            tx.insert_event(&event).await?;
        }
        tx.commit().await?;
        Ok(self.refuse_blocked(tally, &after, now)?)
    }

    /// Does what takes a secret from a client that is counted by where it is alone. A secret that was
    /// wrong counts.
    pub(crate) async fn counted<T, E: From<ThrottleError>>(
        &self,
        pathway: Pathway,
        (origin, now): (&Origin, Timestamp),
        is_wrong: impl Fn(&E) -> bool + Send,
        work: impl Future<Output = Result<T, E>> + Send,
    ) -> Result<T, E> {
        let mut tally = self.client_tally(pathway, origin).map_err(ThrottleError::from)?;
        self.weigh_alone(&mut tally, now).await?;
        let done = work.await;
        if done.as_ref().err().is_some_and(is_wrong) {
            self.strike(&tally, None, now).await?;
        }
        done
    }

    /// Looks once more, in the transaction that would let somebody in: of those who try at once,
    /// none is let in after the allowance was used up. What was counted against them is forgotten.
    pub(crate) async fn forgive(
        &self,
        tx: &mut dyn Tx,
        tally: &Tally,
        now: Timestamp,
    ) -> Result<(), ThrottleError> {
        if tally.counters.is_empty() {
            return Ok(());
        }
        let found = self.look_again(tx, tally, now).await?;
        let is_forgiven = |counter: &&Counter| {
            matches!(counter.allowance, Allowance::Growing { .. })
                && found.iter().any(|strikes| strikes.key == counter.key)
        };
        let forgiven: Vec<_> =
            tally.counters.iter().filter(is_forgiven).map(|counter| counter.key).collect();
        if !forgiven.is_empty() {
            tx.clear_strikes(&forgiven).await?;
        }
        Ok(())
    }

    /// What is counted now; refuses where it is too much because of others who have tried since.
    async fn look_again(
        &self,
        tx: &mut dyn Tx,
        tally: &Tally,
        now: Timestamp,
    ) -> Result<Vec<Strikes>, ThrottleError> {
        if tally.counters.is_empty() {
            return Ok(Vec::new());
        }
        let found = tx.find_strikes(&tally.keys()).await?;
        let mut changed = found.clone();
        changed.retain(|strikes| {
            let seen = tally.counters.iter().find(|counter| counter.key == strikes.key);
            seen.is_some_and(|counter| strikes.count != counter.seen)
        });
        self.refuse_blocked(tally, &changed, now)?;
        Ok(found)
    }

    /// The same where nobody is let in: what somebody may do who is in already.
    pub(crate) async fn forgive_alone(
        &self,
        tally: &Tally,
        now: Timestamp,
    ) -> Result<(), ThrottleError> {
        if tally.counters.is_empty() {
            return Ok(());
        }
        let mut tx = self.ports.store.begin(Access::Write).await?;
        self.forgive(&mut *tx, tally, now).await?;
        Ok(tx.commit().await?)
    }

    /// Forgets what was counted against the names of an account, in all and from there: its owner has
    /// come back by mail.
    pub(crate) async fn forgive_names(
        &self,
        tx: &mut dyn Tx,
        user: &User,
        origin: &Origin,
    ) -> Result<(), StoreError> {
        let names =
            [Identifier::Username(user.username.clone()), Identifier::Email(user.email.clone())];
        let mut keys = Vec::new();
        for name in &names {
            let tally = self.login_tally(Some(name), origin, None)?;
            let growing =
                |counter: &&Counter| matches!(counter.allowance, Allowance::Growing { .. });
            keys.extend(tally.counters.iter().filter(growing).map(|counter| counter.key));
        }
        if !keys.is_empty() {
            tx.clear_strikes(&keys).await?;
        }
        Ok(())
    }

    fn refuse_blocked(
        &self,
        tally: &Tally,
        strikes: &[Strikes],
        now: Timestamp,
    ) -> Result<(), RateLimited> {
        let until = strikes.iter().filter_map(|strikes| {
            let counter = tally.counters.iter().find(|counter| counter.key == strikes.key)?;
            counter.allowance.blocked_until(strikes, now)
        });
        let Some(until) = until.max() else { return Ok(()) };
        self.ports.meter.count(Occurrence::Throttled(tally.pathway), 1);
        // Rounded up, so that waiting that long helps.
        let micros = until.micros().saturating_sub(now.micros()).max(0);
        let seconds = micros.saturating_add(999_999).div_euclid(1_000_000);
        Err(RateLimited { retry_after_seconds: u32::try_from(seconds).unwrap_or(u32::MAX) })
    }

    /// A counter whose waits grow; none where throttles are off.
    fn growing(
        &self,
        what: &str,
        whose: &str,
        share: Share,
    ) -> Result<Option<Counter>, StoreError> {
        let Some(policy) = &self.policy.throttle else { return Ok(None) };
        let limit = match share {
            Share::Whole => policy.login_failures_per_account,
            Share::Half => policy.login_failures_per_account.div_ceil(2),
        };
        let wait_max_seconds = policy.window_seconds;
        self.counter(what, whose, Allowance::Growing { limit, wait_max_seconds }).map(Some)
    }

    /// A counter of what happens in a window; none where throttles are off.
    fn window(&self, what: &str, whose: &str, limit: Limit) -> Result<Option<Counter>, StoreError> {
        let Some(policy) = &self.policy.throttle else { return Ok(None) };
        let limit = match limit {
            Limit::Failures => policy.login_failures_per_client,
            Limit::Signups => policy.signups_per_client,
        };
        let seconds = policy.window_seconds;
        self.counter(what, whose, Allowance::Window { limit, seconds }).map(Some)
    }

    fn counter(
        &self,
        what: &str,
        whose: &str,
        allowance: Allowance,
    ) -> Result<Counter, StoreError> {
        let key = self.ports.audit_keys.pseudonym(&format!("{what} {whose}"));
        let key = key.map_err(|error| StoreError::Unavailable(Box::new(error)))?;
        Ok(Counter { key: ThrottleKey(key), allowance, seen: 0 })
    }
}

/// How much of the allowance of an account.
#[derive(Clone, Copy)]
enum Share {
    Whole,
    /// One client on one account: it is stopped before it has used up what others have.
    Half,
}

/// Which limit of the operator.
#[derive(Clone, Copy)]
enum Limit {
    Failures,
    Signups,
}

/// A name as it is counted: each way to name an account for itself. If both counted as one, whoever
/// tries could tell which address goes with which name.
fn named(identifier: &Identifier) -> String {
    match identifier {
        Identifier::Email(email) => format!("email {}", email.as_str()),
        Identifier::Username(username) => format!("username {}", username.folded()),
    }
}
