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
use crate::problem::{Problem, ProblemBody};
use crate::routes::Endpoint;

/// What is said of a text to look for that no account can have.
const BAD_TEXT: (&str, &str) =
    ("bad_form", "must have 1 to 254 characters, and none that controls something");

pub(super) fn endpoint() -> Endpoint {
    Endpoint::api::<__path_list_users>(|| web::to(list_users))
}

/// Some accounts, and where the next ones are found.
#[derive(Serialize, utoipa::ToSchema)]
#[schema(as = UserPage)]
struct PageBody {
    items: Vec<UserBody>,
    /// The `cursor` of the next page; `null` on the last one.
    next_cursor: Option<String>,
}

/// The accounts that meet every condition. A search is in the order of what is looked for, all else
/// in the order in which the accounts were made.
///
/// A page looks at a thousand accounts at most: it may be shorter than its limit, or empty, and
/// have a next one.
#[utoipa::path(
    get, operation_id = "listUsers", path = "/users", tag = "administration", security(("access_token" = [])),
    params(
        ("q" = Option<String>, Query, description = "What the username begins with or, with an `@` in it, the address", min_length = 1, max_length = 254),
        ("role" = Option<String>, Query, description = "A role that they hold"),
        ("disabled" = Option<bool>, Query, description = "Whether they are disabled"),
        ("limit" = Option<u32>, Query, description = "How many, 50 if it is left out", minimum = 1, maximum = 100),
        ("cursor" = Option<String>, Query, description = "The `next_cursor` of the page before, asked for by the same conditions"),
    ),
    responses(
        (status = 200, description = "A page of accounts", body = PageBody),
        (status = 403, description = "`forbidden`: the permission `users:read` is wanted", body = ProblemBody, content_type = "application/problem+json"),
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

/// Takes the conditions.
fn filter(fields: &mut Fields) -> UserFilter {
    let q = fields.parameter("q", BAD_TEXT, |text| searchable(text).then(|| text.to_owned()));
    let wrong = ("bad_form", "must be the name of a role");
    let role = fields.parameter("role", wrong, |text| RoleName::parse(text).ok());
    let wrong = ("bad_form", "must be true or false");
    let disabled = fields.parameter("disabled", wrong, |text| text.parse().ok());
    UserFilter { q, role, disabled }
}

/// Whether a name or an address could begin with this. Postgres knows no text with a NUL in it.
fn searchable(text: &str) -> bool {
    let length = text.chars().count();
    (1..=EmailAddress::LEN_MAX).contains(&length) && !text.chars().any(char::is_control)
}

/// Reads the place behind which a page goes on: a name or an address in a search, an identifier
/// otherwise.
fn read_cursor(text: &str, is_search: bool) -> Option<String> {
    let cursor = String::from_utf8(URL_SAFE_NO_PAD.decode(text).ok()?).ok()?;
    let is_cursor =
        if is_search { searchable(&cursor) } else { identifier::<UserId>(&cursor).is_some() };
    is_cursor.then_some(cursor)
}
