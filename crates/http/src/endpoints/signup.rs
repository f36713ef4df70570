//! `POST /signup`

use actix_web::web::{self, Data};
use actix_web::{HttpRequest, HttpResponse};
use gateward_app::{SignedUp, Signup, SignupError};
use serde::Serialize;

use super::objects::UserBody;
use crate::App;
use crate::body::{Body, password_error};
use crate::problem::{Code, Problem, ProblemBody, details};
use crate::routes::Endpoint;

pub(super) fn endpoint() -> Endpoint {
    Endpoint::api::<__path_signup>(|| web::to(signup))
}

/// A sign-up.
#[derive(utoipa::ToSchema)]
#[schema(as = Signup)]
#[expect(dead_code, reason = "documents the body, which is read field by field")]
struct SignupBody {
    /// A username: 3 to 32 characters of `A-Z a-z 0-9 . _ -`, unique regardless of case.
    #[schema(min_length = 3, max_length = 32, pattern = "^[A-Za-z0-9._-]+$", example = "ada")]
    username: String,
    /// The email address.
    #[schema(format = "email", max_length = 254, example = "ada@example.org")]
    email: String,
    /// At least 8 characters; an installation can require more. It must not be a common or breached
    /// password, nor similar to the username or email address.
    #[schema(
        format = "password",
        min_length = 8,
        max_length = 1024,
        example = "correct horse battery"
    )]
    password: String,
}

/// A sign-up whose email address is not confirmed yet.
#[derive(Serialize, utoipa::ToSchema)]
#[schema(as = PendingSignup)]
struct PendingBody {
    /// Always `confirmation_sent`.
    #[schema(example = "confirmation_sent")]
    status: &'static str,
    /// A secret that proves that you signed up. Keep it, and send it to `POST /email/confirm`.
    signup_id: String,
}

/// Sign up.
///
/// If the server requires confirmed email addresses, the response is `202`, and the account is
/// created when you confirm the email address with `POST /email/confirm`. A `202` response does not
/// reveal whether the email address already has an account. Signing up does not log you in.
#[utoipa::path(
    post, operation_id = "signUp", path = "/signup", request_body = SignupBody,
    responses(
        (status = 201, description = "The account was created. Log in to start a session", body = UserBody),
        (status = 202, description = "A confirmation email was sent. The account is created when you confirm the email address", body = PendingBody),
        (status = 403, description = "`forbidden`: sign-up is disabled", body = ProblemBody, content_type = "application/problem+json"),
        (status = 409, description = "`username_taken` or `email_taken`", body = ProblemBody, content_type = "application/problem+json"),
        (status = 422, description = "`validation_failed`", body = ProblemBody, content_type = "application/problem+json"),
        (status = 429, description = "`rate_limited`: too many sign-ups", body = ProblemBody, content_type = "application/problem+json"),
        (status = 503, description = "`overloaded` or `unavailable`", body = ProblemBody, content_type = "application/problem+json"),
    )
)]
async fn signup(app: Data<App>, request: HttpRequest, body: Body) -> Result<HttpResponse, Problem> {
    // Checked before the body is read.
    if !app.core().policy().signup_enabled {
        return Err(SignupError::Disabled.into());
    }
    let request_info = app.request_info(&request);
    let mut fields = body.fields().await?;
    let username = fields.new_username("username");
    let email = fields.email("email");
    let password = fields.new_password("password", app.core().policy().password);
    let whole = username.zip(email).zip(password);
    let ((username, email), password) = fields.finish(whole)?;
    let signup = Signup { username, email, password, request_info };
    let prepared = app.core().prepare_signup(signup).await?;
    let signed_up = app.detached(async move |core| core.complete_signup(prepared).await).await??;
    Ok(match signed_up {
        SignedUp::Account(user) => HttpResponse::Created().json(UserBody::from(&user)),
        SignedUp::Pending { signup_secret } => HttpResponse::Accepted().json(PendingBody {
            status: "confirmation_sent",
            signup_id: signup_secret.expose().to_owned(),
        }),
    })
}

impl From<SignupError> for Problem {
    fn from(error: SignupError) -> Self {
        match error {
            SignupError::RateLimited(error) => error.into(),
            SignupError::Disabled => Self {
                challenge: None,
                ..Self::new(Code::Forbidden).detail(details::SIGNUP_DISABLED)
            },
            SignupError::Password(error) => Self::fields(vec![password_error("password", error)]),
            SignupError::Hash(error) => error.into(),
            SignupError::Store(error) => error.into(),
        }
    }
}
