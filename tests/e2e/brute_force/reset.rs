//! What resets a counter, and what does not.

use gateward_e2e::{Database, PASSWORD, on_both};
use serde_json::json;

use super::attack::{BruteForceAttack, GUARDED, HOME, NEW, WRONG, address, login, wait_of};
use crate::support::inbox::{link_token, wait_for_email};
use crate::support::password_reset::forgot;
use crate::support::test_server::TestServer;

on_both!(l1_a_success_resets_name_and_pair, l2_an_address_and_a_name_of_one_account_count_apart,);

/// Rows L1 and L2: a user who mistypes now and then never waits.
async fn l1_a_success_resets_name_and_pair(kind: Database) {
    let attack = BruteForceAttack::lay(kind, &[]).await;
    attack.begin("ada").await;
    for _ in 0..3 {
        for _ in 0..4 {
            attack.login(HOME, "ada", WRONG).await.is(401, "invalid_credentials");
        }
        assert_eq!(attack.login(HOME, "ADA", PASSWORD).await.status, 200);
    }
    for _ in 0..3 {
        attack.wear_out("ada", 9).await;
        assert_eq!(attack.login(HOME, "ada", PASSWORD).await.status, 200);
    }
    // Without a success they wait.
    attack.wear_out("ada", 10).await;
    wait_of(&attack.login(HOME, "ada", PASSWORD).await);
}

/// Row L2: otherwise an attacker could learn which email address belongs to which username.
async fn l2_an_address_and_a_name_of_one_account_count_apart(kind: Database) {
    let attack = BruteForceAttack::lay(kind, &[]).await;
    attack.begin("ada").await;
    attack.wear_out("ada", 10).await;
    wait_of(&attack.login(HOME, "ada", PASSWORD).await);
    attack.wear_out("ada@example.org", 9).await;
    let owner = attack.login(HOME, "ADA@example.org", PASSWORD).await;
    assert_eq!(owner.status, 200, "{owner:?}");
}

/// Row L2: the recovery for an owner without a known device.
#[tokio::test]
async fn l2_a_reset_by_mail_resets_the_names_of_the_account() {
    let server = TestServer::with(&GUARDED).await;
    let client = &server.client;
    assert_eq!(client.signup("ada").await.status, 201);
    for name in ["ada", "ada@example.org"] {
        for number in 0..10 {
            let from = if number < 5 { HOME.to_owned() } else { address(number) };
            login(client, &from, name, WRONG).await.is(401, "invalid_credentials");
        }
        wait_of(&login(client, HOME, name, PASSWORD).await);
        wait_of(&login(client, "203.0.113.1", name, PASSWORD).await);
    }
    forgot(client, "ada@example.org").await;
    let message = wait_for_email(client, "ada@example.org", "Reset your password", 1).await;
    let body = json!({"token": link_token(&message), "new_password": NEW});
    let reset = client.post("/v1/password/reset", &body).header("x-forwarded-for", HOME);
    assert_eq!(client.send(reset).await.status, 204);
    for name in ["ada", "ada@example.org"] {
        for from in [HOME, "203.0.113.1"] {
            let response = login(client, from, name, NEW).await;
            assert_eq!(response.status, 200, "{response:?}");
        }
    }
}
