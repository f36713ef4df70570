//! Pages of accounts: each is a part of one index.

use std::str::FromStr;

use diesel::prelude::*;
use diesel_async::RunQueryDsl;
use gateward_domain::ports::StoreError;
use gateward_domain::{User, UserId, UserRange};

use super::super::Tx;
use super::super::columns::Id;
use super::super::rows::{HeldRow, UserRow};
use super::super::schema::{held_by_user, lower, user_roles, users};

/// The last character of Unicode. No username contains it, so it sorts after every continuation of
/// a prefix.
const LAST: char = char::MAX;

/// The first character that a stored text may contain: nothing sorts between a text and the same
/// text with this character appended.
const FIRST: char = '\u{1}';

impl Tx {
    /// Returns the accounts of a range after a position.
    pub(super) async fn users_in(
        &mut self,
        range: &UserRange,
        after: Option<&str>,
        limit: u32,
    ) -> Result<Vec<User>, StoreError> {
        let limit = i64::from(limit);
        let rows: Vec<(UserRow, HeldRow)> = match range {
            UserRange::All => {
                let after = identifier(after)?;
                read!(self, "users", conn => users::table
                    .filter(users::id.gt(after))
                    .order(users::id)
                    .limit(limit)
                    .select((users::all_columns, held_by_user()))
                    .load(conn))?
            }
            UserRange::Role(role) => {
                let after = identifier(after)?;
                let holdings = diesel::alias!(user_roles as holdings);
                // The page is selected from the index before any account is read.
                let page = || {
                    holdings
                        .filter(holdings.field(user_roles::role).eq(role.as_str()))
                        .filter(holdings.field(user_roles::user_id).gt(after))
                        .order(holdings.field(user_roles::user_id))
                        .limit(limit)
                        .select(holdings.field(user_roles::user_id))
                };
                read!(self, "users", conn => users::table
                    .filter(users::id.eq_any(found_first!(page())))
                    .order(users::id)
                    .select((users::all_columns, held_by_user()))
                    .load(conn))?
            }
            UserRange::Disabled => {
                let after = identifier(after)?;
                read!(self, "users", conn => users::table
                    .filter(users::disabled)
                    .filter(users::id.gt(after))
                    .order(users::id)
                    .limit(limit)
                    .select((users::all_columns, held_by_user()))
                    .load(conn))?
            }
            UserRange::Username(prefix) => {
                let Some((from, to)) = bounds(prefix, after) else { return Ok(Vec::new()) };
                let name = || lower(users::username);
                read!(self, "users", conn => users::table
                    .filter(name().ge(&from).and(name().lt(&to)))
                    .order(name())
                    .limit(limit)
                    .select((users::all_columns, held_by_user()))
                    .load(conn))?
            }
            UserRange::Email(prefix) => {
                let Some((from, to)) = bounds(prefix, after) else { return Ok(Vec::new()) };
                read!(self, "users", conn => users::table
                    .filter(users::email.ge(&from).and(users::email.lt(&to)))
                    .order(users::email)
                    .limit(limit)
                    .select((users::all_columns, held_by_user()))
                    .load(conn))?
            }
        };
        rows.into_iter().map(|(row, held)| row.into_user(&held)).collect()
    }
}

/// Returns the identifier after which a page starts. No identifier is nil.
fn identifier(after: Option<&str>) -> Result<Id, StoreError> {
    let id = after.map(UserId::from_str).transpose();
    let id = id.map_err(|_| StoreError::Unavailable("not a place of this range".into()))?;
    Ok(Id(id.map_or(uuid::Uuid::nil(), UserId::uuid)))
}

/// Returns the bounds of a page's texts: the start (inclusive) and the end (exclusive). There is
/// one bound on either side, because a database might use the wider of two. `None` if no stored
/// text can start like this.
fn bounds(prefix: &str, after: Option<&str>) -> Option<(String, String)> {
    let after = after.map(|after| format!("{after}{FIRST}")).unwrap_or_default();
    let from = after.max(prefix.to_owned());
    // Postgres stores no such character, and refuses to compare with it.
    (!from.contains('\0')).then(|| (from, format!("{prefix}{LAST}")))
}
