//! The domain of Gateward: value types and entities, rules and ports.
//!
//! This crate does no I/O and depends on no runtime and no wire format. Value types reject invalid
//! values when they are constructed. Rules are plain functions. The [`ports`] declare what the use
//! cases need from their environment.

#![warn(missing_docs)]

pub mod audit;
pub mod audit_check;
pub mod email;
mod email_address;
pub mod event;
pub mod feed;
mod id;
pub mod key;
pub mod known_device;
pub mod link;
#[cfg(feature = "mock")]
pub mod mock;
mod password;
pub mod ports;
pub mod rate_limit;
pub mod refresh;
mod role;
mod session;
pub mod signup;
mod time;
mod token;
mod user;
mod username;

pub use email_address::{EmailAddress, EmailAddressError};
pub use event::{Actor, Event, EventKind, EventSalt};
pub use id::{EmailId, EventId, KnownDeviceId, LinkId, SessionId, SignupId, TokenId, UserId};
pub use password::{Password, PasswordError, PasswordHash, PasswordPolicy};
pub use role::{BadRoleName, Permission, PermissionSet, Role, RoleName, permissions_given};
pub use session::{End, EndReason, RequestInfo, Session};
pub use time::Timestamp;
pub use token::{
    AccessClaims, AccessGrant, AccessToken, CsrfUse, TokenError, TokenPair, TokenText,
    derived_csrf_token,
};
pub use user::{AccountDisabled, Identifier, PublicUserId, User, UserRange};
pub use username::{Username, UsernameError};
