//! What a body shows of an email: the token of its link, or its code and the address.

use std::time::Duration;

use gateward_app::LinkProof;
use gateward_app::domain::link::LinkCode;
use tokio::time::{Instant, sleep_until};

use crate::body::Fields;

/// How long a code that is refused takes to be refused, at least: counting a try takes a write, and
/// where nothing was mailed there is nothing to count. Longer than either takes.
const CODE_REFUSAL: Duration = Duration::from_millis(250);

/// Takes `token`, or `email` with `code`.
pub(crate) fn link_proof(fields: &mut Fields) -> Option<LinkProof> {
    let token = fields.optional_string("token");
    let by_hand = fields.has("email") || fields.has("code");
    if token.is_some() == by_hand {
        let _ = (fields.optional_string("email"), fields.optional_string("code"));
        let message = "give the token of the link, or the address and the code, and not both";
        fields.wrong("token", "exactly_one", message);
        return None;
    }
    if let Some(token) = token {
        return Some(LinkProof::Token(token));
    }
    let email = fields.email("email");
    let code = fields.text("code").and_then(|text| {
        let code = LinkCode::parse(&text);
        if code.is_none() {
            fields.wrong("code", "bad_form", "must be the 8 digits of the email");
        }
        code
    });
    let (email, code) = email.zip(code)?;
    Some(LinkProof::Code { email, code })
}

/// Runs what checks a proof; a code that is refused takes its time.
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
