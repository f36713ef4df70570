//! `POST /login`

use actix_web::web::{self, Data};
use actix_web::{HttpRequest, HttpResponse};
use gateward_app::domain::Identifier;
use gateward_app::{Login, LoginError};
use serde::Serialize;

use super::objects::{TokenPairBody, UserBody};
use crate::App;
use crate::body::{Body, Fields};
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
    /// How the tokens travel.
    #[schema(example = "bearer", pattern = "^bearer$")]
    transport: Option<String>,
    /// A name for the session, such as that of the device.
    #[schema(max_length = 100)]
    client_name: Option<String>,
}

/// A token pair and whose it is.
#[derive(Serialize, utoipa::ToSchema)]
#[schema(as = LoggedIn)]
struct LoggedInBody {
    #[serde(flatten)]
    pair: TokenPairBody,
    user: UserBody,
}

/// Exchange a name and a password for a token pair.
#[utoipa::path(
    post, path = "/login", tag = "sessions", request_body = LoginBody,
    responses(
        (status = 200, description = "A session begins", body = LoggedInBody),
        (status = 401, description = "`invalid_credentials`", body = ProblemBody, content_type = "application/problem+json"),
        (status = 403, description = "`account_disabled`", body = ProblemBody, content_type = "application/problem+json"),
        (status = 422, description = "`validation_failed`", body = ProblemBody, content_type = "application/problem+json"),
        (status = 503, description = "`overloaded` or `unavailable`", body = ProblemBody, content_type = "application/problem+json"),
    )
)]
async fn login(app: Data<App>, request: HttpRequest, body: Body) -> Result<HttpResponse, Problem> {
    let origin = app.origin(&request);
    let mut fields = body.fields().await?;
    let name = name(&mut fields);
    let password = fields.password("password");
    let client_name = fields.client_name();
    if !matches!(fields.optional_text("transport").as_deref(), None | Some("bearer")) {
        fields.wrong("transport", "not_available", "must be \"bearer\"");
    }
    let ((field, text), password) = fields.finish(name.zip(password))?;
    let identifier = identifier(field, &text);
    let login = Login { identifier, password, client_name, origin };
    // Whoever goes away leaves the queue of the hashes; a session that begins comes to its end.
    let verified = app.core().verify_login(login).await?;
    let logged_in = app.detached(async move |core| core.complete_login(verified).await).await??;
    crate::credentials::note(&logged_in.user, logged_in.pair.session_id);
    Ok(super::ok(&LoggedInBody {
        pair: TokenPairBody::from(&logged_in.pair),
        user: UserBody::from(&logged_in.user),
    }))
}

/// The field that names the account, and its text; `None` if there is not exactly one.
fn name(fields: &mut Fields) -> Option<(&'static str, String)> {
    let mut given = Vec::new();
    for field in ["email", "username", "identifier"] {
        given.extend(fields.optional_text(field).map(|text| (field, text)));
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
            LoginError::BadCredentials => Self::new(Code::InvalidCredentials),
            LoginError::Disabled(_) => Self::new(Code::AccountDisabled),
            LoginError::Hash(error) => error.into(),
            LoginError::Token(error) => Self::of_access_token(error),
            LoginError::Store(error) => error.into(),
        }
    }
}
