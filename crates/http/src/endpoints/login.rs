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
use crate::problem::{Code, Problem, ProblemBody};
use crate::routes::Endpoint;

pub(super) fn endpoint() -> Endpoint {
    Endpoint::api::<__path_login>(|| web::to(login))
}

/// Who logs in: exactly one of `email`, `username` and `identifier`, which may be either.
#[derive(utoipa::ToSchema)]
#[schema(as = Login)]
#[expect(dead_code, reason = "documents the body, which is read member by member")]
struct LoginBody {
    #[schema(example = "ada@example.org")]
    email: Option<String>,
    username: Option<String>,
    identifier: Option<String>,
    #[schema(format = "password", max_length = 1024, example = "correct horse battery")]
    password: String,
    /// How the tokens travel: `bearer`, in bodies and in the header `Authorization`; `cookie`, in
    /// cookies that no script reads.
    #[schema(example = "bearer", pattern = "^(bearer|cookie)$")]
    transport: Option<String>,
    /// A name for the session, such as that of the device.
    #[schema(max_length = 100)]
    client_name: Option<String>,
    /// What an earlier login answered: the client is known by it. In cookie mode it is in a cookie.
    known_device_token: Option<String>,
}

/// A token pair, whose it is, and what the client shows at its next login to be known again.
#[derive(Serialize, utoipa::ToSchema)]
#[schema(as = LoggedIn)]
struct LoggedInBody {
    #[serde(flatten)]
    pair: TokenPairBody,
    user: UserBody,
    /// Good for 180 days after the last login with it, for this account alone.
    known_device_token: String,
}

/// By the transport that was asked for.
#[derive(utoipa::ToSchema)]
#[schema(as = LoginResponse)]
#[serde(untagged)]
#[expect(dead_code, reason = "documents the two answers")]
enum LoginResponse {
    Bearer(LoggedInBody),
    Cookie(CookieSessionBody),
}

/// Exchange a name and a password for a token pair.
///
/// With `"transport": "cookie"` the tokens are set as cookies, `__Host-gateward-access` and
/// `__Secure-gateward-refresh`, and the body holds the session's CSRF token in their place. A page
/// of an origin that is not listed gets no cookies.
#[utoipa::path(
    post, operation_id = "logIn", path = "/login", tag = "sessions", request_body = LoginBody,
    params(("__Host-gateward-device" = Option<String>, Cookie, description = "The device token, in cookie mode")),
    responses(
        (status = 200, description = "A session begins", body = LoginResponse),
        (status = 400, description = "`malformed_request`", body = ProblemBody, content_type = "application/problem+json"),
        (status = 401, description = "`invalid_credentials`", body = ProblemBody, content_type = "application/problem+json"),
        (status = 403, description = "`account_disabled`, or `csrf_failed`: cookies are asked for from another site", body = ProblemBody, content_type = "application/problem+json"),
        (status = 422, description = "`validation_failed`", body = ProblemBody, content_type = "application/problem+json"),
        (status = 429, description = "`rate_limited`: too many tries", body = ProblemBody, content_type = "application/problem+json"),
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
    // Whoever goes away leaves the queue of the hashes; a session that begins comes to its end.
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

/// Whether the tokens are to travel in cookies.
fn is_by_cookie(fields: &mut Fields) -> bool {
    match fields.optional_string("transport").as_deref() {
        None | Some("bearer") => false,
        Some("cookie") => true,
        Some(_) => {
            fields.wrong("transport", "not_available", "must be \"bearer\" or \"cookie\"");
            false
        }
    }
}

/// What the client shows to be known again: from the body, or from the cookie of a request that is
/// to be answered by cookies.
fn known_device_token(
    fields: &mut Fields,
    cookies_of: Option<&HttpRequest>,
) -> Result<Option<TokenText>, Problem> {
    let in_cookie = match cookies_of {
        Some(request) => cookies::find(request, Cookie::Device)?,
        None => None,
    };
    match (fields.optional_string("known_device_token"), in_cookie) {
        (Some(_), Some(_)) => {
            let detail = "A device token is sent in the body and in a cookie; send one of them.";
            Err(Problem::malformed(detail))
        }
        (in_body, in_cookie) => {
            Ok(in_body.or_else(|| in_cookie.map(Into::into)).map(TokenText::new))
        }
    }
}

/// The field that names the account, and its text; `None` if there is not exactly one.
fn name(fields: &mut Fields) -> Option<(&'static str, String)> {
    let mut given = Vec::new();
    for field in ["email", "username", "identifier"] {
        given.extend(fields.optional_string(field).map(|text| (field, text)));
    }
    if given.len() != 1 {
        let message = "exactly one of email, username and identifier must be given";
        fields.wrong("identifier", "exactly_one", message);
        return None;
    }
    given.pop()
}

/// The account that is named. A name that no account can have is answered like an unknown one.
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
