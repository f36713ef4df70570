//! Login attempts and their results, for the tests of rate limits.

use gateward_domain::ports::Access;
use gateward_domain::rate_limit::BACKOFF_RESET_SECONDS;
use gateward_domain::{Identifier, RequestInfo};
use gateward_testkit::MemoryStore;

use super::mailbox::open_test_app;
use super::test_app::{TestApp, password, policy};
use crate::{LoggedIn, Login, LoginError, RateLimited};

pub(super) const WRONG: &str = "wrong horse";

/// A request from this IP address.
pub(super) fn at(ip: &str) -> RequestInfo {
    RequestInfo { ip: Some(ip.parse().unwrap()), user_agent: None }
}

/// A request from a unique IP address.
pub(super) fn from(number: u32) -> RequestInfo {
    at(&format!("198.51.{}.{}", number / 250, number % 250 + 1))
}

/// A login attempt with this request information.
pub(super) fn attempt(name: &str, text: &str, request_info: RequestInfo) -> Login {
    Login {
        identifier: Identifier::parse(name),
        password: password(text),
        client_name: None,
        known_device_token: None,
        request_info,
    }
}

/// The result of an attempt: `in`, `wrong`, or the number of seconds to wait.
pub(super) fn said(response: Result<LoggedIn, LoginError>) -> String {
    match response {
        Ok(_) => "in".to_owned(),
        Err(LoginError::InvalidCredentials) => "wrong".to_owned(),
        Err(LoginError::RateLimited(RateLimited { retry_after_seconds })) => {
            retry_after_seconds.to_string()
        }
        Err(error) => panic!("{error:?}"),
    }
}

impl TestApp {
    pub(super) async fn try_at(&self, name: &str, text: &str, request_info: RequestInfo) -> String {
        said(self.app.login(attempt(name, text, request_info)).await)
    }

    /// Sends this many wrong passwords, each from another IP address. Asserts that each is reported
    /// as wrong.
    pub(super) async fn attempt_on_name(&self, name: &str, times: u32) {
        for number in 0..times {
            assert_eq!(self.try_at(name, WRONG, from(number)).await, "wrong", "{number}");
        }
    }

    /// Returns the total of all counters.
    pub(super) async fn counts(&self) -> u64 {
        let mut tx = self.store.begin(Access::Write).await.unwrap();
        let all = self.app.now().plus_seconds(10 * BACKOFF_RESET_SECONDS);
        tx.delete_attempt_counters(all, 10_000).await.unwrap()
    }
}

/// A fixture with the account `ada`, and its store.
pub(super) async fn with_ada() -> (TestApp, MemoryStore) {
    let (test_app, memory) = open_test_app(policy()).await;
    test_app.owner("ada", |_| ()).await;
    (test_app, memory)
}
