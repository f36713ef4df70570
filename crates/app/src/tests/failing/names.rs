//! Row E2 in part: what is asked of the store tells nobody which names there are.

use std::sync::Arc;

use gateward_domain::ports::NoKnowledge;
use gateward_domain::throttle::MEMORY_SECONDS;
use gateward_testkit::MemoryStore;

use super::store::FailingStore;
use crate::Login;
use crate::tests::fakes::{PASSWORD, policy, put_access_key, world_that};
use crate::tests::throttles::{attempt, from};

#[tokio::test]
async fn e2_a_name_without_an_account_asks_the_same_of_the_store() {
    let inner = MemoryStore::new();
    put_access_key(&inner).await;
    let store = FailingStore::new(inner);
    let world = world_that(policy(), Arc::new(store.clone()), Arc::new(NoKnowledge)).await;
    world.owner("ada", |_| ()).await;
    world.owner("eve", |user| user.disabled = true).await;
    let device_token = world.login("ada", PASSWORD).await.unwrap().device_token;
    for device_token in [None, Some(device_token)] {
        let mut asked = Vec::new();
        world.clock.advance_seconds(MEMORY_SECONDS);
        for name in ["nobody", "eve", "nobody@example.org", "ada@example.org"] {
            let known = device_token.is_some() && name.starts_with("ada");
            let mut calls = Vec::new();
            for number in 0..12 {
                store.fail_at(None);
                let login = Login {
                    device_token: device_token.clone(),
                    ..attempt(name, "wrong horse", from(number))
                };
                world.app.login(login).await.unwrap_err();
                calls.push(store.calls());
            }
            if !known {
                asked.push(calls);
            }
        }
        assert!(asked.iter().all(|calls| *calls == asked[0]), "{asked:?}");
        assert!(asked[0][0] > asked[0][11], "who waits costs less");
    }
}
