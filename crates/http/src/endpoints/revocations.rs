//! `GET /revocations` and `GET /revocations/stream`: what is revoked, for those who check tokens
//! elsewhere.

mod entry;
mod stream;

use actix_web::http::{Method, header};
use actix_web::web::{self, Data};
use actix_web::{HttpRequest, HttpResponse};
use gateward_app::domain::feed::FeedCursor;
use serde::Serialize;

use self::entry::EntryBody;
use self::stream::RevocationStream;
use crate::App;
use crate::body::query;
use crate::clients::{ClientRight, require_client};
use crate::problem::{Code, Problem, ProblemBody};
use crate::routes::Endpoint;

/// After how many seconds a place for a stream may be free again.
const RETRY_AFTER_SECONDS: u32 = 10;

/// Where a stream that was broken goes on (HTML, section 9.2).
const LAST_EVENT_ID: &str = "Last-Event-ID";

pub(super) fn page_endpoint() -> Endpoint {
    Endpoint::api::<__path_list_revocations>(|| web::to(list_revocations))
}

pub(super) fn stream_endpoint() -> Endpoint {
    Endpoint::api::<__path_stream_revocations>(|| web::to(stream_revocations))
}

/// Some of what is revoked, and where the next part is found.
#[derive(Serialize, utoipa::ToSchema)]
#[schema(as = RevocationPage)]
struct PageBody<'a> {
    items: Vec<EntryBody<'a>>,
    /// The `since` of the next page; `null` if there is none yet.
    next_cursor: Option<&'a str>,
}

/// What is revoked and still matters, in order: tokens of a session, of a user, or signed by a key.
///
/// Whoever goes on from the cursor of the last entry that it has got misses nothing. An entry may
/// come twice, which changes nothing.
#[utoipa::path(
    get, operation_id = "listRevocations", path = "/revocations", tag = "clients", security(("client" = [])),
    params(
        ("since" = Option<String>, Query, description = "The cursor of the last entry that is known"),
        ("limit" = Option<u32>, Query, description = "How many, 50 if it is left out", minimum = 1, maximum = 100),
    ),
    responses(
        (status = 200, description = "A page; it may be empty although there is a next one", body = PageBody),
        (status = 401, description = "`missing_token` or `invalid_credentials`", body = ProblemBody, content_type = "application/problem+json"),
        (status = 403, description = "`forbidden`: the client may not follow what is revoked", body = ProblemBody, content_type = "application/problem+json"),
        (status = 422, description = "`validation_failed`", body = ProblemBody, content_type = "application/problem+json"),
        (status = 429, description = "`rate_limited`: too many wrong secrets", body = ProblemBody, content_type = "application/problem+json"),
    )
)]
async fn list_revocations(app: Data<App>, request: HttpRequest) -> Result<HttpResponse, Problem> {
    require_client(&app, &request, ClientRight::Revocations).await?;
    let mut fields = query(&request)?;
    let limit = fields.limit();
    let since = fields.cursor("since", read_cursor);
    let limit = fields.finish(limit)?;
    let page = app.core().read_feed(since, limit).await?;
    let is_full = page.entries.len() >= limit as usize;
    let last = page.entries.last().filter(|_| is_full);
    Ok(super::ok(&PageBody {
        items: page.entries.iter().filter_map(EntryBody::of).collect(),
        next_cursor: last.map(|entry| entry.cursor.as_str()),
    }))
}

/// The same as server-sent events: first what is revoked already, then what will be, as it happens.
///
/// The `id` of an event is its cursor. Whoever was cut off goes on behind it with `Last-Event-ID`.
/// A comment comes every 15 seconds.
#[utoipa::path(
    get, operation_id = "streamRevocations", path = "/revocations/stream", tag = "clients", security(("client" = [])),
    params(
        ("since" = Option<String>, Query, description = "The cursor of the last entry that is known"),
        ("Last-Event-ID" = Option<String>, Header, description = "The same; it counts before `since`"),
    ),
    responses(
        (status = 200, description = "Events without end; the `data` of each is a `Revocation` in one line", body = String, content_type = "text/event-stream"),
        (status = 401, description = "`missing_token` or `invalid_credentials`", body = ProblemBody, content_type = "application/problem+json"),
        (status = 403, description = "`forbidden`: the client may not follow what is revoked", body = ProblemBody, content_type = "application/problem+json"),
        (status = 422, description = "`validation_failed`", body = ProblemBody, content_type = "application/problem+json"),
        (status = 429, description = "`rate_limited`: too many wrong secrets", body = ProblemBody, content_type = "application/problem+json"),
        (status = 503, description = "`overloaded`: too many streams are open; or `unavailable`", body = ProblemBody, content_type = "application/problem+json"),
    )
)]
async fn stream_revocations(app: Data<App>, request: HttpRequest) -> Result<HttpResponse, Problem> {
    require_client(&app, &request, ClientRight::Revocations).await?;
    let mut fields = query(&request)?;
    let since = fields.cursor("since", read_cursor);
    fields.finish(Some(()))?;
    let since = last_event(&request)?.or(since);
    if app.is_draining() {
        return Err(Problem::new(Code::Unavailable).detail("This node is stopping; ask another."));
    }
    let slot = app.streams.take_slot();
    let slot = slot.ok_or_else(|| Problem::overloaded(RETRY_AFTER_SECONDS))?;
    let opened = RevocationStream::open(App::clone(&app), slot, since).await?;
    let mut response = HttpResponse::Ok();
    response.insert_header((header::CONTENT_TYPE, "text/event-stream"));
    // Proxies that gather an answer before they pass it on would hold back what happens now.
    response.insert_header(("x-accel-buffering", "no"));
    Ok(match *request.method() {
        Method::HEAD => response.finish(),
        _ => response.streaming(opened.events()),
    })
}

/// Where the stream broke off, if the client says so.
fn last_event(request: &HttpRequest) -> Result<Option<FeedCursor>, Problem> {
    let mut headers = request.headers().get_all(LAST_EVENT_ID);
    let Some(header) = headers.next() else { return Ok(None) };
    if headers.next().is_some() {
        let detail = "The header 'Last-Event-ID' appears twice; send it once.";
        return Err(Problem::malformed(detail));
    }
    let cursor = header.to_str().ok().and_then(read_cursor);
    let wrong = || Problem::field(LAST_EVENT_ID, "bad_cursor", "must be the id of an event");
    Ok(Some(cursor.ok_or_else(wrong)?))
}

fn read_cursor(text: &str) -> Option<FeedCursor> {
    FeedCursor::parse(text).ok()
}
