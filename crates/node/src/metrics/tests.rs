//! Tests of the metrics: page, document, dashboard and alert rules tell of the same ones.

use std::collections::BTreeSet;

use actix_web::http::StatusCode;
use actix_web::test::TestRequest;
use gateward_testkit::{MemoryStore, eventually};

use super::*;
use crate::testing::{builder, send, value};

const DOCUMENT: &str = include_str!("../../../../docs/metrics.md");
const DASHBOARD: &str = include_str!("../../../../docs/grafana/dashboard.json");
const ALERTS: &str = include_str!("../../../../docs/grafana/alerts.yml");

/// The metrics that a text names, the parts of a histogram by its name.
fn named(text: &str) -> BTreeSet<&str> {
    let words = text.split(|character: char| !(character.is_ascii_lowercase() || character == '_'));
    let ours = words.filter(|word| word.starts_with("gateward_"));
    ours.map(|word| {
        ["_bucket", "_count", "_sum"]
            .iter()
            .find_map(|part| word.strip_suffix(part))
            .unwrap_or(word)
    })
    .collect()
}

/// The metrics that have a row in the document.
fn documented() -> BTreeSet<&'static str> {
    let rows = DOCUMENT.lines().filter_map(|line| line.strip_prefix("| `")?.split('`').next());
    rows.filter(|name| name.starts_with("gateward_")).collect()
}

/// The page as it is before anything has happened but one request, and the first run of the jobs.
#[actix_web::test]
async fn the_page_shows_what_the_document_lists_and_nothing_else() {
    let load = ConnectionLoad { size: 4, in_use: 1, waiting: 0 };
    let node = builder(MemoryStore::new()).connections(move || load).build().await.unwrap();
    assert_eq!(send(&node, TestRequest::get().uri("/health/live")).await, StatusCode::OK);
    node.spawn_jobs();
    eventually(Duration::from_secs(10), async || {
        value(&node, "gateward_mail_waiting").ok_or_else(|| node.metrics_text().unwrap())
    })
    .await;
    let text = node.metrics_text().unwrap();
    let types = text.lines().filter_map(|line| line.strip_prefix("# TYPE ")?.split(' ').next());
    assert_eq!(types.collect::<BTreeSet<_>>(), documented());
    assert!(text.contains("gateward_pool_size 4"), "{text}");
    assert!(text.contains("gateward_sessions_ended_total{reason=\"logout\"} 0"), "{text}");
}

#[actix_web::test]
async fn every_value_is_registered_before_anything_happens() {
    let node = builder(MemoryStore::new()).build().await.unwrap();
    for name in [
        "gateward_logins_total{outcome=\"succeeded\"}",
        "gateward_mail_total{outcome=\"unreachable\"}",
        "gateward_untrusted_forwarded_total",
        "gateward_job_succeeded_timestamp_seconds{name=\"deliver_emails\"}",
        "gateward_cleanup_timestamp_seconds",
    ] {
        assert_eq!(value(&node, name), Some(0.0), "{name}");
    }
    assert_eq!(value(&node, "gateward_feed_age_seconds"), Some(f64::INFINITY));
}

#[test]
fn the_dashboard_draws_every_metric_of_the_document() {
    let dashboard: serde_json::Value = serde_json::from_str(DASHBOARD).unwrap();
    let drawn = dashboard["panels"].to_string();
    assert_eq!(named(&drawn), documented());
}

#[test]
fn the_alert_rules_know_only_metrics_of_the_document() {
    let unknown: Vec<_> = named(ALERTS).difference(&documented()).copied().collect();
    assert_eq!(unknown, Vec::<&str>::new());
    assert!(named(ALERTS).len() > 5, "the rules were read");
}
