//! Row W14: the content of emails, and what an SMTP server receives, appears in no log either.

mod smtp_servers;

use std::net::TcpListener;
use std::time::Duration;

use futures_util::future::join_all;
use gateward_e2e::{Client, Database, Node, Plan, TestDatabase, TestResponse, on_both, run};
use regex::Regex;
use reqwest::Method;
use serde_json::{Value, json};

use crate::support::canaries::{NEW_PASSWORD, PASSWORD, WRONG_PASSWORD, is_not_in, whole_lines};
use crate::support::commands::{create, said};
use crate::support::pages::PATHS;

on_both!(w14_no_secret_of_an_email_stands_in_the_log);

/// Every level with each of the line formats.
const LEVELS: [(&str, &str); 6] = [
    ("trace", "json"),
    ("trace", "pretty"),
    ("debug", "json"),
    ("info", "pretty"),
    ("warn", "json"),
    ("error", "pretty"),
];

/// The secrets that must not be found.
#[derive(Default)]
struct Canaries {
    texts: Vec<String>,
    /// Eight digits. The search matches whole numbers only, for a longer number may contain the
    /// same eight.
    codes: Vec<String>,
}

impl Canaries {
    fn keep(&mut self, text: &str) {
        self.texts.push(text.to_owned());
    }

    /// Adds a random secret and its halves, between which an email may break the line.
    fn keep_random(&mut self, secret: &str) {
        assert!(secret.len() >= 40, "{secret}");
        let (first, second) = secret.split_at(secret.len() / 2);
        for text in [secret, first, second] {
            self.keep(text);
        }
    }

    #[track_caller]
    fn are_not_in(&self, log: &str) {
        for canary in &self.texts {
            is_not_in(log, canary, canary);
        }
        for code in &self.codes {
            let alone = Regex::new(&format!(r"\b{}[ -]?{}\b", &code[..4], &code[4..])).unwrap();
            let told = log.lines().find(|line| alone.is_match(line));
            assert!(told.is_none(), "the code {code} is in the log: {told:?}");
        }
    }
}

/// Row W14: links, codes and the secrets of sign-ups, used and misused, at every level.
async fn w14_no_secret_of_an_email_stands_in_the_log(kind: Database) {
    join_all(LEVELS.map(async |(level, format)| {
        let database = TestDatabase::new(kind).await;
        let plan = Plan::on(&database)
            .with("signup.email_verification", "required")
            .with("log.level", level)
            .with("log.format", format);
        let mut node = start(&plan).await;
        let mut walk = Walk { client: node.client(), canaries: Canaries::default() };
        walk.run().await;
        said(&create(&plan, ("grace", "grace@example.org"), PASSWORD));
        walk.invite("bob@example.org").await;
        let link = run(&plan, &["user", "reset-link", "bob"], "").stdout;
        walk.hand_over(&String::from_utf8(link).unwrap()).await;
        walk.misuse_all().await;
        if kind == Database::Postgres {
            // An error of the database must not contain what it was sent.
            let sql =
                "ALTER TABLE links RENAME TO gone; ALTER TABLE outbox_emails RENAME TO gone_too";
            database.postgres().await.batch_execute(sql).await.unwrap();
            walk.misuse_all().await;
        }
        // Lines are written aside, in order: this one is the last, where there are such lines.
        let last = walk.client.get("/nothing").await;
        let log = match level {
            "warn" | "error" => node.log(),
            _ => node.wait_for_text(last.header("x-request-id").unwrap()).await,
        };
        assert_eq!(log.contains("email sent"), ["trace", "debug"].contains(&level), "{log}");
        walk.canaries.are_not_in(&log);
        whole_lines(&log, format);
    }))
    .await;
}

/// Starts a node at a fixed address: not every log level shows where it listens.
async fn start(plan: &Plan) -> Node {
    for _ in 0..5 {
        let listener = TcpListener::bind("127.0.0.1:0").unwrap();
        let address = listener.local_addr().unwrap();
        drop(listener);
        let mut environment = plan.environment.clone();
        environment.insert("GATEWARD__HTTP__LISTEN".to_owned(), address.to_string());
        let mut node = Plan { environment, ..Plan::bare(&plan.folder) }.launch();
        node.url = format!("http://{address}");
        for _ in 0..600 {
            let client = node.client();
            let ready = client.try_send(client.request(Method::GET, "/health/ready")).await;
            if ready.is_ok_and(|response| response.status == 200) {
                return node;
            }
            // Another test has taken the port meanwhile.
            if node.log().contains("choose another port") {
                break;
            }
            tokio::time::sleep(Duration::from_millis(50)).await;
        }
    }
    panic!("the node does not come up");
}

/// The secrets of an email.
struct EmailMessage {
    token: String,
    /// The email to an old email address has none.
    code: Option<String>,
}

/// Every flow with emails, with their secrets.
struct Walk {
    client: Client,
    canaries: Canaries,
}

impl Walk {
    async fn run(&mut self) {
        let [old, new] = ["ada@example.org", "lovelace@example.org"];
        let account = json!({"username": "ada", "email": old, "password": PASSWORD});
        let pending = self.post("/v1/signup", &account, 202).await;
        let signup_id = pending.text_of("signup_id");
        self.canaries.keep_random(signup_id);
        // The second email replaces the first, so it must not overtake it.
        self.email(old, "/confirm-email", 1).await;
        self.post("/v1/email/resend", &json!({"email": old, "signup_id": signup_id}), 202).await;
        let message = self.email(old, "/confirm-email", 2).await;
        self.misuse(&message).await;
        let wrong = json!({"token": message.token, "signup_id": message.token});
        self.post("/v1/email/confirm", &wrong, 400).await;
        let right = json!({"token": message.token, "signup_id": signup_id});
        self.post("/v1/email/confirm", &right, 204).await;

        self.post("/v1/password/forgot", &json!({"email": old}), 202).await;
        let message = self.email(old, "/reset-password", 1).await;
        self.misuse(&message).await;
        let code = message.code.unwrap();
        let form = format!("email={old}&code={code}&new_password={NEW_PASSWORD}");
        assert_eq!(self.form("/reset-password", form).await.status, 200);

        self.report_a_login(old).await;
        let pair = self.client.login("ada", NEW_PASSWORD).await;
        let change = json!({"new_email": new, "password": NEW_PASSWORD});
        let asked = self.client.post_as(pair.access(), "/v1/me/email", &change).await;
        assert_eq!(asked.status, 202, "{asked:?}");
        let message = self.email(new, "/confirm-email", 1).await;
        let undo = self.email(old, "/undo-email-change", 1).await;
        self.misuse(&message).await;
        let confirm = json!({"token": message.token});
        let done = self.client.post_as(pair.access(), "/v1/email/confirm", &confirm).await;
        assert_eq!(done.status, 204, "{done:?}");
        self.post("/v1/email/undo", &json!({"token": undo.token}), 204).await;
        self.email(old, "/reset-password", 3).await;
        self.misuse_all().await;
        self.keep_pair(&pair);
        for password in [PASSWORD, WRONG_PASSWORD, NEW_PASSWORD] {
            self.canaries.keep(password);
        }
    }

    /// A login from a new device. The owner reports it, and chooses a new password.
    async fn report_a_login(&mut self, email: &str) {
        let known = self.client.login("ada", NEW_PASSWORD).await;
        let login = json!({"identifier": email, "password": NEW_PASSWORD});
        let login = self.client.post("/v1/login", &login).header("user-agent", "elsewhere");
        let stranger = self.client.send(login).await;
        self.keep_pair(&known);
        self.keep_pair(&stranger);
        let message = self.email(email, "/not-me", 1).await;
        self.misuse(&message).await;
        self.post("/v1/sessions/not-me", &json!({"token": message.token}), 204).await;
        self.client.me(stranger.access()).await.is(401, "session_ended");
        let message = self.email(email, "/reset-password", 2).await;
        let reset = json!({"token": message.token, "new_password": NEW_PASSWORD});
        self.post("/v1/password/reset", &reset, 204).await;
    }

    /// A user is invited, and chooses a password.
    async fn invite(&mut self, email: &str) {
        let admin = self.client.login("grace", PASSWORD).await;
        let whom = json!({"username": "bob", "email": email});
        let invited = self.client.post_as(admin.access(), "/v1/users", &whom).await;
        assert_eq!(invited.status, 201, "{invited:?}");
        // It is misused later: any valid password would use it.
        let message = self.email(email, "/accept-invitation", 1).await;
        let form = format!("token={}&new_password={PASSWORD}", message.token);
        assert_eq!(self.form("/accept-invitation", form).await.status, 200);
        self.keep_pair(&self.client.login("bob", PASSWORD).await);
        self.keep_pair(&admin);
    }

    /// Uses a link that an operator created.
    async fn hand_over(&mut self, told: &str) {
        let link = Regex::new("/reset-password#token=([A-Za-z0-9_-]+)").unwrap();
        let token = &link.captures(told).expect(told)[1];
        self.canaries.keep_random(token);
        let reset = json!({"token": token, "new_password": NEW_PASSWORD});
        self.post("/v1/password/reset", &reset, 204).await;
    }

    fn keep_pair(&mut self, pair: &TestResponse) {
        for token in [pair.access(), pair.refresh_token(), pair.text_of("known_device_token")] {
            self.canaries.keep(token);
        }
    }

    async fn post(&self, path: &str, body: &Value, status: u16) -> TestResponse {
        let response = self.client.send(self.client.post(path, body)).await;
        assert_eq!(response.status, status, "{path} {body}: {response:?}");
        response
    }

    /// Submits the form of a page.
    async fn form(&self, path: &str, body: String) -> TestResponse {
        let request = self.client.request(Method::POST, path).body(body);
        let kind = "application/x-www-form-urlencoded";
        self.client.send(request.header("content-type", kind)).await
    }

    /// The newest email to this recipient with a link to this page, once there are this many. Its
    /// secrets must not be found.
    async fn email(&mut self, to: &str, page: &str, count: usize) -> EmailMessage {
        for _ in 0..600 {
            let inbox = self.client.get("/dev/inbox.json").await;
            self.client.get("/dev/inbox").await;
            let emails = inbox.body["items"].as_array().unwrap();
            let found: Vec<_> =
                emails.iter().filter_map(|message| read(message, to, page)).collect();
            if found.len() >= count {
                for message in &found {
                    self.canaries.keep_random(&message.token);
                    self.canaries.codes.extend(message.code.clone());
                }
                return found.into_iter().next().unwrap();
            }
            tokio::time::sleep(Duration::from_millis(50)).await;
        }
        panic!("no email to {to} for {page}");
    }

    /// Uses every used secret once more.
    async fn misuse_all(&self) {
        for token in self.canaries.texts.iter().filter(|text| text.len() == 43) {
            let code = self.canaries.codes.first().cloned();
            self.misuse(&EmailMessage { token: token.clone(), code }).await;
        }
    }

    /// Uses the secrets of an email where they have no effect.
    async fn misuse(&self, message: &EmailMessage) {
        let (client, token) = (&self.client, message.token.as_str());
        let code = message.code.as_deref().unwrap_or_default();
        let by_code = json!({"email": "eve@example.org", "code": code, "password": WRONG_PASSWORD});
        let by_token = json!({"token": token, "password": WRONG_PASSWORD});
        let both = json!({"token": token, "code": code, "signup_id": token, "username": token});
        let odd = json!({token: token, "code": token, "token": [token], "email": code});
        for path in [
            "/v1/email/confirm",
            "/v1/email/undo",
            "/v1/password/reset",
            "/v1/sessions/not-me",
            "/v1/invitation/accept",
            "/v1/login",
        ] {
            for body in [&by_code, &by_token, &both, &odd] {
                client.send(client.post(path, body)).await.is_problem();
            }
        }
        for path in PATHS.into_iter().chain(["/v1/me"]) {
            let query = format!("{path}?token={token}&code={code}");
            client.get(&query).await;
            client.get(&format!("{path}/{token}/{code}")).await;
            // The code belongs to another email, and the password is too weak: the link stays
            // unused.
            let form =
                format!("email=eve@example.org&code={code}&new_password=no&username={token}");
            self.form(path, form).await;
            self.form(&query, format!("token[]={token}&{token}={code}")).await;
        }
        client.me(token).await.is_problem();
        client.refresh(token, Some(token)).await.is_problem();
        let me = client.request(Method::GET, "/v1/me").header("cookie", format!("token={token}"));
        client.send(me.header("referer", format!("http://x/#token={token}"))).await;
    }
}

/// The secrets of an email of the inbox, if it went to this recipient with a link to this page.
fn read(message: &Value, to: &str, page: &str) -> Option<EmailMessage> {
    let links = message["links"].as_array()?.iter().filter_map(Value::as_str);
    let mut tokens = links.filter_map(|link| link.split_once(&format!("{page}#token=")));
    let (_, token) = tokens.next().filter(|_| message["to"] == to)?;
    Some(EmailMessage {
        token: token.to_owned(),
        code: message["code"].as_str().map(str::to_owned),
    })
}
