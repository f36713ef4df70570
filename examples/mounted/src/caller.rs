//! `SignedIn`: the caller of one of the application's own handlers.

use std::fmt;
use std::future::Future;
use std::pin::Pin;

use actix_web::dev::Payload;
use actix_web::http::StatusCode;
use actix_web::http::header::WWW_AUTHENTICATE;
use actix_web::web::Data;
use actix_web::{FromRequest, HttpRequest, HttpResponse, ResponseError};
use gateward_http::app::domain::User;
use gateward_http::{App, Problem};

/// The account of the caller. A handler that takes one requires a login.
#[derive(Debug)]
pub struct SignedIn(pub User);

/// Why a request is refused, in the words of this application.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Refused {
    /// The token is missing or not valid.
    SignInFirst,
    /// The caller cannot be authenticated at the moment.
    TryLater,
}

impl FromRequest for SignedIn {
    type Error = Refused;
    type Future = Pin<Box<dyn Future<Output = Result<Self, Refused>>>>;

    fn from_request(request: &HttpRequest, _: &mut Payload) -> Self::Future {
        let request = request.clone();
        Box::pin(async move {
            // Without Gateward no caller can be authenticated, so every request is refused.
            let auth = request.app_data::<Data<App>>().ok_or(Refused::TryLater)?;
            let caller = gateward_http::caller(auth, &request).await?;
            Ok(Self(User::clone(&caller.user)))
        })
    }
}

impl From<Problem> for Refused {
    fn from(problem: Problem) -> Self {
        if problem.code().status().is_server_error() { Self::TryLater } else { Self::SignInFirst }
    }
}

impl fmt::Display for Refused {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        formatter.write_str(match self {
            Self::SignInFirst => "sign in first",
            Self::TryLater => "try again later",
        })
    }
}

impl ResponseError for Refused {
    fn status_code(&self) -> StatusCode {
        match self {
            Self::SignInFirst => StatusCode::UNAUTHORIZED,
            Self::TryLater => StatusCode::SERVICE_UNAVAILABLE,
        }
    }

    fn error_response(&self) -> HttpResponse {
        let mut response = HttpResponse::build(self.status_code());
        if *self == Self::SignInFirst {
            response.insert_header((WWW_AUTHENTICATE, r#"Bearer realm="notes""#));
        }
        response.json(serde_json::json!({ "error": self.to_string() }))
    }
}
