//! Settings of dialects that are refused at startup.

use gateward_e2e::{Database, Plan, TestDatabase, run};

use crate::support::commands::complained;

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_path_that_two_would_serve_is_refused_by_name() {
    let database = TestDatabase::new(Database::Sqlite).await;
    for (settings, complaint) in [
        (vec![("dialects.enabled", "flask"), ("http.base_path", "/")], "/login"),
        (vec![("dialects.enabled", "flask"), ("dialects.flask_path", "/v1")], "/v1/login"),
        (
            vec![("dialects.enabled", "simplejwt,flask"), ("dialects.flask_path", "/api/token")],
            "/api/token/refresh",
        ),
        (vec![("dialects.enabled", "django")], "\"simplejwt\", \"flask\""),
        (vec![("dialects.flask_path", "auth/")], "must be / or like /auth"),
        (vec![("dialects.flask_transport", "both")], "\"header\", \"cookie\""),
        (vec![("dialects.user_ids", "name")], "\"uuid\", \"integer\""),
    ] {
        let mut plan = Plan::on(&database);
        for (option, value) in &settings {
            plan = plan.with(option, value);
        }
        let refused = complained(&run(&plan, &["config", "check"], ""));
        assert!(refused.contains(complaint), "{settings:?}: {refused}");
        assert!(refused.contains("dialects."), "{settings:?}: {refused}");
    }
}
