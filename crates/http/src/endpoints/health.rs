//! `/health/…`: probes for orchestrators and load balancers. They are public and show no details.

use actix_web::web::{self, Data};
use actix_web::{HttpRequest, HttpResponse};
use gateward_app::NotReady;
use serde::Serialize;

use crate::App;
use crate::body::refuse_query;
use crate::problem::{Code, Problem, ProblemBody, details};
use crate::routes::Endpoint;

pub(super) fn live_endpoint() -> Endpoint {
    Endpoint::root::<__path_live>(|| web::to(live))
}

pub(super) fn ready_endpoint() -> Endpoint {
    Endpoint::root::<__path_ready>(|| web::to(ready))
}

/// The state of this node.
#[derive(Serialize, utoipa::ToSchema)]
#[schema(as = Health)]
struct HealthBody {
    /// Always `ok`; other states are problem documents.
    #[schema(example = "ok")]
    status: &'static str,
}

/// Check that the process is running.
#[utoipa::path(
    get, operation_id = "getLiveness", path = "/health/live",
    responses((status = 200, description = "The process is running", body = HealthBody))
)]
async fn live(request: HttpRequest) -> Result<HttpResponse, Problem> {
    refuse_query(&request)?;
    Ok(super::ok(&HealthBody { status: "ok" }))
}

/// Check that this node can serve requests.
#[utoipa::path(
    get, operation_id = "getReadiness", path = "/health/ready",
    responses(
        (status = 200, description = "This node can serve requests", body = HealthBody),
        (status = 503, description = "`unavailable`", body = ProblemBody, content_type = "application/problem+json"),
    )
)]
async fn ready(app: Data<App>, request: HttpRequest) -> Result<HttpResponse, Problem> {
    refuse_query(&request)?;
    if app.is_draining() {
        return Err(Problem::new(Code::Unavailable).detail(details::SHUTTING_DOWN));
    }
    app.core().ready().await?;
    Ok(super::ok(&HealthBody { status: "ok" }))
}

impl From<NotReady> for Problem {
    fn from(error: NotReady) -> Self {
        match error {
            NotReady::OtherIssuer | NotReady::NoKey | NotReady::MasterKey(_) => {
                tracing::warn!(%error, "not ready");
                Self::new(Code::Unavailable)
            }
            NotReady::Store(error) => error.into(),
        }
    }
}
