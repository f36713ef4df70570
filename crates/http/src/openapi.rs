//! The OpenAPI document, collected from the endpoints.

mod bodies;
mod errors;
mod journey;

use utoipa::openapi::path::{HttpMethod, Operation, Parameter, ParameterIn};
use utoipa::openapi::request_body::RequestBody;
use utoipa::openapi::schema::{AdditionalProperties, Type};
use utoipa::openapi::security::{
    ApiKey, ApiKeyValue, Http, HttpAuthScheme, SecurityRequirement, SecurityScheme,
};
use utoipa::openapi::{
    Components, Content, Header, Info, License, Object, OpenApi, Paths, Ref, RefOr, Required,
    Response, Schema,
};

use crate::cookies::Cookie;
use crate::{Options, endpoints};

pub(crate) use self::bodies::prepare;
pub(crate) use self::errors::add_examples;
pub(crate) use self::journey::{place, place_dialect};

/// The security scheme of the access token in the header, as operations name it.
const ACCESS_TOKEN: &str = "access_token";

/// The security scheme of the access token in the cookie. It applies wherever [`ACCESS_TOKEN`]
/// does.
const ACCESS_COOKIE: &str = "cookieAuth";

/// The content type of error responses.
const PROBLEM_TYPE: &str = "application/problem+json";

/// The OpenAPI 3.1 document of all endpoints.
#[must_use]
pub fn document(options: &Options) -> OpenApi {
    let mut info = Info::new("Gateward", env!("CARGO_PKG_VERSION"));
    info.description = Some(
        "Accounts, sessions and tokens. Every error response is a problem document (RFC 9457) \
         with a stable `code`, and a `detail` that says what to do. Paths in the descriptions, \
         such as `POST /refresh`, are relative to the base path, which is `/v1` by default."
            .to_owned(),
    );
    let mut license = License::new("MIT OR Apache-2.0");
    license.identifier = Some("MIT OR Apache-2.0".to_owned());
    info.license = Some(license);

    let mut openapi = OpenApi::new(info, Paths::new());
    let mut components = Components::new();
    components.add_security_scheme(
        ACCESS_TOKEN,
        SecurityScheme::Http(
            Http::builder()
                .scheme(HttpAuthScheme::Bearer)
                .bearer_format("JWT")
                .description(Some("The `access_token` of a login or refresh."))
                .build(),
        ),
    );
    components.add_security_scheme(
        "client",
        SecurityScheme::Http(
            Http::builder()
                .scheme(HttpAuthScheme::Basic)
                .description(Some(
                    "The name and secret of an API client, from `[clients]` in the server settings.",
                ))
                .build(),
        ),
    );
    let cookie = ApiKeyValue::with_description(
        Cookie::Access.name(),
        "Requests that change data also need the header `X-CSRF-Token`.",
    );
    components.add_security_scheme(ACCESS_COOKIE, SecurityScheme::ApiKey(ApiKey::Cookie(cookie)));
    openapi.components = Some(components);
    openapi.tags = Some(journey::tags(!options.dialects.are_off()));
    let mut endpoints = endpoints::all(&Options { docs: true, ..options.clone() });
    endpoints.sort_by_key(|endpoint| {
        endpoint.operation_id().and_then(journey::position).unwrap_or(usize::MAX)
    });
    for endpoint in endpoints {
        endpoint.document(options, &mut openapi);
    }
    openapi
}

/// Documents that operations with an access token also accept it in the cookie, and that those that
/// change data then need the CSRF token.
pub(crate) fn allow_cookie(operation: &mut Operation, method: &HttpMethod) {
    let Some(security) = &mut operation.security else { return };
    let in_header = SecurityRequirement::new(ACCESS_TOKEN, [""; 0]);
    if !security.contains(&in_header) {
        return;
    }
    security.push(SecurityRequirement::new(ACCESS_COOKIE, [""; 0]));
    if matches!(method, HttpMethod::Get | HttpMethod::Head) {
        return;
    }
    let token = Parameter::builder()
        .name("X-CSRF-Token")
        .parameter_in(ParameterIn::Header)
        .required(Required::False)
        .description(Some("The CSRF token of the session; required with the access token cookie"))
        .schema(Some(Object::with_type(Type::String)))
        .build();
    operation.parameters.get_or_insert_default().push(token.into());
    let refusal = operation.responses.responses.entry("403".to_owned());
    let refusal = refusal.or_insert_with(|| RefOr::T(problem("")));
    if let RefOr::T(refusal) = refusal {
        let others = std::mem::take(&mut refusal.description);
        let own = "`csrf_failed`";
        refusal.description =
            if others.is_empty() { own.to_owned() } else { format!("{others}, or {own}") };
    }
}

/// Adds the responses that the middleware and the body parser can give to any such request, so that
/// endpoints do not repeat them.
pub(crate) fn complete(operation: &mut Operation) {
    let has_body = operation.request_body.is_some();
    let has_caller = operation.security.is_some();
    let asks_store = has_body || has_caller;
    let optional = SecurityRequirement::default();
    let may_lack_token = operation.security.iter().flatten().any(|way| *way == optional);
    let bad_token = if may_lack_token {
        "`invalid_token`, or another `code` that says why the token is not valid"
    } else {
        "`missing_token`, or another `code` that says why the token is not valid"
    };
    let common = [
        (true, "400", "`malformed_request`"),
        (has_caller, "401", bad_token),
        (has_body, "413", "`body_too_large`"),
        (has_body, "415", "`unsupported_media_type`"),
        (true, "422", "`validation_failed`: do not send query parameters"),
        (true, "500", "`internal`"),
        (asks_store, "503", "`unavailable`"),
    ];
    for (_, status, description) in common.into_iter().filter(|(applies, ..)| *applies) {
        let responses = &mut operation.responses.responses;
        responses.entry(status.to_owned()).or_insert_with(|| RefOr::T(problem(description)));
    }
    for status in ["429", "503"] {
        if let Some(RefOr::T(response)) = operation.responses.responses.get_mut(status) {
            response.headers.insert("Retry-After".to_owned(), RefOr::T(retry_after()));
        }
    }
}

fn retry_after() -> Header {
    let seconds = Object::builder().schema_type(Type::Integer).minimum(Some(1));
    let header = Header::builder().schema(Some(seconds));
    header.description(Some("Seconds to wait before you retry")).build()
}

/// A response with a problem document.
fn problem(description: &str) -> Response {
    let problem = Content::new(Some(Ref::from_schema_name("Problem")));
    let response = Response::builder().description(description);
    response.content(PROBLEM_TYPE, problem).build()
}

/// Marks an optional body as not required instead of nullable. Returns the name of the body's
/// schema.
pub(crate) fn close(body: &mut RefOr<RequestBody>) -> Option<String> {
    let RefOr::T(body) = body else { return None };
    let content = body.content.get_mut("application/json")?;
    let RefOr::T(content) = content else { return None };
    if let Some(RefOr::T(Schema::OneOf(either))) = &content.schema {
        // utoipa writes an optional body as "this or null"; a body `null` is refused.
        content.schema = either.items.iter().find(|item| matches!(item, RefOr::Ref(_))).cloned();
        body.required = Some(Required::False);
    }
    let Some(RefOr::Ref(reference)) = &content.schema else { return None };
    reference.ref_location.rsplit('/').next().map(str::to_owned)
}

/// Documents that an object has no other fields.
pub(crate) fn forbid_other_members(schema: &mut RefOr<Schema>) {
    if let RefOr::T(Schema::Object(object)) = schema {
        object.additional_properties = Some(Box::new(AdditionalProperties::FreeForm(false)));
    }
}
