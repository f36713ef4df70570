//! The proof that a client received an email: the token of its link, or the email address and code.

use std::time::Duration;

use gateward_app::LinkProof;
use gateward_app::domain::link::LinkCode;
use tokio::time::{Instant, sleep_until};

use crate::body::Fields;
use crate::problem::field_texts;

/// The minimum time for rejecting a code. Counting an attempt takes a write, and there is nothing
/// to count for an email address without a code: this is longer than either, so timing reveals
/// nothing.
const CODE_REFUSAL: Duration = Duration::from_millis(250);

/// Takes `token`, or `email` with `code`.
pub(crate) fn link_proof(fields: &mut Fields) -> Option<LinkProof> {
    let token = fields.optional_string("token");
    let by_hand = fields.has("email") || fields.has("code");
    if token.is_some() == by_hand {
        let _ = (fields.optional_string("email"), fields.optional_string("code"));
        fields.wrong("token", field_texts::TOKEN_OR_CODE);
        return None;
    }
    if let Some(token) = token {
        return Some(LinkProof::Token(token));
    }
    let email = fields.email("email");
    let code = fields.text("code").and_then(|text| {
        let code = LinkCode::parse(&text);
        if code.is_none() {
            fields.wrong("code", field_texts::CODE);
        }
        code
    });
    let (email, code) = email.zip(code)?;
    Some(LinkProof::Code { email, code })
}

/// Runs the check of a proof; rejecting a code takes at least [`CODE_REFUSAL`].
pub(crate) async fn unhurried<T, E>(
    by_code: bool,
    check: impl Future<Output = Result<T, E>>,
) -> Result<T, E> {
    let response_from = Instant::now() + CODE_REFUSAL;
    let checked = check.await;
    if by_code && checked.is_err() {
        sleep_until(response_from).await;
    }
    checked
}
