//! Changes to the rows of the trail by an attacker who owns the tables: each is found, and the
//! entry is named.

use aws_lc_rs::digest::{SHA256, digest};
use gateward_e2e::{Database, on_both, run};

use super::kept::{Kept, foreign};
use super::ledger::{is_whole, verify};
use crate::support::commands::{create, said};

on_both!(
    a16_4_2_each_change_of_an_entry_is_found_by_its_number,
    a16_4_2_each_removal_swap_and_insertion_is_found_by_its_number,
    a16_4_2_a_forged_end_or_beginning_is_found,
    a16_4_2_an_earlier_end_that_is_put_back_is_found_by_a_checkpoint_that_was_kept,
    a16_4_2_the_database_itself_refuses_to_change_an_event,
);

/// A change, and its finding.
struct Fault {
    what: &'static str,
    sql: String,
    findings: Vec<String>,
    /// Whether this is the only finding.
    alone: bool,
}

impl Fault {
    fn new(what: &'static str, sql: impl Into<String>, findings: &[String]) -> Self {
        Self { what, sql: sql.into(), findings: findings.to_vec(), alone: true }
    }

    /// The same with further findings.
    fn and_more(self) -> Self {
        Self { alone: false, ..self }
    }
}

fn altered(seq: i64) -> String {
    format!("entry {seq} was altered or moved")
}

fn forged(seq: i64) -> String {
    format!("the signature at entry {seq} is forged")
}

fn cut(expected: i64, found: i64) -> String {
    format!("the trail is truncated: it reached entry {expected}, but entry {found} is the last")
}

/// Applies each to an intact trail.
async fn find_each(kept: &Kept, faults: Vec<Fault>) {
    kept.ledger.lay_aside().await;
    kept.ledger.loosen().await;
    for Fault { what, sql, findings, alone } in faults {
        kept.ledger.run(&sql).await;
        let found = verify(&kept.plan, &[]).findings;
        if alone {
            assert_eq!(found, findings, "{what}");
        } else {
            assert!(findings.iter().all(|finding| found.contains(finding)), "{what}: {found:#?}");
        }
        kept.ledger.put_back().await;
    }
    assert_eq!(is_whole(&kept.plan).checkpoint, kept.end.checkpoint);
}

/// Row 16.4.2: any change to the content of an entry.
async fn a16_4_2_each_change_of_an_entry_is_found_by_its_number(kind: Database) {
    let Some(kept) = Kept::new(kind).await else { return };
    let (ledger, victim) = (&kept.ledger, kept.victim());
    let owner = kept.entry(victim)["user_id"].as_str().unwrap();
    let users = kept.lines.iter().filter_map(|line| line["user_id"].as_str());
    let other = ledger.id(users.into_iter().find(|id| *id != owner).unwrap());
    let later = ledger.by_kind("happened_at + interval '1 second'", "happened_at + 1000000");
    let (salt, ip) = ([7; 16], "198.51.100.7");
    let commitment = digest(&SHA256, &[&salt, ip.as_bytes()].concat());
    let (salt, commitment) = (ledger.bytes(&salt), ledger.bytes(commitment.as_ref()));
    let zeros = ledger.bytes(&[0; 32]);
    let is_altered = [altered(victim)];
    let elsewhere = format!("entry {victim} has a different IP address");
    let is_erased = format!("entry {victim} was erased, but account {owner} was not deleted");
    let set = |what, change: &str, findings: &[String]| {
        Fault::new(what, format!("UPDATE events SET {change} WHERE seq = {victim}"), findings)
    };
    let faults = vec![
        set("another event", "kind = 'account_enabled'", &is_altered),
        set("no event", "kind = 'nonsense'", &[format!("entry {victim} cannot be read")]),
        set("another account", &format!("user_id = {other}"), &is_altered),
        set("no account", "user_id = NULL", &is_altered),
        set("another who", &format!("actor_id = {other}"), &is_altered),
        set("nobody", "actor = 'service', actor_id = NULL", &is_altered),
        set("no session", "session_id = NULL", &is_altered),
        set("a session of whom", &format!("actor_session_id = {other}"), &is_altered),
        set("another detail", "detail = 'nothing to see'", &is_altered),
        set("another time", &format!("happened_at = {later}"), &is_altered),
        set("another identifier", &format!("id = {other}"), &is_altered),
        set("another address", &format!("ip = '{ip}'"), std::slice::from_ref(&elsewhere)),
        set("no address", "ip = NULL", std::slice::from_ref(&elsewhere)),
        set("no salt", "salt = NULL", std::slice::from_ref(&elsewhere)),
        set("another salt", &format!("salt = {salt}"), &[elsewhere]),
        set(
            "another address with what binds it",
            &format!("ip = '{ip}', salt = {salt}, commitment = {commitment}"),
            &is_altered,
        ),
        set(
            "another digest",
            &format!("digest = {zeros}"),
            &[altered(victim), altered(victim + 1)],
        ),
        set("erased", "ip = NULL, salt = NULL", &[is_erased]),
    ];
    find_each(&kept, faults).await;
}

/// Row 16.4.2: entries that are missing, moved, or inserted.
#[expect(clippy::too_many_lines, reason = "one line for each change")]
async fn a16_4_2_each_removal_swap_and_insertion_is_found_by_its_number(kind: Database) {
    let Some(kept) = Kept::new(kind).await else { return };
    let (victim, last, middle) = (kept.victim(), kept.last(), kept.middle.seq);
    let next = victim + 1;
    // Sequence numbers are unique at every moment, so they move in two steps.
    let shift = |from: i64, by: i64| {
        format!(
            "UPDATE events SET seq = seq + 1000000 WHERE seq >= {from}; \
             UPDATE events SET seq = seq - 1000000 + {by} WHERE seq >= 1000000"
        )
    };
    let swap = |columns: &[&str]| {
        let moved: Vec<String> = columns
            .iter()
            .map(|column| {
                format!(
                    "{column} = (SELECT {column} FROM aside_events WHERE seq = \
                     {victim} + {next} - (events.seq - 1000000))"
                )
            })
            .collect();
        let moved = moved.join(", ");
        format!(
            "UPDATE events SET seq = seq + 1000000 WHERE seq IN ({victim}, {next}); \
             UPDATE events SET {moved} WHERE seq > 1000000"
        )
    };
    let copy = |seq: i64| {
        let id = kept.ledger.id("01a1f7c4-3276-7a3b-8f45-007bd2598b92");
        format!(
            "CREATE TABLE copied AS SELECT * FROM events WHERE seq = {victim}; \
             UPDATE copied SET id = {id}, seq = {seq}; \
             INSERT INTO events SELECT * FROM copied; DROP TABLE copied"
        )
    };
    let behind = |seq: i64| format!("entry {seq} lies beyond the latest checkpoint");
    let remove = |which: String| format!("DELETE FROM events WHERE seq {which}");
    let one = remove(format!("= {victim}"));
    let faults = vec![
        Fault::new("one", &*one, &[format!("entry {victim} is missing")]),
        Fault::new(
            "three",
            remove(format!("BETWEEN {victim} AND {}", victim + 2)),
            &[format!("entries {victim} to {} are missing", victim + 2)],
        ),
        Fault::new("the first", remove("= 1".to_owned()), &["entry 1 is missing".to_owned()]),
        Fault::new("the last", remove(format!("= {last}")), &[cut(last, last - 1)]),
        Fault::new("the end", remove(format!("> {middle}")), &[cut(last, middle)]),
        Fault::new("all", "DELETE FROM events", &[cut(last, 0)]),
        Fault::new(
            "one, and the others close up",
            format!("{one}; {}", shift(victim, -1)),
            &[altered(victim), altered(last - 1), cut(last, last - 1)],
        )
        .and_more(),
        Fault::new(
            "two in each other's place",
            swap(&["seq"]),
            &[altered(victim), altered(next), altered(next + 1)],
        ),
        Fault::new(
            "two with each other's digests",
            swap(&["seq", "digest"]),
            &[altered(victim), altered(next)],
        ),
        Fault::new("one behind the end", copy(last + 1), &[behind(last + 1)]),
        Fault::new("one far behind the end", copy(last + 1000), &[behind(last + 1000)]),
        Fault::new(
            "one between two",
            format!("{}; {}", shift(next, 1), copy(next)),
            &[altered(next), altered(last), behind(last + 1)],
        )
        .and_more(),
    ];
    find_each(&kept, faults).await;
}

/// Row 16.4.2: only the owner of the key can sign these.
async fn a16_4_2_a_forged_end_or_beginning_is_found(kind: Database) {
    let Some(kept) = Kept::new(kind).await else { return };
    let Some((foreign, _)) = foreign(kind).await else { return };
    let (victim, last, middle) = (kept.victim(), kept.last(), kept.middle.seq);
    let chain = |change: String| format!("UPDATE audit_chain SET {change}");
    let middle_of = |column: &str| format!("(SELECT {column} FROM middle_chain)");
    let begin = |seq: i64, signature: String| {
        let digest = format!("(SELECT digest FROM aside_events WHERE seq = {seq})");
        let change = format!(
            "retention_boundary_seq = {seq}, retention_boundary_digest = {digest}, {signature}"
        );
        format!("DELETE FROM events WHERE seq <= {seq}; {}", chain(change))
    };
    let signed = |change: String| format!("UPDATE events SET signature = {change}");
    let on = |seq: i64| format!("(SELECT signature FROM aside_events WHERE seq = {seq})");
    let unsigned = "retention_boundary_signature = ''".to_owned();
    let begins = ["the signature of the retention boundary is forged".to_owned()];
    let faults = vec![
        Fault::new(
            "the end is signed with another key",
            chain(format!("checkpoint_signature = '{foreign}'")),
            &[forged(last)],
        ),
        Fault::new(
            "the end is not signed",
            chain("checkpoint_signature = ''".into()),
            &[forged(last)],
        ),
        Fault::new(
            "the end is moved on",
            chain("checkpoint_seq = checkpoint_seq + 5".to_owned()),
            &[cut(last + 5, last), forged(last + 5)],
        ),
        Fault::new(
            "the digest of the end is another",
            chain(format!("checkpoint_digest = {}", middle_of("checkpoint_digest"))),
            &[forged(last)],
        ),
        Fault::new(
            "the end is an earlier one, and the entries stay",
            "DELETE FROM audit_chain; INSERT INTO audit_chain SELECT * FROM middle_chain",
            &[format!("entry {} lies beyond the latest checkpoint", middle + 1)],
        )
        .and_more(),
        Fault::new(
            "an entry signed with another key",
            signed(format!("'{foreign}' WHERE seq = {victim}")),
            &[forged(victim)],
        ),
        Fault::new(
            "a signature of another entry",
            signed(format!("{} WHERE seq = {victim}", on(middle))),
            &[forged(victim)],
        ),
        Fault::new("no beginning", begin(victim, unsigned), &begins),
        Fault::new(
            "a beginning by the signature of an end",
            begin(
                middle,
                format!(
                    "retention_boundary_at = {}, retention_boundary_signature = {}",
                    middle_of("checkpoint_at"),
                    middle_of("checkpoint_signature")
                ),
            ),
            &begins,
        ),
    ];
    find_each(&kept, faults).await;
}

/// Row 16.4.2: the earlier end was signed, so the database alone does not reveal it. A checkpoint
/// kept elsewhere does.
async fn a16_4_2_an_earlier_end_that_is_put_back_is_found_by_a_checkpoint_that_was_kept(
    kind: Database,
) {
    let Some(kept) = Kept::new(kind).await else { return };
    let (last, middle) = (kept.last(), kept.middle.seq);
    let expect = |checkpoint: &str| verify(&kept.plan, &["--expect", checkpoint]).findings;
    let none = Vec::<String>::new();
    for checkpoint in [&kept.middle.checkpoint, &kept.end.checkpoint] {
        assert_eq!(expect(checkpoint), none);
    }
    let (_, digest) = kept.end.checkpoint.split_once(':').unwrap();
    let other = format!("the chain does not match the expected checkpoint at entry {middle}");
    assert_eq!(expect(&format!("{middle}:{digest}")), [other]);

    kept.ledger.lay_aside().await;
    kept.ledger.loosen().await;
    let put = "DELETE FROM audit_chain; INSERT INTO audit_chain SELECT * FROM middle_chain";
    kept.ledger.run(&format!("DELETE FROM events WHERE seq > {middle}; {put}")).await;
    assert_eq!(is_whole(&kept.plan).checkpoint, kept.middle.checkpoint);
    assert_eq!(expect(&kept.middle.checkpoint), none);
    assert_eq!(expect(&kept.end.checkpoint), [cut(last, middle)]);

    kept.ledger.run("DELETE FROM events; DELETE FROM audit_chain").await;
    assert_eq!(is_whole(&kept.plan).entries, 0);
    assert_eq!(expect(&kept.middle.checkpoint), [cut(middle, 0)]);
    kept.ledger.put_back().await;
    assert_eq!(expect(&kept.end.checkpoint), none);

    for bad in ["", "17", &kept.end.checkpoint[1..40], "x:y"] {
        let refused = run(&kept.plan, &["audit", "verify", "--expect", bad], "");
        assert_eq!(refused.status.code(), Some(2), "{bad:?}: {refused:?}");
    }
}

/// Row 16.4.2: a user who does not own the tables cannot change them.
async fn a16_4_2_the_database_itself_refuses_to_change_an_event(kind: Database) {
    let Some(kept) = Kept::new(kind).await else { return };
    let (ledger, victim) = (&kept.ledger, kept.victim());
    // It is not chained: no node runs that would chain it.
    said(&create(&kept.plan, ("eve", "eve@example.org"), "correct horse battery"));
    let later = ledger.by_kind("happened_at + interval '1 second'", "happened_at + 1");
    let (id, zeros) = (ledger.id("01a1f7c4-3276-7a3b-8f45-007bd2598b92"), ledger.bytes(&[0; 32]));
    let (salt, own) = (ledger.bytes(&[0; 16]), format!("WHERE seq = {victim}"));
    for (change, which) in [
        (format!("id = {id}"), &*own),
        (format!("happened_at = {later}"), &own),
        ("kind = 'account_enabled'".to_owned(), &own),
        ("reason = 'logout'".to_owned(), &own),
        ("actor = 'operator'".to_owned(), &own),
        (format!("actor_id = {id}"), &own),
        (format!("user_id = {id}"), &own),
        ("user_id = NULL".to_owned(), &own),
        (format!("session_id = {id}"), &own),
        (format!("actor_session_id = {id}"), &own),
        ("detail = 'nothing'".to_owned(), &own),
        ("ip = '198.51.100.7'".to_owned(), &own),
        (format!("salt = {salt}"), &own),
        (format!("commitment = {zeros}"), &own),
        (format!("seq = {}", kept.last() + 1), &own),
        ("seq = NULL, digest = NULL".to_owned(), &own),
        (format!("digest = {zeros}"), &own),
        ("signature = 'x'".to_owned(), &own),
        ("kind = 'account_enabled'".to_owned(), "WHERE seq IS NULL"),
        ("kind = 'account_enabled'".to_owned(), ""),
    ] {
        let refused = ledger.attempt(&format!("UPDATE events SET {change} {which}")).await;
        let refused = refused.expect_err(&change);
        assert!(refused.contains("an event cannot be changed"), "{change}: {refused}");
    }
    for delete in ["DELETE FROM events WHERE seq IS NULL", "DELETE FROM events"] {
        let refused = ledger.attempt(delete).await.unwrap_err();
        assert!(refused.contains("that is not in the chain yet cannot be deleted"), "{refused}");
    }
    if kind == Database::Postgres {
        let refused = ledger.attempt("TRUNCATE events").await.unwrap_err();
        assert!(refused.contains("events cannot be truncated"), "{refused}");
    }
    let verdict = is_whole(&kept.plan);
    assert_eq!((verdict.checkpoint, verdict.waiting), (kept.end.checkpoint, Some(1)));
    let none = Vec::<String>::new();
    assert_eq!(none, verify(&kept.plan, &[]).findings);
}
