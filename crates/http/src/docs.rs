//! The documentation pages: the interactive API documentation, and the list of problem codes.

use std::fmt::Write;
use std::sync::Arc;

use actix_web::http::header;
use actix_web::web::{self, Data, Path};
use actix_web::{HttpRequest, HttpResponse};
use gateward_app::domain::EndReason;
use utoipa::openapi::path::HttpMethod;

use crate::App;
use crate::body::refuse_query;
use crate::problem::{Code, Problem, why};
use crate::routes::Endpoint;

/// The path of the page about problem codes. It is served even if `docs` is off, because every
/// problem document links to it.
pub(crate) const PROBLEMS_PATH: &str = "/docs/problems";

/// The API documentation page loads only files of this service.
const PAGE_CSP: &str = "default-src 'none'; script-src 'self'; style-src 'self' 'unsafe-inline'; \
                        img-src 'self' data:; connect-src 'self'; base-uri 'none'; \
                        form-action 'none'; frame-ancestors 'none'";

const PAGE: &str = include_str!("docs/page.html");
const START: &str = include_str!("docs/start.js");
const PROBLEMS_STYLE: &str = include_str!("docs/problems.css");

const PROBLEMS_INTRO: &str = "<p>Every error response has one of these codes in <code>code</code>, \
                              and says in <code>detail</code> what to do. Codes are stable. Paths \
                              such as <code>POST /refresh</code> are relative to the base path, \
                              which is <code>/v1</code> by default.</p>";

pub(crate) fn endpoints(on: bool) -> Vec<Endpoint> {
    let mut endpoints = vec![Endpoint::page(PROBLEMS_PATH, HttpMethod::Get, || web::to(problems))];
    if on {
        endpoints.push(Endpoint::root::<__path_openapi>(|| web::to(openapi)));
        endpoints.push(Endpoint::page("/docs", HttpMethod::Get, || web::to(page)));
        endpoints.push(Endpoint::page("/docs/{asset}", HttpMethod::Get, || web::to(asset)));
    }
    endpoints
}

/// Get the OpenAPI document of this installation.
#[utoipa::path(
    get, operation_id = "getOpenApiDocument", path = "/openapi.json",
    responses((status = 200, description = "The OpenAPI 3.1 document", content_type = "application/json"))
)]
async fn openapi(app: Data<App>, request: HttpRequest) -> Result<HttpResponse, Problem> {
    refuse_query(&request)?;
    Ok(HttpResponse::Ok().json(crate::openapi_document(app.options())))
}

/// The interactive API documentation.
async fn page(request: HttpRequest) -> Result<HttpResponse, Problem> {
    refuse_query(&request)?;
    Ok(html(PAGE, PAGE_CSP))
}

/// A file of the API documentation page, by its name.
async fn asset(request: HttpRequest, asset: Path<String>) -> Result<HttpResponse, Problem> {
    refuse_query(&request)?;
    let not_found = || Problem::new(Code::NotFound);
    let bytes = match asset.as_str() {
        "start.js" => START.as_bytes().to_vec(),
        name @ ("swagger-ui.css" | "swagger-ui-bundle.js" | "favicon-32x32.png") => {
            let config = Arc::new(utoipa_swagger_ui::Config::from("/openapi.json"));
            let file = utoipa_swagger_ui::serve(name, config).ok().flatten();
            file.ok_or_else(not_found)?.bytes.into_owned()
        }
        _ => return Err(not_found()),
    };
    let kind = match asset.rsplit_once('.').map(|(_, ending)| ending) {
        Some("css") => "text/css; charset=utf-8",
        Some("js") => "text/javascript; charset=utf-8",
        _ => "image/png",
    };
    Ok(HttpResponse::Ok().insert_header((header::CONTENT_TYPE, kind)).body(bytes))
}

/// What each problem code means and what to do about it.
async fn problems(request: HttpRequest) -> Result<HttpResponse, Problem> {
    refuse_query(&request)?;
    let mut rows = String::new();
    for code in Code::ALL {
        let (name, status) = (code.as_str(), code.status().as_u16());
        let reasons = if *code == Code::SessionEnded { reasons() } else { String::new() };
        // Writing to a string cannot fail.
        let _ = write!(
            rows,
            "<section id=\"{name}\"><h2>{}</h2><p><code>{name}</code> · status {status}</p>\
             <p>{}</p>{reasons}</section>",
            code.title(),
            with_code(code.help())
        );
    }
    let page = format!(
        "<!doctype html><html lang=\"en\"><head><meta charset=\"utf-8\">\
         <meta name=\"viewport\" content=\"width=device-width, initial-scale=1\">\
         <title>Gateward API errors</title><style>{PROBLEMS_STYLE}</style></head>\
         <body><main><h1>Gateward API errors</h1>{PROBLEMS_INTRO}{rows}</main></body></html>"
    );
    Ok(html(
        &page,
        "default-src 'none'; style-src 'unsafe-inline'; base-uri 'none'; \
                    form-action 'none'; frame-ancestors 'none'",
    ))
}

/// The text as HTML, with what is between backticks as `<code>`. The texts are our own and contain
/// no characters that HTML escapes.
fn with_code(text: &str) -> String {
    let spans = text.split('`').enumerate();
    let html = spans.map(|(index, span)| match index % 2 {
        0 => span.to_owned(),
        _ => format!("<code>{span}</code>"),
    });
    html.collect()
}

/// The list of reasons why a session ends.
fn reasons() -> String {
    let rows: Vec<String> = EndReason::ALL
        .iter()
        .map(|reason| format!("<dt><code>{reason}</code></dt><dd>{}</dd>", why(*reason)))
        .collect();
    format!("<dl>{}</dl>", rows.concat())
}

fn html(page: &str, csp: &'static str) -> HttpResponse {
    HttpResponse::Ok()
        .insert_header((header::CONTENT_TYPE, "text/html; charset=utf-8"))
        .insert_header((header::CONTENT_SECURITY_POLICY, csp))
        .body(page.to_owned())
}
