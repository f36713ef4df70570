//! `POST /oauth/introspect` (RFC 7662) and `POST /oauth/revoke` (RFC 7009)

mod active;

use std::collections::HashSet;

use actix_web::web::{self, Data};
use actix_web::{HttpRequest, HttpResponse};

use self::active::{ActiveBody, INACTIVE};
use crate::App;
use crate::body::Body;
use crate::clients::{ClientRight, require_client};
use crate::problem::{Problem, ProblemBody, details};
use crate::routes::Endpoint;

pub(super) const INTROSPECT_PATH: &str = "/oauth/introspect";

pub(super) const REVOKE_PATH: &str = "/oauth/revoke";

/// How API clients authenticate, as RFC 8414 names it.
pub(super) const AUTH_METHOD: &str = "client_secret_basic";

pub(super) fn introspect_endpoint() -> Endpoint {
    Endpoint::root::<__path_introspect>(|| web::to(introspect))
}

pub(super) fn revoke_endpoint() -> Endpoint {
    Endpoint::root::<__path_revoke>(|| web::to(revoke))
}

/// An access or refresh token. Other parameters are ignored.
#[derive(utoipa::ToSchema)]
#[schema(as = TokenForm)]
#[expect(dead_code, reason = "documents the body, which is read parameter by parameter")]
struct TokenForm {
    /// The access or refresh token.
    #[schema(min_length = 1)]
    token: String,
    /// Accepted and ignored: the server recognizes the token type.
    #[schema(example = "access_token")]
    token_type_hint: Option<String>,
}

/// Introspect a token (RFC 7662).
///
/// Returns whether an access or refresh token is active, and its user and session. Requires an API
/// client with the right `introspect`.
#[utoipa::path(
    post, operation_id = "introspectToken", path = INTROSPECT_PATH, security(("client" = [])),
    request_body(content = TokenForm, content_type = "application/x-www-form-urlencoded"),
    responses(
        (status = 200, description = "The state of the token; for an inactive or unknown token only `\"active\": false`", body = ActiveBody),
        (status = 400, description = "`malformed_request`, with `error` `invalid_request`", body = ProblemBody, content_type = "application/problem+json"),
        (status = 401, description = "`missing_token` or `invalid_credentials`, with `error` `invalid_client`", body = ProblemBody, content_type = "application/problem+json"),
        (status = 403, description = "`forbidden`, with `error` `unauthorized_client`", body = ProblemBody, content_type = "application/problem+json"),
        (status = 429, description = "`rate_limited`: too many attempts with a wrong secret", body = ProblemBody, content_type = "application/problem+json"),
    )
)]
async fn introspect(
    app: Data<App>,
    request: HttpRequest,
    body: Body,
) -> Result<HttpResponse, Problem> {
    let token = token(&app, &request, body, ClientRight::Introspect).await?;
    let active = app.core().introspect(&token).await?;
    Ok(match active {
        Some(active) => super::ok(&ActiveBody::new(&active, &token, &app.core().policy().issuer)),
        None => super::ok(&INACTIVE),
    })
}

/// Revoke a token (RFC 7009).
///
/// Ends the session of an access or refresh token. Unknown and expired tokens also return `200`.
/// Requires an API client with the right `revoke`.
#[utoipa::path(
    post, operation_id = "revokeToken", path = REVOKE_PATH, security(("client" = [])),
    request_body(content = TokenForm, content_type = "application/x-www-form-urlencoded"),
    responses(
        (status = 200, description = "The session of the token has ended, if there was one"),
        (status = 400, description = "`malformed_request`, with `error` `invalid_request`", body = ProblemBody, content_type = "application/problem+json"),
        (status = 401, description = "`missing_token` or `invalid_credentials`, with `error` `invalid_client`", body = ProblemBody, content_type = "application/problem+json"),
        (status = 403, description = "`forbidden`, with `error` `unauthorized_client`", body = ProblemBody, content_type = "application/problem+json"),
        (status = 429, description = "`rate_limited`: too many attempts with a wrong secret", body = ProblemBody, content_type = "application/problem+json"),
    )
)]
async fn revoke(app: Data<App>, request: HttpRequest, body: Body) -> Result<HttpResponse, Problem> {
    let token = token(&app, &request, body, ClientRight::Revoke).await?;
    let request_info = app.request_info(&request);
    app.detached(async move |core| core.revoke_token(&token, &request_info).await).await??;
    Ok(HttpResponse::Ok().finish())
}

/// Authenticates the client, checks its right and returns the token of the form.
async fn token(
    app: &App,
    request: &HttpRequest,
    body: Body,
    right: ClientRight,
) -> Result<String, Problem> {
    require_client(app, request, right).await.map_err(with_error)?;
    let form = body.form().await.map_err(with_error)?;
    token_of(&form).map_err(with_error)
}

/// The token of a form. A parameter without a value counts as absent (RFC 6749, section 3.1).
fn token_of(form: &[u8]) -> Result<String, Problem> {
    let mut names = HashSet::new();
    let mut token = None;
    for (name, value) in url::form_urlencoded::parse(form) {
        if name == "token" && !value.is_empty() {
            token = Some(value.into_owned());
        }
        if !names.insert(name) {
            return Err(Problem::malformed(details::FORM_PARAMETER_TWICE));
        }
    }
    token.ok_or_else(|| Problem::malformed(details::FORM_TOKEN))
}

/// Adds the OAuth error code to a problem (RFC 6749, section 5.2).
pub(crate) fn with_error(problem: Problem) -> Problem {
    let error = match problem.code.status().as_u16() {
        401 => Some("invalid_client"),
        403 => Some("unauthorized_client"),
        400 | 413 | 415 | 422 => Some("invalid_request"),
        _ => None,
    };
    let detail = match problem.code {
        crate::Code::UnsupportedMediaType => details::FORM_TYPE,
        _ => &problem.detail,
    };
    Problem { error, detail: detail.to_owned(), ..problem }
}
