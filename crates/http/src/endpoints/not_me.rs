//! `POST /sessions/not-me`

use actix_web::web::{self, Data};
use actix_web::{HttpRequest, HttpResponse};
use gateward_app::NotMeError;

use crate::App;
use crate::body::Body;
use crate::problem::{Code, Problem, ProblemBody, details};
use crate::routes::Endpoint;

pub(super) fn endpoint() -> Endpoint {
    Endpoint::api::<__path_not_me>(|| web::to(not_me))
}

/// The link from the email about a login from a new device.
#[derive(utoipa::ToSchema)]
#[schema(as = ReportLogin)]
#[expect(dead_code, reason = "documents the body, which is read field by field")]
struct ReportLoginBody {
    /// The token from the link in the email: the part after `#token=`.
    token: String,
}

/// Report an unrecognized login.
///
/// Use it with the link from the email about a new device. It ends all sessions and invalidates the
/// password. An email lets the account owner choose a new password.
#[utoipa::path(
    post, operation_id = "reportLogin", path = "/sessions/not-me", request_body = ReportLoginBody,
    responses(
        (status = 204, description = "All sessions have ended; an email to choose a new password was sent"),
        (status = 400, description = "`invalid_link`, or `malformed_request`", body = ProblemBody, content_type = "application/problem+json"),
        (status = 422, description = "`validation_failed`", body = ProblemBody, content_type = "application/problem+json"),
        (status = 429, description = "`rate_limited`: too many attempts", body = ProblemBody, content_type = "application/problem+json"),
    )
)]
async fn not_me(app: Data<App>, request: HttpRequest, body: Body) -> Result<HttpResponse, Problem> {
    let request_info = app.request_info(&request);
    let mut fields = body.fields().await?;
    let token = fields.text("token");
    let token = fields.finish(token)?;
    app.detached(async move |core| core.report_login(&token, &request_info).await).await??;
    Ok(super::done())
}

impl From<NotMeError> for Problem {
    fn from(error: NotMeError) -> Self {
        match error {
            NotMeError::RateLimited(error) => error.into(),
            NotMeError::InvalidLink => Self::new(Code::InvalidLink).detail(details::NOT_ME_LINK),
            NotMeError::Store(error) => error.into(),
        }
    }
}
