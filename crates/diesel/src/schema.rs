//! The tables, as the migrations make them, and what queries on them share.
//!
//! The order of the columns is that of `rows/`.

use diesel::dsl::auto_type;
use diesel::prelude::*;
use diesel::{allow_tables_to_appear_in_same_query, declare_sql_function, table};

table! {
    use diesel::sql_types::{Bool, Text};
    use super::super::columns::sql::Moment;

    instance (only_row) {
        only_row -> Bool,
        issuer -> Text,
        created_at -> Moment,
    }
}

table! {
    use diesel::sql_types::{Binary, Nullable, Text};
    use super::super::columns::sql::Moment;

    keys (id) {
        id -> Text,
        purpose -> Text,
        algorithm -> Text,
        sealed -> Binary,
        public_jwk -> Nullable<Text>,
        created_at -> Moment,
        active_from -> Moment,
        revoked_at -> Nullable<Moment>,
    }
}

table! {
    use diesel::sql_types::{BigInt, Bool, Text};
    use super::super::columns::sql::{Ident, Moment};

    users (id) {
        id -> Ident,
        username -> Text,
        email -> Text,
        email_verified -> Bool,
        disabled -> Bool,
        password_hash -> Text,
        credentials_version -> BigInt,
        created_at -> Moment,
        updated_at -> Moment,
    }
}

table! {
    use diesel::sql_types::Text;
    use super::super::columns::sql::Ident;

    user_roles (user_id, role) {
        user_id -> Ident,
        role -> Text,
    }
}

table! {
    use diesel::sql_types::{BigInt, Binary, Nullable, Text};
    use super::super::columns::sql::{Ident, Moment};

    sessions (id) {
        id -> Ident,
        user_id -> Ident,
        created_at -> Moment,
        auth_time -> Moment,
        lifetime_ends_at -> Moment,
        ip -> Nullable<Text>,
        user_agent -> Nullable<Text>,
        client_name -> Nullable<Text>,
        generation -> BigInt,
        rotated_at -> Moment,
        expires_at -> Moment,
        key_id -> Text,
        idempotency_hash -> Nullable<Binary>,
        salt -> Binary,
        ended_at -> Nullable<Moment>,
        end_reason -> Nullable<Text>,
    }
}

table! {
    use diesel::sql_types::{Nullable, Text};
    use super::super::columns::sql::{Ident, Moment};

    events (id) {
        id -> Ident,
        happened_at -> Moment,
        kind -> Text,
        reason -> Nullable<Text>,
        actor -> Text,
        actor_id -> Nullable<Ident>,
        user_id -> Nullable<Ident>,
        session_id -> Nullable<Ident>,
        ip -> Nullable<Text>,
    }
}

table! {
    use diesel::sql_types::{Binary, Text};
    use super::super::columns::sql::{Ident, Moment};

    signups (id) {
        id -> Ident,
        secret -> Binary,
        username -> Text,
        email -> Text,
        password_hash -> Text,
        created_at -> Moment,
        expires_at -> Moment,
    }
}

table! {
    use diesel::sql_types::{BigInt, Binary, Bool, Text};
    use super::super::columns::sql::{Ident, Moment};

    links (id) {
        id -> Ident,
        purpose -> Text,
        subject_id -> Ident,
        place -> Ident,
        email -> Text,
        key_id -> Text,
        salt -> Binary,
        secret -> Binary,
        code_tries -> BigInt,
        reserves_email -> Bool,
        created_at -> Moment,
        expires_at -> Moment,
    }
}

table! {
    use diesel::sql_types::{BigInt, Nullable, Text};
    use super::super::columns::sql::{Ident, Moment};

    letters (id) {
        id -> Ident,
        kind -> Text,
        recipient -> Text,
        user_id -> Nullable<Ident>,
        signup_id -> Nullable<Ident>,
        link_id -> Nullable<Ident>,
        caused_at -> Moment,
        ip -> Nullable<Text>,
        slot -> Nullable<Text>,
        planned_at -> Moment,
        due_at -> Moment,
        was_due_at -> Nullable<Moment>,
        attempts -> BigInt,
        state -> Text,
        finished_at -> Nullable<Moment>,
        failure -> Nullable<Text>,
    }
}

table! {
    use diesel::sql_types::{BigInt, Nullable, Text};
    use super::super::columns::sql::Moment;

    news (seq) {
        seq -> BigInt,
        xid -> BigInt,
        kind -> Text,
        subject -> Nullable<Text>,
        cut_off -> Nullable<Moment>,
        reason -> Nullable<Text>,
        happened_at -> Moment,
        matters_until -> Moment,
    }
}

table! {
    use diesel::sql_types::{Binary, Nullable, Text};
    use super::super::columns::sql::{Ident, Moment};

    known_clients (id) {
        id -> Ident,
        user_id -> Ident,
        secret -> Binary,
        ip -> Nullable<Text>,
        user_agent -> Nullable<Text>,
        created_at -> Moment,
        last_used_at -> Moment,
        expires_at -> Moment,
    }
}

allow_tables_to_appear_in_same_query!(links, sessions, user_roles, users);

#[declare_sql_function]
extern "SQL" {
    /// Folds the case of ASCII letters, as the columns it is used on are compared byte by byte.
    fn lower(text: diesel::sql_types::Text) -> diesel::sql_types::Text;

    /// All values of a group in one text.
    #[aggregate]
    fn string_agg(
        value: diesel::sql_types::Text,
        separator: diesel::sql_types::Text,
    ) -> diesel::sql_types::Nullable<diesel::sql_types::Text>;
}

/// The roles of the account that the query is about, in one text.
#[auto_type]
pub fn roles_of_user() -> _ {
    user_roles::table
        .filter(user_roles::user_id.eq(users::id))
        .select(string_agg(user_roles::role, ","))
        .single_value()
}

/// The roles of the session's user, in one text.
#[auto_type]
pub fn roles_of_session() -> _ {
    user_roles::table
        .filter(user_roles::user_id.eq(sessions::user_id))
        .select(string_agg(user_roles::role, ","))
        .single_value()
}
