//! `Code`: every problem code, with its HTTP status, title and help text.

use actix_web::http::StatusCode;

macro_rules! codes {
    ($($name:ident = $text:literal, $status:ident, $title:literal, $help:literal;)*) => {
        /// A machine-readable problem code. Codes are stable.
        #[derive(Clone, Copy, Debug, PartialEq, Eq)]
        pub enum Code {
            $(#[doc = $title] $name,)*
        }

        impl Code {
            /// All codes.
            pub const ALL: &[Self] = &[$(Self::$name),*];

            /// The code as responses show it.
            #[must_use]
            pub const fn as_str(self) -> &'static str {
                match self { $(Self::$name => $text,)* }
            }

            /// The HTTP status of this code.
            #[must_use]
            pub const fn status(self) -> StatusCode {
                match self { $(Self::$name => StatusCode::$status,)* }
            }

            /// A short title for people. It is the same for every problem with this code.
            #[must_use]
            pub const fn title(self) -> &'static str {
                match self { $(Self::$name => $title,)* }
            }

            /// What is wrong and what to do about it.
            #[must_use]
            pub const fn help(self) -> &'static str {
                match self { $(Self::$name => $help,)* }
            }
        }
    };
}

codes! {
    MalformedRequest = "malformed_request", BAD_REQUEST, "Malformed request",
        "The request cannot be parsed. Send one JSON object without duplicate keys, and send each \
         credential only once.";
    InvalidLink = "invalid_link", BAD_REQUEST, "Invalid or expired link",
        "The link or code is invalid, expired or already used. The `detail` of the response says \
         how to continue. At `POST /email/confirm`, this can also mean that the proof that you own \
         the account is missing or wrong: send `signup_id`, `password` or an access token together \
         with the link or code.";
    MissingToken = "missing_token", UNAUTHORIZED, "Authentication required",
        "The request has no access token. Send one in the header `Authorization: Bearer TOKEN`. \
         If the tokens are in cookies, set `credentials: \"include\"`, or log in again.";
    InvalidToken = "invalid_token", UNAUTHORIZED, "Invalid token",
        "The token is invalid: this server did not issue it, or it is for another service. Log in \
         to get a new one.";
    WrongTokenKind = "wrong_token_kind", UNAUTHORIZED, "Wrong token type",
        "This is the wrong type of token. Send an access token to API endpoints, and a refresh \
         token to `POST /refresh`.";
    TokenExpired = "token_expired", UNAUTHORIZED, "Token expired",
        "The token has expired. Call `POST /refresh` to get a new access token. If the refresh \
         token has expired too, log in again.";
    SessionEnded = "session_ended", UNAUTHORIZED, "Session ended",
        "The session of this token has ended. The field `reason` says why. Log in again.";
    RefreshTokenReused = "refresh_token_reused", UNAUTHORIZED, "Refresh token already used",
        "Each refresh token works once. This one was already used, so the session was ended for \
         security. Log in again.";
    InvalidCredentials = "invalid_credentials", UNAUTHORIZED, "Invalid credentials",
        "The username, email address or password is wrong, or the email address is not confirmed \
         yet. To reset the password, call `POST /password/forgot`. To get a new confirmation \
         email, call `POST /email/resend`.";
    AccountDisabled = "account_disabled", FORBIDDEN, "Account disabled",
        "This account is disabled. Ask an administrator to enable it.";
    ReauthenticationRequired = "reauthentication_required", FORBIDDEN,
        "Password confirmation required",
        "This request needs a recent password confirmation. Call `POST /me/reauthenticate` with \
         the password, then send this request again with the new access token.";
    CsrfFailed = "csrf_failed", FORBIDDEN, "CSRF check failed",
        "A request that authenticates with a cookie and changes data needs the header \
         `X-CSRF-Token`, once, with the `csrf_token` from the login response. The page that sends \
         it must have the origin of the service, or one that `http.cors_origins` in the server \
         settings lists.";
    Forbidden = "forbidden", FORBIDDEN, "Permission denied",
        "You do not have permission to do this. Ask an administrator for the permission.";
    NotFound = "not_found", NOT_FOUND, "Not found",
        "This resource does not exist. Check the URL and the ID.";
    MethodNotAllowed = "method_not_allowed", METHOD_NOT_ALLOWED, "Method not allowed",
        "This path does not support the method. Use one of those in the header `Allow`.";
    UsernameTaken = "username_taken", CONFLICT, "Username already in use",
        "Another account has this username. Choose a different one.";
    EmailTaken = "email_taken", CONFLICT, "Email address already in use",
        "An account with this email address already exists. Log in, or use a different email \
         address.";
    RoleInUse = "role_in_use", CONFLICT, "Role in use",
        "Users still have this role. List them with `GET /users?role=NAME`, and first remove the \
         role from each with `PUT /users/{id}/roles`.";
    LastAdmin = "last_admin", CONFLICT, "Cannot remove the last administrator",
        "This user is the only active administrator. First give the role `admin` to another \
         enabled user with a verified email address, with `PUT /users/{id}/roles`.";
    BodyTooLarge = "body_too_large", PAYLOAD_TOO_LARGE, "Request body too large",
        "The request body is larger than 16 KiB. Send a smaller one.";
    UnsupportedMediaType = "unsupported_media_type", UNSUPPORTED_MEDIA_TYPE,
        "Unsupported media type",
        "The body is not in a supported format. Send uncompressed JSON in UTF-8 with the header \
         `Content-Type: application/json`.";
    ValidationFailed = "validation_failed", UNPROCESSABLE_ENTITY, "Validation failed",
        "One or more fields or query parameters are invalid. `errors` lists each one and what is \
         wrong with it. Fix them, then send the request again.";
    RateLimited = "rate_limited", TOO_MANY_REQUESTS, "Too many requests",
        "Too many attempts. Wait for the number of seconds in the header `Retry-After`, then try \
         again.";
    Internal = "internal", INTERNAL_SERVER_ERROR, "Internal error",
        "Something went wrong on the server. Try again. If it happens again, send the `request_id` \
         to the operator.";
    Overloaded = "overloaded", SERVICE_UNAVAILABLE, "Server overloaded",
        "The server is too busy. Wait for the number of seconds in the header `Retry-After`, then \
         try again.";
    Unavailable = "unavailable", SERVICE_UNAVAILABLE, "Service unavailable",
        "The service is temporarily unavailable. Try again in a moment.";
}

#[cfg(test)]
mod tests {
    use super::*;

    /// Clients rely on codes and statuses: this list changes only on purpose.
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

    /// `/docs/problems` shows the texts as HTML, with what is between backticks as code.
    #[test]
    fn help_texts_need_no_escapes() {
        for help in Code::ALL.iter().map(|code| code.help()) {
            assert!(!help.contains(['<', '>', '&']), "{help}");
            assert_eq!(help.matches('`').count() % 2, 0, "{help}");
        }
    }
}
