//! A typical field error of each operation, for the examples of `validation_failed`.

use gateward_app::domain::{EmailAddressError, PasswordError, UsernameError};

use crate::problem::FieldError;
use crate::problem::field_texts::{
    BUILT_IN, CODE, CURSOR, FieldText, LIMIT, NOT_A_BOOLEAN, NOT_A_STRING, ONE_IDENTIFIER,
    REQUIRED, TIME, UNKNOWN_FIELD, UNKNOWN_PARAMETER, WRONG_PASSWORD, unknown_permission,
    unknown_role,
};

/// The default of the setting `password.length_min`.
const PASSWORD_LENGTH_MIN: usize = 8;

/// The field error that the operation sends for a frequent mistake. Operations that read no body
/// and no query reject a query parameter.
pub(super) fn field_error(id: &str) -> FieldError {
    let short_password =
        || FieldText::from(PasswordError::TooShort { length_min: PASSWORD_LENGTH_MIN });
    match id {
        "signUp" | "acceptInvitation" => short_password().at("password"),
        "resetPassword" => short_password().at("new_password"),
        "changePassword" => WRONG_PASSWORD.at("current_password"),
        "changeEmail" | "deleteCurrentUser" | "reauthenticate" => WRONG_PASSWORD.at("password"),
        "logIn" => ONE_IDENTIFIER.at("identifier"),
        "confirmEmail" => CODE.at("code"),
        "refreshTokens" => REQUIRED.at("refresh_token"),
        "logOut" => NOT_A_STRING.at("refresh_token"),
        "logOutEverywhere" => NOT_A_BOOLEAN.at("except_current"),
        "updateCurrentUser" | "updateUser" => FieldText::from(UsernameError::Length).at("username"),
        "requestPasswordReset" | "resendConfirmationEmail" | "inviteUser" => {
            FieldText::from(EmailAddressError::Form).at("email")
        }
        "undoEmailChange" | "reportLogin" => REQUIRED.at("token"),
        "listSessions" | "listUserSessions" | "listUsers" | "listRoles" | "listRevocations" => {
            LIMIT.at("limit")
        }
        "streamRevocations" => CURSOR.at("since"),
        "listAuditEvents" => TIME.at("from"),
        "setUserRoles" => unknown_role(&"support").at("roles"),
        "putRole" => unknown_permission().at("permissions"),
        "deleteRole" => BUILT_IN.at("name"),
        "disableUser" | "enableUser" | "resetUserPassword" => UNKNOWN_FIELD.at("reason"),
        _ => UNKNOWN_PARAMETER.at("verbose"),
    }
}
