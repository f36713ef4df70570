//! The ports, each in its file, over the unit of work of the backend that includes them.

mod events;
mod keys;
mod tokens;
mod users;
