//! What Gateward is about: nouns, rules and ports.
//!
//! Nothing here does input or output, knows a runtime or a wire format. The nouns hold no bad
//! value; the rules are plain functions; the [`ports`] say what the use cases need from the world.

pub mod audit;
pub mod audit_check;
pub mod client;
mod email;
pub mod event;
pub mod feed;
mod id;
pub mod key;
pub mod link;
pub mod mail;
#[cfg(feature = "mock")]
pub mod mock;
mod password;
pub mod ports;
pub mod refresh;
mod role;
mod session;
pub mod signup;
pub mod throttle;
mod time;
mod token;
mod user;
mod username;

pub use email::{Email, EmailError};
pub use event::{Actor, Event, EventKind, EventSalt};
pub use id::{ClientId, EventId, LetterId, LinkId, SessionId, SignupId, TokenId, UserId};
pub use password::{Password, PasswordError, PasswordHash, PasswordPolicy};
pub use role::{BadRoleName, Permission, PermissionSet, Role, RoleName, permissions_given};
pub use session::{End, EndReason, Origin, Session};
pub use time::Timestamp;
pub use token::{AccessClaims, AccessGrant, AccessToken, TokenError, TokenPair, TokenText};
pub use user::{AccountDisabled, Identifier, User, UserRange};
pub use username::{Username, UsernameError};
