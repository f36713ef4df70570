//! The limits of the promises: paths that the checker must find. Others are among the sights.

use crate::config::Fault;
use crate::properties::STAYS_IN;
use crate::runs::{self, counterexample};

#[test]
fn two_tabs_that_do_not_read_the_place_before_sending_log_themselves_out() {
    let trace = counterexample(runs::CARELESS, STAYS_IN);
    // No thief, no loss, no crash, no delay, and keys: only the reading is missing.
    let expected = [
        "tab A shows token 1 with key 1",
        "node one takes token 1 of tab A: the row goes from 1 to 2, the answer is token 2",
        "tab A gets token 2",
        "tab A shows token 2 with key 2",
        "tab B shows token 1 with key 1",
        "node one takes token 2 of tab A: the row goes from 2 to 3, the answer is token 3",
        "node one takes token 1 of tab B: no row is touched",
        "the row is locked for token 1 of tab B: replay",
        "it commits: the session is ended by refresh_token_reused",
    ];
    assert_eq!(trace, expected);
}

#[test]
fn so_they_do_without_keys() {
    let trace = counterexample(runs::CARELESS_LEEWAY, STAYS_IN);
    assert!(!trace.iter().any(|step| step == "time passes"), "not even the leeway has passed");
}

#[test]
fn clocks_that_differ_do_shorten_the_leeway() {
    counterexample(runs::CLOCKS.with(Fault::ClocksIgnored), STAYS_IN);
}
