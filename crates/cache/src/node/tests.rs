//! What the cache returns, when it is fresh, and that it drops entries in time.

use gateward_domain::feed::{FeedItem, InvalidationEvent};
use gateward_domain::key::KeyId;
use gateward_domain::{SessionId, Timestamp, TokenId};
use gateward_testkit::SeededEntropy;
use gateward_testkit::fixtures;

use super::*;

struct CacheFixture {
    cache: NodeAuthCache,
    entropy: SeededEntropy,
}

fn fixture() -> CacheFixture {
    CacheFixture { cache: NodeAuthCache::new(900, 100), entropy: SeededEntropy::new(1) }
}

impl CacheFixture {
    /// The claims of a token whose session started `ago` seconds before its issue.
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

    fn apply(&self, invalidation: InvalidationEvent) {
        self.cache.apply(&[item(invalidation)]);
    }
}

fn user(id: UserId) -> Arc<User> {
    Arc::new(User { id, ..fixtures::user(1) })
}

fn item(invalidation: InvalidationEvent) -> FeedItem {
    FeedItem { invalidation, at: NOW, until: NOW.plus_seconds(900) }
}

/// A whole second.
const NOW: Timestamp = Timestamp::from_seconds(fixtures::NOW.seconds());

const OUT: EndReason = EndReason::Logout;

#[test]
fn an_ended_session_is_known_until_it_matters_no_more() {
    let fixture = fixture();
    let (dead, alive) = (fixture.claims(0), fixture.claims(0));
    fixture.apply(InvalidationEvent::SessionEnded { id: dead.session_id, reason: OUT });
    fixture.cache.confirm(fixture.cache.begin_read());
    assert_eq!(fixture.cache.find_end(&dead), Some(OUT));
    assert_eq!(fixture.cache.find_end(&alive), None);
    assert_eq!(fixture.cache.ends(), 1);
    let hasty = NodeAuthCache::keeping(Duration::ZERO, 0);
    hasty.apply(&[item(InvalidationEvent::SessionEnded { id: dead.session_id, reason: OUT })]);
    assert_eq!(hasty.ends(), 1);
    hasty.confirm(hasty.begin_read());
    assert_eq!((hasty.find_end(&dead), hasty.ends()), (None, 0));
}

/// Row F22 in part: an end is kept for the maximum lifetime of a token, whatever the writer's clock
/// said.
#[test]
fn f22_how_long_an_end_is_known_does_not_follow_from_a_clock() {
    let fixture = fixture();
    let dead = fixture.claims(0);
    let invalidation = InvalidationEvent::SessionEnded { id: dead.session_id, reason: OUT };
    let long_ago = Timestamp::from_seconds(0);
    fixture.cache.apply(&[FeedItem { invalidation, at: long_ago, until: long_ago }]);
    fixture.cache.confirm(fixture.cache.begin_read());
    assert_eq!(fixture.cache.find_end(&dead), Some(OUT));
}

#[test]
fn everybody_is_cut_off_whose_session_began_before() {
    let fixture = fixture();
    fixture
        .apply(InvalidationEvent::AllTokensRevoked { before: NOW.minus_seconds(60), reason: OUT });
    assert_eq!(fixture.cache.find_end(&fixture.claims(61)), Some(OUT));
    assert_eq!(fixture.cache.find_end(&fixture.claims(60)), None);
}

#[test]
fn auth_cache_is_fresh_only_after_a_read_and_for_a_short_time() {
    let fixture = fixture();
    assert!(!fixture.cache.is_fresh(), "nothing was read yet");
    let mark = fixture.cache.begin_read();
    fixture.cache.confirm(mark);
    assert!(fixture.cache.is_fresh());
    let old = ReadMark { at: mark.at.checked_sub(2 * FRESH_FOR).unwrap(), ..mark };
    fixture.cache.confirm(old);
    assert!(!fixture.cache.is_fresh(), "as old as the read, not as the answer");
}

#[test]
fn a_doubt_is_settled_by_a_later_read_alone() {
    let fixture = fixture();
    let before = fixture.cache.begin_read();
    fixture.cache.confirm(before);
    fixture.cache.invalidate();
    assert!(!fixture.cache.is_fresh());
    fixture.cache.confirm(before);
    assert!(!fixture.cache.is_fresh(), "that read was begun before");
    fixture.cache.confirm(fixture.cache.begin_read());
    assert!(fixture.cache.is_fresh());
}

#[test]
fn a_user_is_remembered_until_they_change() {
    let fixture = fixture();
    let claims = fixture.claims(0);
    let user = user(claims.user_id);
    fixture.cache.remember_user(&user, claims.session_id, fixture.cache.begin_read());
    assert_eq!(fixture.cache.find_user(&claims), Some(user.clone()));
    fixture.apply(InvalidationEvent::UserChanged { id: user.id });
    assert_eq!(fixture.cache.find_user(&claims), None);
}

#[test]
fn what_was_read_before_a_change_is_not_remembered_after_it() {
    let fixture = fixture();
    let claims = fixture.claims(0);
    let user = user(claims.user_id);
    let mark = fixture.cache.begin_read();
    fixture.apply(InvalidationEvent::UserChanged { id: user.id });
    fixture.cache.remember_user(&user, claims.session_id, mark);
    assert_eq!(fixture.cache.find_user(&claims), None);
    fixture.cache.remember_user(&user, claims.session_id, fixture.cache.begin_read());
    assert_eq!(fixture.cache.find_user(&claims), Some(user.clone()));

    let mark = fixture.cache.begin_read();
    fixture.cache.forget_users();
    fixture.cache.remember_user(&user, claims.session_id, mark);
    assert_eq!(fixture.cache.find_user(&claims), None);
}

#[test]
fn when_a_role_changes_no_user_is_remembered_who_was_read_before() {
    let fixture = fixture();
    let [known, late] = [fixture.claims(0), fixture.claims(0)];
    let remember = |claims: &AccessClaims, mark| {
        fixture.cache.remember_user(&user(claims.user_id), claims.session_id, mark);
    };
    let mark = fixture.cache.begin_read();
    remember(&known, mark);
    assert!(fixture.cache.find_user(&known).is_some());
    fixture.apply(InvalidationEvent::RolesChanged);
    remember(&late, mark);
    for claims in [&known, &late] {
        assert_eq!(fixture.cache.find_user(claims), None);
        remember(claims, fixture.cache.begin_read());
        assert_eq!(fixture.cache.find_user(claims), Some(user(claims.user_id)));
    }
}

#[test]
fn a_node_that_heard_nothing_for_long_knows_no_user() {
    let fixture = fixture();
    let claims = fixture.claims(0);
    let user = user(claims.user_id);
    let now = fixture.cache.begin_read();
    let long_ago = ReadMark { at: now.at.checked_sub(2 * SILENCE_MAX).unwrap(), ..now };
    fixture.cache.confirm(long_ago);
    fixture.cache.remember_user(&user, claims.session_id, now);
    fixture.cache.confirm(fixture.cache.begin_read());
    assert_eq!(fixture.cache.find_user(&claims), None);
}

#[test]
fn users_are_few_enough_and_may_be_none() {
    let fixture = fixture();
    for _ in 0..1000 {
        let claims = fixture.claims(0);
        let user = user(claims.user_id);
        fixture.cache.remember_user(&user, claims.session_id, fixture.cache.begin_read());
    }
    assert!(fixture.cache.users.as_ref().unwrap().len() <= 100);

    let none = NodeAuthCache::new(900, 0);
    let claims = fixture.claims(0);
    let user = user(claims.user_id);
    none.remember_user(&user, claims.session_id, none.begin_read());
    assert_eq!(none.find_user(&claims), None);
}

#[test]
fn a_session_that_the_store_has_not_shown_is_nobodys() {
    let fixture = fixture();
    let claims = fixture.claims(0);
    let user = user(claims.user_id);
    fixture.cache.remember_user(&user, claims.session_id, fixture.cache.begin_read());
    let invented = AccessClaims { user_id: user.id, ..fixture.claims(0) };
    assert_eq!(fixture.cache.find_user(&invented), None);
    let borrowed = AccessClaims { session_id: claims.session_id, ..fixture.claims(0) };
    assert_eq!(fixture.cache.find_user(&borrowed), None);
    assert_eq!(fixture.cache.find_user(&claims), Some(user));
}
