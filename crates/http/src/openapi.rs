//! The OpenAPI document, collected from the endpoints.

use utoipa::openapi::security::{Http, HttpAuthScheme, SecurityScheme};
use utoipa::openapi::{Components, Info, License, OpenApi, Paths};

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
