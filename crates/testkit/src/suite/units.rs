//! Promises about units of work: all or nothing, invisible until committed, rolled back when
//! dropped.

use std::time::Duration;

use gateward_domain::email::{EmailState, OutboxEmail};
use gateward_domain::feed::FeedItem;
use gateward_domain::key::StoredKey;
use gateward_domain::known_device::KnownDevice;
use gateward_domain::link::{Link, LinkPurpose};
use gateward_domain::ports::{Instance, Taken, Tx};
use gateward_domain::rate_limit::{FailedAttempt, RateLimitKey};
use gateward_domain::signup::PendingSignup;
use gateward_domain::{Event, EventKind, PermissionSet, Role, RoleName, Session, User, Username};
use tokio::task::yield_now;
use tokio::time::{sleep, timeout};

use super::StoreFixture;
use super::fixture::{after, logout_after, race, taken};
use crate::fixtures;

/// Changes of every kind: to existing rows and new ones.
struct Changes {
    user: User,
    username: Username,
    session: Session,
    new_user: User,
    new_session: Session,
    instance: Instance,
    key: StoredKey,
    event: Event,
    signup: PendingSignup,
    old_signup: PendingSignup,
    link: Link,
    old_link: Link,
    message: OutboxEmail,
    old_email: OutboxEmail,
    known_device: KnownDevice,
    invalidation: FeedItem,
    role: Role,
    attempt: FailedAttempt,
}

impl Changes {
    async fn new(fixture: &StoreFixture) -> Self {
        let user = fixture.user().await;
        let session = fixture.session_of(&user).await;
        let new_user = fixture.stranger();
        let (old_signup, old_email) = (fixture.signup(), fixture.email());
        let old_link = fixture.link(LinkPurpose::UndoEmail, &user);
        fixture.add_signup(&old_signup).await;
        fixture.put_link(&old_link).await;
        fixture.add_email(&old_email).await;
        Self {
            username: fixture.stranger().username,
            new_session: fixture.draft(&new_user),
            instance: Instance { issuer: "https://one.example".to_owned(), created_at: after(0) },
            key: fixtures::key(fixture.seed()),
            event: fixtures::event(fixture.seed(), EventKind::AccountCreated, &session),
            signup: fixture.signup(),
            old_signup,
            link: fixture.link(LinkPurpose::ResetPassword, &user),
            old_link,
            message: fixture.email(),
            old_email,
            known_device: fixture.known_device(&user),
            invalidation: fixture.invalidation(),
            role: Role {
                name: RoleName::parse("support").unwrap(),
                permissions: PermissionSet::all(),
            },
            attempt: FailedAttempt {
                key: RateLimitKey([7; 32]),
                at: after(0),
                expires_at: after(60),
                renews: true,
            },
            user,
            session,
            new_user,
        }
    }

    async fn write(&self, tx: &mut dyn Tx) {
        tx.lock_instance(&self.instance).await.unwrap();
        tx.lock_user(self.user.id).await.unwrap();
        assert!(tx.set_username(self.user.id, &self.username, after(5)).await.unwrap());
        tx.insert_user(&self.new_user).await.unwrap();
        tx.insert_session(&self.new_session).await.unwrap();
        assert!(tx.end_session(self.session.id, logout_after(5)).await.unwrap());
        tx.insert_key(&self.key).await.unwrap();
        tx.insert_event(&self.event).await.unwrap();
        tx.insert_known_device(&self.known_device).await.unwrap();
        tx.insert_invalidation_events(std::slice::from_ref(&self.invalidation)).await.unwrap();
        assert!(tx.put_role(&self.role, after(5)).await.unwrap());
        assert_eq!(tx.record_failed_attempt(&self.attempt).await.unwrap().count, 1);
        self.write_mail(tx).await;
    }

    async fn write_mail(&self, tx: &mut dyn Tx) {
        tx.insert_signup(&self.signup).await.unwrap();
        assert_eq!(tx.delete_signups_of_email(&self.old_signup.email).await.unwrap(), 1);
        tx.put_link(&self.link).await.unwrap();
        assert!(tx.spend_link(self.old_link.id, after(5)).await.unwrap());
        assert!(tx.insert_outbox_email(&self.message).await.unwrap());
        let done =
            tx.finish_outbox_email(self.old_email.id, EmailState::Sent, None, after(5)).await;
        assert!(done.unwrap());
    }

    /// Asserts that all changes are visible, or none.
    async fn are_seen(&self, tx: &mut dyn Tx, seen: bool) {
        let user = tx.find_user(self.user.id).await.unwrap().unwrap();
        assert_eq!(user.username == self.username, seen);
        assert_eq!(tx.find_user(self.new_user.id).await.unwrap().is_some(), seen);
        assert_eq!(tx.find_session(self.new_session.id).await.unwrap().is_some(), seen);
        let (session, _) = tx.find_session(self.session.id).await.unwrap().unwrap();
        assert_eq!(session.ended.is_some(), seen);
        assert_eq!(tx.find_instance().await.unwrap().is_some(), seen);
        assert_eq!(tx.list_keys().await.unwrap().contains(&self.key), seen);
        let events = tx.list_session_events(self.session.id, 10).await.unwrap();
        assert_eq!(events.contains(&self.event), seen);
        let known_devices = tx.list_known_devices(self.user.id, 10).await.unwrap();
        assert_eq!(known_devices.contains(&self.known_device), seen);
        let feed = tx.list_invalidation_events(None, 10).await.unwrap();
        assert_eq!(feed.entries.iter().any(|entry| entry.item == self.invalidation), seen);
        assert_eq!(tx.list_roles().await.unwrap().contains(&self.role), seen);
        let counter = tx.find_attempt_counters(&[self.attempt.key]).await.unwrap();
        assert_eq!(counter.len(), usize::from(seen));
        self.is_mail_seen(tx, seen).await;
    }

    async fn is_mail_seen(&self, tx: &mut dyn Tx, seen: bool) {
        for (signup, there) in [(&self.signup, seen), (&self.old_signup, !seen)] {
            let found = tx.find_signup(signup.id, after(5)).await.unwrap();
            assert_eq!(found.as_ref(), there.then_some(signup));
        }
        for (link, there) in [(&self.link, seen), (&self.old_link, !seen)] {
            assert_eq!(tx.find_link(link.id).await.unwrap().as_ref(), there.then_some(link));
        }
        let message = tx.find_outbox_email(self.message.id).await.unwrap();
        assert_eq!(message.as_ref(), seen.then_some(&self.message));
        let sent = tx.find_outbox_email(self.old_email.id).await.unwrap().unwrap();
        assert_eq!(sent.state == EmailState::Sent, seen);
    }
}

/// A delay that varies from round to round.
async fn a_moment(round: u64) {
    if round.is_multiple_of(2) {
        for _ in 0..round * 4 {
            yield_now().await;
        }
    } else {
        sleep(Duration::from_micros(round * 250)).await;
    }
}

promises! {
    __promises_units;


    async fn a_committed_unit_lasts_as_a_whole(fixture: StoreFixture) {
        let changes = Changes::new(&fixture).await;
        let mut tx = fixture.write().await;
        changes.write(tx.as_mut()).await;
        changes.are_seen(tx.as_mut(), true).await;
        tx.commit().await.unwrap();
        changes.are_seen(fixture.read().await.as_mut(), true).await;
    }

    async fn a_dropped_unit_leaves_nothing(fixture: StoreFixture) {
        let changes = Changes::new(&fixture).await;
        let mut tx = fixture.write().await;
        changes.write(tx.as_mut()).await;
        drop(tx);
        changes.are_seen(fixture.read().await.as_mut(), false).await;
        let mut tx = fixture.write().await;
        changes.are_seen(tx.as_mut(), false).await;
        changes.write(tx.as_mut()).await;
        tx.commit().await.unwrap();
        changes.are_seen(fixture.read().await.as_mut(), true).await;
    }

    async fn an_open_unit_is_seen_by_nobody_and_stops_no_reader(fixture: StoreFixture) {
        let changes = Changes::new(&fixture).await;
        let mut tx = fixture.write().await;
        changes.write(tx.as_mut()).await;
        let reading = async { changes.are_seen(fixture.read().await.as_mut(), false).await };
        timeout(Duration::from_secs(5), reading).await.unwrap();
        tx.commit().await.unwrap();
    }

    async fn a_single_write_lasts_whether_it_is_committed_or_not(fixture: StoreFixture) {
        let (one, other) = (fixture.stranger(), fixture.stranger());
        let mut tx = fixture.single().await;
        tx.insert_user(&one).await.unwrap();
        assert_eq!(fixture.stored_user(&one).await, one, "at once");
        drop(tx);
        let mut tx = fixture.single().await;
        tx.insert_user(&other).await.unwrap();
        tx.commit().await.unwrap();
        assert_eq!(fixture.stored_user(&one).await, one);
        assert_eq!(fixture.stored_user(&other).await, other);
    }

    async fn what_came_before_a_refusal_is_undone_with_the_unit(fixture: StoreFixture) {
        let (user, owner) = (fixture.user().await, fixture.user().await);
        let mut tx = fixture.write().await;
        assert!(tx.set_user_disabled(user.id, true, after(5)).await.unwrap());
        let response = tx.insert_user(&User { email: owner.email, ..fixture.stranger() }).await;
        assert_eq!(taken(response), Some(Taken::Email));
        drop(tx);
        assert_eq!(fixture.stored_user(&user).await, user);
    }

    async fn racing_writers_wait_for_each_other_and_all_succeed(fixture: StoreFixture) {
        let written = race(32, |_| {
            let fixture = fixture.clone();
            let user = fixture.stranger();
            let session = fixture.draft(&user);
            async move {
                let mut tx = fixture.write().await;
                tx.insert_user(&user).await.unwrap();
                tx.insert_session(&session).await.unwrap();
                tx.commit().await.unwrap();
                (user, session)
            }
        })
        .await;
        for (user, session) in written {
            let found = fixture.read().await.find_session(session.id).await.unwrap();
            assert_eq!(found, Some((session, Some(user))));
        }
    }

    /// A client that disconnects drops its unit of work at any point.
    async fn a_unit_that_is_cut_off_is_undone_and_hinders_nobody(fixture: StoreFixture) {
        for round in 0..40 {
            let user = fixture.stranger();
            let session = fixture.draft(&user);
            let (theirs, orphan) = (fixture.clone(), session.clone());
            // The row that holds the slot is rolled back with the unit.
            let slot = Some(format!("round {round}"));
            let message = OutboxEmail { slot, ..fixture.email() };
            let lost = message.clone();
            let work = tokio::spawn(async move {
                let mut tx = theirs.write().await;
                tx.insert_session(&orphan).await.unwrap();
                assert!(tx.insert_outbox_email(&lost).await.unwrap());
                std::future::pending::<()>().await;
                tx.commit().await.unwrap();
            });
            a_moment(round).await;
            work.abort();
            assert!(work.await.unwrap_err().is_cancelled());
            fixture.add_user(&user).await;
            assert_eq!(fixture.read().await.find_session(session.id).await.unwrap(), None);
            fixture.add_email(&OutboxEmail { id: fixture.email().id, ..message }).await;
        }
    }

    async fn a_single_write_that_is_cut_off_hinders_nobody(fixture: StoreFixture) {
        let user = fixture.user().await;
        for round in 0..40 {
            let (theirs, session) = (fixture.clone(), fixture.draft(&user));
            let started = session.clone();
            let work = tokio::spawn(async move { theirs.add_session(&started).await });
            a_moment(round).await;
            work.abort();
            let finished = work.await.is_ok();
            fixture.session_of(&user).await;
            let found = fixture.read().await.find_session(session.id).await.unwrap();
            assert!(found.is_some() || !finished, "what was answered lasts");
        }
    }
}
