//! The bodies of requests, for the API document. They are read field by field.

/// A login. Other members are ignored.
#[derive(utoipa::ToSchema)]
#[schema(as = SimpleJwtLogin)]
#[expect(dead_code, reason = "documents the body, which is read field by field")]
pub(super) struct LoginBody {
    /// The username or email address of the account.
    #[schema(example = "ada")]
    username: String,
    /// The password of the account.
    #[schema(format = "password", max_length = 1024, example = "correct horse battery")]
    password: String,
}

/// A refresh token. Other members are ignored.
#[derive(utoipa::ToSchema)]
#[schema(as = SimpleJwtRefreshToken)]
#[expect(dead_code, reason = "documents the body, which is read field by field")]
pub(super) struct RefreshTokenBody {
    /// The current refresh token of the session.
    refresh: String,
}

/// A token of either type. Other members are ignored.
#[derive(utoipa::ToSchema)]
#[schema(as = SimpleJwtToken)]
#[expect(dead_code, reason = "documents the body, which is read field by field")]
pub(super) struct TokenBody {
    /// An access token or a refresh token.
    token: String,
}

/// A sign-up. Other members are ignored.
#[derive(utoipa::ToSchema)]
#[schema(as = DjoserSignup)]
#[expect(dead_code, reason = "documents the body, which is read field by field")]
pub(super) struct SignupBody {
    /// A username: 3 to 32 characters of `A-Z a-z 0-9 . _ -`, unique regardless of case.
    #[schema(min_length = 3, max_length = 32, pattern = "^[A-Za-z0-9._-]+$", example = "ada")]
    username: String,
    /// The email address.
    #[schema(format = "email", max_length = 254, example = "ada@example.org")]
    email: String,
    /// At least 8 characters; an installation can require more. It must not be a common or breached
    /// password, nor similar to the username or email address.
    #[schema(
        format = "password",
        min_length = 8,
        max_length = 1024,
        example = "correct horse battery"
    )]
    password: String,
}
