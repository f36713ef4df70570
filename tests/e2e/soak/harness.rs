//! Tests of the harness itself: its SMTP server, browser and clocks.

mod browser;
mod clocks;
mod mail;
