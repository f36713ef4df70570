//! Rows F20, F21 and F39: emails that outlive their links, emails that no server accepts, and SMTP
//! servers that keep a node waiting.
#![expect(clippy::print_stdout, reason = "prints figures, with --nocapture")]

use std::time::{Duration, Instant};

use gateward_e2e::{
    Client, Database, MailServer, Node, PASSWORD, TestDatabase, eventually, median, on_both, run,
};
use rustix::process::Signal;

use crate::support::commands::said;
use crate::support::mail_fixture::{
    HOUR, MailFixture, PATIENCE, PAUSE, by_recipient, has_failed, is, names, plan,
};
use crate::support::metrics::{metric, tried, wait_for_gauge, wait_until_sent};
use crate::support::password_reset::{forgot, reset};

on_both!(
    f20_a_link_that_waited_too_long_is_made_anew,
    f20_a_link_that_another_took_the_place_of_is_not_sent,
    f20_a_sign_up_that_is_over_is_dropped_and_written_down,
    f21_an_email_that_nobody_takes_delays_no_other_and_is_given_up,
    f39_an_smtp_server_that_never_responds_is_noticed_by_no_request,
    f39_a_name_that_is_slow_to_look_up_is_noticed_by_no_request,
);

const NEW_PASSWORD: &str = "staple and a paper clip";

/// The lifetime of a reset link, in seconds.
const LINK_LIFE: i64 = 600;

/// How many emails wait beside the one that is not accepted.
const OTHERS: u32 = 200;

/// How many requests are timed.
const TIMED: u32 = 40;

/// The log line about an email that failed permanently.
const GIVEN_UP: &str = "email delivery failed permanently; see `gateward mail list --state failed`";

/// Row F20: an email is late: its link has expired, or nearly so, before it is sent.
async fn f20_a_link_that_waited_too_long_is_made_anew(kind: Database) {
    for waits in [HOUR + 120, LINK_LIFE - 60] {
        let Some(post) = MailFixture::new(kind).await else { return };
        let node = post.plan.start().await;
        let client = node.client();
        assert_eq!(client.signup("ada").await.status, 201);
        post.wait_for("ada@example.org", is("sent")).await;
        post.server.mode("refuse");
        forgot(&client, "ada@example.org").await;
        // Now it has a link.
        post.wait_for("ada@example.org", has_failed).await;
        post.forward(waits);
        post.server.mode("ok");
        post.wait_for("ada@example.org", is("sent")).await;

        let emails = post.server.emails_to("ada@example.org");
        let [_, message] = emails.as_slice() else { panic!("{emails:#?}") };
        // The link of the first try would have expired by now.
        post.forward(LINK_LIFE - 120);
        assert_eq!(reset(&client, message.link(), NEW_PASSWORD).await, 204);
        assert_eq!(reset(&client, message.link(), PASSWORD).await, 400);
        assert_eq!(client.login("ada", NEW_PASSWORD).await.status, 200);
    }
}

/// Row F20: of two queued emails, the first is not sent when the second has its link. Nor is an
/// email sent if an operator has created a link for its account.
async fn f20_a_link_that_another_took_the_place_of_is_not_sent(kind: Database) {
    let Some(post) = MailFixture::new(kind).await else { return };
    let node = post.plan.start().await;
    let client = node.client();
    for name in ["ada", "bob"] {
        assert_eq!(client.signup(name).await.status, 201);
        post.wait_for(&format!("{name}@example.org"), is("sent")).await;
    }
    post.server.mode("temporary");
    for name in ["ada", "bob", "ada"] {
        forgot(&client, &format!("{name}@example.org")).await;
        post.wait_for(&format!("{name}@example.org"), has_failed).await;
        post.forward(PAUSE);
    }
    let made = run(&post.plan, &["user", "reset-link", "bob"], "");
    assert!(made.status.success(), "{made:?}");
    post.server.mode("ok");
    post.forward(PAUSE);
    post.wait_for("ada@example.org", is("sent")).await;
    post.wait_for("bob@example.org", is("discarded")).await;

    eventually(PATIENCE, async || {
        if post.list(&["--state", "waiting"]).is_empty() {
            Ok(())
        } else {
            Err("an email waits".to_owned())
        }
    })
    .await;
    let emails = post.list_to("ada@example.org");
    let states: Vec<_> = emails.iter().map(|message| message["state"].as_str().unwrap()).collect();
    assert_eq!(states, ["sent", "discarded", "sent"], "{emails:#?}");
    assert_eq!(emails[1]["failure"], "its link was used or replaced");
    let emails = post.server.emails_to("ada@example.org");
    let [_, message] = emails.as_slice() else { panic!("{emails:#?}") };
    assert_eq!(reset(&client, message.link(), NEW_PASSWORD).await, 204);
    assert_eq!(post.server.emails_to("bob@example.org").len(), 1);
    // A new email replaced it, so no user waits in vain.
    assert!(!post.has_event("email_discarded").await);
}

/// Row F20: an expired sign-up cannot be confirmed.
async fn f20_a_sign_up_that_is_over_is_dropped_and_written_down(kind: Database) {
    let Some(post) = MailFixture::new(kind).await else { return };
    let post = post.with("signup.email_verification", "required");
    let mut node = post.plan.start().await;
    post.server.mode("refuse");
    let response = node.client().signup("ada").await;
    assert_eq!(response.text_of("status"), "confirmation_sent");
    post.wait_for("ada@example.org", has_failed).await;
    // The SMTP server and the node are down for four days.
    node.kill();
    assert!(!post.has_event("email_discarded").await);
    post.forward(4 * 24 * HOUR);
    post.server.mode("ok");
    let node = post.plan.start().await;
    let message = post.wait_for("ada@example.org", is("discarded")).await;
    assert_eq!(message["failure"], "the sign-up has ended");
    assert_eq!(post.list(&["--state", "discarded"]), [message]);
    assert!(post.has_event("email_discarded").await);
    assert!(post.server.emails().is_empty());
    assert!((tried(&node, "discarded").await - 1.0).abs() < 0.1);
}

/// Row F21: one mailbox that is permanently refused, and many emails beside it.
async fn f21_an_email_that_nobody_takes_delays_no_other_and_is_given_up(kind: Database) {
    let Some(post) = MailFixture::new(kind).await else { return };
    let poison = "poison@example.org";
    let node = post.plan.start().await;
    let client = node.client();
    post.server.mode("refuse");
    for number in 0..OTHERS {
        if number == OTHERS / 2 {
            assert_eq!(client.signup("poison").await.status, 201);
        }
        assert_eq!(client.signup(&format!("user-{number}")).await.status, 201);
    }
    assert!(post.server.emails().is_empty());
    post.server.mode(&format!("reject:{poison}"));
    post.forward(PAUSE);
    let started = Instant::now();
    wait_until_sent(&node, OTHERS, PATIENCE).await;
    let took = started.elapsed();
    println!("{kind:?}: {OTHERS} emails beside one that is refused, within {took:?}");
    // The next try of the SMTP server is within 30 seconds; an email takes some hundredths of one.
    assert!(took < Duration::from_secs(45), "{took:?}");
    let waiting = post.wait_for(poison, has_failed).await;
    let failure = waiting["failure"].as_str().unwrap();
    assert!(failure.contains("550") && !failure.contains("poison"), "{failure}");
    assert_eq!(by_recipient(&post.server.emails()).len(), 200);

    // It is retried for five hours, and fails after six.
    post.forward(5 * HOUR);
    let attempts = waiting["attempts"].as_i64();
    let again = |message: &serde_json::Value| message["attempts"].as_i64() > attempts;
    assert_eq!(post.wait_for(poison, again).await["state"], "waiting");
    assert!(!post.has_event("email_failed").await);
    post.forward(HOUR);
    post.wait_for(poison, is("failed")).await;
    assert_given_up(&post, &node).await;

    post.server.mode("ok");
    let id = waiting["id"].as_str().unwrap();
    assert!(said(&run(&post.plan, &["mail", "retry", id], "")).contains("Queued email"));
    post.wait_for(poison, is("sent")).await;
    let [message] = &post.server.emails_to(poison)[..] else { panic!("not one email") };
    assert!(message.header("message-id").unwrap().contains(id), "{message:#?}");
}

/// One email has failed, and the operator can see it.
async fn assert_given_up(post: &MailFixture, node: &Node) {
    let dead = post.list(&["--state", "failed"]);
    assert_eq!(dead.len(), 1, "{dead:#?}");
    assert!(dead[0]["failure"].as_str().unwrap().contains("550"), "{dead:#?}");
    assert!(post.has_event("email_failed").await);
    assert_eq!(node.lines(GIVEN_UP).len(), 1);
    wait_for_gauge(node, "gateward_mail_failed", |dead| (dead - 1.0).abs() < 0.1).await;
    assert!((tried(node, "failed").await - 1.0).abs() < 0.1);
}

/// Row F39: an SMTP server accepts connections and never responds.
async fn f39_an_smtp_server_that_never_responds_is_noticed_by_no_request(kind: Database) {
    let Some(server) = MailServer::start().await else { return };
    let database = TestDatabase::new(kind).await;
    let node = plan(&database, &server.url()).start().await;
    let usual = times(&node.client(), "usual").await;
    server.mode("hang");
    let connections = server.connections();
    assert_eq!(node.client().signup("first").await.status, 201);
    eventually(PATIENCE, async || {
        if server.connections() == connections {
            Err("no email is under way".to_owned())
        } else {
            Ok(())
        }
    })
    .await;
    let slow = times(&node.client(), "slow").await;
    assert_unnoticed(node, usual, slow).await;
}

/// Row F39: the name lookup of the SMTP server takes longer than a node has to stop.
async fn f39_a_name_that_is_slow_to_look_up_is_noticed_by_no_request(kind: Database) {
    let Some(server) = MailServer::start().await else { return };
    let database = TestDatabase::new(kind).await;
    let usual = times(&plan(&database, &server.url()).start().await.client(), "usual").await;
    let mut plan = plan(&database, "smtps://slow.invalid");
    let names = names(database.folder.path()).display().to_string();
    plan.environment.insert("LD_PRELOAD".to_owned(), names);
    let node = plan.start().await;
    let slow = times(&node.client(), "slow").await;
    assert_unnoticed(node, usual, slow).await;
}

/// How long sign-ups and logins take.
async fn times(client: &Client, name: &str) -> [Vec<Duration>; 2] {
    let mut times = [Vec::new(), Vec::new()];
    for number in 0..TIMED {
        let name = format!("{name}-{number}");
        let started = Instant::now();
        assert_eq!(client.signup(&name).await.status, 201);
        times[0].push(started.elapsed());
        let started = Instant::now();
        assert_eq!(client.login(&name, PASSWORD).await.status, 200);
        times[1].push(started.elapsed());
    }
    times
}

/// No request took longer, and the node is ready, counts the timeouts, and stops on request.
async fn assert_unnoticed(mut node: Node, usual: [Vec<Duration>; 2], slow: [Vec<Duration>; 2]) {
    for (usual, slow) in usual.iter().zip(&slow) {
        let (usual, slow) = (median(usual), median(slow));
        println!("usually {usual:?}, with a slow SMTP server {slow:?}");
        assert!(slow <= usual * 2 + Duration::from_millis(20), "{usual:?} {slow:?}");
    }
    assert_eq!(node.client().get("/health/ready").await.status, 200);
    assert!(metric(&node, "gateward_mail_waiting").await.is_some());
    assert!(node.lines(GIVEN_UP).is_empty());
    let started = Instant::now();
    node.signal(Signal::TERM);
    assert_eq!(node.ended().await.code(), Some(0), "{}", node.log());
    println!("ended within {:?}", started.elapsed());
    assert!(started.elapsed() < Duration::from_secs(30), "{:?}", started.elapsed());
}
