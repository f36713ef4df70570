//! Settings of rate limits and of the audit trail.

use super::*;

/// The numbers of the rate limits; `None` if they are off.
fn numbers(options: &[(&str, &str)]) -> Option<[i64; 4]> {
    let rate_limit = with(options).unwrap().policy.rate_limit?;
    Some([
        rate_limit.login_failures_per_account.into(),
        rate_limit.login_failures_per_ip.into(),
        rate_limit.window_seconds,
        rate_limit.signups_per_ip.into(),
    ])
}

#[test]
fn rate_limits_are_on_with_the_documented_numbers() {
    assert_eq!(numbers(&[]), Some([10, 100, 900, 30]));
    let others = [
        ("rate_limit.login_failures_per_account", "3"),
        ("rate_limit.login_failures_per_ip", "4"),
        ("rate_limit.window_seconds", "5"),
        ("rate_limit.signups_per_ip", "6"),
    ];
    assert_eq!(numbers(&others), Some([3, 4, 5, 6]));
}

#[test]
fn rate_limits_that_are_off_are_checked_all_the_same() {
    let off = ("rate_limit.enabled", "false");
    assert_eq!(numbers(&[off]), None);
    let window = ("rate_limit.window_seconds", "0");
    refused(with(&[off, window]), "rate_limit.window_seconds", "must be from 1 to");
}

#[test]
fn the_audit_trail_is_kept_for_a_year_unless_told_otherwise() {
    let days = |options: &[(&str, &str)]| with(options).unwrap().policy.audit_keep_days;
    assert_eq!(days(&[]), 365);
    assert_eq!(days(&[("audit.keep_days", "30")]), 30);
}
