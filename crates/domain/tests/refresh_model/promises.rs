//! The promises hold in every state of every run.

use crate::runs::{self, explore};

#[test]
fn with_keys_no_lost_response_crash_or_race_logs_a_good_client_out() {
    explore(runs::KEYS, 4_026);
}

#[test]
fn without_keys_none_does_within_the_leeway() {
    explore(runs::LEEWAY, 57_326);
}

#[test]
fn clocks_that_differ_take_their_difference_from_the_leeway_and_no_more() {
    explore(runs::CLOCKS, 198_725);
}

#[test]
fn clients_that_wait_for_every_response_may_store_it_blindly() {
    explore(runs::PATIENT, 5_845);
    explore(runs::LEEWAY_PATIENT, 53_352);
}

#[test]
fn a_good_client_stays_in_when_writes_are_lost() {
    explore(runs::LOSS, 52_470);
}

#[test]
fn so_it_does_without_keys() {
    explore(runs::LEEWAY_LOSS, 34_529);
}

#[test]
fn wrong_secrets_change_nothing_and_log_nobody_out() {
    explore(runs::FORGER, 90_157);
}

#[test]
fn nor_do_they_without_keys() {
    explore(runs::LEEWAY_FORGER, 274_709);
}

#[test]
fn nor_do_they_when_writes_are_lost() {
    explore(runs::LOSS_FORGER, 209_075);
}

#[test]
fn with_keys_a_thief_without_the_key_and_the_owner_never_both_go_on() {
    explore(runs::THIEF, 369_716);
}

#[test]
fn nor_do_they_when_both_send_several_requests_at_once() {
    explore(runs::THIEF_CROWD, 479_288);
}

#[test]
fn a_thief_with_the_key_goes_on_beside_the_owner_once_at_most() {
    explore(runs::THIEF_WITH_KEY, 293_814);
}

#[test]
fn with_neither_keys_nor_leeway_thief_and_owner_never_both_go_on() {
    explore(runs::STRICT_THIEF, 82_083);
}

#[test]
fn without_keys_both_go_on_only_within_the_leeway_of_each_other() {
    explore(runs::LEEWAY_THIEF, 902_262);
}

#[test]
fn clocks_that_differ_add_their_difference_to_that_and_no_more() {
    explore(runs::CLOCKS_THIEF, 239_796);
}

#[test]
fn a_token_has_one_successor_though_a_thief_shows_it_and_writes_are_lost() {
    explore(runs::LOSS_THIEF, 342_213);
}
