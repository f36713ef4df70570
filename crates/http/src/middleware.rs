//! The middleware that every request and response passes through.

use std::panic::AssertUnwindSafe;
use std::time::Instant;

use actix_web::body::{BoxBody, MessageBody};
use actix_web::dev::{ServiceRequest, ServiceResponse};
use actix_web::http::header::{self, HeaderMap, HeaderName, HeaderValue};
use actix_web::http::{Method, StatusCode};
use actix_web::middleware::Next;
use actix_web::web::Data;
use actix_web::{Error, HttpMessage, HttpRequest, HttpResponse};
use futures_util::FutureExt;
use gateward_app::domain::Timestamp;
use tracing::Span;
use tracing::field::Empty;
use tracing_actix_web::{RequestId, RootSpanBuilder};

use crate::problem::{Code, Problem, ProblemBody, ShownCode, details};
use crate::request_metrics::CompletedRequest;
use crate::unread::Unread;
use crate::{App, Options};

/// The maximum size of a header line, in bytes. `Authorization` is checked with the token instead.
const HEADER_LEN_MAX: usize = 8 * 1024;

/// The default policy: pages load and frame nothing. Some pages set their own.
const CSP: &str = "default-src 'none'; base-uri 'none'; form-action 'none'; \
                   frame-ancestors 'none'; object-src 'none'";

/// One year, including subdomains (RFC 6797).
const HSTS: &str = "max-age=31536000; includeSubDomains";

/// The time at which a request arrived.
#[derive(Clone, Copy)]
pub(crate) struct Arrival(pub(crate) Timestamp);

/// Creates the log span of a request.
pub struct RequestSpan;

impl RootSpanBuilder for RequestSpan {
    fn on_request_start(request: &ServiceRequest) -> Span {
        let request_id = request.extensions().get::<RequestId>().map(ToString::to_string);
        let route = route(request.match_pattern());
        tracing::info_span!(
            "request",
            request_id,
            method = method(request.method()),
            // Not the path: it may contain a secret by mistake.
            route,
            client_ip = Empty,
            user_id = Empty,
            session_id = Empty,
        )
    }

    fn on_request_end<B: MessageBody>(_: Span, _: &Result<ServiceResponse<B>, Error>) {}
}

/// Passes a request to its handler and completes the response: problems become problem documents,
/// and every response gets the common headers, metrics and a log line.
pub(crate) async fn middleware(
    app: Data<App>,
    mut request: ServiceRequest,
    next: Next<impl MessageBody + 'static>,
) -> Result<ServiceResponse<BoxBody>, Error> {
    let started = Instant::now();
    let unread = Unread::hold(&mut request);
    let kept = request.request().clone();
    kept.extensions_mut().insert(Arrival(app.core().now()));
    crate::request_info::record_untrusted(&app, &kept);
    if let Some(ip) = app.request_info(&kept).ip {
        Span::current().record("client_ip", tracing::field::display(ip));
    }
    let (response, problem) = if has_long_header(kept.headers()) {
        let problem = Problem::malformed(details::LONG_HEADER);
        (HttpResponse::new(problem.code.status()), Some(problem))
    } else {
        response(request, next).await
    };
    let shown = response.extensions().get::<ShownCode>().map(|code| code.0);
    let code = problem.as_ref().map(|problem| problem.code.as_str()).or(shown);
    let mut response = match problem {
        Some(problem) => document(&problem, &response, &kept, app.options()),
        None => response,
    };
    finish(response.headers_mut(), &kept, app.options());
    report(&app, &kept, (response.status(), code), started);
    let response = match unread {
        Some(unread) => unread.until_sent(response),
        None => response,
    };
    Ok(ServiceResponse::new(kept, response))
}

/// Turns a panic of the handler into a problem. It wraps the handler directly, so that all other
/// middleware treats the response like any other.
pub(crate) async fn contain_panics(
    request: ServiceRequest,
    next: Next<impl MessageBody + 'static>,
) -> Result<ServiceResponse<BoxBody>, Error> {
    let kept = request.request().clone();
    if let Ok(answered) = AssertUnwindSafe(next.call(request)).catch_unwind().await {
        return answered.map(ServiceResponse::map_into_boxed_body);
    }
    // The panic hook reports the panic itself.
    tracing::error!("request handler panicked");
    Ok(ServiceResponse::from_err(Problem::new(Code::Internal), kept))
}

/// The response of the handler, and its problem if it is an error.
async fn response(
    request: ServiceRequest,
    next: Next<impl MessageBody + 'static>,
) -> (HttpResponse, Option<Problem>) {
    let response = match next.call(request).await {
        Ok(response) => response.into_parts().1.map_into_boxed_body(),
        Err(error) => HttpResponse::from_error(error),
    };
    let status = response.status();
    let told = response.error().and_then(|error| error.as_error::<Problem>()).cloned();
    let is_bare = !response.extensions().contains::<ShownCode>();
    let problem = told.or_else(|| {
        let is_error = status.is_client_error() || status.is_server_error();
        (is_bare && is_error).then(|| of_status(status))
    });
    (response, problem)
}

/// The problem for an error response of the framework.
fn of_status(status: StatusCode) -> Problem {
    Problem::new(match status {
        StatusCode::NOT_FOUND => Code::NotFound,
        StatusCode::METHOD_NOT_ALLOWED => Code::MethodNotAllowed,
        StatusCode::PAYLOAD_TOO_LARGE => Code::BodyTooLarge,
        StatusCode::UNSUPPORTED_MEDIA_TYPE => Code::UnsupportedMediaType,
        status if status.is_server_error() => Code::Internal,
        _ => Code::MalformedRequest,
    })
}

/// Creates the problem document, or a page for people. Keeps the headers of the response.
fn document(
    problem: &Problem,
    response: &HttpResponse,
    request: &HttpRequest,
    options: &Options,
) -> HttpResponse {
    let request_id = request_id(request);
    let body = ProblemBody::new(problem, options, &request_id);
    let mut builder = HttpResponse::build(problem.code.status());
    // The new body has a type of its own.
    let others = response.headers().iter().filter(|(name, _)| **name != header::CONTENT_TYPE);
    for (name, value) in others {
        builder.append_header((name, value));
    }
    if let Some(challenge) = problem.challenge {
        builder.insert_header((header::WWW_AUTHENTICATE, challenge.header()));
    }
    if let Some(seconds) = problem.retry_after_seconds {
        builder.insert_header((header::RETRY_AFTER, seconds.to_string()));
    }
    if let Some(allow) = &problem.allow {
        builder.insert_header((header::ALLOW, allow.as_str()));
    }
    if crate::pages::is_page(request) {
        return crate::pages::refused(&mut builder, problem, &request_id);
    }
    if let Some(response) = crate::dialects::refused(request, options, &mut builder, problem) {
        return response;
    }
    builder.insert_header((header::CONTENT_TYPE, "application/problem+json"));
    // Serializing a struct of strings cannot fail.
    builder.body(serde_json::to_vec(&body).unwrap_or_default())
}

/// Sets the headers that every response has.
fn finish(headers: &mut HeaderMap, request: &HttpRequest, options: &Options) {
    let mut set = |name: HeaderName, value: &'static str| {
        if !headers.contains_key(&name) {
            headers.insert(name, HeaderValue::from_static(value));
        }
    };
    set(header::X_CONTENT_TYPE_OPTIONS, "nosniff");
    set(header::CONTENT_SECURITY_POLICY, CSP);
    set(header::REFERRER_POLICY, "no-referrer");
    set(header::CACHE_CONTROL, "no-store");
    set(HeaderName::from_static("cross-origin-resource-policy"), "same-origin");
    if options.is_https() {
        set(header::STRICT_TRANSPORT_SECURITY, HSTS);
    }
    // The CORS middleware sets it too, but not when it rejects an origin.
    if !options.cors_origins.is_empty() {
        set(header::VARY, "Origin");
    }
    if let Ok(id) = HeaderValue::from_str(&request_id(request)) {
        headers.insert(HeaderName::from_static("x-request-id"), id);
    }
}

fn request_id(request: &HttpRequest) -> String {
    request.extensions().get::<RequestId>().map(ToString::to_string).unwrap_or_default()
}

fn has_long_header(headers: &HeaderMap) -> bool {
    headers.iter().any(|(name, value)| {
        *name != header::AUTHORIZATION && name.as_str().len() + value.len() > HEADER_LEN_MAX
    })
}

/// Counts and logs the response. Successful requests with safe methods are logged at debug level.
fn report(
    app: &App,
    request: &HttpRequest,
    (status, code): (StatusCode, Option<&str>),
    started: Instant,
) {
    let (elapsed, status) = (started.elapsed(), status.as_u16());
    app.metrics().completed(&CompletedRequest {
        route: &route(request.match_pattern()),
        method: method(request.method()),
        status,
        seconds: elapsed.as_secs_f64(),
    });
    let micros = u64::try_from(elapsed.as_micros()).unwrap_or(u64::MAX);
    if code.is_none() && request.method().is_safe() {
        tracing::debug!(status, micros, outcome = "ok", "request completed");
    } else {
        let outcome = match status {
            500.. => "failed",
            400.. => "refused",
            _ => "ok",
        };
        tracing::info!(status, code, micros, outcome, "request completed");
    }
}

/// The route for logs and metrics. All unknown paths are `unmatched`.
fn route(pattern: Option<String>) -> String {
    pattern
        .filter(|pattern| pattern != crate::routes::ANY_PATH)
        .unwrap_or_else(|| "unmatched".to_owned())
}

/// The method for logs and metrics. All unknown methods are `other`, because a client could send
/// any number of them, of any length.
fn method(method: &Method) -> &str {
    match method.as_str() {
        method @ ("GET" | "HEAD" | "POST" | "PUT" | "PATCH" | "DELETE" | "OPTIONS") => method,
        _ => "other",
    }
}
