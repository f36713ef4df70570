//! `/health/…`: for those who restart processes and route traffic. No details to strangers.

use actix_web::web::{self, Data};
use actix_web::{HttpRequest, HttpResponse};
use gateward_app::NotReady;
use serde::Serialize;

use crate::App;
use crate::body::refuse_query;
use crate::problem::{Code, Problem, ProblemBody};
use crate::routes::Endpoint;

pub(super) fn live_endpoint() -> Endpoint {
    Endpoint::root::<__path_live>(|| web::to(live))
}

pub(super) fn ready_endpoint() -> Endpoint {
    Endpoint::root::<__path_ready>(|| web::to(ready))
}

/// How it goes.
#[derive(Serialize, utoipa::ToSchema)]
#[schema(as = Health)]
struct HealthBody {
    #[schema(example = "ok")]
    status: &'static str,
}

/// Whether the process runs.
#[utoipa::path(
    get, operation_id = "getLiveness", path = "/health/live", tag = "health",
    responses((status = 200, description = "It runs", body = HealthBody))
)]
async fn live(request: HttpRequest) -> Result<HttpResponse, Problem> {
    refuse_query(&request)?;
    Ok(super::ok(&HealthBody { status: "ok" }))
}

/// Whether requests can be served.
#[utoipa::path(
    get, operation_id = "getReadiness", path = "/health/ready", tag = "health",
    responses(
        (status = 200, description = "They can", body = HealthBody),
        (status = 503, description = "`unavailable`", body = ProblemBody, content_type = "application/problem+json"),
    )
)]
async fn ready(app: Data<App>, request: HttpRequest) -> Result<HttpResponse, Problem> {
    refuse_query(&request)?;
    if app.is_draining() {
        return Err(Problem::new(Code::Unavailable).detail("This node is stopping; ask another."));
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
