//! Looking at accounts, a page at a time.

use gateward_domain::ports::{Access, StoreError};
use gateward_domain::{RoleName, User, UserId, UserRange};

use crate::App;

/// How many accounts one page looks at, at most: where few of them are wanted, it is shorter than
/// it might be, and the next one goes on.
const LOOKED_AT_MAX: usize = 1000;

/// How many accounts are read at once.
const CHUNK: u32 = 100;

/// Which accounts are wanted.
#[derive(Clone, Debug, Default)]
pub struct UserFilter {
    /// What the username begins with, or, with an `@` in it, the address.
    pub q: Option<String>,
    /// A role that they hold.
    pub role: Option<RoleName>,
    /// Whether they are disabled.
    pub disabled: Option<bool>,
}

/// Some of the wanted accounts.
#[derive(Debug)]
pub struct UserPage {
    /// The accounts.
    pub users: Vec<User>,
    /// Where the next page goes on; `None` where there is nothing more.
    pub next: Option<String>,
}

impl UserFilter {
    /// The range with the fewest accounts that holds all that are wanted.
    fn range(&self) -> UserRange {
        match (&self.q, &self.role, self.disabled) {
            (Some(q), ..) if q.contains('@') => UserRange::Email(q.to_lowercase()),
            (Some(q), ..) => UserRange::Username(q.to_ascii_lowercase()),
            (None, Some(role), _) => UserRange::Role(role.clone()),
            (None, None, Some(true)) => UserRange::Disabled,
            (None, None, _) => UserRange::All,
        }
    }

    /// Whether an account of the range is wanted.
    fn wants(&self, user: &User) -> bool {
        self.role.as_ref().is_none_or(|role| user.roles.contains(role))
            && self.disabled.is_none_or(|disabled| user.disabled == disabled)
    }
}

impl App {
    /// Some of the accounts that are wanted, those that stand after `after`, at most `limit`.
    ///
    /// A page looks at a thousand accounts at most, however many there are.
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

    /// The account with this identifier.
    pub async fn find_user(&self, id: UserId) -> Result<Option<User>, StoreError> {
        let mut tx = self.ports.store.begin(Access::Read).await?;
        let user = tx.find_user(id).await?;
        tx.commit().await?;
        Ok(user)
    }
}
