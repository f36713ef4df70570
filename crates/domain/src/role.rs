//! Roles and the permissions they grant.

use std::fmt;

/// The name of a role.
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct RoleName(String);

/// The string is not a valid role name.
#[derive(Clone, Copy, Debug, PartialEq, Eq, thiserror::Error)]
#[error("a role name must have 1 to 32 characters from a-z, 0-9, '-' and '_', a letter first")]
pub struct BadRoleName;

impl RoleName {
    /// Maximum length of a name in bytes: enough for people, short enough for a token.
    pub const LEN_MAX: usize = 32;

    /// The built-in role with every permission.
    #[must_use]
    pub fn admin() -> Self {
        Self("admin".to_owned())
    }

    /// The built-in role of every account.
    #[must_use]
    pub fn user() -> Self {
        Self("user".to_owned())
    }

    /// Parses a role name.
    pub fn parse(text: &str) -> Result<Self, BadRoleName> {
        let well_formed = text.len() <= Self::LEN_MAX
            && text.starts_with(|first: char| first.is_ascii_lowercase())
            && text.bytes().all(|byte| {
                byte.is_ascii_lowercase() || byte.is_ascii_digit() || matches!(byte, b'-' | b'_')
            });
        if well_formed { Ok(Self(text.to_owned())) } else { Err(BadRoleName) }
    }

    /// Returns the name as a string.
    #[must_use]
    pub fn as_str(&self) -> &str {
        &self.0
    }

    /// Returns whether the role is built in. Its permissions never change.
    #[must_use]
    pub fn is_built_in(&self) -> bool {
        *self == Self::admin() || *self == Self::user()
    }
}

impl fmt::Display for RoleName {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        formatter.write_str(&self.0)
    }
}

macro_rules! permissions {
    ($($(#[$doc:meta])* $name:ident = $text:literal,)*) => {
        /// A permission that a role can grant.
        #[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
        pub enum Permission {
            $($(#[$doc])* $name,)*
        }

        impl Permission {
            /// All permissions.
            pub const ALL: &[Self] = &[$(Self::$name),*];

            /// The permission's name in tokens and responses.
            #[must_use]
            pub const fn as_str(self) -> &'static str {
                match self {
                    $(Self::$name => $text,)*
                }
            }

            /// Parses a name.
            #[must_use]
            pub fn from_name(name: &str) -> Option<Self> {
                Self::ALL.iter().copied().find(|permission| permission.as_str() == name)
            }
        }
    };
}

permissions! {
    /// Read the audit log.
    AuditRead = "audit:read",
    /// Grant and revoke users' roles.
    RolesGrant = "roles:grant",
    /// Read roles.
    RolesRead = "roles:read",
    /// Create, change and delete roles.
    RolesWrite = "roles:write",
    /// End other users' sessions.
    SessionsEnd = "sessions:end",
    /// Read other users' sessions.
    SessionsRead = "sessions:read",
    /// Read other users.
    UsersRead = "users:read",
    /// Change other users.
    UsersWrite = "users:write",
}

/// A set of permissions.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Hash)]
pub struct PermissionSet(u16);

impl PermissionSet {
    /// The empty set.
    pub const EMPTY: Self = Self(0);

    /// Every permission.
    #[must_use]
    pub fn all() -> Self {
        Permission::ALL.iter().copied().collect()
    }

    /// Returns whether the set contains the permission.
    #[must_use]
    pub const fn contains(self, permission: Permission) -> bool {
        self.0 & Self::bit(permission) != 0
    }

    /// Returns whether the set contains every permission of the other.
    #[must_use]
    pub const fn includes(self, other: Self) -> bool {
        self.0 & other.0 == other.0
    }

    /// Returns the union of both sets.
    #[must_use]
    pub const fn union(self, other: Self) -> Self {
        Self(self.0 | other.0)
    }

    /// Iterates over the permissions in alphabetical order.
    pub fn iter(self) -> impl Iterator<Item = Permission> {
        Permission::ALL.iter().copied().filter(move |permission| self.contains(*permission))
    }

    /// Returns the set as it is stored: names in alphabetical order, separated by commas.
    #[must_use]
    pub fn to_text(self) -> String {
        let names: Vec<&str> = self.iter().map(Permission::as_str).collect();
        names.join(",")
    }

    /// Parses the stored form. Unknown names grant nothing: a newer version may have written them.
    #[must_use]
    pub fn from_text(text: &str) -> Self {
        text.split(',').filter_map(Permission::from_name).collect()
    }

    const fn bit(permission: Permission) -> u16 {
        1 << permission as u16
    }
}

impl FromIterator<Permission> for PermissionSet {
    fn from_iter<I: IntoIterator<Item = Permission>>(permissions: I) -> Self {
        Self(permissions.into_iter().fold(0, |bits, permission| bits | Self::bit(permission)))
    }
}

/// A role: a name and the permissions it grants to its holders.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Role {
    /// The role's name.
    pub name: RoleName,
    /// The permissions that the role grants.
    pub permissions: PermissionSet,
}

impl Role {
    /// Maximum number of custom roles. One response lists them all.
    pub const MAX: usize = 200;

    /// Maximum number of roles per account. Their names are in its tokens, which travel in a
    /// cookie.
    pub const PER_USER_MAX: usize = 32;

    /// Returns the built-in roles, in alphabetical order.
    #[must_use]
    pub fn built_in() -> [Self; 2] {
        [
            Self { name: RoleName::admin(), permissions: PermissionSet::all() },
            Self { name: RoleName::user(), permissions: PermissionSet::EMPTY },
        ]
    }
}

/// Returns all permissions that the roles of an account grant. `stored` holds the custom roles of
/// the account; an undefined role grants nothing.
#[must_use]
pub fn permissions_given(
    held: &[RoleName],
    stored: impl IntoIterator<Item = PermissionSet>,
) -> PermissionSet {
    if held.contains(&RoleName::admin()) {
        return PermissionSet::all();
    }
    stored.into_iter().fold(PermissionSet::EMPTY, PermissionSet::union)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn an_administrator_holds_every_permission() {
        let held = [RoleName::admin(), RoleName::user()];
        assert_eq!(permissions_given(&held, []), PermissionSet::all());
        assert_eq!(permissions_given(&held[1..], []), PermissionSet::EMPTY);
    }

    #[test]
    fn roles_give_together_what_each_of_them_gives() {
        let held = [RoleName::parse("support").unwrap(), RoleName::parse("auditor").unwrap()];
        let one: PermissionSet = [Permission::UsersRead].into_iter().collect();
        let other: PermissionSet = [Permission::AuditRead].into_iter().collect();
        let both = permissions_given(&held, [one, other]);
        assert!(both.includes(one) && both.includes(other) && !one.includes(both));
        assert_eq!(both.to_text(), "audit:read,users:read");
        assert_eq!(PermissionSet::from_text("users:read,weather:make,audit:read"), both);
        assert_eq!(PermissionSet::from_text(""), PermissionSet::EMPTY);
        assert!(!both.contains(Permission::UsersWrite));
        assert_eq!(PermissionSet::all().iter().count(), Permission::ALL.len());
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
