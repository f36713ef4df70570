//! `POST /email/…`: confirming an email address, resending the email for it, and undoing a change.

use actix_web::web::{self, Data};
use actix_web::{HttpRequest, HttpResponse};
use gateward_app::{AccountProof, ConfirmEmail, ConfirmEmailError, LinkProof, UndoEmailError};

use super::objects::Accepted;
use crate::App;
use crate::body::{Body, Fields};
use crate::credentials::{access_token, caller};
use crate::link_proof::{link_proof, unhurried};
use crate::problem::{Code, Problem, ProblemBody, details, field_texts};
use crate::routes::Endpoint;

pub(super) fn confirm_endpoint() -> Endpoint {
    Endpoint::api::<__path_confirm>(|| web::to(confirm))
}

pub(super) fn resend_endpoint() -> Endpoint {
    Endpoint::api::<__path_resend>(|| web::to(resend))
}

pub(super) fn undo_endpoint() -> Endpoint {
    Endpoint::api::<__path_undo>(|| web::to(undo))
}

/// Two proofs: that you received the email (`token`, or `email` and `code`), and that you own the
/// account (`signup_id`, `password`, or an access token in the header or cookie).
#[derive(utoipa::ToSchema)]
#[schema(as = ConfirmEmail)]
#[expect(dead_code, reason = "documents the body, which is read field by field")]
struct ConfirmBody {
    /// The token from the link in the email: the part after `#token=`.
    token: Option<String>,
    /// The email address that the code was sent to. Send it together with `code`.
    #[schema(format = "email", max_length = 254, example = "ada@example.org")]
    email: Option<String>,
    /// The 8-digit code from the email. Send it together with `email`.
    #[schema(pattern = "^[0-9]{8}$", example = "12345678")]
    code: Option<String>,
    /// The `signup_id` from the response of `POST /signup`. Do not send `password` with it.
    signup_id: Option<String>,
    /// The password of the sign-up or account, instead of `signup_id`.
    #[schema(format = "password", max_length = 1024)]
    password: Option<String>,
    /// Another username. Needed only if the one from the sign-up has been taken since then
    /// (`username_taken`).
    #[schema(min_length = 3, max_length = 32, pattern = "^[A-Za-z0-9._-]+$", example = "ada")]
    username: Option<String>,
}

/// A request for another confirmation email.
#[derive(utoipa::ToSchema)]
#[schema(as = ResendConfirmation)]
#[expect(dead_code, reason = "documents the body, which is read field by field")]
struct ResendBody {
    /// The email address to confirm.
    #[schema(format = "email", max_length = 254, example = "ada@example.org")]
    email: String,
    /// The `signup_id` from the response of `POST /signup`, to resend the email of that sign-up.
    signup_id: Option<String>,
}

/// The link from the email that undoes a change.
#[derive(utoipa::ToSchema)]
#[schema(as = UndoEmailChange)]
#[expect(dead_code, reason = "documents the body, which is read field by field")]
struct UndoBody {
    /// The token from the link in the email: the part after `#token=`.
    token: String,
}

/// Confirm an email address.
///
/// Use it after a sign-up or after `POST /me/email`. Send two proofs: that you received the email,
/// and that you own the account. If only the second one is missing or wrong, the link or code stays
/// valid, so you can retry.
#[utoipa::path(
    post, operation_id = "confirmEmail", path = "/email/confirm", request_body = ConfirmBody,
    security((), ("access_token" = [])),
    responses(
        (status = 204, description = "The email address is confirmed; for a sign-up, the account was created"),
        (status = 400, description = "`invalid_link`, also if the proof that you own the account is missing or wrong; or `malformed_request`", body = ProblemBody, content_type = "application/problem+json"),
        (status = 409, description = "`username_taken`: send the request again with another `username`", body = ProblemBody, content_type = "application/problem+json"),
        (status = 422, description = "`validation_failed`", body = ProblemBody, content_type = "application/problem+json"),
        (status = 429, description = "`rate_limited`: too many attempts", body = ProblemBody, content_type = "application/problem+json"),
        (status = 503, description = "`overloaded` or `unavailable`", body = ProblemBody, content_type = "application/problem+json"),
    )
)]
async fn confirm(
    app: Data<App>,
    request: HttpRequest,
    body: Body,
) -> Result<HttpResponse, Problem> {
    let request_info = app.request_info(&request);
    let mut fields = body.fields().await?;
    let mailbox = link_proof(&mut fields);
    let in_body = account_proof(&mut fields);
    let username = fields.has("username").then(|| fields.new_username("username")).flatten();
    let mailbox = fields.finish(mailbox)?;
    // A proof in the body is enough; the access token is then ignored.
    let account = match in_body {
        Some(proof) => proof,
        None if access_token(&request)?.is_some() => {
            AccountProof::LoggedIn(caller(&app, &request).await?.user.id)
        }
        None => AccountProof::Missing,
    };
    let by_code = matches!(mailbox, LinkProof::Code { .. });
    let confirm = ConfirmEmail { mailbox, account, username, request_info };
    let prepared = unhurried(by_code, app.core().prepare_confirmation(confirm)).await?;
    app.detached(async move |core| core.complete_confirmation(prepared).await).await??;
    Ok(super::done())
}

/// The proof of the account in the body, if there is one.
fn account_proof(fields: &mut Fields) -> Option<AccountProof> {
    let signup_id = fields.optional_string("signup_id");
    let password = fields.has("password").then(|| fields.password("password")).flatten();
    match (signup_id, password) {
        (Some(_), Some(_)) => {
            fields.wrong("signup_id", field_texts::ONE_ACCOUNT_PROOF);
            None
        }
        (Some(secret), None) => Some(AccountProof::SignupSecret(secret)),
        (None, Some(password)) => Some(AccountProof::Password(password)),
        (None, None) => None,
    }
}

/// Resend the confirmation email.
///
/// The response is the same whether or not the email address is waiting for confirmation. By
/// default, an email address gets at most one confirmation email per minute.
#[utoipa::path(
    post, operation_id = "resendConfirmationEmail", path = "/email/resend", request_body = ResendBody,
    responses(
        (status = 202, description = "If the email address is waiting for confirmation, a confirmation email was sent", body = Accepted),
        (status = 422, description = "`validation_failed`", body = ProblemBody, content_type = "application/problem+json"),
        (status = 429, description = "`rate_limited`: too many emails requested", body = ProblemBody, content_type = "application/problem+json"),
    )
)]
async fn resend(app: Data<App>, request: HttpRequest, body: Body) -> Result<HttpResponse, Problem> {
    let request_info = app.request_info(&request);
    let mut fields = body.fields().await?;
    let signup_id = fields.optional_string("signup_id");
    let email = fields.email("email");
    let email = fields.finish(email)?;
    app.detached(async move |core| {
        core.resend_confirmation(&email, signup_id.as_deref(), &request_info).await
    })
    .await??;
    Ok(super::accepted("email_sent"))
}

/// Undo a change of the email address.
///
/// Use it with the link that was sent to the old email address. It ends all sessions and
/// invalidates the password. An email to the old email address lets its owner choose a new
/// password.
#[utoipa::path(
    post, operation_id = "undoEmailChange", path = "/email/undo", request_body = UndoBody,
    responses(
        (status = 204, description = "The old email address is restored; an email to choose a new password was sent to it"),
        (status = 400, description = "`invalid_link`, or `malformed_request`", body = ProblemBody, content_type = "application/problem+json"),
        (status = 422, description = "`validation_failed`", body = ProblemBody, content_type = "application/problem+json"),
        (status = 429, description = "`rate_limited`: too many attempts", body = ProblemBody, content_type = "application/problem+json"),
    )
)]
async fn undo(app: Data<App>, request: HttpRequest, body: Body) -> Result<HttpResponse, Problem> {
    let request_info = app.request_info(&request);
    let mut fields = body.fields().await?;
    let token = fields.text("token");
    let token = fields.finish(token)?;
    app.detached(async move |core| core.undo_email_change(&token, &request_info).await).await??;
    Ok(super::done())
}

impl From<ConfirmEmailError> for Problem {
    fn from(error: ConfirmEmailError) -> Self {
        match error {
            ConfirmEmailError::RateLimited(error) => error.into(),
            ConfirmEmailError::InvalidLink => {
                Self::new(Code::InvalidLink).detail(details::CONFIRMATION)
            }
            ConfirmEmailError::UsernameTaken => {
                Self::new(Code::UsernameTaken).detail(details::USERNAME_TAKEN_SINCE)
            }
            ConfirmEmailError::Hash(error) => error.into(),
            ConfirmEmailError::Store(error) => error.into(),
        }
    }
}

impl From<UndoEmailError> for Problem {
    fn from(error: UndoEmailError) -> Self {
        match error {
            UndoEmailError::RateLimited(error) => error.into(),
            UndoEmailError::InvalidLink => Self::new(Code::InvalidLink).detail(details::UNDO_LINK),
            UndoEmailError::Store(error) => error.into(),
        }
    }
}
