//! The conformance suite: one function per promise of the storage ports, named in words.
//!
//! A promise is declared once, within `promises!`, which creates its function and its test in every
//! adapter. A file of promises that is missing from `register!` below fails the gate, because its
//! list is dead code.

#[macro_use]
mod register;
mod fixture;

pub mod accounts;
pub mod audit;
pub mod cleanups;
pub mod codes;
pub mod combinations;
pub mod credentials;
pub mod cuts;
pub mod deletions;
pub mod email_addresses;
pub mod ends;
pub mod events;
pub mod feed;
pub mod follow;
pub mod keys;
pub mod known_devices;
pub mod links;
pub mod locks;
pub mod logins;
pub mod outbox_emails;
pub mod pages;
pub mod ranges;
pub mod rate_limits;
pub mod reservations;
pub mod roles;
pub mod rotation;
pub mod rotation_races;
pub mod sessions;
pub mod signups;
pub mod units;
pub mod user_numbers;
pub mod walks;
pub mod workers;

pub use fixture::{StoreFixture, Subject};
pub use register::run;

register! {
    accounts => __promises_accounts,
    audit => __promises_audit,
    known_devices => __promises_known_devices,
    codes => __promises_codes,
    combinations => __promises_combinations,
    credentials => __promises_credentials,
    cuts => __promises_cuts,
    deletions => __promises_deletions,
    email_addresses => __promises_email_addresses,
    ends => __promises_ends,
    events => __promises_events,
    feed => __promises_feed,
    follow => __promises_follow,
    keys => __promises_keys,
    outbox_emails => __promises_outbox_emails,
    links => __promises_links,
    locks => __promises_locks,
    logins => __promises_logins,
    pages => __promises_pages,
    ranges => __promises_ranges,
    reservations => __promises_reservations,
    roles => __promises_roles,
    rotation => __promises_rotation,
    rotation_races => __promises_rotation_races,
    sessions => __promises_sessions,
    signups => __promises_signups,
    cleanups => __promises_cleanups,
    rate_limits => __promises_rate_limits,
    units => __promises_units,
    user_numbers => __promises_user_numbers,
    walks => __promises_walks,
    workers => __promises_workers,
}
