//! Administrators for the tests of permissions.

use gateward_domain::{Permission, RequestInfo, Role, RoleName, User};

use super::test_app::TestApp;
use crate::{AdminActor, AdminError, Caller};

pub(super) use gateward_domain::Permission::{
    AuditRead, RolesGrant, RolesWrite, SessionsEnd, UsersRead, UsersWrite,
};

/// The request information of their requests.
pub(super) const DESK: RequestInfo = RequestInfo {
    ip: Some(std::net::IpAddr::V4(std::net::Ipv4Addr::new(192, 0, 2, 10))),
    user_agent: None,
};

pub(super) const fn by(caller: &Caller) -> AdminActor<'_> {
    AdminActor::Caller(caller, &DESK)
}

pub(super) fn role(name: &str) -> RoleName {
    RoleName::parse(name).unwrap()
}

pub(super) fn giving(name: &str, permissions: &[Permission]) -> Role {
    Role { name: role(name), permissions: permissions.iter().copied().collect() }
}

/// Formats an error.
pub(super) fn why<T: std::fmt::Debug>(response: Result<T, AdminError>) -> String {
    format!("{:?}", response.unwrap_err())
}

/// Returns the message of a missing permission.
pub(super) fn lacks(permission: Permission) -> String {
    format!("Forbidden(Forbidden({permission:?}))")
}

impl TestApp {
    /// Defines a role, as an operator does.
    pub(super) async fn define(&self, name: &str, permissions: &[Permission]) -> RoleName {
        self.app.put_role(AdminActor::Operator, giving(name, permissions)).await.unwrap();
        role(name)
    }

    /// Creates an account with these roles, and `user`.
    pub(super) async fn holder(&self, name: &str, roles: &[&str]) -> User {
        let mut roles: Vec<_> = roles.iter().map(|name| role(name)).collect();
        roles.push(RoleName::user());
        roles.sort();
        let user = self.owner(name, |user| user.roles = roles).await;
        self.find(user.id).await.unwrap()
    }

    /// The same, with a fresh login.
    pub(super) async fn caller_with_roles(&self, name: &str, roles: &[&str]) -> Caller {
        self.holder(name, roles).await;
        self.caller(name).await
    }

    /// Advances the clock until the password confirmation is no longer recent.
    pub(super) fn outlast_password(&self) {
        self.clock.advance_seconds(self.app.policy().reauthentication_seconds);
    }
}
