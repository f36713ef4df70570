//! Tests of the metrics: page, document, dashboard and alert rules tell of the same ones.

use std::collections::BTreeSet;

use actix_web::test::{TestRequest, call_service, init_service};
use gateward_app::domain::ports::{LoginOutcome, Metric, Metrics, OutboxCounts};
use metrics::set_default_local_recorder;

use super::*;
use crate::wiring::testing::{Node, brought_up};

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

async fn response_a_request(node: &Node) {
    let api = gateward_http::App::new(node.wired.app.clone(), node.settings.http.clone());
    let service = actix_web::App::new().configure(|config| gateward_http::configure(&api, config));
    let request = TestRequest::get().uri("/health/live").to_request();
    assert_eq!(call_service(&init_service(service).await, request).await.status(), 200);
}

/// The page as it is before anything has happened but one request.
#[actix_web::test]
async fn the_page_shows_what_the_document_lists_and_nothing_else() {
    let node = brought_up().await;
    let recorder = builder().unwrap().build_recorder();
    let prometheus = recorder.handle();
    let _guard = set_default_local_recorder(&recorder);
    preset();
    response_a_request(&node).await;
    emails::show(
        OutboxCounts { waiting: 0, failed: 0, oldest_scheduled_at: None },
        node.wired.app.now(),
    );
    let mut page = Page::new(prometheus, &node.wired);
    // No server is contacted before a connection is needed.
    page.connections = Some(PostgresStore::open("postgres://ada@127.0.0.1/none", 4).unwrap());
    let text = page.text();
    let types = text.lines().filter_map(|line| line.strip_prefix("# TYPE ")?.split(' ').next());
    assert_eq!(types.collect::<BTreeSet<_>>(), documented());
    assert!(text.contains("gateward_pool_size 4"), "{text}");
    assert!(text.contains("gateward_sessions_ended_total{reason=\"logout\"} 0"), "{text}");
}

#[test]
fn what_happens_is_counted_under_its_outcome() {
    let recorder = builder().unwrap().build_recorder();
    metrics::with_local_recorder(&recorder, || {
        PrometheusMetrics.preset();
        PrometheusMetrics.count(Metric::Login(LoginOutcome::Failed), 2);
    });
    let text = recorder.handle().render();
    assert!(text.contains("gateward_logins_total{outcome=\"failed\"} 2"), "{text}");
    assert!(text.contains("gateward_logins_total{outcome=\"succeeded\"} 0"), "{text}");
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
