//! Each seeded fault is found, in a run that is clean without it.

use crate::config::Fault;
use crate::properties::{
    ENDS_ONCE, FORGERY_IS_IDLE, NOT_BOTH, ONE_SUCCESSOR, STAYS_IN, STAYS_IN_AFTER_LOSS,
};
use crate::runs::{self, counterexample};

#[test]
fn a_key_that_is_not_compared_is_found() {
    counterexample(runs::THIEF.with(Fault::KeyNotCompared), NOT_BOTH);
}

#[test]
fn a_leeway_one_tick_too_long_is_found() {
    counterexample(runs::LEEWAY_THIEF.with(Fault::LeewayTooLong), NOT_BOTH);
}

#[test]
fn a_leeway_one_tick_too_short_is_found() {
    counterexample(runs::LEEWAY.with(Fault::LeewayTooShort), STAYS_IN);
}

#[test]
fn a_401_that_leaves_before_the_commit_is_found() {
    counterexample(runs::THIEF.with(Fault::ResponseBeforeCommit), ENDS_ONCE);
}

#[test]
fn an_older_secret_that_is_not_checked_is_found() {
    counterexample(runs::FORGER.with(Fault::OldSecretUnchecked), FORGERY_IS_IDLE);
    counterexample(runs::FORGER.with(Fault::OldSecretUnchecked), STAYS_IN);
}

#[test]
fn a_newer_secret_that_is_not_checked_is_found() {
    counterexample(runs::FORGER.with(Fault::NewSecretUnchecked), FORGERY_IS_IDLE);
}

#[test]
fn an_ended_session_that_is_ended_again_is_found() {
    counterexample(runs::THIEF.with(Fault::EndedAgain), ENDS_ONCE);
}

#[test]
fn an_end_that_nobody_looks_at_is_found() {
    counterexample(runs::THIEF.with(Fault::EndIgnored), ENDS_ONCE);
}

#[test]
fn a_repeat_that_extends_the_leeway_is_found() {
    counterexample(runs::LEEWAY_THIEF.with(Fault::RepeatExtendsLeeway), NOT_BOTH);
    counterexample(runs::LEEWAY.with(Fault::RepeatExtendsLeeway), ONE_SUCCESSOR);
}

#[test]
fn a_repeat_after_the_successor_was_shown_is_found() {
    counterexample(runs::LEEWAY_THIEF.with(Fault::RepeatAfterSuccessor), ONE_SUCCESSOR);
}

#[test]
fn a_row_that_is_read_and_then_written_is_found() {
    counterexample(runs::KEYS.with(Fault::ReadThenWrite), ONE_SUCCESSOR);
}

#[test]
fn a_token_ahead_that_counts_as_a_replay_is_found() {
    counterexample(runs::LOSS.with(Fault::NoCatchUp), STAYS_IN_AFTER_LOSS);
}

#[test]
fn requests_without_a_deadline_are_found() {
    counterexample(runs::KEYS.with(Fault::NoDeadline), STAYS_IN);
}

#[test]
fn clients_that_show_the_next_token_too_early_are_found() {
    counterexample(runs::KEYS.with(Fault::NextTooEarly), STAYS_IN);
}

#[test]
fn one_key_for_all_tokens_is_found() {
    counterexample(runs::THIEF_WITH_KEY.with(Fault::KeyReused), NOT_BOTH);
}

#[test]
fn a_key_derived_from_its_token_is_found() {
    counterexample(runs::THIEF.with(Fault::KeyDerived), NOT_BOTH);
}

#[test]
fn a_key_for_each_request_is_found() {
    counterexample(runs::KEYS.with(Fault::KeyPerRequest), STAYS_IN);
}

#[test]
fn clients_that_store_blindly_are_found() {
    counterexample(runs::KEYS.with(Fault::StoresBlindly), STAYS_IN);
    // Without keys too: an old response that arrives late must not replace a newer token.
    counterexample(runs::LEEWAY.with(Fault::StoresBlindly), STAYS_IN);
}

#[test]
fn clients_that_store_the_key_after_the_token_are_found() {
    counterexample(runs::KEYS.with(Fault::KeyStoredLater), STAYS_IN);
    let patient = runs::PATIENT.with(Fault::KeyStoredLater);
    counterexample(patient, STAYS_IN);
}
