//! What a node knows without asking its store: the sessions that ended lately, and users.
//!
//! Nothing here is the truth. It is what the feed has told, and it is used only while that is new.

mod ends;
mod node;

pub use node::{FRESH_FOR, NodeAuthCache};
