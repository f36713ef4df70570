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

/// An invitation.
#[derive(utoipa::ToSchema)]
#[schema(as = InviteUser)]
#[expect(dead_code, reason = "documents the body, which is read field by field")]
struct InviteBody {
    /// A username: 3 to 32 characters of `A-Z a-z 0-9 . _ -`, unique regardless of case.
    #[schema(min_length = 3, max_length = 32, pattern = "^[A-Za-z0-9._-]+$", example = "ada")]
    username: String,
    /// The email address that the invitation is sent to.
    #[schema(format = "email", max_length = 254, example = "ada@example.org")]
    email: String,
    /// The roles of the user. Every user also has the role `user`.
    #[schema(example = json!(["support"]))]
    roles: Option<Vec<String>>,
}

/// Invite a user.
///
/// Creates an account and emails a link to choose its password. Assigning roles other than `user`
/// also requires the permission `roles:grant` and a recent password confirmation: call
/// `POST /me/reauthenticate` first.
#[utoipa::path(
    post, operation_id = "inviteUser", path = "/users", request_body = InviteBody,
    security(("access_token" = [])),
    responses(
        (status = 201, description = "The account was created, and an invitation email was sent", body = UserBody),
        (status = 403, description = "`forbidden`: you need `users:write` and, to assign roles other than `user`, `roles:grant` and those roles yourself; or `reauthentication_required`", body = ProblemBody, content_type = "application/problem+json"),
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
