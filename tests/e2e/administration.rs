//! Administering accounts over the API, on two nodes of one database.

mod accounts;
mod fixture;
mod invitations;
mod last_admin;
mod list;
mod others;
mod roles;
mod trail;
