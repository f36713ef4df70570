//! Settings of throttles and of the audit trail.

use super::*;

/// The numbers of the throttles; `None` if they are off.
fn numbers(options: &[(&str, &str)]) -> Option<[i64; 4]> {
    let throttle = with(options).unwrap().policy.throttle?;
    Some([
        throttle.login_failures_per_account.into(),
        throttle.login_failures_per_client.into(),
        throttle.window_seconds,
        throttle.signups_per_client.into(),
    ])
}

#[test]
fn throttles_are_on_with_the_documented_numbers() {
    assert_eq!(numbers(&[]), Some([10, 100, 900, 30]));
    let others = [
        ("throttle.login_failures_per_account", "3"),
        ("throttle.login_failures_per_client", "4"),
        ("throttle.window_seconds", "5"),
        ("throttle.signups_per_client", "6"),
    ];
    assert_eq!(numbers(&others), Some([3, 4, 5, 6]));
}

#[test]
fn throttles_that_are_off_are_checked_all_the_same() {
    let off = ("throttle.enabled", "false");
    assert_eq!(numbers(&[off]), None);
    let window = ("throttle.window_seconds", "0");
    refused(with(&[off, window]), "throttle.window_seconds", "must be from 1 to");
}

#[test]
fn the_audit_trail_is_kept_for_a_year_unless_told_otherwise() {
    let days = |options: &[(&str, &str)]| with(options).unwrap().policy.audit_keep_days;
    assert_eq!(days(&[]), 365);
    assert_eq!(days(&[("audit.keep_days", "30")]), 30);
}
