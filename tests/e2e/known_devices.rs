//! Known and new devices: the email about a login from a new device, over a real SMTP server. Rows
//! 6.3.5 and V7.

use gateward_e2e::{
    Client, Database, Mail, MailServer, Node, PASSWORD, Plan, TestDatabase, TestResponse, claims,
    on_both,
};
use reqwest::Method;
use serde_json::{Value, json};

use crate::support::mail_fixture::{self, PATIENCE};
use crate::support::pages::{FORM, encode};
use crate::support::password_reset::reset;

on_both!(
    a6_3_5_the_owner_learns_of_a_new_device_and_throws_it_out,
    a_client_that_shows_its_token_is_known_wherever_it_is,
    v7_looking_at_the_page_uses_nothing_up_and_its_button_does,
    what_a_thief_does_with_the_password_does_not_stop_the_email,
    the_export_lists_the_known_devices,
);

/// The email address of the account.
const ADA: &str = "ada@example.org";

/// The password that the owner chooses in the end.
const NEW: &str = "an entirely new one";

/// The subjects of the emails start with this.
const NEW_DEVICE: &str = "New login";
const RESET: &str = "Reset your";

/// Two nodes, and an SMTP server for their emails.
struct DeviceFixture {
    nodes: [Node; 2],
    server: MailServer,
    plan: Plan,
    _database: TestDatabase,
}

impl DeviceFixture {
    async fn open(kind: Database) -> Option<Self> {
        let server = MailServer::start().await?;
        let database = TestDatabase::new(kind).await;
        let plan = mail_fixture::plan(&database, &server.url());
        let nodes = [plan.serve().await, plan.start().await];
        Some(Self { nodes, server, plan, _database: database })
    }

    fn clients(&self) -> [Client; 2] {
        self.nodes.each_ref().map(Node::client)
    }

    /// The emails to Ada whose subject starts with this, once there are this many.
    async fn emails(&self, subject: &str, count: usize) -> Vec<Mail> {
        let is_meant =
            |mail: &&Mail| mail.to == [ADA.to_owned()] && mail.subject.starts_with(subject);
        let all = self
            .server
            .wait_until(PATIENCE, |emails| emails.iter().filter(is_meant).count() >= count);
        let emails: Vec<Mail> = all.await.into_iter().filter(|mail| is_meant(&mail)).collect();
        assert_eq!(emails.len(), count, "{emails:#?}");
        emails
    }

    /// Asserts that exactly these emails were sent, and that none is queued.
    fn has_written(&self, subject: &str, count: usize) {
        let listed = mail_fixture::list(&self.plan, &["--limit", "1000"]);
        let kind = if subject == NEW_DEVICE { "new_device" } else { "forgot_password" };
        let meant: Vec<&Value> = listed.iter().filter(|message| message["kind"] == kind).collect();
        assert_eq!(meant.len(), count, "{listed:#?}");
    }
}

/// Logs in with a user agent, and perhaps the token of an earlier login.
async fn login(
    client: &Client,
    password: &str,
    program: &str,
    device: Option<&str>,
) -> TestResponse {
    let mut body = json!({"identifier": "ada", "password": password});
    if let Some(device) = device {
        body["known_device_token"] = json!(device);
    }
    client.send(client.post("/v1/login", &body).header("user-agent", program)).await
}

async fn not_me(client: &Client, token: &str) -> TestResponse {
    client.send(client.post("/v1/sessions/not-me", &json!({"token": token}))).await
}

/// The token in an email's link.
fn token(message: &Mail) -> &str {
    message.link().split_once("#token=").unwrap().1
}

/// Ada signs up and logs in with her own client. Returns that login.
async fn sign_up_and_log_in(client: &Client) -> TestResponse {
    assert_eq!(client.signup("ada").await.status, 201);
    let own = login(client, PASSWORD, "Notes/1.0", None).await;
    assert_eq!(own.status, 200, "{own:?}");
    own
}

async fn becomes_refused(client: &Client, session: &TestResponse, reason: &str) {
    let started = std::time::Instant::now();
    while client.me(session.access()).await.status == 200 {
        assert!(started.elapsed().as_secs() < 5, "{} does not hear of it", client.url);
        tokio::time::sleep(std::time::Duration::from_millis(10)).await;
    }
    let refused = client.me(session.access()).await;
    refused.is(401, "session_ended");
    assert_eq!(refused.body["reason"], reason);
    let refused = client.refresh(session.refresh_token(), None).await;
    refused.is(401, "session_ended");
    assert_eq!(refused.body["reason"], reason);
}

/// Row 6.3.5, from the email to the new password.
async fn a6_3_5_the_owner_learns_of_a_new_device_and_throws_it_out(kind: Database) {
    let Some(fixture) = DeviceFixture::open(kind).await else { return };
    let [one, other] = fixture.clients();
    let own = sign_up_and_log_in(&one).await;
    fixture.has_written(NEW_DEVICE, 0);
    let thief = login(&other, PASSWORD, "Thief/6.6", None).await;
    assert_eq!(thief.status, 200, "{thief:?}");
    let emails = fixture.emails(NEW_DEVICE, 1).await;
    let message = &emails[0];
    assert!(message.link().starts_with("http://127.0.0.1:8080/not-me#token="), "{message:#?}");
    assert!(message.text.contains("127.0.0.1"), "it tells from where: {}", message.text);
    for secret in [PASSWORD, thief.access(), thief.text_of("known_device_token")] {
        assert!(!message.raw.contains(secret));
    }

    // A second login from elsewhere: each has an email.
    let again = login(&one, PASSWORD, "Thief/7.0", None).await;
    let late = fixture.emails(NEW_DEVICE, 2).await.remove(1);

    let done = not_me(&one, token(message)).await;
    assert_eq!(done.status, 204, "{done:?}");
    one.me(thief.access()).await.is(401, "session_ended");
    for client in [&one, &other] {
        // The attacker knows the password, so it is void, and all sessions end.
        for session in [&thief, &again, &own] {
            becomes_refused(client, session, "not_me").await;
        }
        for device in [None, Some(own.text_of("known_device_token"))] {
            let refused = login(client, PASSWORD, "Thief/6.6", device).await;
            refused.is(401, "invalid_credentials");
        }
        not_me(client, token(message)).await.is(400, "invalid_link");
    }
    let emails = fixture.emails(RESET, 1).await;
    assert_eq!(reset(&other, emails[0].link(), NEW).await, 204);
    for client in [&one, &other] {
        login(client, PASSWORD, "Notes/1.0", None).await.is(401, "invalid_credentials");
        let back = login(client, NEW, "Notes/1.0", None).await;
        assert_eq!(back.status, 200, "{back:?}");
        // An older link no longer ends sessions.
        not_me(client, token(&late)).await.is(400, "invalid_link");
        assert_eq!(client.me(back.access()).await.status, 200);
    }
    fixture.has_written(NEW_DEVICE, 2);
    fixture.has_written(RESET, 1);
}

/// By its token, not by its user agent. No token is valid for another account.
async fn a_client_that_shows_its_token_is_known_wherever_it_is(kind: Database) {
    let Some(fixture) = DeviceFixture::open(kind).await else { return };
    let [one, other] = fixture.clients();
    let own = sign_up_and_log_in(&one).await;
    let device = own.text_of("known_device_token");
    for (client, program) in [(&other, "Notes/2.0"), (&one, "Notes/3.0"), (&other, "Notes/1.0")] {
        let again = login(client, PASSWORD, program, Some(device)).await;
        assert_eq!(again.status, 200, "{again:?}");
        assert_eq!(again.text_of("known_device_token"), device, "it keeps its token");
    }
    // A client without its token is known by its network, and gets a new token.
    let forgetful = login(&one, PASSWORD, "Notes/1.0", None).await;
    assert_ne!(forgetful.text_of("known_device_token"), device);
    fixture.has_written(NEW_DEVICE, 0);

    let bob = other.begin("bob").await;
    let (bobs, garbage) = (bob.text_of("known_device_token"), "x".repeat(43));
    for (number, unknown) in [bobs, &garbage, "", "é"].into_iter().enumerate() {
        let program = format!("Stranger/{number}");
        let stranger = login(&one, PASSWORD, &program, Some(unknown)).await;
        assert_eq!(stranger.status, 200, "an unknown one is ignored: {stranger:?}");
        assert_ne!(stranger.text_of("known_device_token"), unknown);
        fixture.emails(NEW_DEVICE, number + 1).await;
    }
    // A device token alone gives no access.
    login(&one, "a wrong password", "Notes/1.0", Some(device)).await.is(401, "invalid_credentials");
    for wrong in [json!(7), json!(["x"]), json!({})] {
        let body = json!({"identifier": "ada", "password": PASSWORD, "known_device_token": wrong});
        let refused = one.send(one.post("/v1/login", &body)).await;
        refused.is(422, "validation_failed");
        assert_eq!(refused.fields(), ["known_device_token"]);
    }
}

/// Row V7: scanners and previews open links; only people press buttons.
async fn v7_looking_at_the_page_uses_nothing_up_and_its_button_does(kind: Database) {
    let Some(fixture) = DeviceFixture::open(kind).await else { return };
    let [one, other] = fixture.clients();
    sign_up_and_log_in(&one).await;
    let thief = login(&other, PASSWORD, "Thief/6.6", None).await;
    let message = fixture.emails(NEW_DEVICE, 1).await.remove(0);
    let secret = token(&message);
    for client in [&one, &other] {
        for path in ["/not-me".to_owned(), format!("/not-me?token={secret}")] {
            for method in [Method::GET, Method::HEAD] {
                let page = client.send(client.request(method, &path)).await;
                assert!(page.status == 200 || path.contains('?'), "{page:?}");
                assert!(!page.text.contains(secret));
            }
        }
        assert_eq!(client.me(thief.access()).await.status, 200, "nothing has happened");
    }
    let press = async |client: &Client, token: &str| {
        let request = client.request(Method::POST, "/not-me").header("content-type", FORM);
        client.send(request.body(encode(&[("token", token)]))).await
    };
    for wrong in ["", "x", &secret[1..], thief.text_of("known_device_token")] {
        let page = press(&one, wrong).await;
        assert!(page.status.is_client_error(), "{page:?}");
        assert!(page.text.contains("<form"), "it can be tried again: {page:?}");
    }
    let foreign = other.request(Method::POST, "/not-me").header("content-type", FORM);
    let foreign = foreign.header("origin", "https://evil.example");
    let refused = other.send(foreign.body(encode(&[("token", secret)]))).await;
    assert_eq!(refused.status, 403, "{refused:?}");
    assert_eq!(one.me(thief.access()).await.status, 200);
    fixture.has_written(RESET, 0);

    let page = press(&other, secret).await;
    assert_eq!(page.status, 200, "{page:?}");
    assert!(!page.text.contains("<form"), "nothing is left to do: {page:?}");
    for client in [&one, &other] {
        becomes_refused(client, &thief, "not_me").await;
        let page = press(client, secret).await;
        assert!(page.status.is_client_error(), "it works once: {page:?}");
    }
    fixture.emails(RESET, 1).await;
    fixture.has_written(RESET, 1);
}

/// The link works even if the attacker ends the session at once, or changes the password.
async fn what_a_thief_does_with_the_password_does_not_stop_the_email(kind: Database) {
    let Some(fixture) = DeviceFixture::open(kind).await else { return };
    let [one, other] = fixture.clients();
    let own = sign_up_and_log_in(&one).await;
    let thief = login(&other, PASSWORD, "Thief/6.6", None).await;
    let body = json!({"current_password": PASSWORD, "new_password": "the thief's own one"});
    let changed = other.post_as(thief.access(), "/v1/me/password", &body).await;
    assert_eq!(changed.status, 204, "{changed:?}");
    becomes_refused(&one, &own, "password_changed").await;
    assert_eq!(other.logout(thief.refresh_token()).await.status, 204);
    let back = login(&other, "the thief's own one", "Thief/6.6", None).await;
    assert_eq!(back.status, 200, "{back:?}");

    let message = fixture.emails(NEW_DEVICE, 1).await.remove(0);
    let done = not_me(&one, token(&message)).await;
    assert_eq!(done.status, 204, "{done:?}");
    // The session had ended before, and keeps its reason. The password is void.
    becomes_refused(&one, &thief, "logout").await;
    for password in ["the thief's own one", PASSWORD] {
        login(&one, password, "Thief/6.6", None).await.is(401, "invalid_credentials");
    }
    for client in [&one, &other] {
        becomes_refused(client, &back, "not_me").await;
    }
    let message = fixture.emails(RESET, 1).await.remove(0);
    assert_eq!(reset(&one, message.link(), NEW).await, 204);
    let home = login(&other, NEW, "Notes/1.0", Some(own.text_of("known_device_token"))).await;
    assert_eq!(home.status, 200, "{home:?}");
    assert_ne!(
        home.text_of("known_device_token"),
        own.text_of("known_device_token"),
        "it has died with it"
    );
}

/// The owner may see the known devices, but not their tokens.
async fn the_export_lists_the_known_devices(kind: Database) {
    let Some(fixture) = DeviceFixture::open(kind).await else { return };
    let [one, other] = fixture.clients();
    let own = sign_up_and_log_in(&one).await;
    let phone = login(&other, PASSWORD, "Phone/1.0", None).await;
    let request = other.request(Method::GET, "/v1/me/export").bearer_auth(phone.access());
    let export = other.send(request).await;
    assert_eq!(export.status, 200, "{export:?}");
    let clients = export.body["known_devices"].as_array().unwrap();
    let programs: Vec<&Value> = clients.iter().map(|client| &client["user_agent"]).collect();
    assert_eq!(programs, [&json!("Notes/1.0"), &json!("Phone/1.0")]);
    for client in clients {
        assert_eq!(client["ip"], "127.0.0.1");
        assert!(client["expires_at"].as_str() > client["created_at"].as_str());
    }
    for session in [&own, &phone] {
        assert!(!export.text.contains(session.text_of("known_device_token")));
        let id = claims(session.access())["sid"].clone();
        assert!(export.body["sessions"].as_array().unwrap().iter().any(|known| known["id"] == id));
    }
}
