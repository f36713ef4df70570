//! Row F18: the SMTP server is gone for an hour, in every way that SMTP servers are, and people
//! sign up.
#![expect(clippy::print_stdout, reason = "prints figures, with --nocapture")]

use std::ops::Range;
use std::time::{Duration, Instant};

use gateward_e2e::{Client, Database, Mail, Node, Plan, TestDatabase, median, on_both};
use tokio::task::JoinHandle;

use crate::support::mail_fixture::{MailFixture, assert_copies_of_one, by_recipient};
use crate::support::metrics::{metric, tried, wait_until_sent};

on_both!(f18_no_email_is_lost_in_an_outage_of_an_hour_and_nobody_notices);

/// How many users sign up before the outage, and during it.
const BEFORE: u32 = 150;
const DURING: u32 = 1_000;

/// The time between two sign-ups: those of the outage are spread over all of it.
const INTERVAL: Duration = Duration::from_millis(36);

/// The SMTP server's behaviour, for how many real seconds, and how fast the node's clock runs: an
/// hour in all. Every queued email is due again within a minute of that clock. So the clock must
/// not run fast beside an SMTP server that responds: the node would try a thousand emails each
/// second, which says nothing about a real minute.
const OUTAGE: [(&str, u64, i64); 5] = [
    ("hang", 6, 165),
    ("refuse", 8, 165),
    ("temporary", 10, 3),
    ("permanent", 5, 4),
    ("drop", 8, 155),
];

/// The speed of the clock after the outage: a lease is ten seconds then, and no delivery takes that
/// long.
const HEALING_FACTOR: i64 = 6;

/// Row F18: lost emails, copies, the lag after the outage, and the effect on requests.
async fn f18_no_email_is_lost_in_an_outage_of_an_hour_and_nobody_notices(kind: Database) {
    let Some(post) = MailFixture::new(kind).await else { return };
    let verification = if kind == Database::Sqlite { "optional" } else { "required" };
    let post = post.with("signup.email_verification", verification);
    let node = post.plan.start().await;
    let readiness = watch_readiness(node.client());
    let before = sign_up(node.client(), 0..BEFORE, INTERVAL).await;

    // Other load on the machine affects a node without an SMTP server as well.
    let other_database = TestDatabase::new(kind).await;
    let mut other = Plan::on(&other_database).with("signup.email_verification", verification);
    other.environment.extend(post.clock_environment());
    let other = other.start().await;
    let beside = tokio::spawn(sign_up(other.client(), 0..DURING / 10, INTERVAL * 10));
    let callers = tokio::spawn(sign_up(node.client(), BEFORE..BEFORE + DURING, INTERVAL));
    for (mode, seconds, factor) in OUTAGE {
        post.server.mode(mode);
        post.hasten(factor, Duration::from_secs(seconds)).await;
    }
    let (during, beside) = (callers.await.unwrap(), beside.await.unwrap());
    assert_each_mode_was_met(&node, &post.server.emails());
    let waiting = f64::from(BEFORE + DURING) - tried(&node, "sent").await;
    assert!(waiting >= f64::from(DURING) * 0.9, "{waiting} wait");

    post.server.mode("ok");
    let healed = Instant::now();
    let patience = Duration::from_mins(1);
    tokio::select! {
        () = wait_until_sent(&node, BEFORE + DURING, patience) => {}
        () = post.hasten(HEALING_FACTOR, patience * 2) => unreachable!("the wait ends sooner"),
    }
    let lag = healed.elapsed();
    let [before, beside, during] = [before, beside, during].map(|times| median(&times));
    println!(
        "{kind:?}: sign-up {before:?}, in the outage {during:?} (without SMTP server {beside:?}); \
         {waiting} emails sent within {lag:?}"
    );
    assert_eq!(metric(&node, "gateward_mail_failed").await, Some(0.0));
    // A minute by the node's clock until the last retry, and some time to send.
    let sending = Duration::from_millis(25) * (BEFORE + DURING);
    assert!(lag < Duration::from_mins(1) / 6 + sending, "{lag:?}");
    let usual = before.max(beside);
    assert!(during <= usual * 2 + Duration::from_millis(20), "{usual:?} {during:?}");
    assert!(!readiness.is_finished(), "not ready all the while: {:?}", readiness.await);
    readiness.abort();
    assert_everybody_has_one(&post.server.emails());
}

/// Signs users up at a steady pace, however long each takes. Returns how long each took.
async fn sign_up(client: Client, numbers: Range<u32>, interval: Duration) -> Vec<Duration> {
    let mut interval = tokio::time::interval(interval);
    let mut signups = Vec::new();
    for number in numbers {
        interval.tick().await;
        let client = client.clone();
        signups.push(tokio::spawn(async move {
            let started = Instant::now();
            let response = client.signup(&format!("user-{number}")).await;
            assert!(response.status.is_success(), "{response:?}");
            started.elapsed()
        }));
    }
    let mut times = Vec::new();
    for signup in signups {
        times.push(signup.await.unwrap());
    }
    times
}

/// Polls whether a node is ready, and stops when it is not.
fn watch_readiness(client: Client) -> JoinHandle<String> {
    tokio::spawn(async move {
        loop {
            let response = client.get("/health/ready").await;
            if response.status != 200 {
                return response.text;
            }
            tokio::time::sleep(Duration::from_millis(200)).await;
        }
    })
}

/// Asserts that the node met each failure mode of the SMTP server.
fn assert_each_mode_was_met(node: &Node, emails: &[Mail]) {
    let lines = node.lines("email not sent, will retry");
    let failures: Vec<_> = lines.iter().map(|line| line["failure"].as_str().unwrap()).collect();
    for expected in ["refused", "451", "4.3.0", "554", "5.7.1"] {
        let met = failures.iter().any(|failure| failure.to_lowercase().contains(expected));
        assert!(met, "{expected}: {:#?}", failures.first());
    }
    assert!(emails.iter().any(|message| message.mode == "drop" && !message.accepted));
}

fn assert_everybody_has_one(emails: &[Mail]) {
    let found = by_recipient(emails);
    for number in 0..BEFORE + DURING {
        let address = format!("user-{number}@example.org");
        let copies = found.get(&*address).unwrap_or_else(|| panic!("{address} has no email"));
        assert_copies_of_one(copies);
    }
    assert_eq!(found.len(), usize::try_from(BEFORE + DURING).unwrap());
}
