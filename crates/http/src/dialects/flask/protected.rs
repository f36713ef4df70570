//! `GET /protected`

use actix_web::web::{self, Data};
use actix_web::{HttpRequest, HttpResponse};
use serde::Serialize;

use super::cookies::Kind;
use super::errors::ErrorBody;
use super::presented::Presented;
use super::{Flask, PROTECTED};
use crate::App;
use crate::problem::Problem;
use crate::routes::Endpoint;

pub(super) fn endpoint(flask: &Flask) -> Endpoint {
    Endpoint::dialect::<__path_protected>(&flask.path_of(PROTECTED), || web::to(protected))
}

/// A greeting.
#[derive(Serialize, utoipa::ToSchema)]
#[schema(as = FlaskGreeting)]
struct GreetingBody {
    #[schema(example = "Hello, ada!")]
    message: String,
}

/// Greet the caller (Flask-JWT-Extended).
///
/// The example of a protected route in the documentation of the package. Use it to check that a
/// client sends its tokens correctly.
#[utoipa::path(
    get, operation_id = "flaskProtected", path = "/protected",
    security((), ("access_token" = [])),
    params(("access_token_cookie" = Option<String>, Cookie, description = "The access token, in cookie mode")),
    responses(
        (status = 200, description = "The access token is valid", body = GreetingBody),
        (status = 401, description = "The token is missing or has expired, or the session has ended", body = ErrorBody),
        (status = 422, description = "The token or its header is invalid, or it is a refresh token", body = ErrorBody),
        (status = 503, description = "The service is unavailable", body = ErrorBody, headers(("Retry-After" = u32, description = "Seconds to wait before you retry"))),
    )
)]
async fn protected(app: Data<App>, request: HttpRequest) -> Result<HttpResponse, Problem> {
    let flask = Flask::of(&app)?;
    let presented = Presented::of(&app, flask, &request, Kind::Access)?;
    let caller = app.core().authenticate(presented.token.expose()).await?;
    crate::credentials::note(&caller.user, caller.session_id);
    let message = format!("Hello, {}!", caller.user.username);
    Ok(HttpResponse::Ok().json(GreetingBody { message }))
}
