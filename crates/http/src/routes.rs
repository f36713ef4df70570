//! `Endpoint`: a route together with its documentation.

use std::collections::BTreeMap;

use actix_cors::Cors;
use actix_web::guard::{self, Guard};
use actix_web::http::Method;
use actix_web::middleware::{Condition, from_fn};
use actix_web::web::{self, ServiceConfig};
use actix_web::{HttpResponse, Route};
use tracing_actix_web::TracingLogger;
use utoipa::__dev::SchemaReferences;
use utoipa::openapi::path::{HttpMethod, Operation};
use utoipa::openapi::{RefOr, Schema};

use crate::middleware::{RequestSpan, contain_panics, middleware};
use crate::problem::{Code, Problem};
use crate::{App, Options};

/// How long browsers may cache a preflight response, in seconds.
const CORS_MAX_AGE_SECONDS: usize = 600;

/// The pattern of unknown paths.
pub(crate) const ANY_PATH: &str = "/{path:.*}";

/// A route and its documentation.
#[derive(Clone)]
pub(crate) struct Endpoint {
    path: String,
    method: HttpMethod,
    under_base: bool,
    /// The operation in the API document; `None` for pages, which are not part of the API.
    operation: Option<Operation>,
    /// Whether it belongs to a dialect, which has responses of its own.
    is_dialect: bool,
    schemas: fn(&mut Vec<(String, RefOr<Schema>)>),
    route: fn() -> Route,
}

impl Endpoint {
    /// An endpoint of the API, under the base path. `#[utoipa::path]` generates `P`.
    pub(crate) fn api<P: utoipa::Path + SchemaReferences>(route: fn() -> Route) -> Self {
        Self { under_base: true, ..Self::root::<P>(route) }
    }

    /// An endpoint with a fixed path, outside the base path.
    pub(crate) fn root<P: utoipa::Path + SchemaReferences>(route: fn() -> Route) -> Self {
        Self {
            path: P::path(),
            method: P::methods().into_iter().next().unwrap_or(HttpMethod::Get),
            under_base: false,
            operation: Some(P::operation()),
            is_dialect: false,
            schemas: P::schemas,
            route,
        }
    }

    /// An endpoint of a dialect at this path, outside the base path.
    pub(crate) fn dialect<P: utoipa::Path + SchemaReferences>(
        path: &str,
        route: fn() -> Route,
    ) -> Self {
        Self { path: path.to_owned(), is_dialect: true, ..Self::root::<P>(route) }
    }

    /// The same endpoint without the final slash of its path. The API document does not list it.
    pub(crate) fn without_final_slash(&self) -> Self {
        let path = self.path.trim_end_matches('/').to_owned();
        Self { path, operation: None, ..self.clone() }
    }

    /// The same endpoint with another method, which the API document lists as an operation of its
    /// own.
    pub(crate) fn with_method(&self, method: HttpMethod, id: &str, summary: &str) -> Self {
        let mut endpoint = Self { method, ..self.clone() };
        if let Some(operation) = &mut endpoint.operation {
            operation.operation_id = Some(id.to_owned());
            operation.summary = Some(summary.to_owned());
        }
        endpoint
    }

    /// A page for people. It is not part of the API document.
    pub(crate) fn page(path: &str, method: HttpMethod, route: fn() -> Route) -> Self {
        let path = path.to_owned();
        Self {
            path,
            method,
            under_base: false,
            operation: None,
            is_dialect: false,
            schemas: |_| (),
            route,
        }
    }

    pub(crate) fn full_path(&self, options: &Options) -> String {
        let base = if self.under_base { options.base_path.as_str() } else { "" };
        format!("{base}{}", self.path)
    }

    /// The ID of the operation in the API document.
    pub(crate) fn operation_id(&self) -> Option<&str> {
        self.operation.as_ref()?.operation_id.as_deref()
    }

    /// Adds the endpoint to the OpenAPI document.
    pub(crate) fn document(mut self, options: &Options, openapi: &mut utoipa::openapi::OpenApi) {
        let Some(mut operation) = self.operation.take() else { return };
        let mut schemas = Vec::new();
        (self.schemas)(&mut schemas);
        // Dialects ignore unknown members, as their originals do.
        if self.is_dialect {
            crate::openapi::place_dialect(&mut operation);
        } else {
            crate::openapi::allow_cookie(&mut operation, &self.method);
            crate::openapi::complete(&mut operation);
            crate::openapi::place(&mut operation);
            crate::openapi::prepare(&mut operation);
            crate::openapi::add_examples(&mut operation, options);
            let body = operation.request_body.as_mut().and_then(crate::openapi::close);
            let is_body = |name: &str| body.as_deref() == Some(name);
            for (_, schema) in schemas.iter_mut().filter(|(name, _)| is_body(name)) {
                crate::openapi::forbid_other_members(schema);
            }
        }
        openapi.components.get_or_insert_default().schemas.extend(schemas);
        let path = self.full_path(options);
        openapi.paths.add_path_operation(path, vec![self.method], operation);
    }

    /// The methods of the route. `GET` includes `HEAD`.
    fn methods(&self) -> Vec<Method> {
        match self.method {
            HttpMethod::Get => vec![Method::GET, Method::HEAD],
            HttpMethod::Post => vec![Method::POST],
            HttpMethod::Put => vec![Method::PUT],
            HttpMethod::Patch => vec![Method::PATCH],
            _ => vec![Method::DELETE],
        }
    }
}

/// Registers all endpoints, and for each path a response to unsupported methods.
pub(crate) fn register(app: &App, endpoints: Vec<Endpoint>, config: &mut ServiceConfig) {
    let mut by_path: BTreeMap<String, Vec<Endpoint>> = BTreeMap::new();
    for endpoint in endpoints {
        by_path.entry(endpoint.full_path(app.options())).or_default().push(endpoint);
    }
    for (path, endpoints) in by_path {
        let mut resource = web::resource(path);
        let mut allow = Vec::new();
        for endpoint in endpoints {
            for method in endpoint.methods() {
                allow.push(method.to_string());
                resource = resource.route((endpoint.route)().guard(only(method)));
            }
        }
        let allow = allow.join(", ");
        let refuse = move || {
            let problem = Problem::new(Code::MethodNotAllowed);
            let problem = Problem { allow: Some(allow.clone()), ..problem };
            async move { Err::<HttpResponse, _>(problem) }
        };
        config.service(
            resource
                .default_service(web::to(refuse))
                .wrap(from_fn(contain_panics))
                .wrap(cors(app.options()))
                .wrap(from_fn(middleware))
                .wrap(TracingLogger::<RequestSpan>::new()),
        );
    }
}

/// Registers the response to unknown paths. Applications that mount the service among their own
/// routes have their own.
pub(crate) fn register_not_found(config: &mut ServiceConfig) {
    let refuse = || async { Err::<HttpResponse, _>(Problem::new(Code::NotFound)) };
    config.service(
        web::resource(ANY_PATH)
            .default_service(web::to(refuse))
            .wrap(from_fn(middleware))
            .wrap(TracingLogger::<RequestSpan>::new()),
    );
}

fn only(method: Method) -> impl Guard {
    guard::fn_guard(move |context| context.head().method == method)
}

/// The headers that front ends of the dialects' systems send besides: those of common libraries and
/// of Django.
fn dialect_headers(options: &Options) -> &'static [&'static str] {
    if options.dialects.are_off() { &[] } else { &["x-csrftoken", "x-requested-with"] }
}

/// CORS with an exact list of origins; without a list, no CORS headers.
fn cors(options: &Options) -> Condition<Cors> {
    let mut cors = Cors::default()
        .allowed_methods(["GET", "POST", "PUT", "PATCH", "DELETE"])
        .allowed_headers(["authorization", "content-type", "idempotency-key", "x-csrf-token"])
        .allowed_headers(dialect_headers(options).iter().copied())
        .expose_headers(["retry-after", "www-authenticate", "x-request-id"])
        .supports_credentials()
        .block_on_origin_mismatch(false)
        .max_age(CORS_MAX_AGE_SECONDS);
    for origin in &options.cors_origins {
        cors = cors.allowed_origin(origin);
    }
    Condition::new(!options.cors_origins.is_empty(), cors)
}
