//! The ports, one per file, over the unit of work of the backend that includes them.

mod audit;
mod events;
mod feed;
mod keys;
mod known_devices;
mod links;
mod outbox_emails;
mod rate_limits;
mod roles;
mod signups;
mod tokens;
mod user_pages;
mod users;
