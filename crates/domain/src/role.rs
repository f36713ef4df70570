//! Roles and the permissions they give.

use std::fmt;

/// The name of a role.
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct RoleName(String);

/// The text is not the name of a role.
#[derive(Clone, Copy, Debug, PartialEq, Eq, thiserror::Error)]
#[error("a role name is 1 to 32 lower-case letters, digits, '-' or '_', and begins with a letter")]
pub struct BadRoleName;

impl RoleName {
    /// The longest name, in bytes: enough for people, short enough for a token.
    pub const LEN_MAX: usize = 32;

    /// The built-in role that holds every permission.
    #[must_use]
    pub fn admin() -> Self {
        Self("admin".to_owned())
    }

    /// The built-in role that everybody holds.
    #[must_use]
    pub fn user() -> Self {
        Self("user".to_owned())
    }

    /// Reads a role's name.
    pub fn parse(text: &str) -> Result<Self, BadRoleName> {
        let well_formed = text.len() <= Self::LEN_MAX
            && text.starts_with(|first: char| first.is_ascii_lowercase())
            && text.bytes().all(|byte| {
                byte.is_ascii_lowercase() || byte.is_ascii_digit() || matches!(byte, b'-' | b'_')
            });
        if well_formed { Ok(Self(text.to_owned())) } else { Err(BadRoleName) }
    }

    /// The name as text.
    #[must_use]
    pub fn as_str(&self) -> &str {
        &self.0
    }
}

impl fmt::Display for RoleName {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        formatter.write_str(&self.0)
    }
}

macro_rules! permissions {
    ($($(#[$doc:meta])* $name:ident = $text:literal,)*) => {
        /// Something that a caller may do.
        #[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
        pub enum Permission {
            $($(#[$doc])* $name,)*
        }

        impl Permission {
            /// Every permission there is.
            pub const ALL: &[Self] = &[$(Self::$name),*];

            /// The permission's name in tokens and answers.
            #[must_use]
            pub const fn as_str(self) -> &'static str {
                match self {
                    $(Self::$name => $text,)*
                }
            }
        }
    };
}

permissions! {
    /// Read the audit log.
    AuditRead = "audit:read",
    /// Give roles to users and take them away.
    RolesGrant = "roles:grant",
    /// Read roles.
    RolesRead = "roles:read",
    /// Change roles.
    RolesWrite = "roles:write",
    /// End other users' sessions.
    SessionsEnd = "sessions:end",
    /// See other users' sessions.
    SessionsRead = "sessions:read",
    /// See other users.
    UsersRead = "users:read",
    /// Change other users.
    UsersWrite = "users:write",
}

/// The permissions that a set of roles gives, in alphabetical order.
#[must_use]
pub fn permissions_of(roles: &[RoleName]) -> &'static [Permission] {
    if roles.iter().any(|role| role.as_str() == "admin") { Permission::ALL } else { &[] }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn only_the_administrator_holds_permissions() {
        assert_eq!(permissions_of(&[RoleName::admin(), RoleName::user()]), Permission::ALL);
        assert!(permissions_of(&[RoleName::user()]).is_empty());
    }

    #[test]
    fn permissions_stand_in_alphabetical_order() {
        assert!(Permission::ALL.is_sorted_by_key(|permission| permission.as_str()));
    }

    #[test]
    fn a_role_name_is_short_and_plain() {
        assert!(RoleName::parse("support-2").is_ok());
        for bad in ["", "Admin", "2nd", "a b", "a,b", &"x".repeat(33)] {
            assert_eq!(RoleName::parse(bad), Err(BadRoleName), "{bad:?}");
        }
    }
}
