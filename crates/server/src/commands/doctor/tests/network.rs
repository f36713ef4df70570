//! What is found of public URL, proxy and clocks.

use gateward_app::domain::Timestamp;
use gateward_app::domain::ports::Clock;
use gateward_crypto::SystemClock;

use super::servers::{nobody, start_untrusted, start_web};
use super::{codes, settings};
use crate::commands::doctor::clock::{Span, differing};
use crate::commands::doctor::finding::Code;
use crate::commands::doctor::public_url;

const KEYS: &str = r#"{"keys": [{"kid": "one"}, {"kid": "two"}]}"#;

/// What the database has.
const OURS: [&str; 2] = ["zero", "one"];

/// The Date header of a clock that is this many seconds ahead.
fn date(ahead: i64) -> String {
    let now = SystemClock.now().plus_seconds(ahead);
    let now = jiff::Timestamp::from_microsecond(now.micros()).unwrap();
    now.strftime("%a, %d %b %Y %H:%M:%S GMT").to_string()
}

async fn found(url: &str, ours: Option<[&str; 2]>) -> Vec<&'static str> {
    let ours = ours.map(|ours| ours.map(str::to_owned));
    let ops = nobody().to_string();
    let settings = settings(&[("http.public_url", url), ("ops.listen", &ops)]);
    codes(&public_url::check(&settings, ours.as_ref().map(<[_; 2]>::as_slice)).await)
}

async fn found_of(status: &'static str, body: &str, ours: Option<[&str; 2]>) -> Vec<&'static str> {
    let address = start_web(status, date(0), body.to_owned());
    found(&format!("http://{address}"), ours).await
}

#[tokio::test]
async fn a_host_with_our_keys_is_well() {
    assert_eq!(found_of("200 OK", KEYS, Some(OURS)).await, [""; 0]);
    assert_eq!(found_of("200 OK", KEYS, None).await, [""; 0], "no server has our keys");
}

#[tokio::test]
async fn a_host_with_other_keys_or_none_is_another_host() {
    for (status, body) in [
        ("200 OK", r#"{"keys": [{"kid": "two"}]}"#),
        ("200 OK", r#"{"keys": []}"#),
        ("200 OK", "<html>It works!</html>"),
        ("404 Not Found", KEYS),
        ("301 Moved Permanently", ""),
    ] {
        assert_eq!(
            found_of(status, body, Some(OURS)).await,
            ["public_url_other"],
            "{status} {body}"
        );
    }
}

#[tokio::test]
async fn a_host_that_does_not_response_is_a_warning() {
    let silent = found(&format!("http://{}", nobody()), Some(OURS)).await;
    assert_eq!(silent, ["public_url_unreachable"]);
    let down = found_of("503 Service Unavailable", "", Some(OURS)).await;
    assert_eq!(down, ["public_url_unreachable"]);
}

#[tokio::test]
async fn a_certificate_that_nobody_trusts_is_found() {
    let url = format!("https://{}", start_untrusted());
    assert_eq!(found(&url, Some(OURS)).await, ["public_url_certificate"]);
}

#[tokio::test]
async fn a_clock_that_is_off_by_a_minute_is_found() {
    for ahead in [-60, 60] {
        let address = start_web("200 OK", date(ahead), KEYS.to_owned());
        let found = found(&format!("http://{address}"), Some(OURS)).await;
        assert_eq!(found, ["clock_public_url"], "{ahead}");
    }
}

#[tokio::test]
async fn a_proxy_that_is_not_trusted_is_found_by_what_a_node_counts() {
    let public = start_web("200 OK", date(0), KEYS.to_owned());
    let counted = std::sync::atomic::AtomicU32::new(0);
    let counted = std::sync::Arc::new(counted);
    let ops = super::servers::start(move |mut stream| {
        let _ = std::io::Read::read(&mut stream, &mut [0; 4096]);
        let count = counted.fetch_add(1, std::sync::atomic::Ordering::Relaxed);
        let body = format!("gateward_untrusted_forwarded_total {count}\n");
        let head = format!(
            "HTTP/1.1 200 OK\r\nContent-Length: {}\r\nConnection: close\r\n\r\n",
            body.len()
        );
        let _ = std::io::Write::write_all(&mut stream, (head + &body).as_bytes());
    });
    let (url, ops) = (format!("http://{public}"), ops.to_string());
    let settings = settings(&[("http.public_url", &url), ("ops.listen", &ops)]);
    let found = public_url::check(&settings, Some(&OURS.map(str::to_owned))).await;
    assert_eq!(codes(&found), ["proxy_untrusted"]);
}

#[test]
fn how_long_a_response_was_under_way_is_no_difference_of_clocks() {
    let at = Timestamp::from_seconds;
    let span = Span { from: at(100), to: at(130) };
    let seconds_off = |theirs| differing(Code::ClockDatabase, "it", span, at(theirs)).is_some();
    assert_eq!([95, 100, 130, 135].map(seconds_off), [false; 4]);
    assert_eq!([94, 40, 136, 190].map(seconds_off), [true; 4]);
}
