//! The harness itself: what the tests of mail, of pages and of time rely on.

mod browser;
mod clocks;
mod mail;
