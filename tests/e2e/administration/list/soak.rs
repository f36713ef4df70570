//! The list of accounts while accounts are created.

use std::collections::BTreeMap;
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering};

use gateward_e2e::{Database, on_both};

use super::super::fixture::AdminFixture;
use super::{invite, names, walk};
use crate::support::pair::together;

on_both!(pages_hold_every_account_once_while_accounts_are_made);

/// How many accounts exist when the walk starts.
const COUNT: usize = 250;

async fn pages_hold_every_account_once_while_accounts_are_made(kind: Database) {
    let fixture = AdminFixture::start(kind).await;
    let AdminFixture { one, other, grace, .. } = &fixture;
    // Not in the order of their usernames.
    let name = |number: usize| format!("walk-{:03}", (number * 7) % COUNT);
    for first in (0..COUNT).step_by(25) {
        let makers = (first..first + 25).map(|number| {
            let (client, grace) = ([one, other][number % 2].clone(), grace.clone());
            let name = name(number);
            async move { invite(&client, &grace, &name).await }
        });
        together(makers).await;
    }
    let done = Arc::new(AtomicBool::new(false));
    let maker = tokio::spawn({
        let (client, grace, done) = (one.clone(), grace.clone(), done.clone());
        async move {
            let mut made = 0;
            while !done.load(Ordering::Relaxed) {
                // Between the others in the order of usernames.
                invite(&client, &grace, &format!("walk-{:03}-{made}", (made * 31) % COUNT)).await;
                made += 1;
            }
            made
        }
    });
    for query in ["limit=17", "limit=100&q=walk-", "limit=23&q=WALK-", "limit=40&role=user"] {
        for client in [one, other] {
            let pages = walk(client, grace, query).await;
            let limit: usize = query[6..].split('&').next().unwrap().parse().unwrap();
            assert!(pages.iter().all(|page| page.len() <= limit), "{query}");
            let mut seen: BTreeMap<String, usize> = BTreeMap::new();
            for name in pages.concat() {
                *seen.entry(name).or_default() += 1;
            }
            assert!(seen.values().all(|times| *times == 1), "{query}: {seen:?}");
            assert!((0..COUNT).all(|number| seen.contains_key(&name(number))), "{query}: {seen:?}");
        }
    }
    done.store(true, Ordering::Relaxed);
    let made: usize = maker.await.unwrap();
    assert!(made > 0, "no account was created meanwhile");

    // Without concurrent changes: the oldest accounts come first; a search is in the order of
    // usernames.
    let all = names(&fixture, "limit=33").await;
    assert_eq!((all.len(), all[0].as_str()), (1 + COUNT + made, "grace"));
    let found = names(&fixture, "limit=33&q=walk-").await;
    assert!(found.is_sorted() && found.len() == COUNT + made);
}
