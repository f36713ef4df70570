//! Lists accounts, one page at a time.

use gateward_domain::ports::{Access, StoreError};
use gateward_domain::{RoleName, User, UserId, UserRange};

use crate::App;

/// Maximum number of accounts that one page reads. If few of them match, the page is shorter than
/// its limit, and the next one continues.
const LOOKED_AT_MAX: usize = 1000;

/// Number of accounts read at once.
const CHUNK: u32 = 100;

/// Selects accounts for a list.
#[derive(Clone, Debug, Default)]
pub struct UserFilter {
    /// Prefix of the username or, if it contains an `@`, of the email address.
    pub q: Option<String>,
    /// Accounts that hold this role.
    pub role: Option<RoleName>,
    /// Accounts that are, or are not, disabled.
    pub disabled: Option<bool>,
}

/// A page of matching accounts.
#[derive(Debug)]
pub struct UserPage {
    /// The accounts of the page.
    pub users: Vec<User>,
    /// Where the next page continues. `None` on the last page.
    pub next: Option<String>,
}

impl UserFilter {
    /// Returns the smallest range that contains all matching accounts.
    fn range(&self) -> UserRange {
        match (&self.q, &self.role, self.disabled) {
            (Some(q), ..) if q.contains('@') => UserRange::Email(q.to_lowercase()),
            (Some(q), ..) => UserRange::Username(q.to_ascii_lowercase()),
            (None, Some(role), _) => UserRange::Role(role.clone()),
            (None, None, Some(true)) => UserRange::Disabled,
            (None, None, _) => UserRange::All,
        }
    }

    /// Returns whether an account of the range matches.
    fn wants(&self, user: &User) -> bool {
        self.role.as_ref().is_none_or(|role| user.roles.contains(role))
            && self.disabled.is_none_or(|disabled| user.disabled == disabled)
    }
}

impl App {
    /// Returns at most `limit` matching accounts after `after`.
    ///
    /// A page reads at most a thousand accounts, however many there are.
    pub async fn list_users(
        &self,
        filter: &UserFilter,
        mut after: Option<String>,
        limit: usize,
    ) -> Result<UserPage, StoreError> {
        let range = filter.range();
        let (mut users, mut looked_at) = (Vec::new(), 0);
        let mut tx = self.ports.store.begin(Access::Read).await?;
        loop {
            let chunk = tx.list_users(&range, after.clone(), CHUNK).await?;
            let is_last = chunk.len() < CHUNK as usize;
            looked_at += chunk.len();
            for user in chunk {
                if users.len() == limit {
                    return Ok(UserPage { users, next: after });
                }
                after = Some(range.cursor(&user));
                if filter.wants(&user) {
                    users.push(user);
                }
            }
            if is_last {
                return Ok(UserPage { users, next: None });
            }
            if looked_at >= LOOKED_AT_MAX {
                return Ok(UserPage { users, next: after });
            }
        }
    }

    /// Returns the account with this identifier.
    pub async fn find_user(&self, id: UserId) -> Result<Option<User>, StoreError> {
        let mut tx = self.ports.store.begin(Access::Read).await?;
        let user = tx.find_user(id).await?;
        tx.commit().await?;
        Ok(user)
    }
}
