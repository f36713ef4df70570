//! What a node knows, when it does, and that it forgets in time.

use gateward_domain::feed::{FeedItem, News};
use gateward_domain::key::KeyId;
use gateward_domain::{SessionId, Timestamp, TokenId};
use gateward_testkit::SeededEntropy;
use gateward_testkit::fixtures;

use super::*;

struct Stage {
    memory: NodeMemory,
    entropy: SeededEntropy,
}

fn stage() -> Stage {
    Stage { memory: NodeMemory::new(900, 100), entropy: SeededEntropy::new(1) }
}

impl Stage {
    /// The claims of a token of a session that began `ago` seconds before its making.
    fn claims(&self, ago: i64) -> AccessClaims {
        AccessClaims {
            id: TokenId::new(NOW, &self.entropy),
            key_id: KeyId("key".to_owned()),
            user_id: UserId::new(NOW, &self.entropy),
            session_id: SessionId::new(NOW.minus_seconds(ago), &self.entropy),
            auth_time: NOW,
            issued_at: NOW,
            expires_at: NOW.plus_seconds(900),
        }
    }

    fn learn(&self, news: News) {
        self.memory.learn(&[item(news)]);
    }
}

fn user(id: UserId) -> Arc<User> {
    Arc::new(User { id, ..fixtures::user(1) })
}

fn item(news: News) -> FeedItem {
    FeedItem { news, at: NOW, until: NOW.plus_seconds(900) }
}

/// A whole second.
const NOW: Timestamp = Timestamp::from_seconds(fixtures::NOW.seconds());

const OUT: EndReason = EndReason::Logout;

#[test]
fn an_ended_session_is_known_until_it_matters_no_more() {
    let stage = stage();
    let (dead, alive) = (stage.claims(0), stage.claims(0));
    stage.learn(News::SessionEnded { id: dead.session_id, reason: OUT });
    stage.memory.confirm(stage.memory.begin_read());
    assert_eq!(stage.memory.find_end(&dead), Some(OUT));
    assert_eq!(stage.memory.find_end(&alive), None);
    assert_eq!(stage.memory.ends(), 1);
    let hasty = NodeMemory::keeping(Duration::ZERO, 0);
    hasty.learn(&[item(News::SessionEnded { id: dead.session_id, reason: OUT })]);
    assert_eq!(hasty.ends(), 1);
    hasty.confirm(hasty.begin_read());
    assert_eq!((hasty.find_end(&dead), hasty.ends()), (None, 0));
}

/// Row F22 in part: what is kept of an end is as long as the longest life of a token, whatever the
/// clocks say that wrote it down.
#[test]
fn f22_how_long_an_end_is_known_does_not_follow_from_a_clock() {
    let stage = stage();
    let dead = stage.claims(0);
    let news = News::SessionEnded { id: dead.session_id, reason: OUT };
    let long_ago = Timestamp::from_seconds(0);
    stage.memory.learn(&[FeedItem { news, at: long_ago, until: long_ago }]);
    stage.memory.confirm(stage.memory.begin_read());
    assert_eq!(stage.memory.find_end(&dead), Some(OUT));
}

#[test]
fn everybody_is_cut_off_whose_session_began_before() {
    let stage = stage();
    stage.learn(News::AllCutOff { before: NOW.minus_seconds(60), reason: OUT });
    assert_eq!(stage.memory.find_end(&stage.claims(61)), Some(OUT));
    assert_eq!(stage.memory.find_end(&stage.claims(60)), None);
}

#[test]
fn knowledge_is_fresh_only_after_a_read_and_for_a_short_time() {
    let stage = stage();
    assert!(!stage.memory.is_fresh(), "nothing was read yet");
    let mark = stage.memory.begin_read();
    stage.memory.confirm(mark);
    assert!(stage.memory.is_fresh());
    let old = ReadMark { at: mark.at.checked_sub(2 * FRESH_FOR).unwrap(), ..mark };
    stage.memory.confirm(old);
    assert!(!stage.memory.is_fresh(), "as old as the read, not as the answer");
}

#[test]
fn a_doubt_is_settled_by_a_later_read_alone() {
    let stage = stage();
    let before = stage.memory.begin_read();
    stage.memory.confirm(before);
    stage.memory.doubt();
    assert!(!stage.memory.is_fresh());
    stage.memory.confirm(before);
    assert!(!stage.memory.is_fresh(), "that read was begun before");
    stage.memory.confirm(stage.memory.begin_read());
    assert!(stage.memory.is_fresh());
}

#[test]
fn a_user_is_remembered_until_they_change() {
    let stage = stage();
    let claims = stage.claims(0);
    let user = user(claims.user_id);
    stage.memory.remember_user(&user, claims.session_id, stage.memory.begin_read());
    assert_eq!(stage.memory.find_user(&claims), Some(user.clone()));
    stage.learn(News::UserChanged { id: user.id });
    assert_eq!(stage.memory.find_user(&claims), None);
}

#[test]
fn what_was_read_before_a_change_is_not_remembered_after_it() {
    let stage = stage();
    let claims = stage.claims(0);
    let user = user(claims.user_id);
    let mark = stage.memory.begin_read();
    stage.learn(News::UserChanged { id: user.id });
    stage.memory.remember_user(&user, claims.session_id, mark);
    assert_eq!(stage.memory.find_user(&claims), None);
    stage.memory.remember_user(&user, claims.session_id, stage.memory.begin_read());
    assert_eq!(stage.memory.find_user(&claims), Some(user.clone()));

    let mark = stage.memory.begin_read();
    stage.memory.forget_users();
    stage.memory.remember_user(&user, claims.session_id, mark);
    assert_eq!(stage.memory.find_user(&claims), None);
}

#[test]
fn when_a_role_changes_no_user_is_remembered_who_was_read_before() {
    let stage = stage();
    let [known, late] = [stage.claims(0), stage.claims(0)];
    let remember = |claims: &AccessClaims, mark| {
        stage.memory.remember_user(&user(claims.user_id), claims.session_id, mark);
    };
    let mark = stage.memory.begin_read();
    remember(&known, mark);
    assert!(stage.memory.find_user(&known).is_some());
    stage.learn(News::RolesChanged);
    remember(&late, mark);
    for claims in [&known, &late] {
        assert_eq!(stage.memory.find_user(claims), None);
        remember(claims, stage.memory.begin_read());
        assert_eq!(stage.memory.find_user(claims), Some(user(claims.user_id)));
    }
}

#[test]
fn a_node_that_heard_nothing_for_long_knows_no_user() {
    let stage = stage();
    let claims = stage.claims(0);
    let user = user(claims.user_id);
    let now = stage.memory.begin_read();
    let long_ago = ReadMark { at: now.at.checked_sub(2 * SILENCE_MAX).unwrap(), ..now };
    stage.memory.confirm(long_ago);
    stage.memory.remember_user(&user, claims.session_id, now);
    stage.memory.confirm(stage.memory.begin_read());
    assert_eq!(stage.memory.find_user(&claims), None);
}

#[test]
fn users_are_few_enough_and_may_be_none() {
    let stage = stage();
    for _ in 0..1000 {
        let claims = stage.claims(0);
        let user = user(claims.user_id);
        stage.memory.remember_user(&user, claims.session_id, stage.memory.begin_read());
    }
    assert!(stage.memory.users.as_ref().unwrap().len() <= 100);

    let none = NodeMemory::new(900, 0);
    let claims = stage.claims(0);
    let user = user(claims.user_id);
    none.remember_user(&user, claims.session_id, none.begin_read());
    assert_eq!(none.find_user(&claims), None);
}

#[test]
fn a_session_that_the_store_has_not_shown_is_nobodys() {
    let stage = stage();
    let claims = stage.claims(0);
    let user = user(claims.user_id);
    stage.memory.remember_user(&user, claims.session_id, stage.memory.begin_read());
    let invented = AccessClaims { user_id: user.id, ..stage.claims(0) };
    assert_eq!(stage.memory.find_user(&invented), None);
    let borrowed = AccessClaims { session_id: claims.session_id, ..stage.claims(0) };
    assert_eq!(stage.memory.find_user(&borrowed), None);
    assert_eq!(stage.memory.find_user(&claims), Some(user));
}
