//! Promises about known clients: they are kept whole, found with their account, and go with it.

use gateward_domain::client::KnownClient;
use gateward_domain::link::SecretHash;
use gateward_domain::ports::StoreError;
use gateward_domain::{ClientId, Origin, Timestamp, User};

use super::Stage;
use super::stage::{after, race};

/// The clients of the account.
async fn listed(stage: &Stage, user: &User) -> Vec<KnownClient> {
    stage.read().await.list_user_clients(user.id, 100).await.unwrap()
}

/// So many clients of the user that are stored, in the order of their identifiers.
async fn some(stage: &Stage, user: &User, count: usize) -> Vec<KnownClient> {
    let mut clients: Vec<_> = (0..count).map(|_| stage.client(user)).collect();
    for client in &clients {
        stage.add_client(client).await;
    }
    clients.sort_by_key(|client| client.id);
    clients
}

/// Where a client is.
fn origin(ip: &str, user_agent: &str) -> Origin {
    Origin { ip: Some(ip.parse().unwrap()), user_agent: Some(user_agent.to_owned()) }
}

/// Deletes a client.
async fn delete(stage: &Stage, id: ClientId) -> bool {
    stage.single().await.delete_client(id).await.unwrap()
}

promises! {
    __promises_clients;


    async fn every_field_of_a_client_comes_back(stage: Stage) {
        let user = stage.user().await;
        let plain = stage.client(&user);
        let rich = KnownClient {
            secret: SecretHash([0xff; 32]),
            origin: origin("2001:db8::7:1", &"Ф".repeat(Origin::USER_AGENT_LEN_MAX)),
            created_at: Timestamp::from_micros(-1),
            last_used_at: after(60),
            expires_at: Timestamp::from_micros(4_102_444_800_000_001),
            ..stage.client(&user)
        };
        let odd = KnownClient { origin: origin("::ffff:192.0.2.1", ""), ..stage.client(&user) };
        let mut written = [plain, rich, odd];
        for client in &written {
            stage.add_client(client).await;
        }
        written.sort_by_key(|client| client.id);
        assert_eq!(listed(&stage, &user).await, written);
    }

    async fn a_client_that_logs_in_again_is_noted_and_nothing_else_changes(stage: Stage) {
        let user = stage.user().await;
        let mut clients = some(&stage, &user, 3).await;
        let touched = clients.get_mut(1).unwrap();
        for origin in [origin("192.0.2.1", "Ünïcode/1.0"), Origin::default()] {
            touched.origin = origin;
            touched.last_used_at = touched.last_used_at.plus_seconds(60);
            touched.expires_at = touched.expires_at.plus_seconds(60);
            let KnownClient { id, origin, last_used_at, expires_at, .. } = &*touched;
            let mut tx = stage.single().await;
            assert!(tx.touch_client(*id, origin, *last_used_at, *expires_at).await.unwrap());
        }
        assert_eq!(listed(&stage, &user).await, clients);
    }

    async fn a_client_that_is_not_there_is_not_noted(stage: Stage) {
        let user = stage.user().await;
        let clients = some(&stage, &user, 1).await;
        let unknown = stage.client(&user);
        let mut tx = stage.single().await;
        let noted = tx.touch_client(unknown.id, &unknown.origin, after(5), after(60)).await;
        assert!(!noted.unwrap());
        assert_eq!(listed(&stage, &user).await, clients);
    }

    async fn a_client_is_not_written_over_another(stage: Stage) {
        let (user, other) = (stage.user().await, stage.user().await);
        let clients = some(&stage, &user, 2).await;
        for of in [&user, &other] {
            let client = clients.first().unwrap();
            let same_id = KnownClient { id: client.id, ..stage.client(of) };
            let same_secret = KnownClient { secret: client.secret, ..stage.client(of) };
            for twice in [same_id, same_secret] {
                let answer = stage.single().await.insert_client(&twice).await;
                assert!(matches!(answer, Err(StoreError::Unavailable(_))), "{answer:?}");
            }
        }
        assert_eq!(listed(&stage, &user).await, clients);
        assert!(listed(&stage, &other).await.is_empty());
    }

    async fn the_clients_of_an_account_are_listed_in_order_in_time_or_not(stage: Stage) {
        let (user, other) = (stage.user().await, stage.user().await);
        let mut clients = some(&stage, &user, 4).await;
        some(&stage, &other, 2).await;
        let over = KnownClient { expires_at: after(-5), ..stage.client(&user) };
        stage.add_client(&over).await;
        clients.push(over);
        clients.sort_by_key(|client| client.id);
        for limit in [0, 1, 4, 5, 100] {
            let found = stage.read().await.list_user_clients(user.id, limit).await.unwrap();
            let count = usize::try_from(limit).unwrap().min(5);
            assert_eq!(Some(found.as_slice()), clients.get(..count), "the first {limit}");
        }
        assert!(listed(&stage, &stage.stranger()).await.is_empty());
    }

    async fn one_client_is_forgotten(stage: Stage) {
        let user = stage.user().await;
        let mut clients = some(&stage, &user, 3).await;
        assert!(!delete(&stage, stage.client(&user).id).await);
        let gone = clients.remove(1);
        assert!(delete(&stage, gone.id).await);
        assert!(!delete(&stage, gone.id).await);
        assert_eq!(listed(&stage, &user).await, clients);
        // Its secret is nobody's again.
        stage.add_client(&gone).await;
    }

    async fn all_clients_of_an_account_are_forgotten(stage: Stage) {
        let (user, other) = (stage.user().await, stage.user().await);
        some(&stage, &user, 3).await;
        let others = some(&stage, &other, 2).await;
        for deleted in [3, 0] {
            let mut tx = stage.single().await;
            assert_eq!(tx.delete_user_clients(user.id).await.unwrap(), deleted);
        }
        assert!(listed(&stage, &user).await.is_empty());
        assert_eq!(listed(&stage, &other).await, others);
    }

    async fn the_clients_of_a_deleted_account_go_with_it(stage: Stage) {
        let (user, other) = (stage.user().await, stage.user().await);
        let clients = some(&stage, &user, 2).await;
        let others = some(&stage, &other, 2).await;
        let mut tx = stage.write().await;
        assert!(tx.delete_user(user.id).await.unwrap());
        drop(tx);
        assert_eq!(listed(&stage, &user).await, clients, "undone with the unit");
        assert!(stage.single().await.delete_user(user.id).await.unwrap());
        assert!(listed(&stage, &user).await.is_empty());
        assert_eq!(listed(&stage, &other).await, others);
        for client in clients {
            assert!(!delete(&stage, client.id).await);
        }
    }

    async fn clients_are_swept_once_their_time_is_over(stage: Stage) {
        let user = stage.user().await;
        let before = after(100);
        for seconds in [50, 99, 100, 101] {
            let client = KnownClient { expires_at: after(seconds), ..stage.client(&user) };
            stage.add_client(&client).await;
        }
        // A client that has come back is over when it says so then.
        for (until, now) in [(50, 200), (200, 50)] {
            let client = KnownClient { expires_at: after(until), ..stage.client(&user) };
            stage.add_client(&client).await;
            let mut tx = stage.single().await;
            let touched = tx.touch_client(client.id, &client.origin, after(9), after(now)).await;
            assert!(touched.unwrap());
        }
        assert_eq!(stage.single().await.delete_clients(before, 100).await.unwrap(), 3);
        let left = listed(&stage, &user).await;
        assert_eq!(left.len(), 3);
        assert!(
            left.iter().all(|client| client.expires_at >= before),
            "the moment is not before it"
        );
    }

    async fn no_more_clients_are_swept_than_asked(stage: Stage) {
        let user = stage.user().await;
        some(&stage, &user, 7).await;
        let before = after(KnownClient::KNOWN_SECONDS + 1);
        for (limit, deleted) in [(0, 0), (3, 3), (3, 3), (3, 1), (3, 0)] {
            assert_eq!(stage.single().await.delete_clients(before, limit).await.unwrap(), deleted);
        }
    }

    async fn of_racing_callers_exactly_one_forgets_a_client(stage: Stage) {
        let user = stage.user().await;
        for client in some(&stage, &user, 5).await {
            let deleted = race(8, |_| {
                let stage = stage.clone();
                async move { delete(&stage, client.id).await }
            })
            .await;
            assert_eq!(deleted.iter().filter(|deleted| **deleted).count(), 1);
        }
    }
}
