//! What several tests use: nodes with their databases, emails, clients, and what they look like.

pub(crate) mod api;
pub(crate) mod canaries;
pub(crate) mod commands;
pub(crate) mod cookie_jar;
pub(crate) mod emails;
pub(crate) mod feed_follower;
pub(crate) mod honest;
pub(crate) mod inbox;
pub(crate) mod mail_fixture;
pub(crate) mod metrics;
pub(crate) mod own_server;
pub(crate) mod pages;
pub(crate) mod pair;
pub(crate) mod password_reset;
pub(crate) mod post;
pub(crate) mod pulse;
pub(crate) mod responses;
pub(crate) mod stolen_database;
pub(crate) mod test_server;
pub(crate) mod walk;
