//! Clocks: this machine's compared with others.

use gateward_app::domain::Timestamp;
use gateward_app::domain::key::CLOCK_SKEW_SECONDS;
use gateward_app::domain::ports::Clock;
use gateward_crypto::SystemClock;
use gateward_diesel::server_time;

use super::finding::{Code, Finding};

/// What to do about a clock.
const REMEDY: &str = "synchronize both clocks with NTP; otherwise tokens expire too early or too \
                      late, and nodes may differ by at most five seconds";

const MICROS_PER_SECOND: i64 = 1_000_000;

/// The time in which the other machine read its clock.
#[derive(Clone, Copy, Debug)]
pub(super) struct Span {
    /// When it was asked, by our clock.
    pub(super) from: Timestamp,
    /// When it had responded, by our clock.
    pub(super) to: Timestamp,
}

/// Checks the clock of the database server.
pub(super) async fn check_database(url: &str) -> Option<Finding> {
    let from = SystemClock.now();
    match server_time(url).await {
        Ok(theirs) => {
            let span = Span { from, to: SystemClock.now() };
            differing(Code::ClockDatabase, "the database server", span, theirs?)
        }
        Err(error) => Some(Finding::unanswered("the clock of the database server", error)),
    }
}

/// A finding if a clock differs by more than nodes may. The time that the response took does not
/// count.
pub(super) fn differing(code: Code, whose: &str, span: Span, theirs: Timestamp) -> Option<Finding> {
    let late = span.from.micros() - theirs.micros();
    let early = theirs.micros() - span.to.micros();
    let seconds = late.max(early) / MICROS_PER_SECOND;
    let direction = if late > early { "behind" } else { "ahead of" };
    (seconds > CLOCK_SKEW_SECONDS).then(|| {
        let what =
            format!("the clock of {whose} is {seconds} seconds {direction} this machine's clock");
        Finding::new(code, what, REMEDY)
    })
}
