//! The ports, each in its file, over the unit of work of the backend that includes them.

mod audit;
mod clients;
mod events;
mod feed;
mod keys;
mod letters;
mod links;
mod roles;
mod signups;
mod throttles;
mod tokens;
mod user_pages;
mod users;
