//! `DELETE /me` and `GET /me/export`

use actix_web::web::{self, Data};
use actix_web::{HttpRequest, HttpResponse};
use gateward_app::{DeleteAccountError, NotRecent};

use super::export::ExportBody;
use crate::App;
use crate::body::{Body, refuse_query};
use crate::credentials::caller;
use crate::problem::{Code, Problem, ProblemBody};
use crate::routes::Endpoint;

pub(super) fn delete_endpoint() -> Endpoint {
    Endpoint::api::<__path_delete_me>(|| web::to(delete_me))
}

pub(super) fn export_endpoint() -> Endpoint {
    Endpoint::api::<__path_export>(|| web::to(export))
}

/// The password. Not needed after a recent login or password confirmation.
#[derive(utoipa::ToSchema)]
#[schema(as = DeleteCurrentUser)]
#[expect(dead_code, reason = "documents the body, which is read field by field")]
struct DeleteCurrentUserBody {
    /// The current password. Omit it after a recent login or password confirmation.
    #[schema(format = "password", max_length = 1024)]
    password: Option<String>,
}

/// Delete your account.
///
/// Ends all sessions. Another account can then use the username and the email address. Send
/// `password`, unless you logged in or confirmed the password recently
/// (`POST /me/reauthenticate`).
#[utoipa::path(
    delete, operation_id = "deleteCurrentUser", path = "/me", request_body = Option<DeleteCurrentUserBody>,
    security(("access_token" = [])),
    responses(
        (status = 204, description = "The account was deleted"),
        (status = 403, description = "`reauthentication_required`", body = ProblemBody, content_type = "application/problem+json"),
        (status = 409, description = "`last_admin`", body = ProblemBody, content_type = "application/problem+json"),
        (status = 422, description = "`validation_failed`; a wrong password has the field error `wrong_password`", body = ProblemBody, content_type = "application/problem+json"),
        (status = 429, description = "`rate_limited`: too many attempts", body = ProblemBody, content_type = "application/problem+json"),
        (status = 503, description = "`overloaded` or `unavailable`", body = ProblemBody, content_type = "application/problem+json"),
    )
)]
async fn delete_me(
    app: Data<App>,
    request: HttpRequest,
    body: Body,
) -> Result<HttpResponse, Problem> {
    let caller = caller(&app, &request).await?;
    let request_info = app.request_info(&request);
    let mut fields = body.optional_fields().await?;
    let password = fields.has("password").then(|| fields.password("password")).flatten();
    fields.finish(Some(()))?;
    let confirmed = app.core().verify_deletion(&caller, password.as_ref(), &request_info).await?;
    app.detached(async move |core| core.delete_account(&caller, confirmed, &request_info).await)
        .await??;
    Ok(super::done())
}

/// Export your data.
///
/// Returns everything that is stored about you. Requires a recent password confirmation: call
/// `POST /me/reauthenticate` first.
#[utoipa::path(
    get, operation_id = "exportCurrentUser", path = "/me/export", security(("access_token" = [])),
    responses(
        (status = 200, description = "Your account, sessions, events, known devices, unused links and emails", body = ExportBody),
        (status = 403, description = "`reauthentication_required`", body = ProblemBody, content_type = "application/problem+json"),
    )
)]
async fn export(app: Data<App>, request: HttpRequest) -> Result<HttpResponse, Problem> {
    let caller = caller(&app, &request).await?;
    refuse_query(&request)?;
    let confirmed = app.core().check_recent(&caller)?;
    let export = app.core().export(&caller, confirmed).await?;
    Ok(super::ok(&ExportBody::new(&export, caller.session_id)))
}

impl From<NotRecent> for Problem {
    fn from(NotRecent: NotRecent) -> Self {
        Self::new(Code::ReauthenticationRequired)
    }
}

impl From<DeleteAccountError> for Problem {
    fn from(error: DeleteAccountError) -> Self {
        match error {
            DeleteAccountError::WrongPassword => Self::wrong_password("password"),
            DeleteAccountError::NotRecent => NotRecent.into(),
            DeleteAccountError::LastAdmin => Self::new(Code::LastAdmin),
            DeleteAccountError::Reauthenticate(error) => error.into(),
            DeleteAccountError::Store(error) => error.into(),
        }
    }
}
