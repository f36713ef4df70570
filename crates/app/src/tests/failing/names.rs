//! Row E2 in part: the queries do not reveal which usernames exist.

use std::sync::Arc;

use gateward_domain::ports::NoAuthCache;
use gateward_domain::rate_limit::BACKOFF_RESET_SECONDS;
use gateward_testkit::MemoryStore;

use super::store::FailingStore;
use crate::Login;
use crate::tests::attempts::{attempt, from};
use crate::tests::test_app::{PASSWORD, policy, put_access_key, test_app_that};

#[tokio::test]
async fn e2_a_name_without_an_account_asks_the_same_of_the_store() {
    let inner = MemoryStore::new();
    put_access_key(&inner).await;
    let store = FailingStore::new(inner);
    let test_app = test_app_that(policy(), Arc::new(store.clone()), Arc::new(NoAuthCache)).await;
    test_app.owner("ada", |_| ()).await;
    test_app.owner("eve", |user| user.disabled = true).await;
    let known_device_token = test_app.login("ada", PASSWORD).await.unwrap().known_device_token;
    for known_device_token in [None, Some(known_device_token)] {
        let mut asked = Vec::new();
        test_app.clock.advance_seconds(BACKOFF_RESET_SECONDS);
        for name in ["nobody", "eve", "nobody@example.org", "ada@example.org"] {
            let known = known_device_token.is_some() && name.starts_with("ada");
            let mut calls = Vec::new();
            for number in 0..12 {
                store.fail_at(None);
                let login = Login {
                    known_device_token: known_device_token.clone(),
                    ..attempt(name, "wrong horse", from(number))
                };
                test_app.app.login(login).await.unwrap_err();
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
