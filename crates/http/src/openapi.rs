//! The OpenAPI document, collected from the endpoints.

use utoipa::openapi::path::Operation;
use utoipa::openapi::request_body::RequestBody;
use utoipa::openapi::schema::AdditionalProperties;
use utoipa::openapi::security::{Http, HttpAuthScheme, SecurityScheme};
use utoipa::openapi::{
    Components, Content, Info, License, OpenApi, Paths, Ref, RefOr, Required, Response, Schema,
};

use crate::{Options, endpoints};

/// The OpenAPI 3.1 document of all endpoints.
#[must_use]
pub fn document(options: &Options) -> OpenApi {
    let mut info = Info::new("Gateward", env!("CARGO_PKG_VERSION"));
    info.description = Some(
        "Accounts, sessions and tokens. Every error is a problem document (RFC 9457); its \
         member `code` is stable."
            .to_owned(),
    );
    let mut license = License::new("MIT OR Apache-2.0");
    license.identifier = Some("MIT OR Apache-2.0".to_owned());
    info.license = Some(license);

    let mut openapi = OpenApi::new(info, Paths::new());
    let mut components = Components::new();
    components.add_security_scheme(
        "access_token",
        SecurityScheme::Http(
            Http::builder().scheme(HttpAuthScheme::Bearer).bearer_format("JWT").build(),
        ),
    );
    openapi.components = Some(components);
    for endpoint in endpoints::all(&Options { docs: true, ..options.clone() }) {
        endpoint.document(options, &mut openapi);
    }
    openapi
}

/// Adds what the edge and the readers of bodies may answer to any request of this kind, so that no
/// endpoint has to repeat it.
pub(crate) fn complete(operation: &mut Operation) {
    let has_body = operation.request_body.is_some();
    let has_caller = operation.security.is_some();
    let asks_store = has_body || has_caller;
    let common = [
        (true, "400", "`malformed_request`"),
        (has_caller, "401", "No valid access token"),
        (has_body, "413", "`body_too_large`"),
        (has_body, "415", "`unsupported_media_type`"),
        (true, "422", "`validation_failed`: a query parameter that is unknown"),
        (true, "500", "`internal`"),
        (asks_store, "503", "`unavailable`"),
    ];
    for (_, status, description) in common.into_iter().filter(|(applies, ..)| *applies) {
        operation.responses.responses.entry(status.to_owned()).or_insert_with(|| {
            let problem = Content::new(Some(Ref::from_schema_name("Problem")));
            let response = Response::builder().description(description);
            RefOr::T(response.content("application/problem+json", problem).build())
        });
    }
}

/// States of a body what holds for all: no member but those that are named, and where it may be
/// left out, nothing stands in its place. Gives the name of its schema.
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

/// Says of an object that it has no other members.
pub(crate) fn forbid_other_members(schema: &mut RefOr<Schema>) {
    if let RefOr::T(Schema::Object(object)) = schema {
        object.additional_properties = Some(Box::new(AdditionalProperties::FreeForm(false)));
    }
}
