//! The tables, as the migrations create them, and what queries on them share.
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
        wrapped -> Binary,
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
    use diesel::sql_types::BigInt;
    use super::super::columns::sql::Ident;

    user_numbers (number) {
        number -> BigInt,
        user_id -> Ident,
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
    use diesel::sql_types::Text;
    use super::super::columns::sql::Moment;

    roles (name) {
        name -> Text,
        permissions -> Text,
        updated_at -> Moment,
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
    use diesel::sql_types::{BigInt, Binary, Nullable, Text};
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
        actor_session_id -> Nullable<Ident>,
        detail -> Nullable<Text>,
        salt -> Nullable<Binary>,
        commitment -> Nullable<Binary>,
        seq -> Nullable<BigInt>,
        digest -> Nullable<Binary>,
        signature -> Nullable<Text>,
    }
}

table! {
    use diesel::sql_types::{BigInt, Binary, Bool, Text};
    use super::super::columns::sql::Moment;

    audit_chain (only_row) {
        only_row -> Bool,
        retention_boundary_seq -> BigInt,
        retention_boundary_digest -> Binary,
        retention_boundary_at -> Moment,
        retention_boundary_signature -> Text,
        checkpoint_seq -> BigInt,
        checkpoint_digest -> Binary,
        checkpoint_at -> Moment,
        checkpoint_signature -> Text,
    }
}

table! {
    use super::super::columns::sql::{Ident, Moment};

    erasures (user_id) {
        user_id -> Ident,
        requested_at -> Moment,
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
        dedup_key -> Ident,
        email -> Text,
        key_id -> Text,
        salt -> Binary,
        secret -> Binary,
        code_attempts -> BigInt,
        reserves_email -> Bool,
        created_at -> Moment,
        expires_at -> Moment,
    }
}

table! {
    use diesel::sql_types::{BigInt, Nullable, Text};
    use super::super::columns::sql::{Ident, Moment};

    outbox_emails (id) {
        id -> Ident,
        kind -> Text,
        recipient -> Text,
        user_id -> Nullable<Ident>,
        signup_id -> Nullable<Ident>,
        link_id -> Nullable<Ident>,
        created_at -> Moment,
        ip -> Nullable<Text>,
        slot -> Nullable<Text>,
        scheduled_at -> Moment,
        next_attempt_at -> Moment,
        previous_attempt_due_at -> Nullable<Moment>,
        attempts -> BigInt,
        state -> Text,
        finished_at -> Nullable<Moment>,
        failure -> Nullable<Text>,
    }
}

table! {
    use diesel::sql_types::{BigInt, Nullable, Text};
    use super::super::columns::sql::Moment;

    invalidation_events (seq) {
        seq -> BigInt,
        xid -> BigInt,
        kind -> Text,
        subject -> Nullable<Text>,
        revoked_before -> Nullable<Moment>,
        reason -> Nullable<Text>,
        happened_at -> Moment,
        expires_at -> Moment,
    }
}

table! {
    use diesel::sql_types::{Binary, Nullable, Text};
    use super::super::columns::sql::{Ident, Moment};

    known_devices (id) {
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

table! {
    use diesel::sql_types::{BigInt, Binary};
    use super::super::columns::sql::Moment;

    rate_limit_counters (key) {
        key -> Binary,
        count -> BigInt,
        last_at -> Moment,
        expires_at -> Moment,
    }
}

allow_tables_to_appear_in_same_query!(links, roles, sessions, user_roles, users);

#[declare_sql_function]
extern "SQL" {
    /// Folds the case of ASCII letters, because the columns it is used on are compared byte by
    /// byte.
    fn lower(text: diesel::sql_types::Text) -> diesel::sql_types::Text;

    /// Joins all values of a group into one text.
    #[aggregate]
    fn string_agg(
        value: diesel::sql_types::Text,
        separator: diesel::sql_types::Text,
    ) -> diesel::sql_types::Nullable<diesel::sql_types::Text>;
}

/// Selects the roles and permissions of the query's account: the names of its roles in one text,
/// and the permissions of its custom roles in another.
#[auto_type]
pub fn held_by_user() -> _ {
    let names = user_roles::table
        .filter(user_roles::user_id.eq(users::id))
        .select(string_agg(user_roles::role, ","))
        .single_value();
    let given = user_roles::table
        .inner_join(roles::table.on(roles::name.eq(user_roles::role)))
        .filter(user_roles::user_id.eq(users::id))
        .select(string_agg(roles::permissions, ","))
        .single_value();
    (names, given)
}

/// Like `held_by_user`, for the session's user.
#[auto_type]
pub fn held_by_session() -> _ {
    let names = user_roles::table
        .filter(user_roles::user_id.eq(sessions::user_id))
        .select(string_agg(user_roles::role, ","))
        .single_value();
    let given = user_roles::table
        .inner_join(roles::table.on(roles::name.eq(user_roles::role)))
        .filter(user_roles::user_id.eq(sessions::user_id))
        .select(string_agg(roles::permissions, ","))
        .single_value();
    (names, given)
}
