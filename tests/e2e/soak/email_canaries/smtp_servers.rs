//! Row W14: what an SMTP server receives, and the passwords for the login there.

use std::time::Duration;

use futures_util::future::join_all;
use gateward_e2e::{Database, MailPlan, MailTls, Plan, TestDatabase, run};
use serde_json::{Value, json};

use super::{Canaries, LEVELS, start};
use crate::support::canaries::PASSWORD;
use crate::support::commands::said;

const SMTP_SERVER_PASSWORD: &str = "canary-Zwitscher-of-the-smtp-server";
const FALLBACK_PASSWORD: &str = "canary-Zwitscher-of-the-other";

/// Row W14: the passwords of unreachable SMTP servers, in the log of the node and in the output of
/// commands.
#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn w14_no_password_of_an_smtp_server_that_is_down_is_told() {
    join_all(LEVELS.map(async |(level, format)| {
        let database = TestDatabase::new(Database::Sqlite).await;
        let plan = Plan::on(&database)
            .with("mail.transport", "smtp")
            .with("mail.smtp_url", format!("smtp://canary:{SMTP_SERVER_PASSWORD}@127.0.0.1:1"))
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
        for secret in [PASSWORD, SMTP_SERVER_PASSWORD, FALLBACK_PASSWORD] {
            canaries.keep(secret);
        }
        for told in &told {
            canaries.are_not_in(told);
        }
        let complains = node.log().contains("SMTP server unreachable");
        assert_eq!(complains, level != "error", "{}", node.log());
    }))
    .await;
}

/// Waits until an email was tried, and returns all emails.
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
    panic!("no email was tried");
}

/// Row W14: the whole conversation with an SMTP server, at the most verbose level.
#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn w14_what_is_said_to_an_smtp_server_stands_in_no_log() {
    for tls in [MailTls::Implicit, MailTls::StartTls] {
        let login = Some(("canary".to_owned(), SMTP_SERVER_PASSWORD.to_owned()));
        let Some(server) = (MailPlan { tls: Some(tls), login }).start().await else { return };
        let database = TestDatabase::new(Database::Sqlite).await;
        let authority = format!("canary:{SMTP_SERVER_PASSWORD}@");
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
        let log = node.wait_for_text("email sent").await;
        let mut canaries = Canaries::default();
        canaries.keep(SMTP_SERVER_PASSWORD);
        canaries.keep_random(mail.link().split_once("#token=").unwrap().1);
        canaries.codes.push(mail.code.clone().unwrap());
        canaries.are_not_in(&log);
    }
}
