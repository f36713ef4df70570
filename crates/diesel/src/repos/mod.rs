//! The ports, each in its file, over the unit of work of the backend that includes them.

mod clients;
mod events;
mod feed;
mod keys;
mod letters;
mod links;
mod signups;
mod tokens;
mod users;
