//! The authentication cache of a node: recently ended sessions, and users.
//!
//! The store is the source of truth. The cache holds what the feed has reported, and is used only
//! while that is fresh.

mod ends;
mod node;

pub use node::{FRESH_FOR, NodeAuthCache};
