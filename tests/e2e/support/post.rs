//! `Post`: a node with a real SMTP server, and the content of its emails.

use std::time::Duration;

use gateward_e2e::{
    Client, Database, Environment, Mail, MailServer, Node, PASSWORD, Plan, TestDatabase,
    TestResponse, eventually, run,
};
use serde_json::{Value, json};

use crate::support::commands::said;

/// The subjects of the emails. `CONFIRM` is the same for a sign-up and for an account.
pub(crate) mod subject {
    pub(crate) const CONFIRM: &str = "Confirm your email address for Gateward";
    pub(crate) const EXISTS: &str = "You already have an account at Gateward";
    pub(crate) const CONFIRM_NEW: &str = "Confirm your new email address for Gateward";
    pub(crate) const IN_USE: &str = "Your email address already belongs to your Gateward account";
    pub(crate) const RESET: &str = "Reset your Gateward password";
    pub(crate) const UNDO: &str = "Your email address at Gateward is about to change";
    pub(crate) const CHANGED: &str = "Your email address at Gateward was changed";
    pub(crate) const CHANGED_BACK: &str = "Your email address change at Gateward was undone";
    pub(crate) const NEW_PASSWORD: &str = "Your Gateward password was changed";
    pub(crate) const WAS_RESET: &str = "Your Gateward password was reset";
    pub(crate) const RENAMED: &str = "Your Gateward username was changed";
    pub(crate) const REUSED: &str = "We logged out one of your devices at Gateward";
    pub(crate) const DELETED: &str = "Your Gateward account was deleted";
    pub(crate) const INVITED: &str = "You have been invited to Gateward";
}

/// Another password that meets the policy.
pub(crate) const OTHER: &str = "a horse of another colour";

/// How long an email may take on a busy machine.
const PATIENCE: Duration = Duration::from_secs(30);

/// A node with its SMTP server and database.
pub(crate) struct Post {
    pub(crate) node: Node,
    pub(crate) client: Client,
    pub(crate) server: MailServer,
    pub(crate) plan: Plan,
    pub(crate) database: TestDatabase,
}

impl Post {
    /// Starts a node in this process, or returns `None` with a message if the SMTP server is
    /// missing.
    pub(crate) async fn start(kind: Database, settings: &[(&str, &str)]) -> Option<Self> {
        let (server, database, plan) = Self::prepare(kind, settings).await?;
        Some(Self::on(plan.serve().await, server, plan, database))
    }

    /// The same with required confirmation of email addresses.
    pub(crate) async fn required(kind: Database) -> Option<Self> {
        Self::start(kind, &[("signup.email_verification", "required")]).await
    }

    /// Starts a process, with these environment variables besides its settings.
    pub(crate) async fn process(kind: Database, environment: Environment) -> Option<Self> {
        let (server, database, mut plan) = Self::prepare(kind, &[]).await?;
        plan.environment.extend(environment);
        Some(Self::on(plan.start().await, server, plan, database))
    }

    async fn prepare(
        kind: Database,
        settings: &[(&str, &str)],
    ) -> Option<(MailServer, TestDatabase, Plan)> {
        let server = MailServer::start().await?;
        let database = TestDatabase::new(kind).await;
        let plan = Plan::on(&database)
            .with("mail.transport", "smtp")
            .with("mail.smtp_url", server.url())
            .with("mail.from", "Gateward <accounts@example.org>")
            .with_all(settings);
        Some((server, database, plan))
    }

    fn on(node: Node, server: MailServer, plan: Plan, database: TestDatabase) -> Self {
        Self { client: node.client(), node, server, plan, database }
    }

    /// Starts another node on the same database, with another setting.
    pub(crate) async fn beside(&self, option: &str, value: &str) -> Node {
        let environment = self.plan.environment.clone();
        let plan = Plan { environment, ..Plan::on(&self.database) };
        plan.with(option, value).serve().await
    }

    /// Posts a body to a path below `/v1`.
    pub(crate) async fn say(&self, path: &str, body: Value) -> TestResponse {
        self.client.send(self.client.post(&format!("/v1/{path}"), &body)).await
    }

    /// The same with an access token.
    pub(crate) async fn say_as(
        &self,
        pair: &TestResponse,
        path: &str,
        body: Value,
    ) -> TestResponse {
        self.client.post_as(pair.access(), &format!("/v1/{path}"), &body).await
    }

    /// Signs a user up with this password.
    pub(crate) async fn signup(&self, name: &str, email: &str, password: &str) -> TestResponse {
        let body = json!({"username": name, "email": email, "password": password});
        self.say("signup", body).await
    }

    /// Logs a user in, which must succeed.
    pub(crate) async fn login(&self, name: &str, password: &str) -> TestResponse {
        let response = self.client.login(name, password).await;
        assert_eq!(response.status, 200, "{response:?}");
        response
    }

    /// Creates an account with a confirmed email address, and logs it in. Not for required
    /// confirmation.
    pub(crate) async fn confirmed(&self, name: &str) -> TestResponse {
        let pair = self.client.begin(name).await;
        let token = token(&self.email(&address(name), subject::CONFIRM).await);
        let response = self.say_as(&pair, "email/confirm", json!({"token": token})).await;
        assert_eq!(response.status, 204, "{response:?}");
        pair
    }

    /// Requests a password reset, and returns its email: the one with this number, from zero.
    pub(crate) async fn forgot(&self, email: &str, number: usize) -> Mail {
        let response = self.say("password/forgot", json!({"email": email})).await;
        assert_eq!(response.status, 202, "{response:?}");
        self.nth_email(email, subject::RESET, number).await
    }

    /// Requests another email address.
    pub(crate) async fn change(&self, pair: &TestResponse, new: &str) -> TestResponse {
        self.say_as(pair, "me/email", json!({"new_email": new, "password": PASSWORD})).await
    }

    /// Requests another email address and confirms it. Returns the email that undoes it.
    pub(crate) async fn changed(&self, pair: &TestResponse, old: &str, new: &str) -> Mail {
        assert_eq!(self.change(pair, new).await.status, 202);
        let token = token(&self.email(new, subject::CONFIRM_NEW).await);
        let response = self.say_as(pair, "email/confirm", json!({"token": token})).await;
        assert_eq!(response.status, 204, "{response:?}");
        self.email(old, subject::UNDO).await
    }

    /// The first email with this subject to this recipient.
    pub(crate) async fn email(&self, to: &str, subject: &str) -> Mail {
        self.nth_email(to, subject, 0).await
    }

    /// The email with this number, from zero.
    pub(crate) async fn nth_email(&self, to: &str, subject: &str, number: usize) -> Mail {
        self.emails(to, subject, number + 1).await.swap_remove(number)
    }

    /// Emails with this subject to this recipient, once there are this many.
    pub(crate) async fn emails(&self, to: &str, subject: &str, count: usize) -> Vec<Mail> {
        let is_it = |mail: &Mail| mail.to == [to] && mail.subject == subject;
        let enough = |all: &[Mail]| all.iter().filter(|mail| is_it(mail)).count() >= count;
        let mut emails = self.server.wait_until(PATIENCE, enough).await;
        emails.retain(is_it);
        emails
    }

    /// Waits until no email is queued, and returns the subjects of those to this recipient.
    pub(crate) async fn all_subjects(&self, to: &str) -> Vec<String> {
        self.wait_until_sent().await;
        let mut subjects: Vec<String> =
            self.server.emails_to(to).into_iter().map(|mail| mail.subject).collect();
        subjects.sort();
        subjects
    }

    /// Waits until no email is queued.
    pub(crate) async fn wait_until_sent(&self) {
        eventually(PATIENCE, async || {
            let waiting = self.command(&["mail", "list", "--state", "waiting", "--json"]);
            let waiting: Value = serde_json::from_str(&waiting).unwrap();
            if waiting == json!([]) { Ok(()) } else { Err(waiting.to_string()) }
        })
        .await;
    }

    /// Runs a command of the program beside the node, which must succeed.
    pub(crate) fn command(&self, arguments: &[&str]) -> String {
        said(&run(&self.plan, arguments, PASSWORD))
    }

    /// Asserts that a session has ended for this reason.
    pub(crate) async fn has_ended(&self, pair: &TestResponse, reason: &str) {
        let refreshed = self.client.refresh(pair.refresh_token(), None).await;
        for refused in [refreshed, self.client.me(pair.access()).await] {
            refused.is(401, "session_ended");
            assert_eq!(refused.body["reason"], reason);
        }
    }
}

/// The email address of a user with this name.
pub(crate) fn address(name: &str) -> String {
    format!("{name}@example.org")
}

/// The token in an email's link.
#[track_caller]
pub(crate) fn token(mail: &Mail) -> String {
    let (page, token) = mail.link().split_once("#token=").expect("a token");
    assert!(page.starts_with("http://") && token.len() >= 43, "{mail:#?}");
    token.to_owned()
}

/// The code of an email.
#[track_caller]
pub(crate) fn code(mail: &Mail) -> String {
    mail.code.clone().expect("a code")
}

/// A wrong code: that of an email plus a number, wrapped around.
pub(crate) fn wrong_code(mail: &Mail, by: u64) -> String {
    let code: u64 = code(mail).parse().unwrap();
    format!("{:08}", (code + by) % 100_000_000)
}
