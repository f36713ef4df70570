//! `Victim`: a user with all permissions, and every request that their cookies authorize.

use gateward_e2e::{Client, PASSWORD, TestResponse};
use reqwest::{Method, RequestBuilder};
use serde_json::{Value, json};

use crate::support::commands::said;
use crate::support::cookie_jar::{CSRF, CookieJar};
use crate::support::inbox::{emails, link_token, wait_for_email};
use crate::support::test_server::TestServer;

/// An administrator with two sessions and a pending email address change.
pub(super) struct Victim<'a> {
    client: &'a Client,
    pub(super) name: String,
    pub(super) cookie_jar: CookieJar,
    pub(super) other: CookieJar,
    /// The token of the email that confirms the email address.
    link: String,
    /// A user whom they administer.
    pub(super) guest: Guest,
    /// An account that is disabled.
    shut_id: String,
}

/// A logged-in user without permissions.
pub(super) struct Guest {
    name: String,
    id: String,
    session_id: String,
}

/// A state-changing request by cookie.
pub(super) struct Act {
    pub(super) method: Method,
    /// The path as the document writes it.
    pub(super) template: &'static str,
    pub(super) path: String,
    pub(super) body: Value,
}

impl Guest {
    async fn new(client: &Client, name: &str) -> Self {
        let name = format!("guest-{name}");
        let pair = client.begin(&name).await;
        let id = pair.body["user"]["id"].as_str().unwrap().to_owned();
        Self { name, id, session_id: pair.text_of("session_id").to_owned() }
    }

    pub(super) fn email(&self) -> String {
        format!("{}@example.org", self.name)
    }
}

impl<'a> Victim<'a> {
    pub(super) async fn new(server: &'a TestServer, name: &str) -> Self {
        let client = &server.client;
        let cookie_jar = CookieJar::begin(client, name).await;
        said(&server.command(&["user", "grant", name, "admin"]).await);
        let bearer = client.login(name, PASSWORD).await;
        client.until_role(bearer.access(), "admin").await;
        client.logout(bearer.refresh_token()).await;
        let other = CookieJar::login(client, name).await;
        let email = format!("{name}@example.org");
        let message = wait_for_email(client, &email, "Confirm your email address", 1).await;
        let link = link_token(&message).to_owned();
        let guest = Guest::new(client, name).await;
        let name = name.to_owned();
        let mut victim =
            Self { client, name, cookie_jar, other, link, guest, shut_id: String::new() };
        victim.prepare().await;
        victim
    }

    /// Creates an account that can be enabled, and a role that can be deleted.
    async fn prepare(&mut self) {
        let name = format!("shut-{}", self.name);
        let whom = json!({"username": name, "email": format!("{name}@example.org")});
        let shut = self.admin(Method::POST, "users", whom).await;
        shut.text_of("id").clone_into(&mut self.shut_id);
        let path = format!("users/{}/disable", self.shut_id);
        self.admin(Method::POST, &path, json!({})).await;
        let role = json!({"permissions": []});
        self.admin(Method::PUT, &format!("roles/{}", self.spare()), role).await;
    }

    async fn admin(&self, method: Method, path: &str, body: Value) -> TestResponse {
        let request =
            self.cookie_jar.request(self.client, method, &format!("/v1/{path}")).json(&body);
        let response = self.client.send(request).await;
        assert!(response.status.is_success(), "{path}: {response:?}");
        response
    }

    /// A role without members.
    fn spare(&self) -> String {
        format!("spare-{}", self.name)
    }

    /// Every state-changing request by cookie, each with a valid body.
    pub(super) fn acts(&self) -> Vec<Act> {
        let mut acts = self.own_acts();
        acts.extend(self.acts_on_others());
        acts.extend(self.acts_on_roles());
        acts
    }

    /// Actions on themselves.
    fn own_acts(&self) -> Vec<Act> {
        let act = |method, template: &'static str, body| {
            let path = template.replace("{id}", &self.other.session_id);
            Act { method, template, path, body }
        };
        let password = json!({"password": PASSWORD});
        let changed = json!({"current_password": PASSWORD, "new_password": "another long one"});
        let moved = json!({"new_email": self.moved(), "password": PASSWORD});
        let renamed = json!({"username": format!("not-{}", self.name)});
        vec![
            act(Method::PATCH, "/v1/me", renamed),
            act(Method::DELETE, "/v1/me", password.clone()),
            act(Method::POST, "/v1/me/email", moved),
            act(Method::POST, "/v1/me/password", changed),
            act(Method::POST, "/v1/me/reauthenticate", password),
            act(Method::DELETE, "/v1/me/sessions/{id}", Value::Null),
            act(Method::POST, "/v1/email/confirm", json!({"token": self.link})),
            act(Method::POST, "/v1/refresh", Value::Null),
            act(Method::POST, "/v1/logout-all", Value::Null),
            act(Method::POST, "/v1/logout", Value::Null),
        ]
    }

    /// Actions on other accounts.
    fn acts_on_others(&self) -> Vec<Act> {
        let act = |method, template: &'static str, body| {
            let id = if template.ends_with("/enable") { &self.shut_id } else { &self.guest.id };
            let path = template.replace("{id}", id).replace("{sid}", &self.guest.session_id);
            Act { method, template, path, body }
        };
        let invited = self.invited();
        let invited = json!({"username": invited, "email": format!("{invited}@example.org")});
        let renamed = json!({"username": format!("not-{}", self.guest.name)});
        vec![
            act(Method::POST, "/v1/users", invited),
            act(Method::PATCH, "/v1/users/{id}", renamed),
            act(Method::DELETE, "/v1/users/{id}", Value::Null),
            act(Method::POST, "/v1/users/{id}/disable", Value::Null),
            act(Method::POST, "/v1/users/{id}/enable", Value::Null),
            act(Method::POST, "/v1/users/{id}/reset-password", Value::Null),
            act(Method::PUT, "/v1/users/{id}/roles", json!({"roles": [self.spare()]})),
            act(Method::DELETE, "/v1/users/{id}/sessions", Value::Null),
            act(Method::DELETE, "/v1/users/{id}/sessions/{sid}", Value::Null),
        ]
    }

    /// Actions on roles.
    fn acts_on_roles(&self) -> Vec<Act> {
        let act = |method, name, body| {
            let template = "/v1/roles/{name}";
            Act { method, template, path: template.replace("{name}", name), body }
        };
        let made = json!({"permissions": ["users:read"]});
        vec![
            act(Method::PUT, &format!("made-{}", self.name), made),
            act(Method::DELETE, &self.spare(), Value::Null),
        ]
    }

    /// The target of a forged email address change.
    fn moved(&self) -> String {
        format!("not-{}@example.org", self.name)
    }

    /// The email address that a forged invitation would go to.
    fn invited(&self) -> String {
        format!("invited-{}", self.name)
    }

    /// A request with the cookies that a browser adds, and no CSRF token.
    pub(super) fn bare(&self, act: &Act) -> RequestBuilder {
        let request = self.cookie_jar.bare(self.client, act.method.clone(), &act.path);
        if act.body.is_null() { request } else { request.json(&act.body) }
    }

    /// The same with the CSRF token.
    pub(super) fn request(&self, act: &Act) -> RequestBuilder {
        self.bare(act).header("x-csrf-token", self.cookie_jar.get(CSRF))
    }

    /// The state that any successful action would change.
    pub(super) async fn state(&self) -> Vec<Value> {
        let (guest, shut) = (&self.guest.id, &self.shut_id);
        let mut state = Vec::new();
        for path in [
            "me".to_owned(),
            "me/sessions".to_owned(),
            format!("users/{guest}"),
            format!("users/{guest}/sessions"),
            format!("users/{shut}"),
            format!("users?q={}", self.invited()),
            "roles?limit=100".to_owned(),
        ] {
            let path = format!("/v1/{path}");
            let response = self.send(self.cookie_jar.bare(self.client, Method::GET, &path)).await;
            // The guest may have been deleted.
            let is_gone = response.status == 404 && path.contains(guest);
            assert!(response.status == 200 || is_gone, "{path}: {response:?}");
            state.push(response.body);
        }
        state
    }

    /// Asserts that the state is unchanged, without hidden effects.
    pub(super) async fn is_untouched(&self, before: &[Value]) {
        assert_eq!(&self.state().await, before);
        for message in emails(self.client).await {
            let (to, text) = (&message["to"], message["text"].as_str().unwrap());
            assert!(*to != self.moved() && !text.starts_with("Your password was"), "{message:#?}");
            assert!(!text.starts_with("Reset your password"), "{message:#?}");
        }
        // The refresh token is unused, and the password is unchanged.
        let response = self.other.refresh(self.client, None).await;
        assert_eq!(response.status, 200, "{response:?}");
        let response = self.cookie_jar.refresh(self.client, None).await;
        assert_eq!(response.status, 200, "{response:?}");
        assert_eq!(self.client.login(&self.name, PASSWORD).await.status, 200);
    }

    pub(super) async fn send(&self, request: RequestBuilder) -> TestResponse {
        self.client.send(request).await
    }
}

impl Act {
    pub(super) fn name(&self) -> String {
        format!("{} {}", self.method, self.template)
    }
}
