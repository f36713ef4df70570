//! Rows F20, F21 and F39: letters that outlive their links, letters that nobody takes, and relays
//! that keep a node waiting.
#![expect(clippy::print_stdout, reason = "whoever measures runs this with --nocapture")]

use std::time::{Duration, Instant};

use gateward_e2e::{Client, Database, MailServer, Node, PASSWORD, TestDatabase, on_both, run};
use rustix::process::Signal;

use crate::commands::said;
use crate::mail_stage::{
    HOUR, PATIENCE, PAUSE, Post, by_recipient, forgot, has_failed, is, median, metric, names, plan,
    reset, tried, wait_for_gauge, wait_until_sent,
};

on_both!(
    f20_a_link_that_waited_too_long_is_made_anew,
    f20_a_link_that_another_took_the_place_of_is_not_sent,
    f20_a_sign_up_that_is_over_is_dropped_and_written_down,
    f21_a_letter_that_nobody_takes_delays_no_other_and_is_given_up,
    f39_a_relay_that_never_answers_is_noticed_by_no_request,
    f39_a_name_that_is_slow_to_look_up_is_noticed_by_no_request,
);

const NEW_PASSWORD: &str = "staple and a paper clip";

/// For how many seconds a link that resets is good.
const LINK_LIFE: i64 = 600;

/// How many letters wait beside the one that nobody takes.
const OTHERS: u32 = 200;

/// How many requests are timed.
const TIMED: u32 = 40;

/// Row F20: a letter is late; its link is over, or nearly so, before it goes out.
async fn f20_a_link_that_waited_too_long_is_made_anew(kind: Database) {
    for waits in [HOUR + 120, LINK_LIFE - 60] {
        let Some(post) = Post::new(kind).await else { return };
        let node = post.plan.start().await;
        let client = node.client();
        assert_eq!(client.signup("ada").await.status, 201);
        post.wait_for("ada@example.org", is("sent")).await;
        post.server.mode("refuse");
        forgot(&client, "ada").await;
        // Now it has a link.
        post.wait_for("ada@example.org", has_failed).await;
        post.forward(waits);
        post.server.mode("ok");
        post.wait_for("ada@example.org", is("sent")).await;

        let letters = post.server.letters_to("ada@example.org");
        let [_, letter] = letters.as_slice() else { panic!("{letters:#?}") };
        // That of the first try would be over by now.
        post.forward(LINK_LIFE - 120);
        assert_eq!(reset(&client, letter.link(), NEW_PASSWORD).await, 204);
        assert_eq!(reset(&client, letter.link(), PASSWORD).await, 400);
        assert_eq!(client.login("ada", NEW_PASSWORD).await.status, 200);
    }
}

/// Row F20: of two letters that wait, the first is not sent when the second has its link; nor is
/// one sent whose account an operator has made a link for.
async fn f20_a_link_that_another_took_the_place_of_is_not_sent(kind: Database) {
    let Some(post) = Post::new(kind).await else { return };
    let node = post.plan.start().await;
    let client = node.client();
    for name in ["ada", "bob"] {
        assert_eq!(client.signup(name).await.status, 201);
        post.wait_for(&format!("{name}@example.org"), is("sent")).await;
    }
    post.server.mode("temporary");
    for name in ["ada", "bob", "ada"] {
        forgot(&client, name).await;
        post.wait_for(&format!("{name}@example.org"), has_failed).await;
        post.forward(PAUSE);
    }
    let made = run(&post.plan, &["user", "reset-link", "bob"], "");
    assert!(made.status.success(), "{made:?}");
    post.server.mode("ok");
    post.forward(PAUSE);
    post.wait_for("ada@example.org", is("sent")).await;
    post.wait_for("bob@example.org", is("dropped")).await;

    let begun = Instant::now();
    while !post.list(&["--state", "waiting"]).is_empty() {
        assert!(begun.elapsed() < PATIENCE);
        tokio::time::sleep(Duration::from_millis(200)).await;
    }
    let letters = post.list_to("ada@example.org");
    let states: Vec<_> = letters.iter().map(|letter| letter["state"].as_str().unwrap()).collect();
    assert_eq!(states, ["sent", "dropped", "sent"], "{letters:#?}");
    assert_eq!(letters[1]["failure"], "its link was used or replaced");
    let letters = post.server.letters_to("ada@example.org");
    let [_, letter] = letters.as_slice() else { panic!("{letters:#?}") };
    assert_eq!(reset(&client, letter.link(), NEW_PASSWORD).await, 204);
    assert_eq!(post.server.letters_to("bob@example.org").len(), 1);
    // Somebody else's letter took its place: nobody waits in vain.
    assert!(!post.has_event("letter_dropped").await);
}

/// Row F20: nobody can confirm a sign-up that is over.
async fn f20_a_sign_up_that_is_over_is_dropped_and_written_down(kind: Database) {
    let Some(post) = Post::new(kind).await else { return };
    let post = post.with("signup.email_verification", "required");
    let mut node = post.plan.start().await;
    post.server.mode("refuse");
    let answer = node.client().signup("ada").await;
    assert_eq!(answer.text_of("status"), "confirmation_sent");
    post.wait_for("ada@example.org", has_failed).await;
    // The relay and the node are away for four days.
    node.kill();
    assert!(!post.has_event("letter_dropped").await);
    post.forward(4 * 24 * HOUR);
    post.server.mode("ok");
    let node = post.plan.start().await;
    let letter = post.wait_for("ada@example.org", is("dropped")).await;
    assert_eq!(letter["failure"], "the sign-up is over");
    assert_eq!(post.list(&["--state", "dropped"]), [letter]);
    assert!(post.has_event("letter_dropped").await);
    assert!(post.server.letters().is_empty());
    assert!((tried(&node, "dropped").await - 1.0).abs() < 0.1);
}

/// Row F21: one mailbox that is refused for good, and many letters beside it.
async fn f21_a_letter_that_nobody_takes_delays_no_other_and_is_given_up(kind: Database) {
    let Some(post) = Post::new(kind).await else { return };
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
    assert!(post.server.letters().is_empty());
    post.server.mode(&format!("reject:{poison}"));
    post.forward(PAUSE);
    let begun = Instant::now();
    wait_until_sent(&node, OTHERS, PATIENCE).await;
    let took = begun.elapsed();
    println!("{kind:?}: {OTHERS} letters beside one that is refused, within {took:?}");
    // The relay is looked for within 30 seconds; a letter takes some hundredths of one.
    assert!(took < Duration::from_secs(45), "{took:?}");
    let waiting = post.wait_for(poison, has_failed).await;
    let failure = waiting["failure"].as_str().unwrap();
    assert!(failure.contains("550") && !failure.contains("poison"), "{failure}");
    assert_eq!(by_recipient(&post.server.letters()).len(), 200);

    // For five hours it is tried; after six it is given up.
    post.forward(5 * HOUR);
    let attempts = waiting["attempts"].as_i64();
    let again = |letter: &serde_json::Value| letter["attempts"].as_i64() > attempts;
    assert_eq!(post.wait_for(poison, again).await["state"], "waiting");
    assert!(!post.has_event("letter_given_up").await);
    post.forward(HOUR);
    post.wait_for(poison, is("dead")).await;
    assert_given_up(&post, &node).await;

    post.server.mode("ok");
    let id = waiting["id"].as_str().unwrap();
    assert!(said(&run(&post.plan, &["mail", "retry", id], "")).contains("waits again"));
    post.wait_for(poison, is("sent")).await;
    let [letter] = &post.server.letters_to(poison)[..] else { panic!("not one letter") };
    assert!(letter.header("message-id").unwrap().contains(id), "{letter:#?}");
}

/// One letter is dead, and whoever should know does.
async fn assert_given_up(post: &Post, node: &Node) {
    let dead = post.list(&["--state", "dead"]);
    assert_eq!(dead.len(), 1, "{dead:#?}");
    assert!(dead[0]["failure"].as_str().unwrap().contains("550"), "{dead:#?}");
    assert!(post.has_event("letter_given_up").await);
    assert_eq!(node.lines("letter given up; see `gateward mail`").len(), 1);
    wait_for_gauge(node, "gateward_mail_dead", |dead| (dead - 1.0).abs() < 0.1).await;
    assert!((tried(node, "given_up").await - 1.0).abs() < 0.1);
}

/// Row F39: a relay that takes connections and says nothing.
async fn f39_a_relay_that_never_answers_is_noticed_by_no_request(kind: Database) {
    let Some(server) = MailServer::start().await else { return };
    let database = TestDatabase::new(kind).await;
    let node = plan(&database, &server.url()).start().await;
    let usual = times(&node.client(), "usual").await;
    server.mode("hang");
    let (connections, begun) = (server.connections(), Instant::now());
    assert_eq!(node.client().signup("first").await.status, 201);
    while server.connections() == connections {
        assert!(begun.elapsed() < PATIENCE, "no letter is under way");
        tokio::time::sleep(Duration::from_millis(50)).await;
    }
    let slow = times(&node.client(), "slow").await;
    assert_unnoticed(node, usual, slow).await;
}

/// Row F39: the name of the relay is looked up for longer than a node has to stop.
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

/// How long sign-ups and log-ins take.
async fn times(client: &Client, name: &str) -> [Vec<Duration>; 2] {
    let mut times = [Vec::new(), Vec::new()];
    for number in 0..TIMED {
        let name = format!("{name}-{number}");
        let begun = Instant::now();
        assert_eq!(client.signup(&name).await.status, 201);
        times[0].push(begun.elapsed());
        let begun = Instant::now();
        assert_eq!(client.login(&name, PASSWORD).await.status, 200);
        times[1].push(begun.elapsed());
    }
    times
}

/// No request took longer, the node is ready and counts, and it ends when it is told to.
async fn assert_unnoticed(mut node: Node, usual: [Vec<Duration>; 2], slow: [Vec<Duration>; 2]) {
    for (usual, slow) in usual.iter().zip(&slow) {
        let (usual, slow) = (median(usual), median(slow));
        println!("usually {usual:?}, with a slow relay {slow:?}");
        assert!(slow <= usual * 2 + Duration::from_millis(20), "{usual:?} {slow:?}");
    }
    assert_eq!(node.client().get("/health/ready").await.status, 200);
    assert!(metric(&node, "gateward_mail_waiting").await.is_some());
    assert!(node.lines("letter given up; see `gateward mail`").is_empty());
    let begun = Instant::now();
    node.signal(Signal::TERM);
    assert_eq!(node.ended().await.code(), Some(0), "{}", node.log());
    println!("ended within {:?}", begun.elapsed());
    assert!(begun.elapsed() < Duration::from_secs(30), "{:?}", begun.elapsed());
}
