//! `/.well-known/…`: the keys and metadata that other services need to verify tokens.

use actix_web::http::header;
use actix_web::web::{self, Data};
use actix_web::{HttpRequest, HttpResponse};
use serde::Serialize;

use super::oauth::{AUTH_METHOD, INTROSPECT_PATH, REVOKE_PATH};
use crate::App;
use crate::body::refuse_query;
use crate::problem::{Code, Problem, ProblemBody};
use crate::routes::Endpoint;

pub(super) fn jwks_endpoint() -> Endpoint {
    Endpoint::root::<__path_jwks>(|| web::to(jwks))
}

pub(super) fn metadata_endpoint() -> Endpoint {
    Endpoint::root::<__path_metadata>(|| web::to(metadata))
}

/// Get the public keys as a JSON Web Key Set (RFC 7517).
///
/// Use them to verify access tokens. Cache them as long as `Cache-Control` says.
#[utoipa::path(
    get, operation_id = "getJwks", path = "/.well-known/jwks.json",
    responses(
        (status = 200, description = "The public keys", content_type = "application/json"),
        (status = 503, description = "`unavailable`: this node has no keys yet", body = ProblemBody, content_type = "application/problem+json"),
    )
)]
async fn jwks(app: Data<App>, request: HttpRequest) -> Result<HttpResponse, Problem> {
    refuse_query(&request)?;
    // Clients would cache an empty set as long as a full one, and reject every token meanwhile.
    let keys = app.core().jwks().ok_or_else(|| Problem::new(Code::Unavailable))?;
    let seconds = app.core().policy().jwks_cache_seconds;
    Ok(HttpResponse::Ok()
        .insert_header((header::CONTENT_TYPE, "application/json"))
        .insert_header((header::CACHE_CONTROL, format!("public, max-age={seconds}")))
        .body(keys))
}

/// The OAuth server metadata (RFC 8414, section 2).
#[derive(Serialize, utoipa::ToSchema)]
#[schema(as = Metadata)]
struct MetadataBody<'a> {
    /// The `iss` claim of access tokens.
    issuer: &'a str,
    /// The URL of the public keys.
    jwks_uri: String,
    /// Empty: there is no authorization endpoint.
    response_types_supported: [&'a str; 0],
    /// Empty: there is no token endpoint.
    grant_types_supported: [&'a str; 0],
    /// The URL of token introspection (RFC 7662).
    introspection_endpoint: String,
    /// How API clients authenticate there: `client_secret_basic` (HTTP Basic).
    introspection_endpoint_auth_methods_supported: [&'a str; 1],
    /// The URL of token revocation (RFC 7009).
    revocation_endpoint: String,
    /// How API clients authenticate there: `client_secret_basic` (HTTP Basic).
    revocation_endpoint_auth_methods_supported: [&'a str; 1],
    /// The URL of the API documentation. Absent if it is turned off.
    #[serde(skip_serializing_if = "Option::is_none")]
    service_documentation: Option<String>,
}

/// Get the OAuth server metadata (RFC 8414).
#[utoipa::path(
    get, operation_id = "getServerMetadata", path = "/.well-known/oauth-authorization-server",
    responses((status = 200, description = "The metadata", body = MetadataBody))
)]
async fn metadata(app: Data<App>, request: HttpRequest) -> Result<HttpResponse, Problem> {
    refuse_query(&request)?;
    let (policy, options) = (app.core().policy(), app.options());
    let mut response = super::ok(&MetadataBody {
        issuer: &policy.issuer,
        jwks_uri: format!("{}/.well-known/jwks.json", options.public_url),
        response_types_supported: [],
        grant_types_supported: [],
        introspection_endpoint: format!("{}{INTROSPECT_PATH}", options.public_url),
        introspection_endpoint_auth_methods_supported: [AUTH_METHOD],
        revocation_endpoint: format!("{}{REVOKE_PATH}", options.public_url),
        revocation_endpoint_auth_methods_supported: [AUTH_METHOD],
        service_documentation: options.docs.then(|| format!("{}/docs", options.public_url)),
    });
    let seconds = policy.jwks_cache_seconds;
    if let Ok(value) = header::HeaderValue::from_str(&format!("public, max-age={seconds}")) {
        response.headers_mut().insert(header::CACHE_CONTROL, value);
    }
    Ok(response)
}
