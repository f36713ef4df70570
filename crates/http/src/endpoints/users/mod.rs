//! `/users` and what stands below it: administering accounts.

mod account;
mod invite;
mod list;
mod roles;
mod sessions;
mod state;

use std::str::FromStr;

use actix_web::HttpRequest;
use gateward_app::domain::{Permission, RequestInfo, Role, Timestamp, UserId};
use gateward_app::{AdminActor, AdminError, Caller};

use crate::App;
use crate::credentials::caller;
use crate::problem::{Code, Problem};
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

/// A caller who may do what is asked for, as far as this node knows; the use case asks the store.
pub(super) struct Administrator {
    pub(super) caller: Caller,
    request_info: RequestInfo,
}

impl Administrator {
    /// Who calls, if their roles give this permission.
    ///
    /// Every endpoint that needs one asks this first, before it looks at the request or for what
    /// the request names.
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

    /// The same, if the password was given a short time ago.
    pub(super) fn recent(self, app: &App) -> Result<Self, Problem> {
        app.core().check_recent(&self.caller)?;
        Ok(self)
    }

    /// The same as the use cases know it.
    pub(super) fn actor(&self) -> AdminActor<'_> {
        AdminActor::Caller(&self.caller, &self.request_info)
    }
}

/// Reads an identifier as it is written in answers, and no other way.
pub(super) fn identifier<T: FromStr + ToString>(text: &str) -> Option<T> {
    text.parse().ok().filter(|id: &T| id.to_string() == text)
}

/// The account that the path names. A text that is no identifier names one that nobody has: so its
/// answer is that of every unknown one.
fn named_user(request: &HttpRequest) -> UserId {
    let text = request.match_info().get("id").unwrap_or_default();
    identifier(text).unwrap_or_else(|| UserId::before_all_at(Timestamp::from_seconds(0)))
}

impl From<AdminError> for Problem {
    fn from(error: AdminError) -> Self {
        match error {
            AdminError::Forbidden(error) => error.into(),
            AdminError::RoleNotHeld(role) => Self::new(Code::Forbidden).detail(format!(
                "Only who holds the role '{role}' may give or take it; ask one who does."
            )),
            AdminError::NotRecent(error) => error.into(),
            AdminError::NotFound => Self::new(Code::NotFound),
            AdminError::LastAdmin => Self::new(Code::LastAdmin),
            AdminError::NoSuchRole(role) => Self::field(
                "roles",
                "unknown_role",
                format!("there is no role '{role}'; GET /roles lists all"),
            ),
            AdminError::BuiltIn => {
                Self::field("name", "built_in", "this role is built in, and never changes")
            }
            AdminError::TooManyRoles => Self::field(
                "name",
                "too_many_roles",
                format!("there are {} roles already; delete one first", Role::MAX),
            ),
            AdminError::TooManyRolesHeld => Self::field(
                "roles",
                "too_many",
                format!("an account holds at most {} roles", Role::PER_USER_MAX),
            ),
            AdminError::RoleInUse => Self::new(Code::RoleInUse),
            AdminError::Token(error) => Self::of_access_token(error),
            AdminError::Store(error) => error.into(),
        }
    }
}
