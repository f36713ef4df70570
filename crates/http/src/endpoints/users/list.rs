//! `GET /users`

use actix_web::web::{self, Data};
use actix_web::{HttpRequest, HttpResponse};
use base64::Engine;
use base64::engine::general_purpose::URL_SAFE_NO_PAD;
use gateward_app::domain::{EmailAddress, Permission, RoleName, UserId};
use gateward_app::{UserFilter, UserPage};
use serde::Serialize;

use super::{Administrator, identifier};
use crate::App;
use crate::body::{Fields, query};
use crate::endpoints::objects::UserBody;
use crate::endpoints::ok;
use crate::problem::{Problem, ProblemBody, field_texts};
use crate::routes::Endpoint;

pub(super) fn endpoint() -> Endpoint {
    Endpoint::api::<__path_list_users>(|| web::to(list_users))
}

/// A page of users.
#[derive(Serialize, utoipa::ToSchema)]
#[schema(as = UserPage)]
struct PageBody {
    /// The items of this page.
    items: Vec<UserBody>,
    /// Send it as `cursor` to get the next page. `null` on the last page.
    next_cursor: Option<String>,
}

/// List users.
///
/// Returns the users that match all filters, oldest first. With `q`, they are sorted by username,
/// or by email address if `q` contains `@`. Each page examines at most 1000 users, so it may have
/// fewer items than `limit`, or none, even if there is a next page. Continue until `next_cursor` is
/// `null`.
#[utoipa::path(
    get, operation_id = "listUsers", path = "/users", security(("access_token" = [])),
    params(
        ("q" = Option<String>, Query, description = "Only users whose username starts with this text. If it contains `@`, only users whose email address starts with it", min_length = 1, max_length = 254),
        ("role" = Option<String>, Query, description = "Only users with this role"),
        ("disabled" = Option<bool>, Query, description = "Only disabled users (`true`) or only enabled users (`false`)"),
        ("limit" = Option<u32>, Query, description = "Page size; 50 by default", minimum = 1, maximum = 100),
        ("cursor" = Option<String>, Query, description = "The `next_cursor` of the previous page, with the same filters"),
    ),
    responses(
        (status = 200, description = "A page of users", body = PageBody),
        (status = 403, description = "`forbidden`: you need the permission `users:read`", body = ProblemBody, content_type = "application/problem+json"),
        (status = 422, description = "`validation_failed`", body = ProblemBody, content_type = "application/problem+json"),
    )
)]
async fn list_users(app: Data<App>, request: HttpRequest) -> Result<HttpResponse, Problem> {
    Administrator::with(Permission::UsersRead, &app, &request).await?;
    let mut fields = query(&request)?;
    let limit = fields.limit();
    let is_search = fields.has("q");
    let after = fields.cursor("cursor", |text| read_cursor(text, is_search));
    let filter = filter(&mut fields);
    let limit = fields.finish(limit)?;
    let UserPage { users, next } = app.core().list_users(&filter, after, limit as usize).await?;
    Ok(ok(&PageBody {
        items: users.iter().map(UserBody::from).collect(),
        next_cursor: next.map(|cursor| URL_SAFE_NO_PAD.encode(cursor)),
    }))
}

/// Takes the filters.
fn filter(fields: &mut Fields) -> UserFilter {
    let search = |text: &str| searchable(text).then(|| text.to_owned());
    let q = fields.parameter("q", field_texts::SEARCH_TEXT, search);
    let role = |text: &str| RoleName::parse(text).ok();
    let role = fields.parameter("role", field_texts::ROLE_FILTER, role);
    let disabled = |text: &str| text.parse().ok();
    let disabled = fields.parameter("disabled", field_texts::BOOLEAN_FILTER, disabled);
    UserFilter { q, role, disabled }
}

/// Whether a username or email address can start with this. Postgres strings cannot contain NUL.
fn searchable(text: &str) -> bool {
    let length = text.chars().count();
    (1..=EmailAddress::LEN_MAX).contains(&length) && !text.chars().any(char::is_control)
}

/// Parses the cursor of a page: a username or email address in a search, a user ID otherwise.
fn read_cursor(text: &str, is_search: bool) -> Option<String> {
    let cursor = String::from_utf8(URL_SAFE_NO_PAD.decode(text).ok()?).ok()?;
    let is_cursor =
        if is_search { searchable(&cursor) } else { identifier::<UserId>(&cursor).is_some() };
    is_cursor.then_some(cursor)
}
