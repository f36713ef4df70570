//! The current and the previous master key: keys checked, rewrapped, and kept in use meanwhile.

use super::*;
use crate::MasterKeys;

fn new_master() -> MasterKey {
    MasterKey::generate(&SystemEntropy::new())
}

fn keyring_of(present: &MasterKey, previous: Option<&MasterKey>) -> Keyring {
    let masters = MasterKeys { present: present.clone(), previous: previous.cloned() };
    Keyring::new(settings(), masters, Arc::new(SystemEntropy::new()))
}

fn rewrapped(keyring: &Keyring, keys: &[StoredKey]) -> Vec<StoredKey> {
    keys.iter().map(|key| keyring.rewrap_key(key).unwrap()).collect()
}

#[test]
fn the_master_key_before_opens_what_it_has_wrapped_and_wraps_nothing() {
    let fixture = KeyringFixture::new(Algorithm::Es256);
    let (token, next) = (fixture.access(), new_master());
    let both = keyring_of(&next, Some(&fixture.master));
    both.check_keys(&fixture.keys).unwrap();
    both.install_keys(&fixture.keys).unwrap();
    assert!(both.verify_access(&token, at(NOW)).is_ok());

    let made = both.make_key(KeyPurpose::Refresh, Algorithm::Hs256, at(NOW), at(NOW)).unwrap();
    let made = std::slice::from_ref(&made);
    assert_eq!(keyring_of(&next, None).check_keys(made), Ok(()));
    assert_eq!(fixture.keyring.check_keys(made), Err(KeyError::CannotOpen(made[0].id.clone())));
}

#[test]
fn a_key_wrapped_anew_is_the_same_key_and_opens_with_the_present_master_key_alone() {
    for algorithm in ACCESS_ALGORITHMS {
        let mut fixture = KeyringFixture::new(algorithm);
        fixture.revoke(&fixture.keys[1].id.clone(), NOW);
        let (token, next) = (fixture.access(), new_master());
        let moved = rewrapped(&keyring_of(&next, Some(&fixture.master)), &fixture.keys);
        for (old, new) in fixture.keys.iter().zip(&moved) {
            assert_ne!(old.wrapped, new.wrapped);
            assert_eq!(StoredKey { wrapped: old.wrapped.clone(), ..new.clone() }, *old);
        }
        let node = keyring_of(&next, None);
        node.install_keys(&moved).unwrap();
        assert!(node.verify_access(&token, at(NOW)).is_ok());
        assert_eq!(
            fixture.keyring.check_keys(&moved),
            Err(KeyError::CannotOpen(moved[0].id.clone()))
        );
        let again = rewrapped(&node, &moved);
        assert_eq!(node.check_keys(&again), Ok(()), "as often as one likes");
    }
}

#[test]
fn keys_in_use_go_on_when_they_were_wrapped_with_another_master_key() {
    let mut fixture = KeyringFixture::new(Algorithm::EdDsa);
    let (token, refresh, next) = (fixture.access(), fixture.refresh(), new_master());
    fixture.keys = rewrapped(&keyring_of(&next, Some(&fixture.master)), &fixture.keys);
    fixture.install(&fixture.keys).unwrap();
    assert!(fixture.check_access(&token).is_ok());
    assert!(fixture.check_refresh(&refresh).is_ok());
    assert!(fixture.check_access(&fixture.access()).is_ok(), "and it signs");

    // A key that is new to this node cannot be unwrapped, so nothing changes.
    let foreign = keyring_of(&next, None);
    let new = foreign.make_key(KeyPurpose::Access, Algorithm::EdDsa, at(NOW), at(NOW)).unwrap();
    let with_new = [fixture.keys.clone(), vec![new.clone()]].concat();
    assert_eq!(fixture.install(&with_new), Err(KeyError::CannotOpen(new.id)));
    assert!(fixture.check_access(&token).is_ok());

    // A key that was removed from use has to be unwrapped like any other.
    fixture.install(&fixture.keys[..1]).unwrap();
    let gone = fixture.keys[1].id.clone();
    assert_eq!(fixture.install(&fixture.keys), Err(KeyError::CannotOpen(gone)));
}

#[test]
fn the_times_of_a_key_in_use_are_those_of_the_store() {
    let mut fixture = KeyringFixture::new(Algorithm::EdDsa);
    let next = fixture.add(KeyPurpose::Access, Algorithm::EdDsa, NOW + 100);
    assert_eq!(segment(&fixture.access(), 0)["kid"], fixture.access_id());
    fixture.keys[2].active_from = at(NOW);
    fixture.install(&fixture.keys).unwrap();
    assert_eq!(segment(&fixture.access(), 0)["kid"], next.0);
}

#[test]
fn checking_keys_takes_none_into_use_and_opens_even_those_that_are() {
    let fixture = KeyringFixture::new(Algorithm::EdDsa);
    let empty = keyring_with(settings(), &fixture.master);
    empty.check_keys(&fixture.keys).unwrap();
    assert_eq!(empty.jwks(at(NOW)), None);
    let mut bent = fixture.keys.clone();
    bent[1].wrapped[20] ^= 1;
    let refused = Err(KeyError::CannotOpen(bent[1].id.clone()));
    assert_eq!(fixture.keyring.check_keys(&bent), refused, "in use, and still looked at");
    assert_eq!(fixture.keyring.rewrap_key(&bent[1]).map(|_| ()), refused);

    // Under the right identifier and master key, but not a key: 31 bytes.
    let associated_data = AssociatedData::of(&fixture.keys[1]);
    let wrapped =
        wrap::wrap(&fixture.master, &SystemEntropy::new(), &associated_data, &[1; 31]).unwrap();
    let short = StoredKey { wrapped, ..fixture.keys[1].clone() };
    let refused = Err(KeyError::Corrupt(short.id.clone()));
    assert_eq!(empty.check_keys(std::slice::from_ref(&short)), refused);
}
