//! `POST /email/…`: confirming an address, the email for it, and undoing a change.

use actix_web::web::{self, Data};
use actix_web::{HttpRequest, HttpResponse};
use gateward_app::{AccountProof, ConfirmEmail, ConfirmEmailError, LinkProof, UndoEmailError};

use super::objects::Accepted;
use crate::App;
use crate::body::{Body, Fields};
use crate::credentials::{access_token, caller};
use crate::link_proof::{link_proof, unhurried};
use crate::problem::{Code, Problem, ProblemBody};
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

/// Two proofs: of the mailbox (`token`, or `email` with `code`) and of the account (`signup_id`, or
/// `password`, or an access token in the header or the cookie).
#[derive(utoipa::ToSchema)]
#[schema(as = ConfirmEmail)]
#[expect(dead_code, reason = "documents the body, which is read member by member")]
struct ConfirmBody {
    /// What stands in the link after `#token=`.
    token: Option<String>,
    #[schema(format = "email", max_length = 254, example = "ada@example.org")]
    email: Option<String>,
    /// The eight digits of the email.
    #[schema(pattern = "^[0-9]{8}$", example = "12345678")]
    code: Option<String>,
    /// What the sign-up answered.
    signup_id: Option<String>,
    #[schema(format = "password", max_length = 1024)]
    password: Option<String>,
    /// Another name for a sign-up whose name went to somebody else meanwhile.
    #[schema(min_length = 3, max_length = 32, pattern = "^[A-Za-z0-9._-]+$", example = "ada")]
    username: Option<String>,
}

/// Where the email goes.
#[derive(utoipa::ToSchema)]
#[schema(as = ResendConfirmation)]
#[expect(dead_code, reason = "documents the body, which is read member by member")]
struct ResendBody {
    #[schema(format = "email", max_length = 254, example = "ada@example.org")]
    email: String,
    /// What the sign-up answered; then its own email is sent again.
    signup_id: Option<String>,
}

/// The link that undoes a change.
#[derive(utoipa::ToSchema)]
#[schema(as = UndoEmailChange)]
#[expect(dead_code, reason = "documents the body, which is read member by member")]
struct UndoBody {
    /// What stands in the link after `#token=`.
    token: String,
}

/// Confirm an address. It needs the mailbox and the account; a proof that is missing uses nothing
/// up.
#[utoipa::path(
    post, operation_id = "confirmEmail", path = "/email/confirm", tag = "mail", request_body = ConfirmBody,
    security((), ("access_token" = [])),
    responses(
        (status = 204, description = "The address is confirmed; a sign-up has become an account"),
        (status = 400, description = "`invalid_link`, or `malformed_request`", body = ProblemBody, content_type = "application/problem+json"),
        (status = 409, description = "`username_taken`: send it again with another `username`", body = ProblemBody, content_type = "application/problem+json"),
        (status = 422, description = "`validation_failed`", body = ProblemBody, content_type = "application/problem+json"),
        (status = 429, description = "`rate_limited`: too many tries", body = ProblemBody, content_type = "application/problem+json"),
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
    // What the body proves is enough; then no access token is needed nor looked at.
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

/// The proof of the account that a body holds, if it holds one.
fn account_proof(fields: &mut Fields) -> Option<AccountProof> {
    let signup_id = fields.optional_string("signup_id");
    let password = fields.has("password").then(|| fields.password("password")).flatten();
    match (signup_id, password) {
        (Some(_), Some(_)) => {
            let message = "give signup_id or password, and not both";
            fields.wrong("signup_id", "exactly_one", message);
            None
        }
        (Some(secret), None) => Some(AccountProof::SignupSecret(secret)),
        (None, Some(password)) => Some(AccountProof::Password(password)),
        (None, None) => None,
    }
}

/// Have the email sent again that confirms an address. The answer is the same for every address.
#[utoipa::path(
    post, operation_id = "resendConfirmationEmail", path = "/email/resend", tag = "mail", request_body = ResendBody,
    responses(
        (status = 202, description = "If something waits for this address, an email is on its way", body = Accepted),
        (status = 422, description = "`validation_failed`", body = ProblemBody, content_type = "application/problem+json"),
        (status = 429, description = "`rate_limited`: too many emails were asked for", body = ProblemBody, content_type = "application/problem+json"),
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

/// Undo a change of address, with the link that was sent to the old one. Every session ends, and
/// the password with them.
#[utoipa::path(
    post, operation_id = "undoEmailChange", path = "/email/undo", tag = "mail", request_body = UndoBody,
    responses(
        (status = 204, description = "The old address is back; an email to choose a new password is on its way to it"),
        (status = 400, description = "`invalid_link`, or `malformed_request`", body = ProblemBody, content_type = "application/problem+json"),
        (status = 422, description = "`validation_failed`", body = ProblemBody, content_type = "application/problem+json"),
        (status = 429, description = "`rate_limited`: too many tries", body = ProblemBody, content_type = "application/problem+json"),
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
            ConfirmEmailError::InvalidLink => Self::new(Code::InvalidLink),
            ConfirmEmailError::UsernameTaken => Self::new(Code::UsernameTaken)
                .detail("The name went to somebody else meanwhile; send another 'username' too."),
            ConfirmEmailError::Hash(error) => error.into(),
            ConfirmEmailError::Store(error) => error.into(),
        }
    }
}

impl From<UndoEmailError> for Problem {
    fn from(error: UndoEmailError) -> Self {
        match error {
            UndoEmailError::RateLimited(error) => error.into(),
            UndoEmailError::InvalidLink => Self::new(Code::InvalidLink),
            UndoEmailError::Store(error) => error.into(),
        }
    }
}
