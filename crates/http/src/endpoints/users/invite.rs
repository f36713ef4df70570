//! `POST /users`

use actix_web::web::{self, Data};
use actix_web::{HttpRequest, HttpResponse};
use gateward_app::Invitation;
use gateward_app::domain::Permission;

use super::Administrator;
use super::roles::optional_roles;
use crate::App;
use crate::body::Body;
use crate::endpoints::objects::UserBody;
use crate::problem::{Problem, ProblemBody};
use crate::routes::Endpoint;

pub(super) fn endpoint() -> Endpoint {
    Endpoint::api::<__path_invite_user>(|| web::to(invite_user))
}

/// Who is invited.
#[derive(utoipa::ToSchema)]
#[schema(as = InviteUser)]
#[expect(dead_code, reason = "documents the body, which is read member by member")]
struct InviteBody {
    /// 3 to 32 of `A-Z a-z 0-9 . _ -`
    #[schema(min_length = 3, max_length = 32, pattern = "^[A-Za-z0-9._-]+$", example = "ada")]
    username: String,
    #[schema(format = "email", max_length = 254, example = "ada@example.org")]
    email: String,
    /// The roles beside `user`, which everybody holds.
    #[schema(example = json!(["support"]))]
    roles: Option<Vec<String>>,
}

/// Make an account for somebody. An email lets its owner choose the password; nobody else ever
/// does.
///
/// For roles beside `user`, the permission `roles:grant` is wanted too, and a password given a
/// short time ago.
#[utoipa::path(
    post, operation_id = "inviteUser", path = "/users", tag = "administration", request_body = InviteBody,
    security(("access_token" = [])),
    responses(
        (status = 201, description = "The account is made, and an email is on its way", body = UserBody),
        (status = 403, description = "`forbidden`: the permission `users:write` is wanted, or a role is not the caller's to give; or `reauthentication_required`", body = ProblemBody, content_type = "application/problem+json"),
        (status = 409, description = "`username_taken` or `email_taken`", body = ProblemBody, content_type = "application/problem+json"),
        (status = 422, description = "`validation_failed`", body = ProblemBody, content_type = "application/problem+json"),
    )
)]
async fn invite_user(
    app: Data<App>,
    request: HttpRequest,
    body: Body,
) -> Result<HttpResponse, Problem> {
    let admin = Administrator::with(Permission::UsersWrite, &app, &request).await?;
    let mut fields = body.fields().await?;
    let username = fields.new_username("username");
    let email = fields.email("email");
    let roles = optional_roles(&mut fields).unwrap_or_default();
    let (username, email) = fields.finish(username.zip(email))?;
    let invitation = Invitation { username, email, roles };
    let user =
        app.detached(async move |core| core.invite_user(admin.actor(), invitation).await).await??;
    Ok(HttpResponse::Created().json(UserBody::from(&user)))
}
