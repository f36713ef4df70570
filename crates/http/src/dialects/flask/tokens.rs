//! The responses with tokens, in bodies or cookies.

use actix_web::HttpResponse;
use gateward_app::domain::{TokenPair, TokenText};
use serde::Serialize;

use super::Flask;
use super::cookies::Kind;
use crate::App;
use crate::problem::Problem;

/// Tokens for the header `Authorization`.
#[derive(Serialize, utoipa::ToSchema)]
#[schema(as = FlaskTokens)]
pub(super) struct TokensBody<'a> {
    /// Send it in the header `Authorization: Bearer TOKEN`.
    access_token: &'a str,
    /// Send it to `/refresh`, in the same header. A refresh returns the next one, unless
    /// `dialects.flask_rotate` is off.
    #[serde(skip_serializing_if = "Option::is_none")]
    refresh_token: Option<&'a str>,
}

/// What happened. In cookie mode, the tokens are in cookies.
#[derive(Serialize, utoipa::ToSchema)]
#[schema(as = FlaskMessage)]
pub(super) struct MessageBody {
    #[schema(example = "Login successful")]
    pub(super) msg: &'static str,
}

/// `FlaskTokens` in header mode, and `FlaskMessage` in cookie mode.
#[derive(utoipa::ToSchema)]
#[schema(as = FlaskTokensResponse)]
#[serde(untagged)]
#[expect(dead_code, reason = "documents the two responses")]
pub(super) enum TokensResponse {
    Header(TokensBody<'static>),
    Cookie(MessageBody),
}

/// Which tokens of a pair are new.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum New {
    Both,
    Access,
}

/// The response with a pair. `msg` is its text in cookie mode.
pub(super) fn response(
    app: &App,
    flask: &Flask,
    (pair, new): (&TokenPair, New),
    msg: &'static str,
) -> Result<HttpResponse, Problem> {
    let refresh_token = (new == New::Both).then_some(&pair.refresh);
    let mut response = HttpResponse::Ok();
    if !flask.is_by_cookie() {
        let refresh_token = refresh_token.map(TokenText::expose);
        return Ok(
            response.json(TokensBody { access_token: pair.access.text.expose(), refresh_token })
        );
    }
    let tokens = [(Kind::Access, Some(&pair.access.text)), (Kind::Refresh, refresh_token)];
    for (kind, token) in tokens {
        if let Some(token) = token {
            let csrf_token = kind.csrf_token(app, pair.session_id)?;
            kind.set(&mut response, token, &csrf_token, (flask, app.options()));
        }
    }
    Ok(response.json(MessageBody { msg }))
}
