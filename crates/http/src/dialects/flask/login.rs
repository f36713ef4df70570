//! `POST /login`

use actix_web::web::{self, Data};
use actix_web::{HttpRequest, HttpResponse};
use gateward_app::domain::{Identifier, Password};
use gateward_app::{LoggedIn, Login};

use super::errors::ErrorBody;
use super::tokens::{self, New, TokensResponse};
use super::{Flask, LOGIN};
use crate::body::{Body, Fields};
use crate::problem::{Code, Problem};
use crate::routes::Endpoint;
use crate::{App, csrf};

pub(super) fn endpoint(flask: &Flask) -> Endpoint {
    Endpoint::dialect::<__path_login>(&flask.path_of(LOGIN), || web::to(login))
}

/// A login.
#[derive(utoipa::ToSchema)]
#[schema(as = FlaskLogin)]
#[expect(dead_code, reason = "documents the body, which is read field by field")]
struct LoginBody {
    /// The username or the email address of the account.
    #[schema(example = "ada")]
    username: String,
    /// The password of the account.
    #[schema(format = "password", max_length = 1024, example = "correct horse battery")]
    password: String,
}

/// Log in (Flask-JWT-Extended).
///
/// With `dialects.flask_transport = "cookie"`, the response sets the tokens and their CSRF tokens
/// as cookies: `access_token_cookie`, `csrf_access_token`, `refresh_token_cookie` and
/// `csrf_refresh_token`.
#[utoipa::path(
    post, operation_id = "flaskLogIn", path = "/login", request_body = LoginBody,
    responses(
        (status = 200, description = "Logged in; a new session has started", body = TokensResponse),
        (status = 400, description = "The body is not a JSON object", body = ErrorBody),
        (status = 401, description = "`Bad username or password`; also if a field is missing or the account is disabled", body = ErrorBody),
        (status = 403, description = "In cookie mode: a page of another origin has sent the request", body = ErrorBody),
        (status = 413, description = "The body is too large", body = ErrorBody),
        (status = 415, description = "The body is not JSON", body = ErrorBody),
        (status = 429, description = "Too many attempts", body = ErrorBody, headers(("Retry-After" = u32, description = "Seconds to wait before you retry"))),
        (status = 503, description = "The server is overloaded or unavailable", body = ErrorBody, headers(("Retry-After" = u32, description = "Seconds to wait before you retry"))),
    )
)]
async fn login(app: Data<App>, request: HttpRequest, body: Body) -> Result<HttpResponse, Problem> {
    let flask = Flask::of(&app)?;
    if flask.is_by_cookie() {
        csrf::refuse_cross_site(&request, app.options())?;
    }
    let request_info = app.request_info(&request);
    let mut fields = body.fields_ignoring_query().await?;
    let (identifier, password) =
        credentials(&mut fields).ok_or_else(|| Problem::new(Code::InvalidCredentials))?;
    let login =
        Login { identifier, password, client_name: None, known_device_token: None, request_info };
    // A client that disconnects leaves the hashing queue; creating the session always completes.
    let verified = app.core().verify_login(login).await?;
    let logged_in = app.detached(async move |core| core.complete_login(verified).await).await??;
    let LoggedIn { pair, user, .. } = logged_in;
    crate::credentials::note(&user, pair.session_id);
    tokens::response(&app, flask, (&pair, New::Both), "Login successful")
}

/// The credentials, if both have the right type. Other fields are ignored.
fn credentials(fields: &mut Fields) -> Option<(Option<Identifier>, Password)> {
    let username = fields.optional_string("username")?;
    let password = Password::received(fields.optional_string("password")?).ok()?;
    Some((Identifier::parse(&username), password))
}
