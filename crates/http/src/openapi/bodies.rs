//! The prepared request bodies of the API document. They fit together: the login uses the username
//! and password of the sign-up, and so on.

use serde_json::{Value, json};
use utoipa::openapi::RefOr;
use utoipa::openapi::path::Operation;

const USERNAME: &str = "ada";
const EMAIL: &str = "ada@example.org";
const PASSWORD: &str = "correct horse battery";
const NEW_PASSWORD: &str = "seven quiet lanterns";

/// In the place of the code from an email.
const CODE: &str = "12345678";

/// In the place of the token from an email.
const LINK_TOKEN: &str = "TOKEN_FROM_THE_EMAIL";

/// Adds the prepared body to an operation that takes one.
pub(crate) fn prepare(operation: &mut Operation) {
    let id = operation.operation_id.as_deref().unwrap_or_default();
    let Some(RefOr::T(body)) = &mut operation.request_body else { return };
    for content in body.content.values_mut() {
        if let RefOr::T(content) = content {
            content.example = prepared(id);
        }
    }
}

/// The prepared body of an operation.
fn prepared(id: &str) -> Option<Value> {
    Some(match id {
        "signUp" => json!({"username": USERNAME, "email": EMAIL, "password": PASSWORD}),
        // With the password, only the code is missing; the `signup_id` would be another secret to
        // copy.
        "confirmEmail" => json!({"email": EMAIL, "code": CODE, "password": PASSWORD}),
        "logIn" => json!({"username": USERNAME, "password": PASSWORD}),
        "refreshTokens" => json!({"refresh_token": "REFRESH_TOKEN_FROM_THE_LOGIN"}),
        // Ends the session of the access token.
        "logOut" => json!({}),
        "acceptInvitation" => json!({"token": LINK_TOKEN, "password": PASSWORD}),
        "updateCurrentUser" => json!({"username": "ada.lovelace"}),
        "reauthenticate" | "deleteCurrentUser" => json!({"password": PASSWORD}),
        "changePassword" => json!({"current_password": PASSWORD, "new_password": NEW_PASSWORD}),
        "requestPasswordReset" | "resendConfirmationEmail" => json!({"email": EMAIL}),
        "resetPassword" => json!({"email": EMAIL, "code": CODE, "new_password": NEW_PASSWORD}),
        "changeEmail" => json!({"new_email": "lovelace@example.org", "password": PASSWORD}),
        "undoEmailChange" | "reportLogin" => json!({"token": LINK_TOKEN}),
        "logOutEverywhere" => json!({"except_current": true}),
        "introspectToken" | "revokeToken" => json!({"token": "ACCESS_OR_REFRESH_TOKEN"}),
        "inviteUser" => json!({"username": "grace", "email": "grace@example.org"}),
        "updateUser" => json!({"username": "grace.hopper"}),
        "putRole" => json!({"permissions": ["sessions:read", "users:read"]}),
        "setUserRoles" => json!({"roles": ["support"]}),
        _ => return None,
    })
}
