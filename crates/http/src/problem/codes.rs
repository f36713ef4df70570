//! `Code`: every kind of problem there is, with its status and the way out.

use actix_web::http::StatusCode;

macro_rules! codes {
    ($($name:ident = $text:literal, $status:ident, $title:literal, $help:literal;)*) => {
        /// What went wrong, as a program reads it. Codes are stable.
        #[derive(Clone, Copy, Debug, PartialEq, Eq)]
        pub enum Code {
            $(#[doc = $title] $name,)*
        }

        impl Code {
            /// Every code there is.
            pub const ALL: &[Self] = &[$(Self::$name),*];

            /// The code in answers.
            #[must_use]
            pub const fn as_str(self) -> &'static str {
                match self { $(Self::$name => $text,)* }
            }

            /// The status that goes with it.
            #[must_use]
            pub const fn status(self) -> StatusCode {
                match self { $(Self::$name => StatusCode::$status,)* }
            }

            /// The same for every occurrence, for people.
            #[must_use]
            pub const fn title(self) -> &'static str {
                match self { $(Self::$name => $title,)* }
            }

            /// What to do about it.
            #[must_use]
            pub const fn help(self) -> &'static str {
                match self { $(Self::$name => $help,)* }
            }
        }
    };
}

codes! {
    MalformedRequest = "malformed_request", BAD_REQUEST, "Malformed request",
        "The request cannot be read: its body is not one JSON object, a member appears twice, or credentials are sent in two ways at once. Mend the request before it is sent again.";
    InvalidLink = "invalid_link", BAD_REQUEST, "Not a link that is good",
        "The link or code is unknown, used, replaced by a newer one or too old. Where an address is confirmed, the proof that the account is yours (signup_id, password or access token) may be missing or wrong instead. Ask for a new email, or send the right proof.";
    MissingToken = "missing_token", UNAUTHORIZED, "No credentials",
        "Send an access token in the header 'Authorization: Bearer TOKEN'.";
    InvalidToken = "invalid_token", UNAUTHORIZED, "Not a token of this service",
        "The token was not made by this service, or not for it. Log in to get one.";
    WrongTokenKind = "wrong_token_kind", UNAUTHORIZED, "A token of the wrong kind",
        "Access tokens open endpoints, refresh tokens get the next pair. Send the other one.";
    TokenExpired = "token_expired", UNAUTHORIZED, "The token has expired",
        "Refresh to get the next access token; when the refresh token has expired too, log in.";
    SessionEnded = "session_ended", UNAUTHORIZED, "The session is over",
        "The member 'reason' says why. Log in to begin another one.";
    RefreshTokenReused = "refresh_token_reused", UNAUTHORIZED, "A spent refresh token was shown",
        "A refresh token works once. Somebody has used this one before, so the session is over. Log in again.";
    InvalidCredentials = "invalid_credentials", UNAUTHORIZED, "The login failed",
        "The account is unknown, the password is wrong, or the address is not confirmed yet. POST /password/forgot and POST /email/resend have emails sent that help.";
    AccountDisabled = "account_disabled", FORBIDDEN, "The account is disabled",
        "Only an administrator can enable it.";
    ReauthenticationRequired = "reauthentication_required", FORBIDDEN, "The password is wanted again",
        "Send the password to POST /me/reauthenticate, and this request again with the access token of the answer.";
    CsrfFailed = "csrf_failed", FORBIDDEN, "Without the CSRF token, or from another site",
        "Where a cookie tells who calls, send the CSRF token of its session too, in one header 'X-CSRF-Token': it is the member 'csrf_token' of the login, and stands in the cookie '__Host-gateward-csrf'.";
    Forbidden = "forbidden", FORBIDDEN, "Not permitted",
        "The caller is known and may not do this.";
    NotFound = "not_found", NOT_FOUND, "Not found",
        "There is nothing here. Check the path and the identifier.";
    MethodNotAllowed = "method_not_allowed", METHOD_NOT_ALLOWED, "Method not allowed",
        "The header 'Allow' lists the methods of this path.";
    UsernameTaken = "username_taken", CONFLICT, "The username is taken",
        "Choose another username.";
    EmailTaken = "email_taken", CONFLICT, "The address is taken",
        "There is an account with this address. Log in, or use another address.";
    RoleInUse = "role_in_use", CONFLICT, "Somebody holds the role",
        "'GET /users?role=NAME' lists its holders; take it from them with 'PUT /users/{id}/roles' first.";
    LastAdmin = "last_admin", CONFLICT, "The last administrator stays",
        "Nobody else could administer this installation. Give the role 'admin' to another account that is not disabled first, with 'PUT /users/{id}/roles'.";
    BodyTooLarge = "body_too_large", PAYLOAD_TOO_LARGE, "The body is too large",
        "A body has at most 16 KiB.";
    UnsupportedMediaType = "unsupported_media_type", UNSUPPORTED_MEDIA_TYPE, "Unsupported media type",
        "Send JSON in UTF-8, uncompressed, with the header 'Content-Type: application/json'.";
    ValidationFailed = "validation_failed", UNPROCESSABLE_ENTITY, "Some values are not accepted",
        "The member 'errors' names each field and what is wrong with it.";
    RateLimited = "rate_limited", TOO_MANY_REQUESTS, "Too many tries",
        "Wait for the seconds that the header 'Retry-After' says, and try again.";
    Internal = "internal", INTERNAL_SERVER_ERROR, "Internal error",
        "The fault is not yours. The operator finds it in the logs by the request id.";
    Overloaded = "overloaded", SERVICE_UNAVAILABLE, "Too busy",
        "Try again after the seconds that the header 'Retry-After' says.";
    Unavailable = "unavailable", SERVICE_UNAVAILABLE, "Not available at the moment",
        "A part that is needed is down. Try again soon.";
}

#[cfg(test)]
mod tests {
    use super::*;

    /// The table of codes is a promise: a change of it must be meant.
    #[test]
    fn every_code_has_its_status() {
        let table: Vec<String> = Code::ALL
            .iter()
            .map(|code| format!("{} {}", code.status().as_u16(), code.as_str()))
            .collect();
        let promised = [
            "400 malformed_request",
            "400 invalid_link",
            "401 missing_token",
            "401 invalid_token",
            "401 wrong_token_kind",
            "401 token_expired",
            "401 session_ended",
            "401 refresh_token_reused",
            "401 invalid_credentials",
            "403 account_disabled",
            "403 reauthentication_required",
            "403 csrf_failed",
            "403 forbidden",
            "404 not_found",
            "405 method_not_allowed",
            "409 username_taken",
            "409 email_taken",
            "409 role_in_use",
            "409 last_admin",
            "413 body_too_large",
            "415 unsupported_media_type",
            "422 validation_failed",
            "429 rate_limited",
            "500 internal",
            "503 overloaded",
            "503 unavailable",
        ];
        assert_eq!(table, promised);
    }
}
