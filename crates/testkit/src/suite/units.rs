//! Promises about units of work: all or nothing, unseen until committed, undone when dropped.

use std::time::Duration;

use gateward_domain::client::KnownClient;
use gateward_domain::feed::FeedItem;
use gateward_domain::key::StoredKey;
use gateward_domain::link::{Link, LinkPurpose};
use gateward_domain::mail::{LetterState, QueuedLetter};
use gateward_domain::ports::{Instance, Taken, Tx};
use gateward_domain::signup::PendingSignup;
use gateward_domain::throttle::{Strike, ThrottleKey};
use gateward_domain::{Event, EventKind, PermissionSet, Role, RoleName, Session, User, Username};
use tokio::task::yield_now;
use tokio::time::{sleep, timeout};

use super::Stage;
use super::stage::{after, logout_after, race, taken};
use crate::fixtures;

/// Changes of every kind: some to what stands there, some new.
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
    letter: QueuedLetter,
    old_letter: QueuedLetter,
    client: KnownClient,
    news: FeedItem,
    role: Role,
    strike: Strike,
}

impl Changes {
    async fn new(stage: &Stage) -> Self {
        let user = stage.user().await;
        let session = stage.session_of(&user).await;
        let new_user = stage.stranger();
        let (old_signup, old_letter) = (stage.signup(), stage.letter());
        let old_link = stage.link(LinkPurpose::UndoEmail, &user);
        stage.add_signup(&old_signup).await;
        stage.put_link(&old_link).await;
        stage.add_letter(&old_letter).await;
        Self {
            username: stage.stranger().username,
            new_session: stage.draft(&new_user),
            instance: Instance { issuer: "https://one.example".to_owned(), created_at: after(0) },
            key: fixtures::key(stage.seed()),
            event: fixtures::event(stage.seed(), EventKind::AccountCreated, &session),
            signup: stage.signup(),
            old_signup,
            link: stage.link(LinkPurpose::ResetPassword, &user),
            old_link,
            letter: stage.letter(),
            old_letter,
            client: stage.client(&user),
            news: stage.news(),
            role: Role {
                name: RoleName::parse("support").unwrap(),
                permissions: PermissionSet::all(),
            },
            strike: Strike {
                key: ThrottleKey([7; 32]),
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
        tx.insert_client(&self.client).await.unwrap();
        tx.insert_news(std::slice::from_ref(&self.news)).await.unwrap();
        assert!(tx.put_role(&self.role, after(5)).await.unwrap());
        assert_eq!(tx.add_strike(&self.strike).await.unwrap().count, 1);
        self.write_mail(tx).await;
    }

    async fn write_mail(&self, tx: &mut dyn Tx) {
        tx.insert_signup(&self.signup).await.unwrap();
        assert_eq!(tx.delete_signups_of_email(&self.old_signup.email).await.unwrap(), 1);
        tx.put_link(&self.link).await.unwrap();
        assert!(tx.spend_link(self.old_link.id, after(5)).await.unwrap());
        assert!(tx.insert_letter(&self.letter).await.unwrap());
        let done = tx.finish_letter(self.old_letter.id, LetterState::Sent, None, after(5)).await;
        assert!(done.unwrap());
    }

    /// Holds the store to it that all of them are there, or none.
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
        let clients = tx.list_user_clients(self.user.id, 10).await.unwrap();
        assert_eq!(clients.contains(&self.client), seen);
        let feed = tx.list_news(None, 10).await.unwrap();
        assert_eq!(feed.entries.iter().any(|entry| entry.item == self.news), seen);
        assert_eq!(tx.list_roles().await.unwrap().contains(&self.role), seen);
        let strikes = tx.find_strikes(&[self.strike.key]).await.unwrap();
        assert_eq!(strikes.len(), usize::from(seen));
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
        let letter = tx.find_letter(self.letter.id).await.unwrap();
        assert_eq!(letter.as_ref(), seen.then_some(&self.letter));
        let sent = tx.find_letter(self.old_letter.id).await.unwrap().unwrap();
        assert_eq!(sent.state == LetterState::Sent, seen);
    }
}

/// A moment, shorter or longer from round to round.
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


    async fn a_committed_unit_lasts_as_a_whole(stage: Stage) {
        let changes = Changes::new(&stage).await;
        let mut tx = stage.write().await;
        changes.write(tx.as_mut()).await;
        changes.are_seen(tx.as_mut(), true).await;
        tx.commit().await.unwrap();
        changes.are_seen(stage.read().await.as_mut(), true).await;
    }

    async fn a_dropped_unit_leaves_nothing(stage: Stage) {
        let changes = Changes::new(&stage).await;
        let mut tx = stage.write().await;
        changes.write(tx.as_mut()).await;
        drop(tx);
        changes.are_seen(stage.read().await.as_mut(), false).await;
        let mut tx = stage.write().await;
        changes.are_seen(tx.as_mut(), false).await;
        changes.write(tx.as_mut()).await;
        tx.commit().await.unwrap();
        changes.are_seen(stage.read().await.as_mut(), true).await;
    }

    async fn an_open_unit_is_seen_by_nobody_and_stops_no_reader(stage: Stage) {
        let changes = Changes::new(&stage).await;
        let mut tx = stage.write().await;
        changes.write(tx.as_mut()).await;
        let reading = async { changes.are_seen(stage.read().await.as_mut(), false).await };
        timeout(Duration::from_secs(5), reading).await.unwrap();
        tx.commit().await.unwrap();
    }

    async fn a_single_write_lasts_whether_it_is_committed_or_not(stage: Stage) {
        let (one, other) = (stage.stranger(), stage.stranger());
        let mut tx = stage.single().await;
        tx.insert_user(&one).await.unwrap();
        assert_eq!(stage.stored_user(&one).await, one, "at once");
        drop(tx);
        let mut tx = stage.single().await;
        tx.insert_user(&other).await.unwrap();
        tx.commit().await.unwrap();
        assert_eq!(stage.stored_user(&one).await, one);
        assert_eq!(stage.stored_user(&other).await, other);
    }

    async fn what_came_before_a_refusal_is_undone_with_the_unit(stage: Stage) {
        let (user, owner) = (stage.user().await, stage.user().await);
        let mut tx = stage.write().await;
        assert!(tx.set_user_disabled(user.id, true, after(5)).await.unwrap());
        let answer = tx.insert_user(&User { email: owner.email, ..stage.stranger() }).await;
        assert_eq!(taken(answer), Some(Taken::Email));
        drop(tx);
        assert_eq!(stage.stored_user(&user).await, user);
    }

    async fn racing_writers_wait_for_each_other_and_all_succeed(stage: Stage) {
        let written = race(32, |_| {
            let stage = stage.clone();
            let user = stage.stranger();
            let session = stage.draft(&user);
            async move {
                let mut tx = stage.write().await;
                tx.insert_user(&user).await.unwrap();
                tx.insert_session(&session).await.unwrap();
                tx.commit().await.unwrap();
                (user, session)
            }
        })
        .await;
        for (user, session) in written {
            let found = stage.read().await.find_session(session.id).await.unwrap();
            assert_eq!(found, Some((session, Some(user))));
        }
    }

    /// A client that disconnects drops what is done for it, at any point.
    async fn a_unit_that_is_cut_off_is_undone_and_hinders_nobody(stage: Stage) {
        for round in 0..40 {
            let user = stage.stranger();
            let session = stage.draft(&user);
            let (theirs, orphan) = (stage.clone(), session.clone());
            // What holds the slot goes with the unit.
            let slot = Some(format!("round {round}"));
            let letter = QueuedLetter { slot, ..stage.letter() };
            let lost = letter.clone();
            let work = tokio::spawn(async move {
                let mut tx = theirs.write().await;
                tx.insert_session(&orphan).await.unwrap();
                assert!(tx.insert_letter(&lost).await.unwrap());
                std::future::pending::<()>().await;
                tx.commit().await.unwrap();
            });
            a_moment(round).await;
            work.abort();
            assert!(work.await.unwrap_err().is_cancelled());
            stage.add_user(&user).await;
            assert_eq!(stage.read().await.find_session(session.id).await.unwrap(), None);
            stage.add_letter(&QueuedLetter { id: stage.letter().id, ..letter }).await;
        }
    }

    async fn a_single_write_that_is_cut_off_hinders_nobody(stage: Stage) {
        let user = stage.user().await;
        for round in 0..40 {
            let (theirs, session) = (stage.clone(), stage.draft(&user));
            let begun = session.clone();
            let work = tokio::spawn(async move { theirs.add_session(&begun).await });
            a_moment(round).await;
            work.abort();
            let finished = work.await.is_ok();
            stage.session_of(&user).await;
            let found = stage.read().await.find_session(session.id).await.unwrap();
            assert!(found.is_some() || !finished, "what was answered lasts");
        }
    }
}
