//! The rotation of a session, under the lock of the single writer.

use diesel::prelude::*;
use gateward_domain::ports::{Access, StoreError};
use gateward_domain::refresh::{Rotation, RotationDecision, judge};
use gateward_domain::{Session, User};

use super::Tx;
use super::columns::Id;
use super::rows::{HeldRow, RefreshStateRow, SessionRow, UserRow};
use super::schema::{held_by_user, sessions, users};
use crate::error::store_error;
use crate::run::StatementKind;

/// The result of a rotation.
pub type Rotated = Result<Option<(Session, User)>, StoreError>;

impl Tx {
    /// Decides the common cases of a refresh. A single write is processed together with all waiting
    /// ones.
    pub async fn rotate(&mut self, rotation: &Rotation) -> Rotated {
        let rotation = rotation.clone();
        if self.access == Access::SingleWrite {
            return self.store.rotate_in_batch(rotation).await;
        }
        let conn = self.start(StatementKind::Write).await?;
        let rotated = conn.spawn_blocking(move |conn| Ok(rotate(conn, &rotation))).await;
        self.finish("sessions", rotated)?
    }
}

/// Decides the common cases of a refresh. A write transaction is open, so that no other write comes
/// between reading the row and writing it, and the domain's own rules can decide.
pub fn rotate(conn: &mut SqliteConnection, rotation: &Rotation) -> Rotated {
    type Found = (SessionRow, UserRow, HeldRow);

    let failed = |error| store_error("sessions", error);
    let id = Id(rotation.presented.session_id.uuid());
    let found = sessions::table
        .inner_join(users::table.on(users::id.eq(sessions::user_id)))
        .filter(sessions::id.eq(id).and(users::disabled.eq(false)))
        .select((sessions::all_columns, users::all_columns, held_by_user()))
        .first::<Found>(conn)
        .optional()
        .map_err(failed)?;
    let Some((session, user, held)) = found else { return Ok(None) };
    let mut session = Session::try_from(session)?;
    let user = user.into_user(&held)?;

    match judge(&session, rotation) {
        RotationDecision::Rotate => {
            session.refresh_state = session.refresh_state.after(rotation, session.lifetime_ends_at);
            diesel::update(sessions::table.find(id))
                .set(RefreshStateRow::from(&session.refresh_state))
                .execute(conn)
                .map_err(failed)?;
        }
        RotationDecision::Repeat => {}
        RotationDecision::Recover
        | RotationDecision::Replay
        | RotationDecision::Ended(_)
        | RotationDecision::Forged => {
            return Ok(None);
        }
    }
    Ok(Some((session, user)))
}
