//! The trail over weeks: entries expire after their retention, and keys rotate meanwhile.

use gateward_e2e::{Database, PASSWORD, Plan, ShiftedClock, TestDatabase, on_both, run};

use super::kept::act;
use super::ledger::{Ledger, export, is_whole, verify};
use crate::support::commands::said;

on_both!(
    what_was_kept_long_enough_goes_and_where_the_chain_begins_is_signed,
    signatures_of_every_key_that_there_was_are_believed,
);

const DAY: i64 = 24 * 3600;

async fn what_was_kept_long_enough_goes_and_where_the_chain_begins_is_signed(kind: Database) {
    let Some(clock) = ShiftedClock::new() else { return };
    let database = TestDatabase::new(kind).await;
    let mut plan = Plan::on(&database).with("audit.keep_days", 30);
    plan.environment.extend(clock.environment());
    let Some(ledger) = Ledger::open(&database).await else { return };
    let mut checkpoints = Vec::new();
    for day in [0, 20] {
        clock.set(day * DAY);
        let mut node = plan.start().await;
        for name in ["ada", "bob", "cyd", "dan"] {
            let made = node.client().signup(name).await.status;
            assert!(made == if day == 0 { 201 } else { 409 }, "{made}");
        }
        act(&node.client()).await;
        node.stop().await;
        checkpoints.push(is_whole(&plan));
    }
    assert_eq!(checkpoints[1].entries, checkpoints[1].seq, "twenty days are not enough");

    clock.set(35 * DAY);
    let mut node = plan.start().await;
    ledger
        .until_none(&format!(
            "SELECT {} - retention_boundary_seq FROM audit_chain",
            checkpoints[0].seq
        ))
        .await;
    ledger.until_none("SELECT 1 - count(*) FROM events WHERE kind = 'events_expired'").await;
    assert_eq!(node.client().login("ada", PASSWORD).await.status, 200);
    ledger.until_chained().await;
    node.stop().await;
    let verdict = is_whole(&plan);
    let lines = export(&plan);
    let retention_boundary = &lines[0]["retention_boundary"];
    assert_eq!(retention_boundary["seq"], checkpoints[0].seq);
    assert!(!lines[0]["signature"].as_str().unwrap().is_empty());
    assert_eq!(lines[1]["seq"], checkpoints[0].seq + 1);
    assert_eq!(verdict.entries, verdict.seq - checkpoints[0].seq);
    let expired: Vec<_> = lines.iter().filter(|line| line["event"] == "events_expired").collect();
    let last = expired.last().unwrap();
    assert_eq!(last["detail"], format!("seq={}", checkpoints[0].seq));
    assert_eq!(last["actor"], "service");
    // Stored checkpoints: the current one, the one at the retention boundary, and an older one.
    for checkpoint in [&verdict.checkpoint, &checkpoints[1].checkpoint, &checkpoints[0].checkpoint]
    {
        assert_eq!(verify(&plan, &["--expect", checkpoint]).findings, Vec::<String>::new());
    }

    // A deeper cut at the beginning cannot be signed without the key.
    let next = checkpoints[0].seq + 1;
    ledger.run(&format!("DELETE FROM events WHERE seq = {next}")).await;
    assert_eq!(verify(&plan, &[]).findings, [format!("entry {next} is missing")]);
    let digest = lines[1]["digest"].as_str().unwrap();
    let digest = ledger.bytes(&super::forger::bytes(&digest.into()));
    let sql = format!(
        "UPDATE audit_chain SET retention_boundary_seq = {next}, retention_boundary_digest = {digest}"
    );
    ledger.run(&sql).await;
    let forged = "the signature of the retention boundary is forged";
    assert_eq!(verify(&plan, &[]).findings, [forged]);
}

/// Signatures of a key stay valid after its rotation, by age or by command.
async fn signatures_of_every_key_that_there_was_are_believed(kind: Database) {
    let Some(clock) = ShiftedClock::new() else { return };
    let database = TestDatabase::new(kind).await;
    let mut plan = Plan::on(&database).with("audit.keep_days", 3650);
    plan.environment.extend(clock.environment());
    let mut reached = 0;
    for round in 0..4 {
        clock.set(round * 200 * DAY);
        let mut node = plan.start().await;
        node.client().begin(&format!("user-{round}")).await;
        said(&run(&plan, &["keys", "rotate"], ""));
        node.stop().await;
        let verdict = is_whole(&plan);
        assert!(verdict.entries == verdict.seq && verdict.seq > reached, "{verdict:?}");
        reached = verdict.seq;
    }
    let keys = said(&run(&plan, &["keys", "list"], ""));
    let audit: Vec<&str> = keys.lines().filter(|line| line.contains(" audit ")).collect();
    assert!(audit.len() >= 4, "{keys}");
    assert!(!audit.iter().any(|line| line.contains("retired")), "{keys}");
}
