//! `POST /login`

use actix_web::web::{self, Data};
use actix_web::{HttpRequest, HttpResponse};
use gateward_app::domain::{Identifier, TokenText};
use gateward_app::{LoggedIn, Login, LoginError};
use serde::Serialize;

use super::by_cookie::{self, CookieSessionBody};
use super::objects::{TokenPairBody, UserBody};
use crate::App;
use crate::body::{Body, Fields};
use crate::cookies::{self, Cookie};
use crate::csrf;
use crate::problem::{Code, Problem, ProblemBody, details, field_texts};
use crate::routes::Endpoint;

pub(super) fn endpoint() -> Endpoint {
    Endpoint::api::<__path_login>(|| web::to(login))
}

/// A login. Send exactly one of `email`, `username` and `identifier`.
#[derive(utoipa::ToSchema)]
#[schema(as = Login)]
#[expect(dead_code, reason = "documents the body, which is read field by field")]
struct LoginBody {
    /// The email address of the account.
    #[schema(example = "ada@example.org")]
    email: Option<String>,
    /// The username of the account.
    username: Option<String>,
    /// The email address or the username of the account.
    identifier: Option<String>,
    /// The password of the account.
    #[schema(format = "password", max_length = 1024, example = "correct horse battery")]
    password: String,
    /// How tokens are sent: `bearer` (default), in response bodies and the header `Authorization`;
    /// or `cookie`, in cookies that scripts cannot read.
    #[schema(example = "bearer", pattern = "^(bearer|cookie)$")]
    transport: Option<String>,
    /// A name for the session in session lists, such as the device name. 1 to 100 characters.
    #[schema(max_length = 100)]
    client_name: Option<String>,
    /// The `known_device_token` of an earlier login, to be recognized as a known device. In cookie
    /// mode, browsers send it in a cookie.
    known_device_token: Option<String>,
}

/// A token pair, the user, and the known-device token for the next login.
#[derive(Serialize, utoipa::ToSchema)]
#[schema(as = LoggedIn)]
struct LoggedInBody {
    #[serde(flatten)]
    pair: TokenPairBody,
    user: UserBody,
    /// Store it, and send it with the next login: a known device has its own rate limit, and its
    /// logins send no email about a new device. It is valid for this account only, for 180 days
    /// after the last login with it.
    known_device_token: String,
}

/// The response of a login: `LoggedIn` with the transport `bearer`, `CookieSession` with `cookie`.
#[derive(utoipa::ToSchema)]
#[schema(as = LoginResponse)]
#[serde(untagged)]
#[expect(dead_code, reason = "documents the two responses")]
enum LoginResponse {
    Bearer(LoggedInBody),
    Cookie(CookieSessionBody),
}

/// Log in with a username or email address and a password.
///
/// With `"transport": "cookie"`, the response sets the tokens as the cookies
/// `__Host-gateward-access` and `__Secure-gateward-refresh`, and its body has the CSRF token
/// instead of the tokens. A page of another origin gets `csrf_failed`, unless `http.cors_origins`
/// lists its origin.
#[utoipa::path(
    post, operation_id = "logIn", path = "/login", request_body = LoginBody,
    params(("__Host-gateward-device" = Option<String>, Cookie, description = "The known-device token, in cookie mode")),
    responses(
        (status = 200, description = "Logged in; a new session has started", body = LoginResponse),
        (status = 400, description = "`malformed_request`", body = ProblemBody, content_type = "application/problem+json"),
        (status = 401, description = "`invalid_credentials`", body = ProblemBody, content_type = "application/problem+json"),
        (status = 403, description = "`account_disabled`, or `csrf_failed`: a page of another origin requested cookies", body = ProblemBody, content_type = "application/problem+json"),
        (status = 422, description = "`validation_failed`", body = ProblemBody, content_type = "application/problem+json"),
        (status = 429, description = "`rate_limited`: too many attempts", body = ProblemBody, content_type = "application/problem+json"),
        (status = 503, description = "`overloaded` or `unavailable`", body = ProblemBody, content_type = "application/problem+json"),
    )
)]
async fn login(app: Data<App>, request: HttpRequest, body: Body) -> Result<HttpResponse, Problem> {
    let request_info = app.request_info(&request);
    let mut fields = body.fields().await?;
    let by_cookie = is_by_cookie(&mut fields);
    if by_cookie {
        csrf::refuse_cross_site(&request, app.options())?;
    }
    let known_device_token = known_device_token(&mut fields, by_cookie.then_some(&request))?;
    let name = name(&mut fields);
    let password = fields.password("password");
    let client_name = fields.client_name();
    let ((field, text), password) = fields.finish(name.zip(password))?;
    let identifier = identifier(field, &text);
    let login = Login { identifier, password, client_name, known_device_token, request_info };
    // A client that disconnects leaves the hashing queue; creating the session always completes.
    let verified = app.core().verify_login(login).await?;
    let logged_in = app.detached(async move |core| core.complete_login(verified).await).await??;
    let LoggedIn { pair, user, known_device_token } = logged_in;
    crate::credentials::note(&user, pair.session_id);
    if by_cookie {
        return by_cookie::pair(&app, &pair, &user, Some(&known_device_token));
    }
    Ok(super::ok(&LoggedInBody {
        pair: TokenPairBody::from(&pair),
        user: UserBody::from(&user),
        known_device_token: known_device_token.expose().to_owned(),
    }))
}

/// Whether the client requests cookie mode.
fn is_by_cookie(fields: &mut Fields) -> bool {
    match fields.optional_string("transport").as_deref() {
        None | Some("bearer") => false,
        Some("cookie") => true,
        Some(_) => {
            fields.wrong("transport", field_texts::TRANSPORT);
            false
        }
    }
}

/// The known-device token, from the body or, in cookie mode, from the cookie.
fn known_device_token(
    fields: &mut Fields,
    cookies_of: Option<&HttpRequest>,
) -> Result<Option<TokenText>, Problem> {
    let in_cookie = match cookies_of {
        Some(request) => cookies::find(request, Cookie::Device)?,
        None => None,
    };
    match (fields.optional_string("known_device_token"), in_cookie) {
        (Some(_), Some(_)) => Err(Problem::malformed(details::DEVICE_TOKEN_TWICE)),
        (in_body, in_cookie) => {
            Ok(in_body.or_else(|| in_cookie.map(Into::into)).map(TokenText::new))
        }
    }
}

/// The field that identifies the account, and its value; `None` unless there is exactly one.
fn name(fields: &mut Fields) -> Option<(&'static str, String)> {
    let mut given = Vec::new();
    for field in ["email", "username", "identifier"] {
        given.extend(fields.optional_string(field).map(|text| (field, text)));
    }
    if given.len() != 1 {
        fields.wrong("identifier", field_texts::ONE_IDENTIFIER);
        return None;
    }
    given.pop()
}

/// Parses the identifier of the account. An impossible one gets the same response as an unknown
/// one.
fn identifier(field: &str, text: &str) -> Option<Identifier> {
    Identifier::parse(text).filter(|identifier| match identifier {
        Identifier::Email(_) => field != "username",
        Identifier::Username(_) => field != "email",
    })
}

impl From<LoginError> for Problem {
    fn from(error: LoginError) -> Self {
        match error {
            LoginError::RateLimited(error) => error.into(),
            LoginError::InvalidCredentials => Self::new(Code::InvalidCredentials),
            LoginError::Disabled(_) => Self::new(Code::AccountDisabled),
            LoginError::Hash(error) => error.into(),
            LoginError::Token(error) => Self::of_access_token(error),
            LoginError::Store(error) => error.into(),
        }
    }
}
