//! Row F19: a node is killed while an SMTP server has its email, and nodes share one queue.

use std::time::Duration;

use futures_util::future::join_all;
use gateward_e2e::{Database, on_both, rounds};

use crate::support::mail_fixture::{
    MailFixture, PATIENCE, PAUSE, assert_copies_of_one, by_recipient, is,
};
use crate::support::metrics::{tried, wait_until_sent};

on_both!(
    f19_an_email_whose_response_a_kill_cut_off_arrives_again_and_no_other_does,
    f19_a_kill_right_after_the_response_makes_one_more_copy_at_most,
);

/// How many times a node is killed close to the response.
const ROUNDS: u64 = 5;

/// How many emails wait for two nodes.
const QUEUE: u32 = 300;

/// Row F19: `kill -9` between the end of DATA and the database update.
async fn f19_an_email_whose_response_a_kill_cut_off_arrives_again_and_no_other_does(
    kind: Database,
) {
    let Some(post) = MailFixture::new(kind).await else { return };
    let (server, ada) = (&post.server, "ada@example.org");
    let mut node = post.plan.start().await;
    assert_eq!(node.client().signup("bob").await.status, 201);
    post.wait_for("bob@example.org", is("sent")).await;
    server.mode("hold");
    assert_eq!(node.client().signup("ada").await.status, 201);
    server.wait_for(ada, 1, PATIENCE).await;
    node.kill();
    server.mode("ok");

    // While the lease lasts, no other node takes the email.
    let node = post.plan.start().await;
    assert_eq!(node.client().signup("cid").await.status, 201);
    wait_until_sent(&node, 1, PATIENCE).await;
    tokio::time::sleep(Duration::from_secs(1)).await;
    assert_eq!(server.emails_to(ada).len(), 1);
    post.forward(PAUSE);
    let sent = post.wait_for(ada, is("sent")).await;
    assert_eq!(sent["attempts"], 2);

    let emails = server.emails();
    let found = by_recipient(&emails);
    let copies = &found[ada];
    assert_copies_of_one(copies);
    assert_eq!(copies.iter().map(|copy| copy.accepted).collect::<Vec<_>>(), [false, true]);
    assert_eq!(copies[0].links, copies[1].links, "either copy works");
    assert_eq!((found["bob@example.org"].len(), found["cid@example.org"].len()), (1, 1));
    assert!(post.list(&[]).iter().all(is("sent")));
}

/// Row F19: the response has been sent, and may not be recorded yet.
async fn f19_a_kill_right_after_the_response_makes_one_more_copy_at_most(kind: Database) {
    let Some(post) = MailFixture::new(kind).await else { return };
    for round in 0..rounds(ROUNDS) {
        let (name, address) = (format!("user-{round}"), format!("user-{round}@example.org"));
        let mut node = post.plan.start().await;
        post.server.mode("hold");
        assert_eq!(node.client().signup(&name).await.status, 201);
        post.server.wait_for(&address, 1, PATIENCE).await;
        post.server.release();
        tokio::time::sleep(Duration::from_millis(round * 2)).await;
        node.kill();

        post.server.mode("ok");
        post.forward(PAUSE);
        let _node = post.plan.start().await;
        let sent = post.wait_for(&address, is("sent")).await;
        let copies = post.server.emails_to(&address);
        assert_eq!(sent["attempts"], copies.len());
        assert!(copies.len() <= 2, "{copies:#?}");
        let ids: Vec<_> = copies.iter().map(|copy| copy.header("message-id").unwrap()).collect();
        assert!(ids.iter().all(|id| *id == ids[0]), "{ids:?}");
    }
    assert_eq!(by_recipient(&post.server.emails()).len(), usize::try_from(rounds(ROUNDS)).unwrap());
}

/// If two nodes send from one queue, each email is sent once.
#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn two_nodes_on_one_queue_send_each_email_once() {
    let Some(post) = MailFixture::new(Database::Postgres).await else { return };
    post.server.mode("refuse");
    let node = post.plan.start().await;
    let client = node.client();
    for batch in 0..QUEUE / 10 {
        let names: Vec<_> =
            (batch * 10..batch * 10 + 10).map(|number| format!("user-{number}")).collect();
        let responses = join_all(names.iter().map(|name| client.signup(name))).await;
        assert!(responses.iter().all(|response| response.status == 201), "{responses:?}");
    }
    drop(node);

    post.forward(PAUSE);
    post.server.mode("slow:0.02");
    let (one, other) = tokio::join!(post.plan.start(), post.plan.start());
    let started = std::time::Instant::now();
    loop {
        let sent = (tried(&one, "sent").await, tried(&other, "sent").await);
        if sent.0 + sent.1 >= f64::from(QUEUE) {
            println!("the nodes have sent {sent:?} emails within {:?}", started.elapsed());
            assert!(sent.0 > 20.0 && sent.1 > 20.0, "both work: {sent:?}");
            break;
        }
        assert!(started.elapsed() < PATIENCE, "{sent:?}");
        tokio::time::sleep(Duration::from_millis(100)).await;
    }
    let emails = post.server.emails();
    let found = by_recipient(&emails);
    assert_eq!((emails.len(), found.len()), (300, 300), "each once");
    assert!(emails.iter().all(|message| message.accepted));
    assert_eq!(post.list(&["--limit", "1000", "--state", "sent"]).len(), 300);
}
