//! Clocks: that of this machine against those of others.

use gateward_app::domain::Timestamp;
use gateward_app::domain::key::CLOCK_SKEW_SECONDS;
use gateward_app::domain::ports::Clock;
use gateward_crypto::SystemClock;
use gateward_diesel::server_time;

use super::finding::{Code, Finding};

/// What to do about a clock.
const REMEDY: &str = "set the clocks of this machine and of that one by NTP; tokens are believed too \
                      long or not long enough, and nodes may differ by five seconds at most";

const MICROS_PER_SECOND: i64 = 1_000_000;

/// The span of time in which somebody else has looked at their clock.
#[derive(Clone, Copy, Debug)]
pub(super) struct Span {
    /// When they were asked, by our clock.
    pub(super) from: Timestamp,
    /// When they had answered, by our clock.
    pub(super) to: Timestamp,
}

/// Looks at the clock of the database's server.
pub(super) async fn check_database(url: &str) -> Option<Finding> {
    let from = SystemClock.now();
    match server_time(url).await {
        Ok(theirs) => {
            let span = Span { from, to: SystemClock.now() };
            differing(Code::ClockDatabase, "the database's server", span, theirs?)
        }
        Err(error) => Some(Finding::unanswered("the clock of the database's server", error)),
    }
}

/// Says so if a clock differs by more than nodes may. How long the answer was under way does not
/// count.
pub(super) fn differing(code: Code, whose: &str, span: Span, theirs: Timestamp) -> Option<Finding> {
    let late = span.from.micros() - theirs.micros();
    let early = theirs.micros() - span.to.micros();
    let seconds = late.max(early) / MICROS_PER_SECOND;
    let direction = if late > early { "behind" } else { "ahead of" };
    (seconds > CLOCK_SKEW_SECONDS).then(|| {
        let what =
            format!("the clock of {whose} is {seconds} seconds {direction} that of this machine");
        Finding::new(code, what, REMEDY)
    })
}
