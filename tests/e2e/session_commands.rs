//! `gateward session` and `gateward config set-issuer`: explaining sessions, ending them after a
//! restore, and ending them with their issuer.

mod backup;

use std::time::Duration;

use gateward_e2e::{
    Client, Database, Node, PASSWORD, Plan, TestDatabase, TestResponse, eventually, on_both, run,
};
use reqwest::Method;
use serde_json::{Value, json};

use self::backup::Backup;
use crate::support::commands::{complained, create, said};
use crate::support::pair::Pair;

on_both!(
    a_session_is_explained_at_the_command_line,
    an_administrator_reads_the_same_timeline_over_http,
    all_sessions_end_beside_running_nodes,
    ending_all_before_a_time_spares_the_younger,
    inv18_f36_a_restored_backup_brings_no_session_back_for_good,
    another_issuer_ends_what_the_one_before_has_issued,
);

/// How long the invalidation event of an end may take to reach a node, on a busy machine.
const PATIENCE: Duration = Duration::from_secs(5);

async fn login(client: &Client, name: &str) -> TestResponse {
    let response = client.login(name, PASSWORD).await;
    assert_eq!(response.status, 200, "{response:?}");
    response
}

fn explain(plan: &Plan, id: &str) -> Vec<String> {
    let told = said(&run(plan, &["session", "explain", id], ""));
    told.lines().map(ToOwned::to_owned).collect()
}

/// The timeline of an explained session, as the command line prints it.
fn lines(explained: &Value) -> Vec<String> {
    let line = |entry: &Value| {
        let [at, code, message] = ["at", "code", "message"].map(|name| entry[name].as_str());
        let message = message.unwrap().strip_suffix('.').unwrap();
        format!("{}: {message} ({}).", at.unwrap(), code.unwrap())
    };
    explained["timeline"].as_array().unwrap().iter().map(line).collect()
}

fn explain_json(plan: &Plan, id: &str) -> Value {
    serde_json::from_str(&said(&run(plan, &["session", "explain", id, "--json"], ""))).unwrap()
}

/// Asserts that each line has a time and then this text.
#[track_caller]
fn tells(lines: &[String], expected: &[&str]) {
    assert_eq!(lines.len(), expected.len(), "{lines:#?}");
    for (line, expected) in lines.iter().zip(expected) {
        let (at, text) = line.split_once("Z: ").unwrap();
        assert!(at.starts_with("20") && at.len() == 19, "{line}");
        assert_eq!(text, *expected);
    }
}

async fn a_session_is_explained_at_the_command_line(kind: Database) {
    let pair = Pair::start(kind, &[]).await;
    let (plan, [one, other]) = (pair.plan.clone(), pair.clients());
    one.begin("ada").await;
    let body = json!({"identifier": "ada", "password": PASSWORD, "client_name": "Ada's phone"});
    let request = one.post("/v1/login", &body).header("user-agent", "Notes/1.0");
    let first = one.send(request).await;
    let id = first.text_of("session_id");
    let second = other.refresh(first.refresh_token(), None).await;
    let third = one.refresh(second.refresh_token(), None).await;
    let alive = explain(&plan, id);
    let began = "The session started: the user logged in from 127.0.0.1, on \"Ada's phone\", with \
                 \"Notes/1.0\" (session_started).";
    let stranger = "The login came from a new device (new_device).";
    let refreshed = "The session was refreshed 2 times, most recently at this time (refreshed).";
    let idle =
        "The session is active. It expires at this time unless it is refreshed (idle_timeout).";
    let lifetime = "The session expires at this time in any case (lifetime_over).";
    tells(&alive, &[began, stranger, refreshed, idle, lifetime]);

    // The attacker sends a token that the owner has used.
    other.refresh(first.refresh_token(), None).await.is(401, "refresh_token_reused");
    let over = explain(&plan, id);
    let ended = "The session ended: a refresh token was used again, so two clients have the same \
                 token; the request came from 127.0.0.1 (refresh_token_reused).";
    assert_eq!(over.len(), 4, "{over:#?}");
    tells(&over[..3], &[began, stranger, refreshed]);
    let (_, end) = over[3].split_once("Z: ").unwrap();
    assert_eq!(end, ended);
    pair.has_ended("refresh_token_reused", &[&third]).await;

    let timeline = explain_json(&plan, id);
    assert_eq!(lines(&timeline), over);
    let session = &timeline["session"];
    assert_eq!(session["id"], id);
    assert_eq!(session["user_id"], first.body["user"]["id"]);
    assert_eq!((&session["refreshes"], &session["ip"]), (&json!(2), &json!("127.0.0.1")));
    assert_eq!(session["client_name"], "Ada's phone");
    assert_eq!(session["end_reason"], "refresh_token_reused");
    assert!(over[3].starts_with(session["ended_at"].as_str().unwrap()));
    // No secret that could be used.
    for secret in
        [first.refresh_token(), third.refresh_token(), first.text_of("known_device_token")]
    {
        assert!(!timeline.to_string().contains(secret));
    }

    let unknown = ["session", "explain", "01a1f7c4-3276-7a3b-8f45-007bd2598b92"];
    let complaint = complained(&run(&plan, &unknown, ""));
    assert!(complaint.contains("no session with this ID"), "{complaint}");
    for garbage in ["x", "", "0", "'; DROP TABLE sessions"] {
        let complaint = complained(&run(&plan, &["session", "explain", garbage], ""));
        assert!(complaint.contains("not a session ID"), "{complaint}");
        assert_eq!(complaint.lines().count(), 1);
    }
}

/// `GET /sessions/{sid}/explain`, which requires a permission.
async fn an_administrator_reads_the_same_timeline_over_http(kind: Database) {
    let pair = Pair::start(kind, &[]).await;
    let (plan, [one, other]) = (pair.plan.clone(), pair.clients());
    said(&create(&plan, ("root-of-all", "root@example.org"), PASSWORD));
    let root = login(&one, "root-of-all").await;
    let ada = other.begin("ada").await;
    assert_eq!(other.logout(ada.refresh_token()).await.status, 204);
    let ask = async |client: &Client, id: &str, access: &str| {
        let request = client.request(Method::GET, &format!("/v1/sessions/{id}/explain"));
        client.send(request.bearer_auth(access)).await
    };
    let id = ada.text_of("session_id");
    let told = explain(&plan, id);
    for client in [&one, &other] {
        let response = ask(client, id, root.access()).await;
        assert_eq!(response.status, 200, "{response:?}");
        assert_eq!(lines(&response.body), told);
        let session = &response.body["session"];
        assert_eq!((&session["id"], &session["current"]), (&json!(id), &json!(false)));
        assert_eq!(session["end_reason"], "logout");
        let own = ask(client, root.text_of("session_id"), root.access()).await;
        assert_eq!(own.body["session"]["current"], true);

        for id in ["01a1f7c4-3276-7a3b-8f45-007bd2598b92", "x", &id.to_uppercase()] {
            ask(client, id, root.access()).await.is(404, "not_found");
        }
        let bob = login(client, "root-of-all").await;
        assert_eq!(ask(client, id, bob.access()).await.status, 200);
    }
    let eve = one.begin("eve").await;
    for id in [id, eve.text_of("session_id"), "x"] {
        ask(&other, id, eve.access()).await.is(403, "forbidden");
    }
}

/// All sessions, on the running nodes, and no account changes.
async fn all_sessions_end_beside_running_nodes(kind: Database) {
    let pair = Pair::start(kind, &[]).await;
    let [one, other] = pair.clients();
    let ada = one.begin("ada").await;
    let bob = other.begin("bob").await;
    let next = other.refresh(ada.refresh_token(), Some("a-key")).await;
    let gone = login(&one, "ada").await;
    assert_eq!(one.logout(gone.refresh_token()).await.status, 204);
    let told = said_in_the_end(&pair.command(&["session", "end-all"]).await);
    assert!(told.starts_with("Ended 2 sessions started before 20"), "{told}");
    assert!(told.ends_with("Z.\n"), "{told}");
    pair.has_ended("ended_by_admin", &[&ada, &next, &bob]).await;
    pair.has_ended("logout", &[&gone]).await;
    one.refresh(ada.refresh_token(), Some("a-key")).await.is(401, "session_ended");
    let timeline = explain(&pair.plan, ada.text_of("session_id"));
    assert!(timeline.last().unwrap().ends_with(" (ended_by_admin)."), "{timeline:#?}");
    for client in [&one, &other] {
        let new = login(client, "ada").await;
        pair.is_alive(&new).await;
        assert_eq!(other.refresh(new.refresh_token(), None).await.status, 200);
    }
    // No session is left to end, and none ends twice.
    let new = login(&one, "bob").await;
    let told =
        said(&pair.command(&["session", "end-all", "--before", "2020-01-01T00:00:00Z"]).await);
    assert_eq!(told, "Ended 0 sessions started before 2020-01-01T00:00:00Z.\n");
    pair.is_alive(&new).await;
}

/// The last line of a command that also prints its progress.
#[track_caller]
fn said_in_the_end(output: &std::process::Output) -> String {
    assert!(output.status.success(), "{output:?}");
    let progress = String::from_utf8_lossy(&output.stderr);
    assert!(progress.lines().all(|line| line.ends_with(" sessions so far …")), "{progress}");
    String::from_utf8(output.stdout.clone()).unwrap()
}

async fn ending_all_before_a_time_spares_the_younger(kind: Database) {
    let pair = Pair::start(kind, &[]).await;
    let [one, other] = pair.clients();
    let old = one.begin("ada").await;
    tokio::time::sleep(Duration::from_millis(1_100)).await;
    let between = login(&other, "ada").await;
    let body = explain_json(&pair.plan, between.text_of("session_id"));
    let at = body["session"]["created_at"].as_str().unwrap();
    tokio::time::sleep(Duration::from_millis(1_100)).await;
    let young = login(&one, "ada").await;
    let told = said_in_the_end(&pair.command(&["session", "end-all", "--before", at]).await);
    assert_eq!(told, format!("Ended 1 session started before {at}.\n"));
    pair.has_ended("ended_by_admin", &[&old]).await;
    // Times are in whole seconds, and the session started within that second.
    for spared in [&between, &young] {
        pair.is_alive(spared).await;
        assert_eq!(other.refresh(spared.refresh_token(), None).await.status, 200);
    }
    for wrong in ["yesterday", "2026-11-20", "2026-13-01T00:00:00Z", ""] {
        let output = run(&pair.plan, &["session", "end-all", "--before", wrong], "");
        assert_eq!(output.status.code(), Some(2), "{output:?}");
        let complaint = String::from_utf8(output.stderr).unwrap();
        assert!(complaint.contains("use a UTC time such as 2026-11-20T04:10:00Z"), "{complaint}");
    }
}

/// Rows F36 and INV18: the database forgets the logouts since its backup, and the documented
/// command ends all sessions.
async fn inv18_f36_a_restored_backup_brings_no_session_back_for_good(kind: Database) {
    let database = TestDatabase::new(kind).await;
    let plan = Plan::on(&database);
    let nodes = [plan.start().await, plan.start().await];
    let client = nodes[0].client();
    let stolen = client.begin("ada").await;
    let kept = client.begin("bob").await;
    drop(nodes);
    let backup = Backup::take(&database).await;

    let nodes = [plan.start().await, plan.start().await];
    assert_eq!(nodes[0].client().logout(stolen.refresh_token()).await.status, 204);
    for node in &nodes {
        dies(&node.client(), &stolen).await;
    }
    // A user created later is not in the backup.
    let late = nodes[1].client().begin("carol").await;
    drop(nodes);
    backup.restore(&database).await;

    let nodes = [plan.start().await, plan.start().await];
    for node in &nodes {
        let me = node.client().me(stolen.access()).await;
        assert_eq!(me.status, 200, "this is why there is a procedure: {me:?}");
    }
    let told = said_in_the_end(&run(&plan, &["session", "end-all"], ""));
    assert!(told.starts_with("Ended 2 sessions started before 20"), "{told}");
    for node in &nodes {
        let client = node.client();
        for session in [&stolen, &kept] {
            dies(&client, session).await;
            client.refresh(session.refresh_token(), None).await.is(401, "session_ended");
        }
        client.refresh(late.refresh_token(), None).await.is(401, "invalid_token");
        assert_eq!(client.me(late.access()).await.status, 401);
        client.login("carol", PASSWORD).await.is(401, "invalid_credentials");
        for name in ["ada", "bob"] {
            let new = login(&client, name).await;
            assert_eq!(client.refresh(new.refresh_token(), None).await.status, 200);
        }
    }
    // It stays so for nodes that start later.
    drop(nodes);
    let node = plan.start().await;
    node.client().me(stolen.access()).await.is(401, "session_ended");
}

async fn dies(client: &Client, session: &TestResponse) {
    client.until_refused(session.access(), PATIENCE).await;
    client.me(session.access()).await.is(401, "session_ended");
}

/// All nodes share one issuer: it is stored in the database, and a node with another one does
/// nothing.
async fn another_issuer_ends_what_the_one_before_has_issued(kind: Database) {
    let database = TestDatabase::new(kind).await;
    let plan = |issuer| Plan::on(&database).with("tokens.issuer", issuer);
    let (one, two) = ("https://one.example", "https://two.example");
    let old_node = plan(one).start().await;
    let ada = old_node.client().begin("ada").await;

    // The new issuer is required twice, here and in the settings.
    for wrong in [two, "two.example", "", "https://one.example/"] {
        let complaint = complained(&run(&plan(one), &["config", "set-issuer", wrong], ""));
        assert!(
            complaint.contains("the issuer in the settings is https://one.example"),
            "{complaint}"
        );
    }
    let told = said(&run(&plan(one), &["config", "set-issuer", one], ""));
    assert_eq!(told, "The issuer is already https://one.example. Nothing was changed.\n");
    let mut early = plan(two).launch();
    assert_eq!(early.ended().await.code(), Some(1));
    assert!(early.log().contains("set-issuer"), "the log says what to do: {}", early.log());
    assert_eq!(old_node.client().me(ada.access()).await.status, 200);

    let told = said_in_the_end(&run(&plan(two), &["config", "set-issuer", two], ""));
    assert!(
        told.starts_with("Changed the issuer from https://one.example to https://two."),
        "{told}"
    );
    assert!(told.contains("https://two.example. Sessions ended: 1."), "{told}");
    becomes_unready(&old_node).await;
    dies(&old_node.client(), &ada).await;
    old_node.client().refresh(ada.refresh_token(), None).await.is(401, "session_ended");

    let new_node = plan(two).start().await;
    let client = new_node.client();
    for token in [ada.access(), ada.refresh_token()] {
        client.me(token).await.is_problem();
        assert_eq!(client.refresh(token, None).await.status, 401);
    }
    client.me(ada.access()).await.is(401, "invalid_token");
    let new = login(&client, "ada").await;
    assert_eq!(gateward_e2e::claims(new.access())["iss"], two);
    assert_eq!(client.me(new.access()).await.status, 200);
    assert_eq!(client.refresh(new.refresh_token(), None).await.status, 200);
    old_node.client().me(new.access()).await.is(401, "invalid_token");
    let mut again = plan(one).launch();
    assert_eq!(again.ended().await.code(), Some(1));
}

async fn becomes_unready(node: &Node) {
    eventually(PATIENCE, async || {
        if node.client().get("/health/ready").await.status == 200 {
            Err(node.log())
        } else {
            Ok(())
        }
    })
    .await;
    node.client().get("/health/ready").await.is(503, "unavailable");
}
