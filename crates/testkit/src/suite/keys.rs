//! Promises about keys and the identity of the installation.

use gateward_domain::key::{Algorithm, KeyId, KeyPurpose, StoredKey};
use gateward_domain::ports::Instance;

use super::fixture::{after, race};
use crate::fixtures::key;

/// A public key in the form in which it is stored.
const PUBLIC_JWK: &str = r#"{"kty":"OKP","crv":"Ed25519","x":"11qYAYKxCrfVS_7TyWQHOg7hcvPapiMl"}"#;

/// Returns the identifiers of keys, in the given order.
fn ids(keys: &[StoredKey]) -> Vec<&KeyId> {
    keys.iter().map(|key| &key.id).collect()
}

promises! {
    __promises_keys;


    async fn every_field_of_a_key_comes_back(fixture: StoreFixture) {
        let mut written = Vec::new();
        for (seconds, algorithm) in (0..).zip([
            Algorithm::Hs256,
            Algorithm::EdDsa,
            Algorithm::Es256,
            Algorithm::Ps256,
            Algorithm::Rs256,
        ]) {
            let plain = key(fixture.seed());
            let access = algorithm != Algorithm::Hs256;
            written.push(StoredKey {
                purpose: if access { KeyPurpose::Access } else { KeyPurpose::Refresh },
                algorithm,
                wrapped: (0..=255).chain([0, 0]).collect(),
                public_jwk: access.then(|| PUBLIC_JWK.to_owned()),
                created_at: after(seconds - 600),
                active_from: after(seconds),
                revoked_at: access.then(|| after(seconds - 300)),
                ..plain
            });
        }
        for key in &written {
            fixture.single().await.insert_key(key).await.unwrap();
        }
        assert_eq!(fixture.read().await.list_keys().await.unwrap(), written);
    }

    async fn keys_stand_in_the_order_in_which_they_become_active(fixture: StoreFixture) {
        let mut keys = Vec::new();
        for (created, active) in [(1, 30), (2, -5), (3, 20), (0, 10)] {
            let made = StoredKey {
                created_at: after(created),
                active_from: after(active),
                ..key(fixture.seed())
            };
            fixture.single().await.insert_key(&made).await.unwrap();
            keys.push(made);
        }
        keys.sort_by_key(|key| key.active_from);
        let found = fixture.read().await.list_keys().await.unwrap();
        assert_eq!(ids(&found), ids(&keys));
    }

    async fn a_key_is_wrapped_anew_put_off_and_revoked_and_nothing_else_changes(fixture: StoreFixture) {
        let (stored, other) = (key(fixture.seed()), key(fixture.seed()));
        for key in [&stored, &other] {
            fixture.single().await.insert_key(key).await.unwrap();
        }
        for revoked_at in [Some(after(60)), None] {
            let wrapped = vec![u8::from(revoked_at.is_some()); 70];
            let changed =
                StoredKey { wrapped, active_from: after(30), revoked_at, ..stored.clone() };
            let given = StoredKey {
                purpose: KeyPurpose::Link,
                algorithm: Algorithm::EdDsa,
                public_jwk: Some(PUBLIC_JWK.to_owned()),
                created_at: after(-60),
                ..changed.clone()
            };
            assert!(fixture.single().await.update_key(&given).await.unwrap());
            let found = fixture.read().await.list_keys().await.unwrap();
            assert_eq!(found, [other.clone(), changed], "in the order as it is then");
        }
    }

    async fn a_key_that_is_not_there_is_not_changed(fixture: StoreFixture) {
        let (stored, other) = (key(fixture.seed()), key(fixture.seed()));
        fixture.single().await.insert_key(&stored).await.unwrap();
        assert!(!fixture.single().await.update_key(&other).await.unwrap());
        assert_eq!(fixture.read().await.list_keys().await.unwrap(), [stored]);
    }

    async fn a_change_of_a_key_is_undone_with_its_unit(fixture: StoreFixture) {
        let stored = key(fixture.seed());
        fixture.single().await.insert_key(&stored).await.unwrap();
        let revoked = StoredKey { revoked_at: Some(after(60)), ..stored.clone() };
        let mut tx = fixture.write().await;
        assert!(tx.update_key(&revoked).await.unwrap());
        assert_eq!(tx.list_keys().await.unwrap(), [revoked]);
        drop(tx);
        assert_eq!(fixture.read().await.list_keys().await.unwrap(), [stored]);
    }

    async fn a_store_without_keys_lists_none(fixture: StoreFixture) {
        assert!(fixture.read().await.list_keys().await.unwrap().is_empty());
    }

    async fn a_store_is_nobodys_until_it_is_used(fixture: StoreFixture) {
        assert_eq!(fixture.read().await.find_instance().await.unwrap(), None);
        assert_eq!(fixture.write().await.find_instance().await.unwrap(), None);
    }

    async fn the_first_proposal_of_an_instance_stands(fixture: StoreFixture) {
        let first =
            Instance { issuer: "https://bücher.example/auth".to_owned(), created_at: after(0) };
        let second = Instance { issuer: "https://b.example".to_owned(), created_at: after(5) };
        for proposed in [&first, &second, &first] {
            let mut tx = fixture.write().await;
            assert_eq!(tx.lock_instance(proposed).await.unwrap(), first);
            assert_eq!(tx.find_instance().await.unwrap().as_ref(), Some(&first));
            tx.commit().await.unwrap();
            assert_eq!(fixture.read().await.find_instance().await.unwrap().as_ref(), Some(&first));
        }
    }

    async fn an_instance_that_was_not_committed_does_not_stand(fixture: StoreFixture) {
        let first = Instance { issuer: "https://a.example".to_owned(), created_at: after(0) };
        fixture.write().await.lock_instance(&first).await.unwrap();
        let second = Instance { issuer: "https://b.example".to_owned(), created_at: after(5) };
        assert_eq!(fixture.write().await.lock_instance(&second).await.unwrap(), second);
    }

    async fn an_instance_gets_another_issuer_and_nothing_else_changes(fixture: StoreFixture) {
        let first = Instance { issuer: "https://a.example".to_owned(), created_at: after(0) };
        let moved = Instance { issuer: "https://bücher.example/auth".to_owned(), ..first.clone() };
        let late = Instance { created_at: after(9), ..first.clone() };
        let mut tx = fixture.write().await;
        tx.lock_instance(&first).await.unwrap();
        tx.commit().await.unwrap();
        for (lasts, stands) in [(false, &first), (true, &moved)] {
            let mut tx = fixture.write().await;
            assert_eq!(tx.lock_instance(&late).await.unwrap(), first);
            tx.set_issuer(&moved.issuer).await.unwrap();
            assert_eq!(tx.find_instance().await.unwrap().as_ref(), Some(&moved));
            if lasts {
                tx.commit().await.unwrap();
            } else {
                drop(tx);
            }
            assert_eq!(fixture.read().await.find_instance().await.unwrap().as_ref(), Some(stands));
        }
    }

    async fn nodes_that_start_together_agree_and_make_one_set_of_keys(fixture: StoreFixture) {
        let seen = race(8, |index| {
            let fixture = fixture.clone();
            let issuer = format!("https://node-{index}.example");
            let proposed = Instance { issuer, created_at: after(0) };
            async move {
                let mut tx = fixture.write().await;
                let instance = tx.lock_instance(&proposed).await.unwrap();
                if tx.list_keys().await.unwrap().is_empty() {
                    tx.insert_key(&key(fixture.seed())).await.unwrap();
                    tx.insert_key(&key(fixture.seed())).await.unwrap();
                }
                tx.commit().await.unwrap();
                instance
            }
        })
        .await;
        let stands = fixture.read().await.find_instance().await.unwrap().unwrap();
        assert!(seen.iter().all(|instance| *instance == stands), "{seen:?}");
        assert_eq!(fixture.read().await.list_keys().await.unwrap().len(), 2);
    }
}
