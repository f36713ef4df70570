//! `/users` and the paths below it: user administration.

mod account;
mod invite;
mod list;
mod roles;
mod sessions;
mod state;

use std::str::FromStr;

use actix_web::HttpRequest;
use gateward_app::domain::{Permission, RequestInfo, Timestamp, UserId};
use gateward_app::{AdminActor, AdminError, Caller};

use crate::App;
use crate::credentials::caller;
use crate::problem::{Code, Problem, details, field_texts};
use crate::routes::Endpoint;

pub(super) fn endpoints() -> Vec<Endpoint> {
    vec![
        list::endpoint(),
        invite::endpoint(),
        account::get_endpoint(),
        account::patch_endpoint(),
        account::delete_endpoint(),
        state::disable_endpoint(),
        state::enable_endpoint(),
        state::reset_endpoint(),
        roles::endpoint(),
        sessions::list_endpoint(),
        sessions::end_all_endpoint(),
        sessions::end_endpoint(),
    ]
}

/// A caller with the required permission, as far as this node knows. The use case checks the store.
pub(super) struct Administrator {
    pub(super) caller: Caller,
    request_info: RequestInfo,
}

impl Administrator {
    /// Authenticates the caller and checks this permission.
    ///
    /// Every endpoint for administrators calls this first, before reading the request or looking up
    /// the resource.
    pub(super) async fn with(
        permission: Permission,
        app: &App,
        request: &HttpRequest,
    ) -> Result<Self, Problem> {
        let caller = caller(app, request).await?;
        let request_info = app.request_info(request);
        app.core().require(&caller, permission, &request_info).await?;
        Ok(Self { caller, request_info })
    }

    /// Requires a recent password confirmation.
    pub(super) fn recent(self, app: &App) -> Result<Self, Problem> {
        app.core().check_recent(&self.caller)?;
        Ok(self)
    }

    /// The administrator as use cases take it.
    pub(super) fn actor(&self) -> AdminActor<'_> {
        AdminActor::Caller(&self.caller, &self.request_info)
    }
}

/// Parses an ID exactly as responses write it.
pub(super) fn identifier<T: FromStr + ToString>(text: &str) -> Option<T> {
    text.parse().ok().filter(|id: &T| id.to_string() == text)
}

/// The user ID in the path. An invalid ID becomes one that no user has, so that it gets the same
/// response as an unknown one.
fn named_user(request: &HttpRequest) -> UserId {
    let text = request.match_info().get("id").unwrap_or_default();
    identifier(text).unwrap_or_else(|| UserId::before_all_at(Timestamp::from_seconds(0)))
}

impl From<AdminError> for Problem {
    fn from(error: AdminError) -> Self {
        match error {
            AdminError::Forbidden(error) => error.into(),
            AdminError::RoleNotHeld(role) => {
                Self::new(Code::Forbidden).detail(details::missing_role(&role))
            }
            AdminError::NotRecent(error) => error.into(),
            AdminError::NotFound => Self::new(Code::NotFound),
            AdminError::LastAdmin => Self::new(Code::LastAdmin),
            AdminError::NoSuchRole(role) => {
                Self::fields(vec![field_texts::unknown_role(&role).at("roles")])
            }
            AdminError::BuiltIn => Self::fields(vec![field_texts::BUILT_IN.at("name")]),
            AdminError::TooManyRoles => {
                Self::fields(vec![field_texts::too_many_roles().at("name")])
            }
            AdminError::TooManyRolesHeld => {
                Self::fields(vec![field_texts::too_many_roles_of_user().at("roles")])
            }
            AdminError::RoleInUse => Self::new(Code::RoleInUse),
            AdminError::Token(error) => Self::of_access_token(error),
            AdminError::Store(error) => error.into(),
        }
    }
}
