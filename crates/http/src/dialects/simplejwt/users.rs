//! `POST /auth/users/` and `GET /auth/users/me/`, the wire of djoser.

use actix_web::http::header::AUTHORIZATION;
use actix_web::web::{self, Data};
use actix_web::{HttpRequest, HttpResponse};
use gateward_app::domain::ports::{StoreError, Taken};
use gateward_app::domain::{EmailAddress, EndReason, PublicUserId, TokenError, User, Username};
use gateward_app::{AuthenticateError, SignedUp, Signup, SignupError};
use serde::Serialize;

use super::documented::SignupBody;
use super::errors::{ErrorBody, Refusal};
use super::input::Input;
use super::tokens::is_lapse;
use super::{ME, USERS, texts};
use crate::App;
use crate::body::Body;
use crate::problem::{Code, Problem};
use crate::routes::Endpoint;

/// The scheme of the header. The original compares it with its case too.
const SCHEME: &str = "Bearer";

pub(super) fn sign_up_endpoint() -> Endpoint {
    Endpoint::dialect::<__path_sign_up>(USERS, || web::to(sign_up))
}

pub(super) fn me_endpoint() -> Endpoint {
    Endpoint::dialect::<__path_me>(ME, || web::to(me))
}

/// A user account.
#[derive(Serialize, utoipa::ToSchema)]
#[schema(as = DjoserUser)]
struct UserBody {
    /// The email address in canonical form.
    #[schema(format = "email", example = "ada@example.org")]
    email: String,
    /// The username.
    #[schema(example = "ada")]
    username: String,
    /// The ID of the account, an integer if the installation numbers its accounts. `null` in the
    /// response of a sign-up that creates the account only after the email address is confirmed.
    id: Option<IdBody>,
}

/// The ID of an account.
#[derive(Serialize, utoipa::ToSchema)]
#[schema(as = DjoserUserId)]
#[serde(untagged)]
enum IdBody {
    Uuid(String),
    Number(i64),
}

/// Sign up.
///
/// The wire of djoser. If the server requires confirmed email addresses, it sends an email, and the
/// account is created when its link is used; the response is the same whether or not the email
/// address already has an account. Signing up does not log you in.
#[utoipa::path(
    post, operation_id = "signUpWithDjoser", path = "/auth/users/",
    request_body(content(
        (SignupBody = "application/json"),
        (SignupBody = "application/x-www-form-urlencoded"),
        (SignupBody = "multipart/form-data"),
    )),
    responses(
        (status = 201, description = "The account was created, or a confirmation email was sent", body = UserBody),
        (status = 400, description = "Fields are missing, wrong or taken, or the body cannot be parsed", body = BTreeMap<String, Vec<String>>),
        (status = 403, description = "Sign-up is disabled", body = ErrorBody),
        (status = 413, description = "The body is too large", body = ErrorBody),
        (status = 415, description = "The body is neither JSON nor a form", body = ErrorBody),
        (status = 429, description = "Too many sign-ups", body = ErrorBody, headers(("Retry-After" = u32, description = "Seconds to wait before you retry"))),
        (status = 503, description = "The server is too busy or temporarily unavailable", body = ErrorBody, headers(("Retry-After" = u32, description = "Seconds to wait before you retry"))),
    )
)]
async fn sign_up(
    app: Data<App>,
    request: HttpRequest,
    body: Body,
) -> Result<HttpResponse, Refusal> {
    // Checked before the body is read.
    if !app.core().policy().signup_enabled {
        return Err(SignupError::Disabled.into());
    }
    let request_info = app.request_info(&request);
    let mut input = Input::read(&request, body).await?;
    let username = new_username(&mut input);
    let email = email(&mut input);
    let password = input.password("password");
    if let Some(Err(error)) =
        password.as_ref().map(|password| app.core().policy().password.check_alone(password))
    {
        input.wrong("password", texts::bad_password(error));
    }
    let ((username, email), password) = input.finish(username.zip(email).zip(password))?;
    let mut shown = UserBody { email: email.to_string(), username: username.to_string(), id: None };
    let signup = Signup { username, email, password, request_info };
    let prepared = app.core().prepare_signup(signup).await?;
    let signed_up = app.detached(async move |core| core.complete_signup(prepared).await).await??;
    if let SignedUp::Account(user) = signed_up {
        shown.id = Some(id(&app, &user).await?);
    }
    Ok(HttpResponse::Created().json(shown))
}

/// Get your own account.
///
/// The wire of djoser. The access token is only read from the header `Authorization`.
#[utoipa::path(
    get, operation_id = "getCurrentUserWithDjoser", path = "/auth/users/me/",
    security(("access_token" = [])),
    responses(
        (status = 200, description = "Your account", body = UserBody),
        (status = 401, description = "There is no access token, or it is not valid", body = ErrorBody),
        (status = 503, description = "The server is temporarily unavailable", body = ErrorBody, headers(("Retry-After" = u32, description = "Seconds to wait before you retry"))),
    )
)]
async fn me(app: Data<App>, request: HttpRequest) -> Result<HttpResponse, Refusal> {
    let caller = app.core().authenticate(bearer(&request)?).await?;
    crate::credentials::note(&caller.user, caller.session_id);
    let user = &*caller.user;
    let (email, username) = (user.email.to_string(), user.username.to_string());
    let id = Some(id(&app, user).await?);
    Ok(HttpResponse::Ok().json(UserBody { email, username, id }))
}

fn new_username(input: &mut Input) -> Option<Username> {
    let text = input.text("username")?;
    let wrong = |error| input.wrong("username", texts::bad_username(error));
    Username::parse(&text).map_err(wrong).ok()
}

fn email(input: &mut Input) -> Option<EmailAddress> {
    let text = input.text("email")?;
    EmailAddress::parse(&text).map_err(|_| input.wrong("email", texts::BAD_EMAIL)).ok()
}

/// The ID that clients see.
async fn id(app: &App, user: &User) -> Result<IdBody, Problem> {
    Ok(match app.core().public_user_id(user.id).await? {
        PublicUserId::Uuid(id) => IdBody::Uuid(id.to_string()),
        PublicUserId::Number(number) => IdBody::Number(number),
    })
}

/// The access token in the header, which is split at any white space, as the original does.
fn bearer(request: &HttpRequest) -> Result<&str, Refusal> {
    let missing = || Refusal::unauthorized(Code::MissingToken, texts::NO_CREDENTIALS);
    let malformed =
        || Refusal::coded(Code::MalformedRequest, texts::BAD_HEADER, "bad_authorization_header");
    let mut headers = request.headers().get_all(AUTHORIZATION);
    let header = headers.next().ok_or_else(missing)?;
    if headers.next().is_some() {
        return Err(malformed());
    }
    let mut parts = header.to_str().map_err(|_| malformed())?.split_ascii_whitespace();
    if parts.next() != Some(SCHEME) {
        return Err(missing());
    }
    match (parts.next(), parts.next()) {
        (Some(token), None) => Ok(token),
        _ => Err(malformed()),
    }
}

impl From<AuthenticateError> for Refusal {
    fn from(error: AuthenticateError) -> Self {
        match error {
            AuthenticateError::Token(TokenError::Invalid) => {
                Self::unusable(Code::InvalidToken, texts::INVALID)
            }
            AuthenticateError::Token(TokenError::Expired) => {
                Self::unusable(Code::TokenExpired, texts::INVALID)
            }
            AuthenticateError::Token(TokenError::WrongKind) => {
                Self::unusable(Code::WrongTokenKind, texts::WRONG_TYPE)
            }
            AuthenticateError::SessionEnded(EndReason::AccountDisabled) => {
                Self::coded(Code::SessionEnded, texts::USER_INACTIVE, "user_inactive")
            }
            AuthenticateError::SessionEnded(EndReason::AccountDeleted) => {
                Self::coded(Code::SessionEnded, texts::USER_NOT_FOUND, "user_not_found")
            }
            AuthenticateError::SessionEnded(reason) => {
                let text = if is_lapse(reason) { texts::INVALID } else { texts::BLACKLISTED };
                Self::unusable(Code::SessionEnded, text)
            }
            error @ (AuthenticateError::Token(TokenError::NoKey) | AuthenticateError::Store(_)) => {
                Problem::from(error).into()
            }
        }
    }
}

impl From<SignupError> for Refusal {
    fn from(error: SignupError) -> Self {
        match error {
            SignupError::Password(error) => Self::field("password", texts::bad_password(error)),
            SignupError::Store(StoreError::Taken(Taken::Username)) => {
                Self::field("username", texts::USERNAME_TAKEN)
            }
            SignupError::Store(StoreError::Taken(Taken::Email)) => {
                Self::field("email", texts::EMAIL_TAKEN)
            }
            error => Problem::from(error).into(),
        }
    }
}
