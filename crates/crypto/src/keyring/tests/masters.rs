//! The master key and the one before it: keys checked, sealed anew, and kept in use meanwhile.

use super::*;
use crate::MasterKeys;

fn new_master() -> MasterKey {
    MasterKey::generate(&SystemEntropy::new())
}

fn keyring_of(present: &MasterKey, previous: Option<&MasterKey>) -> Keyring {
    let masters = MasterKeys { present: present.clone(), previous: previous.cloned() };
    Keyring::new(settings(), masters, Arc::new(SystemEntropy::new()))
}

fn resealed(keyring: &Keyring, keys: &[StoredKey]) -> Vec<StoredKey> {
    keys.iter().map(|key| keyring.reseal_key(key).unwrap()).collect()
}

#[test]
fn the_master_key_before_opens_what_it_has_sealed_and_seals_nothing() {
    let rig = Rig::new(Algorithm::Es256);
    let (token, next) = (rig.access(), new_master());
    let both = keyring_of(&next, Some(&rig.master));
    both.check_keys(&rig.keys).unwrap();
    both.install_keys(&rig.keys).unwrap();
    assert!(both.verify_access(&token, at(NOW)).is_ok());

    let made = both.make_key(KeyPurpose::Refresh, Algorithm::Hs256, at(NOW), at(NOW)).unwrap();
    let made = std::slice::from_ref(&made);
    assert_eq!(keyring_of(&next, None).check_keys(made), Ok(()));
    assert_eq!(rig.keyring.check_keys(made), Err(KeyError::CannotOpen(made[0].id.clone())));
}

#[test]
fn a_key_sealed_anew_is_the_same_key_and_opens_with_the_present_master_key_alone() {
    for algorithm in ACCESS_ALGORITHMS {
        let mut rig = Rig::new(algorithm);
        rig.revoke(&rig.keys[1].id.clone(), NOW);
        let (token, next) = (rig.access(), new_master());
        let moved = resealed(&keyring_of(&next, Some(&rig.master)), &rig.keys);
        for (old, new) in rig.keys.iter().zip(&moved) {
            assert_ne!(old.sealed, new.sealed);
            assert_eq!(StoredKey { sealed: old.sealed.clone(), ..new.clone() }, *old);
        }
        let node = keyring_of(&next, None);
        node.install_keys(&moved).unwrap();
        assert!(node.verify_access(&token, at(NOW)).is_ok());
        assert_eq!(rig.keyring.check_keys(&moved), Err(KeyError::CannotOpen(moved[0].id.clone())));
        let again = resealed(&node, &moved);
        assert_eq!(node.check_keys(&again), Ok(()), "as often as one likes");
    }
}

#[test]
fn keys_in_use_go_on_when_they_were_sealed_with_another_master_key() {
    let mut rig = Rig::new(Algorithm::EdDsa);
    let (token, refresh, next) = (rig.access(), rig.refresh(), new_master());
    rig.keys = resealed(&keyring_of(&next, Some(&rig.master)), &rig.keys);
    rig.install(&rig.keys).unwrap();
    assert!(rig.check_access(&token).is_ok());
    assert!(rig.check_refresh(&refresh).is_ok());
    assert!(rig.check_access(&rig.access()).is_ok(), "and it signs");

    // One that is new to this node cannot be opened, and so nothing changes.
    let foreign = keyring_of(&next, None);
    let new = foreign.make_key(KeyPurpose::Access, Algorithm::EdDsa, at(NOW), at(NOW)).unwrap();
    let with_new = [rig.keys.clone(), vec![new.clone()]].concat();
    assert_eq!(rig.install(&with_new), Err(KeyError::CannotOpen(new.id)));
    assert!(rig.check_access(&token).is_ok());

    // One that was in use and is not any more has to be opened like any other.
    rig.install(&rig.keys[..1]).unwrap();
    let gone = rig.keys[1].id.clone();
    assert_eq!(rig.install(&rig.keys), Err(KeyError::CannotOpen(gone)));
}

#[test]
fn the_times_of_a_key_in_use_are_those_of_the_store() {
    let mut rig = Rig::new(Algorithm::EdDsa);
    let next = rig.add(KeyPurpose::Access, Algorithm::EdDsa, NOW + 100);
    assert_eq!(segment(&rig.access(), 0)["kid"], rig.access_id());
    rig.keys[2].active_from = at(NOW);
    rig.install(&rig.keys).unwrap();
    assert_eq!(segment(&rig.access(), 0)["kid"], next.0);
}

#[test]
fn checking_keys_takes_none_into_use_and_opens_even_those_that_are() {
    let rig = Rig::new(Algorithm::EdDsa);
    let empty = keyring_with(settings(), &rig.master);
    empty.check_keys(&rig.keys).unwrap();
    assert_eq!(empty.jwks(at(NOW)), None);
    let mut bent = rig.keys.clone();
    bent[1].sealed[20] ^= 1;
    let refused = Err(KeyError::CannotOpen(bent[1].id.clone()));
    assert_eq!(rig.keyring.check_keys(&bent), refused, "in use, and still looked at");
    assert_eq!(rig.keyring.reseal_key(&bent[1]).map(|_| ()), refused);

    // Under the right name and master key, and yet no key: 31 bytes.
    let bond = Bond::of(&rig.keys[1]);
    let sealed = seal::seal(&rig.master, &SystemEntropy::new(), &bond, &[1; 31]).unwrap();
    let short = StoredKey { sealed, ..rig.keys[1].clone() };
    let refused = Err(KeyError::Corrupt(short.id.clone()));
    assert_eq!(empty.check_keys(std::slice::from_ref(&short)), refused);
}
