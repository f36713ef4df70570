//! Prepares the data that each request finds: accounts, sessions, links, codes.

use actix_web::http::header::HeaderMap;
use actix_web::test::TestRequest;
use gateward_domain::{EmailAddress, Password, Username};
use gateward_http::app::NewAccount;
use serde_json::{Value, json};

use crate::Variables;
use crate::service::{CLIENT_SECRET, PASSWORD, Parts, send};

/// The response to a request of the preparation.
struct Reply {
    headers: HeaderMap,
    body: Value,
}

impl Reply {
    fn text(&self, pointer: &str) -> &str {
        let text = self.body.pointer(pointer).and_then(Value::as_str);
        text.unwrap_or_else(|| panic!("no {pointer} in {}", self.body))
    }

    /// The cookies, as a browser sends them.
    fn cookies(&self) -> String {
        let lines = self.headers.get_all("set-cookie").map(|line| line.to_str().unwrap());
        let pairs: Vec<&str> = lines.map(|line| line.split(';').next().unwrap()).collect();
        pairs.join("; ")
    }

    fn cookie(&self, name: &str) -> String {
        let cookies = self.cookies();
        let mut pairs = cookies.split("; ").filter_map(|pair| pair.split_once('='));
        pairs.find(|(other, _)| *other == name).expect("the cookie is set").1.to_owned()
    }
}

impl Parts<'_> {
    /// Posts JSON, which must succeed.
    async fn post(&self, path: &str, token: &str, body: &Value) -> Reply {
        self.call("POST", path, token, body).await
    }

    async fn call(&self, method: &str, path: &str, token: &str, body: &Value) -> Reply {
        let request = TestRequest::default().method(method.parse().unwrap()).uri(path);
        let request = match token {
            "" => request,
            token => request.insert_header(("authorization", format!("Bearer {token}"))),
        };
        let (status, headers, body) = send(self.wires, path, request.set_json(body)).await;
        let text = String::from_utf8_lossy(&body);
        assert!((200..300).contains(&status), "{method} {path}: {status} {text}");
        Reply { headers, body: serde_json::from_slice(&body).unwrap_or_default() }
    }

    async fn log_in(&self, username: &str) -> Reply {
        self.post("/v1/login", "", &json!({"identifier": username, "password": PASSWORD})).await
    }

    /// Sends the waiting emails, and names their links and codes.
    async fn deliver(&self, variables: &mut Variables) {
        loop {
            let emails = self.core.lease_outbox_emails(100).await.unwrap();
            if emails.is_empty() {
                break;
            }
            for email in emails {
                self.core.deliver(email).await.unwrap();
            }
        }
        for email in self.mailbox.emails() {
            let Some((url, token)) = email.link.as_deref().and_then(|link| link.split_once('#'))
            else {
                continue;
            };
            let page = url.rsplit('/').next().unwrap();
            let token = token.strip_prefix("token=").unwrap();
            let code = email.code.as_ref().map_or("", |code| code.expose());
            let (link_name, code_name) = match page {
                "confirm-email" if email.to.as_str().starts_with("new.") => ("new_email", "new"),
                "confirm-email" => ("confirm_token", CONFIRM_CODE),
                "undo-email-change" => ("undo_token", ""),
                "reset-password" => ("reset_token", RESET_CODE),
                "not-me" => ("not_me_token", ""),
                "accept-invitation" => ("invitation_token", ""),
                page => panic!("no variable for {page}"),
            };
            variables.set(link_name, token);
            variables.set(code_name, code);
        }
    }
}

/// The names that `docs/gateward.http` has for the codes of emails.
const CONFIRM_CODE: &str = "inbox.response.body.$.items[0].code";
const RESET_CODE: &str = "second_inbox.response.body.$.items[0].code";

/// Prepares the data, and names what a request may need by the names of `docs/gateward.http`.
pub(crate) async fn prepare(parts: &Parts<'_>) -> Variables {
    let mut variables = Variables::default();
    for (name, value) in [
        ("host", ""),
        ("username", "ada"),
        ("email", "ada@example.org"),
        ("password", PASSWORD),
        ("new_password", "staple and a paper clip"),
        ("admin", "grace"),
        ("client", "api"),
        ("client_secret", CLIENT_SECRET),
    ] {
        variables.set(name, value);
    }
    let ada = json!({"username": "ada", "email": "ada@example.org", "password": PASSWORD});
    parts.post("/v1/signup", "", &ada).await;
    sessions_of_ada(parts, &mut variables).await;
    administration(parts, &mut variables).await;
    parts.deliver(&mut variables).await;
    variables
}

async fn sessions_of_ada(parts: &Parts<'_>, variables: &mut Variables) {
    let login = parts.log_in("ada").await;
    let access = login.text("/access_token").to_owned();
    for name in ["", "next_", "recent_", "second_", "last_", "farewell_"] {
        variables.set(&format!("{name}access_token"), &access);
    }
    for name in ["refresh_token", "next_refresh_token", "second_refresh_token"] {
        variables.set(name, login.text("/refresh_token"));
    }
    variables.set("session_id", login.text("/session_id"));
    variables.set("known_device_token", login.text("/known_device_token"));

    let other = parts.log_in("ada").await;
    let spent = json!({"refresh_token": other.text("/refresh_token")});
    parts.post("/v1/refresh", "", &spent).await;
    variables.set("other_session_id", other.text("/session_id"));
    variables.set("spent_refresh_token", other.text("/refresh_token"));
    variables.set("other_access_token", other.text("/access_token"));

    let by_cookie = json!({"identifier": "ada", "password": PASSWORD, "transport": "cookie"});
    let browser = parts.post("/v1/login", "", &by_cookie).await;
    variables.set("cookies", browser.cookies());
    variables.set("cookie_token", browser.cookie("__Host-gateward-access"));
    variables.set("csrf", browser.cookie("__Host-gateward-csrf"));
    let credentials = json!({"username": "ada", "password": PASSWORD});
    let browser = parts.post("/flask-cookie/login", "", &credentials).await;
    variables.set("flask_cookies", browser.cookies());
    variables.set("flask_csrf", browser.cookie("csrf_access_token"));
    variables.set("flask_refresh_csrf", browser.cookie("csrf_refresh_token"));

    parts.post("/v1/password/forgot", "", &json!({"email": "ada@example.org"})).await;
    let change = json!({"new_email": "new.ada@example.org", "password": PASSWORD});
    parts.post("/v1/me/email", &access, &change).await;
}

async fn administration(parts: &Parts<'_>, variables: &mut Variables) {
    let grace = NewAccount {
        username: Username::parse("grace").unwrap(),
        email: EmailAddress::parse("grace@example.org").unwrap(),
        password: Password::received(PASSWORD.to_owned()).unwrap(),
        admin: true,
    };
    parts.core.create_user(grace).await.unwrap();
    let login = parts.log_in("grace").await;
    let access = login.text("/access_token").to_owned();
    variables.set("admin_access_token", &access);
    variables.set("admin_id", login.text("/user/id"));
    // A confirmed account logs in from a new device, so that an email reports it.
    let second = parts.log_in("grace").await;
    variables.set("admin_session_id", second.text("/session_id"));
    let role = json!({"permissions": ["sessions:read", "users:read"]});
    parts.call("PUT", "/v1/roles/support", &access, &role).await;
    let guest = json!({"username": "guest", "email": "guest@example.org", "roles": ["support"]});
    let guest = parts.post("/v1/users", &access, &guest).await;
    variables.set("guest_id", guest.text("/id"));
}
