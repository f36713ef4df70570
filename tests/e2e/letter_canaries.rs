//! Row W14: what letters carry, and what a relay is told, stands in no log either.

use std::net::TcpListener;
use std::time::Duration;

use futures_util::future::join_all;
use gateward_e2e::{
    Answer, Client, Database, MailPlan, MailTls, Node, Plan, TestDatabase, on_both, run,
};
use regex::Regex;
use reqwest::Method;
use serde_json::{Value, json};

use crate::canaries::{NEW_PASSWORD, PASSWORD, WRONG_PASSWORD, forms, whole_lines};
use crate::commands::said;

on_both!(w14_no_secret_of_a_letter_stands_in_the_log);

const RELAY_PASSWORD: &str = "canary-Zwitscher-of-the-relay";
const FALLBACK_PASSWORD: &str = "canary-Zwitscher-of-the-other";

/// Every level with each of the formats that a line may have.
const LEVELS: [(&str, &str); 6] = [
    ("trace", "json"),
    ("trace", "pretty"),
    ("debug", "json"),
    ("info", "pretty"),
    ("warn", "json"),
    ("error", "pretty"),
];

/// What must not be found.
#[derive(Default)]
struct Canaries {
    texts: Vec<String>,
    /// Eight digits; they are looked for where they stand alone, for any eight of a longer number
    /// may be the same.
    codes: Vec<String>,
}

impl Canaries {
    fn keep(&mut self, text: &str) {
        self.texts.push(text.to_owned());
    }

    /// Keeps a random secret and its halves, between which a letter may break the line.
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
            for form in forms(canary) {
                let told = log.lines().find(|line| line.contains(&form));
                assert!(told.is_none(), "{canary} stands in the log as {form}: {told:?}");
            }
        }
        for code in &self.codes {
            let alone = Regex::new(&format!(r"\b{}[ -]?{}\b", &code[..4], &code[4..])).unwrap();
            let told = log.lines().find(|line| alone.is_match(line));
            assert!(told.is_none(), "the code {code} stands in the log: {told:?}");
        }
    }
}

/// Row W14: links, codes and the secrets of sign-ups, used and misused, at every level.
async fn w14_no_secret_of_a_letter_stands_in_the_log(kind: Database) {
    join_all(LEVELS.map(async |(level, format)| {
        let database = TestDatabase::new(kind).await;
        let plan = Plan::on(&database)
            .with("signup.email_verification", "required")
            .with("log.level", level)
            .with("log.format", format);
        let mut node = start(&plan).await;
        let mut walk = Walk { client: node.client(), canaries: Canaries::default() };
        walk.run().await;
        if kind == Database::Postgres {
            // What the database complains of must not be what it was sent.
            let sql = "ALTER TABLE links RENAME TO gone; ALTER TABLE letters RENAME TO gone_too";
            database.postgres().await.batch_execute(sql).await.unwrap();
            walk.misuse_all().await;
        }
        // Lines are written aside, in order: this one is the last, where there are such lines.
        let last = walk.client.get("/nothing").await;
        let log = match level {
            "warn" | "error" => node.log(),
            _ => node.wait_for_text(last.header("x-request-id").unwrap()).await,
        };
        assert_eq!(log.contains("letter sent"), ["trace", "debug"].contains(&level), "{log}");
        walk.canaries.are_not_in(&log);
        whole_lines(&log, format);
    }))
    .await;
}

/// Starts a node at an address of its own: not every log tells where it listens.
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
            if ready.is_ok_and(|answer| answer.status == 200) {
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

/// What a letter carries.
struct Letter {
    token: String,
    /// The one to an old address has none.
    code: Option<String>,
}

/// Everything that letters are for, done with their secrets.
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
        // The second letter takes the place of the first, so it must not overtake it.
        self.letter(old, "/confirm-email", 1).await;
        self.post("/v1/email/resend", &json!({"email": old, "signup_id": signup_id}), 202).await;
        let letter = self.letter(old, "/confirm-email", 2).await;
        self.misuse(&letter).await;
        let wrong = json!({"token": letter.token, "signup_id": letter.token});
        self.post("/v1/email/confirm", &wrong, 400).await;
        let right = json!({"token": letter.token, "signup_id": signup_id});
        self.post("/v1/email/confirm", &right, 204).await;

        self.post("/v1/password/forgot", &json!({"email": old}), 202).await;
        let letter = self.letter(old, "/reset-password", 1).await;
        self.misuse(&letter).await;
        let code = letter.code.unwrap();
        let form = format!("email={old}&code={code}&new_password={NEW_PASSWORD}");
        assert_eq!(self.form("/reset-password", form).await.status, 200);

        self.disown_a_login(old).await;
        let pair = self.client.login("ada", NEW_PASSWORD).await;
        let change = json!({"new_email": new, "password": NEW_PASSWORD});
        let asked = self.client.post_as(pair.access(), "/v1/me/email", &change).await;
        assert_eq!(asked.status, 202, "{asked:?}");
        let letter = self.letter(new, "/confirm-email", 1).await;
        let undo = self.letter(old, "/undo-email-change", 1).await;
        self.misuse(&letter).await;
        let confirm = json!({"token": letter.token});
        let done = self.client.post_as(pair.access(), "/v1/email/confirm", &confirm).await;
        assert_eq!(done.status, 204, "{done:?}");
        self.post("/v1/email/undo", &json!({"token": undo.token}), 204).await;
        self.letter(old, "/reset-password", 3).await;
        self.misuse_all().await;
        self.keep_pair(&pair);
        for password in [PASSWORD, WRONG_PASSWORD, NEW_PASSWORD] {
            self.canaries.keep(password);
        }
    }

    /// Somebody logs in from elsewhere. The owner says that it was not them, and chooses a password
    /// again.
    async fn disown_a_login(&mut self, email: &str) {
        let known = self.client.login("ada", NEW_PASSWORD).await;
        let login = json!({"identifier": email, "password": NEW_PASSWORD});
        let login = self.client.post("/v1/login", &login).header("user-agent", "elsewhere");
        let stranger = self.client.send(login).await;
        self.keep_pair(&known);
        self.keep_pair(&stranger);
        let letter = self.letter(email, "/not-me", 1).await;
        self.misuse(&letter).await;
        self.post("/v1/sessions/not-me", &json!({"token": letter.token}), 204).await;
        self.client.me(stranger.access()).await.is(401, "session_ended");
        let letter = self.letter(email, "/reset-password", 2).await;
        let reset = json!({"token": letter.token, "new_password": NEW_PASSWORD});
        self.post("/v1/password/reset", &reset, 204).await;
    }

    fn keep_pair(&mut self, pair: &Answer) {
        for token in [pair.access(), pair.refresh_token(), pair.text_of("device_token")] {
            self.canaries.keep(token);
        }
    }

    async fn post(&self, path: &str, body: &Value, status: u16) -> Answer {
        let answer = self.client.send(self.client.post(path, body)).await;
        assert_eq!(answer.status, status, "{path} {body}: {answer:?}");
        answer
    }

    /// Sends a form of a page.
    async fn form(&self, path: &str, body: String) -> Answer {
        let request = self.client.request(Method::POST, path).body(body);
        let kind = "application/x-www-form-urlencoded";
        self.client.send(request.header("content-type", kind)).await
    }

    /// The newest letter to this address with a link to this page, once there are so many of them;
    /// what it carries must not be found.
    async fn letter(&mut self, to: &str, page: &str, count: usize) -> Letter {
        for _ in 0..600 {
            let inbox = self.client.get("/dev/inbox.json").await;
            self.client.get("/dev/inbox").await;
            let letters = inbox.body["items"].as_array().unwrap();
            let found: Vec<_> =
                letters.iter().filter_map(|letter| read(letter, to, page)).collect();
            if found.len() >= count {
                for letter in &found {
                    self.canaries.keep_random(&letter.token);
                    self.canaries.codes.extend(letter.code.clone());
                }
                return found.into_iter().next().unwrap();
            }
            tokio::time::sleep(Duration::from_millis(50)).await;
        }
        panic!("no letter to {to} for {page}");
    }

    /// Shows what was kept, all of it used up by now, once more.
    async fn misuse_all(&self) {
        for token in self.canaries.texts.iter().filter(|text| text.len() == 43) {
            let code = self.canaries.codes.first().cloned();
            self.misuse(&Letter { token: token.clone(), code }).await;
        }
    }

    /// Shows what a letter carries where it does nothing.
    async fn misuse(&self, letter: &Letter) {
        let (client, token) = (&self.client, letter.token.as_str());
        let code = letter.code.as_deref().unwrap_or_default();
        let by_code = json!({"email": "eve@example.org", "code": code, "password": WRONG_PASSWORD});
        let by_token = json!({"token": token, "password": WRONG_PASSWORD});
        let both = json!({"token": token, "code": code, "signup_id": token, "username": token});
        let odd = json!({token: token, "code": token, "token": [token], "email": code});
        for path in [
            "/v1/email/confirm",
            "/v1/email/undo",
            "/v1/password/reset",
            "/v1/sessions/not-me",
            "/v1/login",
        ] {
            for body in [&by_code, &by_token, &both, &odd] {
                client.send(client.post(path, body)).await.is_problem();
            }
        }
        for path in ["/confirm-email", "/reset-password", "/undo-email-change", "/not-me", "/v1/me"]
        {
            let query = format!("{path}?token={token}&code={code}");
            client.get(&query).await;
            client.get(&format!("{path}/{token}/{code}")).await;
            // The code is somebody else's, and the password too weak: nothing is used up.
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

/// What a letter of the inbox carries, if it went to this address with a link to this page.
fn read(letter: &Value, to: &str, page: &str) -> Option<Letter> {
    let links = letter["links"].as_array()?.iter().filter_map(Value::as_str);
    let mut tokens = links.filter_map(|link| link.split_once(&format!("{page}#token=")));
    let (_, token) = tokens.next().filter(|_| letter["to"] == to)?;
    Some(Letter { token: token.to_owned(), code: letter["code"].as_str().map(str::to_owned) })
}

/// Row W14: the passwords of relays that cannot be reached, in what the node tells and in what the
/// commands do.
#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn w14_no_password_of_a_relay_that_is_down_is_told() {
    join_all(LEVELS.map(async |(level, format)| {
        let database = TestDatabase::new(Database::Sqlite).await;
        let plan = Plan::on(&database)
            .with("mail.transport", "smtp")
            .with("mail.smtp_url", format!("smtp://canary:{RELAY_PASSWORD}@127.0.0.1:1"))
            .with("mail.fallback_smtp_url", format!("smtps://canary:{FALLBACK_PASSWORD}@[::1]:1"))
            .with("log.level", level)
            .with("log.format", format);
        let node = start(&plan).await;
        let client = node.client();
        let account = json!({"username": "ada", "email": "a@example.org", "password": PASSWORD});
        assert_eq!(client.send(client.post("/v1/signup", &account)).await.status, 201);
        let list = until_tried(&plan).await;
        let id = list[0]["id"].as_str().unwrap();
        let mut told = vec![node.log(), list.to_string()];
        for command in [&["mail", "list"][..], &["mail", "show", id], &["config", "show"]] {
            told.push(said(&run(&plan, command, "")));
        }
        let mut canaries = Canaries::default();
        for secret in [PASSWORD, RELAY_PASSWORD, FALLBACK_PASSWORD] {
            canaries.keep(secret);
        }
        for told in &told {
            canaries.are_not_in(told);
        }
        let complains = node.log().contains("no relay can be reached");
        assert_eq!(complains, level != "error", "{}", node.log());
    }))
    .await;
}

/// Waits until a letter was tried, and gives the list of all.
async fn until_tried(plan: &Plan) -> Value {
    for _ in 0..300 {
        let list = said(&run(plan, &["mail", "list", "--json"], ""));
        let list: Value = serde_json::from_str(&list).unwrap();
        if list[0]["attempts"].as_i64().is_some_and(|attempts| attempts > 0)
            && !list[0]["failure"].is_null()
        {
            return list;
        }
        tokio::time::sleep(Duration::from_millis(50)).await;
    }
    panic!("no letter was tried");
}

/// Row W14: the whole talk with a relay, at the most talkative level.
#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn w14_what_is_said_to_a_relay_stands_in_no_log() {
    for tls in [MailTls::Implicit, MailTls::StartTls] {
        let login = Some(("canary".to_owned(), RELAY_PASSWORD.to_owned()));
        let Some(server) = (MailPlan { tls: Some(tls), login }).start().await else { return };
        let database = TestDatabase::new(Database::Sqlite).await;
        let authority = format!("canary:{RELAY_PASSWORD}@");
        let mut url = server.url().replace("://", &format!("://{authority}"));
        if tls == MailTls::StartTls {
            url.push_str("?tls=required");
        }
        let mut plan = Plan::on(&database)
            .with("mail.transport", "smtp")
            .with("mail.smtp_url", url)
            .with("log.level", "trace");
        let certificate = server.certificate().display().to_string();
        plan.environment.insert("SSL_CERT_FILE".to_owned(), certificate);
        let mut node = plan.start().await;
        let client = node.client();
        assert_eq!(client.signup("ada").await.status, 201);
        let mail = server.wait_for("ada@example.org", 1, Duration::from_secs(30)).await.remove(0);
        assert!(mail.tls && mail.login.as_deref() == Some("canary"), "{mail:?}");
        let log = node.wait_for_text("letter sent").await;
        let mut canaries = Canaries::default();
        canaries.keep(RELAY_PASSWORD);
        canaries.keep_random(mail.link().split_once("#token=").unwrap().1);
        canaries.codes.push(mail.code.clone().unwrap());
        canaries.are_not_in(&log);
    }
}
