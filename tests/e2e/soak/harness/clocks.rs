//! Clocks that show another time of day to a process, which is another run of this program.

use std::io::{BufRead, BufReader, Write};
use std::process::{Child, ChildStdout, Command, Stdio};
use std::time::{Duration, Instant, SystemTime, UNIX_EPOCH};

use gateward_e2e::{Environment, FastClock, ShiftedClock};

/// The clocks of a process.
#[derive(Debug)]
struct Reading {
    /// The time of day, in seconds.
    day: f64,
    /// The monotonic time since its start.
    elapsed: f64,
}

/// A process that reads its clocks when asked. It ends when dropped.
struct Watch(Child, BufReader<ChildStdout>);

/// Set for a process that is a [`Watch`].
const WATCH: &str = "GATEWARD_TEST_WATCH";

impl Watch {
    fn start(environment: Environment) -> Self {
        let mut command = Command::new(std::env::current_exe().unwrap());
        let (_, module) = module_path!().split_once("::").unwrap();
        command.args(["--exact", "--nocapture", &format!("{module}::a_watch_reads_its_clocks")]);
        command.env_clear().envs(environment).env(WATCH, "1");
        let mut child = command.stdin(Stdio::piped()).stdout(Stdio::piped()).spawn().unwrap();
        let stdout = BufReader::new(child.stdout.take().unwrap());
        Self(child, stdout)
    }

    /// Reads the clock, after a tokio timer of half a second.
    fn read(&mut self) -> Reading {
        self.0.stdin.as_mut().unwrap().write_all(b"\n").unwrap();
        let mut line = String::new();
        while !line.contains("clocks: ") {
            line.clear();
            assert!(self.1.read_line(&mut line).unwrap() > 0, "the watch has stopped");
        }
        let (_, numbers) = line.split_once("clocks: ").unwrap();
        let (day, elapsed) = numbers.trim().split_once(' ').unwrap();
        Reading { day: day.parse().unwrap(), elapsed: elapsed.parse().unwrap() }
    }
}

impl Drop for Watch {
    fn drop(&mut self) {
        let _ = self.0.kill();
        let _ = self.0.wait();
    }
}

#[expect(clippy::disallowed_methods, reason = "what is tested is the clock of the system")]
fn time_of_day() -> f64 {
    SystemTime::now().duration_since(UNIX_EPOCH).unwrap().as_secs_f64()
}

/// If [`Watch::start`] has started it, it is that process.
#[expect(clippy::disallowed_methods, reason = "the environment configures a test")]
#[tokio::test]
async fn a_watch_reads_its_clocks() {
    if std::env::var_os(WATCH).is_none() {
        let reading = Watch::start(Environment::new()).read();
        assert!((reading.day - time_of_day()).abs() < 5.0, "{reading:?}");
        return;
    }
    let started = Instant::now();
    for _ in std::io::stdin().lines() {
        tokio::time::sleep(Duration::from_millis(500)).await;
        println!("clocks: {} {}", time_of_day(), started.elapsed().as_secs_f64());
    }
}

#[test]
fn a_fast_clock_hastens_the_time_of_day_and_no_timer() {
    let Some(clock) = FastClock::new(60) else { return };
    let mut watch = Watch::start(clock.environment());
    let (first, here) = (watch.read(), Instant::now());
    let (second, spent) = (watch.read(), here.elapsed().as_secs_f64());
    let (day, elapsed) = (second.day - first.day, second.elapsed - first.elapsed);
    assert!(elapsed >= 0.5 && elapsed <= spent + 0.1, "a true timer: {first:?} {second:?}");
    assert!((day / elapsed - 60.0).abs() < 3.0, "{first:?} {second:?}");

    // A process that starts later has the same time.
    let mut other = Watch::start(clock.environment());
    let (other, third) = (other.read(), watch.read());
    assert!(third.day >= other.day && third.day - other.day < 120.0, "{other:?} {third:?}");
}

#[test]
fn a_shifted_clock_is_set_while_a_process_runs() {
    let Some(clock) = ShiftedClock::new() else { return };
    let mut watch = Watch::start(clock.environment());
    for shift in [0, 3600, -3600, 86_400 * 40] {
        clock.set(shift);
        let (reading, now) = (watch.read(), time_of_day());
        #[expect(clippy::cast_precision_loss, reason = "the shifts are small")]
        let off = reading.day - now - shift as f64;
        assert!(off.abs() < 5.0, "{shift}: {reading:?} at {now}");
    }
}
