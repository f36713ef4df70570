//! Promises about known devices: every field is stored, they are found by their account, and are
//! deleted with it.

use gateward_domain::known_device::KnownDevice;
use gateward_domain::link::SecretHash;
use gateward_domain::ports::StoreError;
use gateward_domain::{KnownDeviceId, RequestInfo, Timestamp, User};

use super::StoreFixture;
use super::fixture::{after, race};

async fn listed(fixture: &StoreFixture, user: &User) -> Vec<KnownDevice> {
    fixture.read().await.list_known_devices(user.id, 100).await.unwrap()
}

/// Stores this many devices of the user, ordered by identifier.
async fn some(fixture: &StoreFixture, user: &User, count: usize) -> Vec<KnownDevice> {
    let mut known_devices: Vec<_> = (0..count).map(|_| fixture.known_device(user)).collect();
    for known_device in &known_devices {
        fixture.add_known_device(known_device).await;
    }
    known_devices.sort_by_key(|known_device| known_device.id);
    known_devices
}

fn request_info(ip: &str, user_agent: &str) -> RequestInfo {
    RequestInfo { ip: Some(ip.parse().unwrap()), user_agent: Some(user_agent.to_owned()) }
}

async fn delete(fixture: &StoreFixture, id: KnownDeviceId) -> bool {
    fixture.single().await.delete_known_device(id).await.unwrap()
}

promises! {
    __promises_known_devices;


    async fn every_field_of_a_device_comes_back(fixture: StoreFixture) {
        let user = fixture.user().await;
        let plain = fixture.known_device(&user);
        let rich = KnownDevice {
            secret: SecretHash([0xff; 32]),
            request_info: request_info("2001:db8::7:1", &"Ф".repeat(RequestInfo::USER_AGENT_LEN_MAX)),
            created_at: Timestamp::from_micros(-1),
            last_used_at: after(60),
            expires_at: Timestamp::from_micros(4_102_444_800_000_001),
            ..fixture.known_device(&user)
        };
        let odd = KnownDevice { request_info: request_info("::ffff:192.0.2.1", ""), ..fixture.known_device(&user) };
        let mut written = [plain, rich, odd];
        for known_device in &written {
            fixture.add_known_device(known_device).await;
        }
        written.sort_by_key(|known_device| known_device.id);
        assert_eq!(listed(&fixture, &user).await, written);
    }

    async fn a_device_that_logs_in_again_is_noted_and_nothing_else_changes(fixture: StoreFixture) {
        let user = fixture.user().await;
        let mut known_devices = some(&fixture, &user, 3).await;
        let touched = known_devices.get_mut(1).unwrap();
        for request_info in [request_info("192.0.2.1", "Ünïcode/1.0"), RequestInfo::default()] {
            touched.request_info = request_info;
            touched.last_used_at = touched.last_used_at.plus_seconds(60);
            touched.expires_at = touched.expires_at.plus_seconds(60);
            let KnownDevice { id, request_info, last_used_at, expires_at, .. } = &*touched;
            let mut tx = fixture.single().await;
            assert!(tx.touch_known_device(*id, request_info, *last_used_at, *expires_at).await.unwrap());
        }
        assert_eq!(listed(&fixture, &user).await, known_devices);
    }

    async fn a_device_that_is_not_there_is_not_noted(fixture: StoreFixture) {
        let user = fixture.user().await;
        let known_devices = some(&fixture, &user, 1).await;
        let unknown = fixture.known_device(&user);
        let mut tx = fixture.single().await;
        let noted = tx.touch_known_device(unknown.id, &unknown.request_info, after(5), after(60)).await;
        assert!(!noted.unwrap());
        assert_eq!(listed(&fixture, &user).await, known_devices);
    }

    async fn a_device_is_not_written_over_another(fixture: StoreFixture) {
        let (user, other) = (fixture.user().await, fixture.user().await);
        let known_devices = some(&fixture, &user, 2).await;
        for of in [&user, &other] {
            let known_device = known_devices.first().unwrap();
            let same_id = KnownDevice { id: known_device.id, ..fixture.known_device(of) };
            let same_secret = KnownDevice { secret: known_device.secret, ..fixture.known_device(of) };
            for twice in [same_id, same_secret] {
                let response = fixture.single().await.insert_known_device(&twice).await;
                assert!(matches!(response, Err(StoreError::Unavailable(_))), "{response:?}");
            }
        }
        assert_eq!(listed(&fixture, &user).await, known_devices);
        assert!(listed(&fixture, &other).await.is_empty());
    }

    async fn the_devices_of_an_account_are_listed_in_order_in_time_or_not(fixture: StoreFixture) {
        let (user, other) = (fixture.user().await, fixture.user().await);
        let mut known_devices = some(&fixture, &user, 4).await;
        some(&fixture, &other, 2).await;
        let over = KnownDevice { expires_at: after(-5), ..fixture.known_device(&user) };
        fixture.add_known_device(&over).await;
        known_devices.push(over);
        known_devices.sort_by_key(|known_device| known_device.id);
        for limit in [0, 1, 4, 5, 100] {
            let found = fixture.read().await.list_known_devices(user.id, limit).await.unwrap();
            let count = usize::try_from(limit).unwrap().min(5);
            assert_eq!(Some(found.as_slice()), known_devices.get(..count), "the first {limit}");
        }
        assert!(listed(&fixture, &fixture.stranger()).await.is_empty());
    }

    async fn one_device_is_forgotten(fixture: StoreFixture) {
        let user = fixture.user().await;
        let mut known_devices = some(&fixture, &user, 3).await;
        assert!(!delete(&fixture, fixture.known_device(&user).id).await);
        let gone = known_devices.remove(1);
        assert!(delete(&fixture, gone.id).await);
        assert!(!delete(&fixture, gone.id).await);
        assert_eq!(listed(&fixture, &user).await, known_devices);
        // Its secret is free again.
        fixture.add_known_device(&gone).await;
    }

    async fn all_devices_of_an_account_are_forgotten(fixture: StoreFixture) {
        let (user, other) = (fixture.user().await, fixture.user().await);
        some(&fixture, &user, 3).await;
        let others = some(&fixture, &other, 2).await;
        for deleted in [3, 0] {
            let mut tx = fixture.single().await;
            assert_eq!(tx.delete_user_known_devices(user.id).await.unwrap(), deleted);
        }
        assert!(listed(&fixture, &user).await.is_empty());
        assert_eq!(listed(&fixture, &other).await, others);
    }

    async fn the_devices_of_a_deleted_account_go_with_it(fixture: StoreFixture) {
        let (user, other) = (fixture.user().await, fixture.user().await);
        let known_devices = some(&fixture, &user, 2).await;
        let others = some(&fixture, &other, 2).await;
        let mut tx = fixture.write().await;
        assert!(tx.delete_user(user.id).await.unwrap());
        drop(tx);
        assert_eq!(listed(&fixture, &user).await, known_devices, "undone with the unit");
        assert!(fixture.single().await.delete_user(user.id).await.unwrap());
        assert!(listed(&fixture, &user).await.is_empty());
        assert_eq!(listed(&fixture, &other).await, others);
        for known_device in known_devices {
            assert!(!delete(&fixture, known_device.id).await);
        }
    }

    async fn devices_are_cleaned_up_once_their_time_is_over(fixture: StoreFixture) {
        let user = fixture.user().await;
        let before = after(100);
        for seconds in [50, 99, 100, 101] {
            let known_device = KnownDevice { expires_at: after(seconds), ..fixture.known_device(&user) };
            fixture.add_known_device(&known_device).await;
        }
        // A device that returned expires at the time set then.
        for (until, now) in [(50, 200), (200, 50)] {
            let known_device = KnownDevice { expires_at: after(until), ..fixture.known_device(&user) };
            fixture.add_known_device(&known_device).await;
            let mut tx = fixture.single().await;
            let touched = tx.touch_known_device(known_device.id, &known_device.request_info, after(9), after(now)).await;
            assert!(touched.unwrap());
        }
        assert_eq!(fixture.single().await.delete_known_devices(before, 100).await.unwrap(), 3);
        let left = listed(&fixture, &user).await;
        assert_eq!(left.len(), 3);
        assert!(
            left.iter().all(|known_device| known_device.expires_at >= before),
            "the moment is not before it"
        );
    }

    async fn no_more_devices_are_cleaned_up_than_asked(fixture: StoreFixture) {
        let user = fixture.user().await;
        some(&fixture, &user, 7).await;
        let before = after(KnownDevice::KNOWN_SECONDS + 1);
        for (limit, deleted) in [(0, 0), (3, 3), (3, 3), (3, 1), (3, 0)] {
            assert_eq!(fixture.single().await.delete_known_devices(before, limit).await.unwrap(), deleted);
        }
    }

    async fn of_racing_callers_exactly_one_forgets_a_device(fixture: StoreFixture) {
        let user = fixture.user().await;
        for known_device in some(&fixture, &user, 5).await {
            let deleted = race(8, |_| {
                let fixture = fixture.clone();
                async move { delete(&fixture, known_device.id).await }
            })
            .await;
            assert_eq!(deleted.iter().filter(|deleted| **deleted).count(), 1);
        }
    }
}
