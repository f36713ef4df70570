//! `GET /revocations` and `GET /revocations/stream`: the revocation feed, for services that verify
//! tokens themselves.

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
use crate::problem::{Code, Problem, ProblemBody, details, field_texts};
use crate::routes::Endpoint;

/// The `Retry-After` if all stream slots are taken.
const RETRY_AFTER_SECONDS: u32 = 10;

/// The header with which a client resumes a stream (HTML, section 9.2).
const LAST_EVENT_ID: &str = "Last-Event-ID";

pub(super) fn page_endpoint() -> Endpoint {
    Endpoint::api::<__path_list_revocations>(|| web::to(list_revocations))
}

pub(super) fn stream_endpoint() -> Endpoint {
    Endpoint::api::<__path_stream_revocations>(|| web::to(stream_revocations))
}

/// A page of the revocation feed.
#[derive(Serialize, utoipa::ToSchema)]
#[schema(as = RevocationPage)]
struct PageBody<'a> {
    /// The items of this page.
    items: Vec<EntryBody<'a>>,
    /// Send it as `since` to get the next page. `null` if there is no further page yet; then continue
    /// later with the `cursor` of the last item.
    next_cursor: Option<&'a str>,
}

/// List revocations in order.
///
/// Use it in services that verify access tokens themselves. Each entry revokes the tokens of a
/// session, of a user or of a signing key, or all tokens. Entries stay in the feed until the tokens
/// have expired. Continue with the `cursor` of the last entry to miss nothing. An entry may appear
/// twice, so apply entries idempotently. Requires an API client with the right `revocations`.
#[utoipa::path(
    get, operation_id = "listRevocations", path = "/revocations", security(("client" = [])),
    params(
        ("since" = Option<String>, Query, description = "Only entries after this one: the `cursor` of the last entry that you have"),
        ("limit" = Option<u32>, Query, description = "Page size; 50 by default", minimum = 1, maximum = 100),
    ),
    responses(
        (status = 200, description = "A page of revocations. It may be empty even if there is a next page", body = PageBody),
        (status = 401, description = "`missing_token` or `invalid_credentials`", body = ProblemBody, content_type = "application/problem+json"),
        (status = 403, description = "`forbidden`: the API client needs the right `revocations`", body = ProblemBody, content_type = "application/problem+json"),
        (status = 422, description = "`validation_failed`", body = ProblemBody, content_type = "application/problem+json"),
        (status = 429, description = "`rate_limited`: too many attempts with a wrong secret", body = ProblemBody, content_type = "application/problem+json"),
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

/// Stream revocations as server-sent events.
///
/// Sends the existing entries first, then new ones as they happen. The `id` of an event is the
/// `cursor` of its entry; send it as `Last-Event-ID` to resume after a disconnect. A comment every
/// 15 seconds keeps the connection alive. Requires an API client with the right `revocations`.
#[utoipa::path(
    get, operation_id = "streamRevocations", path = "/revocations/stream", security(("client" = [])),
    params(
        ("since" = Option<String>, Query, description = "Only entries after this one: the `cursor` of the last entry that you have"),
        ("Last-Event-ID" = Option<String>, Header, description = "Like `since`, for resuming a stream; it takes precedence over `since`"),
    ),
    responses(
        (status = 200, description = "An endless stream of events; the `data` of each is a `Revocation` in one line of JSON", body = String, content_type = "text/event-stream"),
        (status = 401, description = "`missing_token` or `invalid_credentials`", body = ProblemBody, content_type = "application/problem+json"),
        (status = 403, description = "`forbidden`: the API client needs the right `revocations`", body = ProblemBody, content_type = "application/problem+json"),
        (status = 422, description = "`validation_failed`", body = ProblemBody, content_type = "application/problem+json"),
        (status = 429, description = "`rate_limited`: too many attempts with a wrong secret", body = ProblemBody, content_type = "application/problem+json"),
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
        return Err(Problem::new(Code::Unavailable).detail(details::SHUTTING_DOWN));
    }
    let slot = app.streams.take_slot();
    let slot = slot.ok_or_else(|| Problem::overloaded(RETRY_AFTER_SECONDS))?;
    let opened = RevocationStream::open(App::clone(&app), slot, since).await?;
    let mut response = HttpResponse::Ok();
    response.insert_header((header::CONTENT_TYPE, "text/event-stream"));
    // Buffering proxies would delay events.
    response.insert_header(("x-accel-buffering", "no"));
    Ok(match *request.method() {
        Method::HEAD => response.finish(),
        _ => response.streaming(opened.events()),
    })
}

/// The cursor in the header `Last-Event-ID`, if there is one.
fn last_event(request: &HttpRequest) -> Result<Option<FeedCursor>, Problem> {
    let mut headers = request.headers().get_all(LAST_EVENT_ID);
    let Some(header) = headers.next() else { return Ok(None) };
    if headers.next().is_some() {
        return Err(Problem::malformed(details::LAST_EVENT_ID_TWICE));
    }
    let cursor = header.to_str().ok().and_then(read_cursor);
    let wrong = || Problem::fields(vec![field_texts::LAST_EVENT_ID.at(LAST_EVENT_ID)]);
    Ok(Some(cursor.ok_or_else(wrong)?))
}

fn read_cursor(text: &str) -> Option<FeedCursor> {
    FeedCursor::parse(text).ok()
}
