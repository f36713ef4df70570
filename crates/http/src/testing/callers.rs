//! The accounts of a `TestApp` and their clients: programs with tokens, and browsers with cookies.

use actix_web::http::StatusCode;
use actix_web::test::TestRequest;
use gateward_app::domain::{EmailAddress, Password, RequestInfo, Username};
use gateward_app::{NewAccount, Signup};
use serde_json::json;

use super::{PASSWORD, TestApp, TestResponse, login};

/// A user with the tokens of a session.
pub(crate) struct LoggedIn {
    pub(crate) access: String,
    pub(crate) refresh: String,
    pub(crate) session_id: String,
    pub(crate) user_id: String,
}

impl LoggedIn {
    /// A request with the access token.
    pub(crate) fn sends(&self, request: TestRequest) -> TestRequest {
        request.insert_header(("authorization", format!("Bearer {}", self.access)))
    }
}

/// A browser with the cookies of a session.
#[derive(Clone, Debug)]
pub(crate) struct Browser {
    pub(crate) access: String,
    pub(crate) refresh: String,
    pub(crate) csrf: String,
    pub(crate) session_id: String,
}

impl Browser {
    /// Creates a browser with the cookies of a response.
    pub(crate) fn of(response: &TestResponse) -> Self {
        let cookie = |name| response.cookie(name).to_owned();
        Self {
            access: cookie("__Host-gateward-access"),
            refresh: cookie("__Secure-gateward-refresh"),
            csrf: cookie("__Host-gateward-csrf"),
            session_id: response.text_of("session_id").to_owned(),
        }
    }

    /// A request with the cookies for this path, without the CSRF token.
    pub(crate) fn bare(&self, method: &str, path: &str) -> TestRequest {
        let Self { access, refresh, csrf, .. } = self;
        let refresh = match path {
            "/v1/refresh" => format!("__Secure-gateward-refresh={refresh}; "),
            _ => String::new(),
        };
        let line = format!(
            "theirs=1; __Host-gateward-access={access}; {refresh}__Host-gateward-csrf={csrf}"
        );
        let request = TestRequest::default().method(method.parse().unwrap()).uri(path);
        request.insert_header(("cookie", line))
    }

    /// A request of our own page: with the cookies for this path and the CSRF token.
    pub(crate) fn request(&self, method: &str, path: &str) -> TestRequest {
        self.bare(method, path).insert_header(("x-csrf-token", self.csrf.as_str()))
    }
}

impl TestApp {
    pub(crate) async fn sign_up(&self, username: &str, email: &str) {
        let signup = Signup {
            username: Username::parse(username).unwrap(),
            email: EmailAddress::parse(email).unwrap(),
            password: Password::received(PASSWORD.to_owned()).unwrap(),
            request_info: RequestInfo::default(),
        };
        self.app.core().signup(signup).await.unwrap();
    }

    /// Creates an account as an operator does.
    pub(crate) async fn create_user(&self, name: &str, admin: bool) {
        let account = NewAccount {
            username: Username::parse(name).unwrap(),
            email: EmailAddress::parse(&format!("{name}@example.org")).unwrap(),
            password: Password::received(PASSWORD.to_owned()).unwrap(),
            admin,
        };
        self.app.core().create_user(account).await.unwrap();
    }

    /// Creates an account and logs in to it.
    pub(crate) async fn user(&self, name: &str) -> LoggedIn {
        self.create_user(name, false).await;
        self.log_in(name, "First/1").await
    }

    /// Creates the account of an administrator and logs in to it.
    pub(crate) async fn admin(&self, name: &str) -> LoggedIn {
        self.create_user(name, true).await;
        self.log_in(name, "First/1").await
    }

    /// Logs in with this user agent.
    pub(crate) async fn log_in(&self, name: &str, agent: &'static str) -> LoggedIn {
        let body = json!({ "username": name, "password": PASSWORD });
        let request = TestRequest::post().uri("/v1/login").insert_header(("user-agent", agent));
        let response = self.send(request.set_json(body)).await.is(StatusCode::OK);
        LoggedIn {
            access: response.text_of("access_token").to_owned(),
            refresh: response.text_of("refresh_token").to_owned(),
            session_id: response.text_of("session_id").to_owned(),
            user_id: response.json()["user"]["id"].as_str().unwrap().to_owned(),
        }
    }

    /// Logs `ada` in in bearer mode and returns the response.
    pub(crate) async fn bearer(&self) -> TestResponse {
        self.send(login("bearer")).await.is(StatusCode::OK)
    }

    /// Logs `ada` in in cookie mode.
    pub(crate) async fn browser(&self) -> Browser {
        Browser::of(&self.send(login("cookie")).await.is(StatusCode::OK))
    }
}
