//! The tags of the API document and their operations, in the order of use.

use utoipa::openapi::extensions::ExtensionsBuilder;
use utoipa::openapi::path::Operation;
use utoipa::openapi::tag::{Tag, TagBuilder};

/// The extension with the position of an operation. The order of paths is not enough: the
/// operations of one path can belong to different tags.
pub(crate) const ORDER: &str = "x-order";

/// The tag of the operations of dialects.
const DIALECTS: &str = "Dialects";

/// A tag and the IDs of its operations.
struct Group {
    name: &'static str,
    description: &'static str,
    operations: &'static [&'static str],
}

/// Every operation of the document, exactly once.
const JOURNEY: &[Group] = &[
    Group {
        name: "Getting started",
        description: "Sign up, confirm the email address, log in, use the access token, refresh \
                      it, log out.",
        operations: &[
            "signUp",
            "confirmEmail",
            "logIn",
            "getCurrentUser",
            "refreshTokens",
            "logOut",
        ],
    },
    Group {
        name: "Account",
        description: "Accept an invitation; change, export or delete your own account.",
        operations: &[
            "acceptInvitation",
            "updateCurrentUser",
            "reauthenticate",
            "exportCurrentUser",
            "deleteCurrentUser",
        ],
    },
    Group {
        name: "Password",
        description: "Change your password, or reset a forgotten one.",
        operations: &["changePassword", "requestPasswordReset", "resetPassword"],
    },
    Group {
        name: "Email",
        description: "Request another confirmation email, or change your email address.",
        operations: &["resendConfirmationEmail", "changeEmail", "undoEmailChange"],
    },
    Group {
        name: "Sessions",
        description: "List and end your own sessions.",
        operations: &["listSessions", "endSession", "logOutEverywhere", "reportLogin"],
    },
    Group {
        name: "Token verification",
        description: "For services that accept access tokens: public keys, revocations and \
                      introspection.",
        operations: &[
            "getServerMetadata",
            "getJwks",
            "listRevocations",
            "streamRevocations",
            "introspectToken",
            "revokeToken",
        ],
    },
    Group {
        name: "Administration",
        description: "Manage users, their sessions and their roles. Each operation needs a \
                      permission.",
        operations: &[
            "listUsers",
            "inviteUser",
            "getUser",
            "updateUser",
            "listRoles",
            "putRole",
            "getRole",
            "setUserRoles",
            "resetUserPassword",
            "listUserSessions",
            "endUserSession",
            "endUserSessions",
            "disableUser",
            "enableUser",
            "deleteUser",
            "deleteRole",
        ],
    },
    Group {
        name: "Audit",
        description: "Find out what happened, and why a session ended.",
        operations: &["listAuditEvents", "explainSession"],
    },
    Group {
        name: "Operations",
        description: "For operators: health checks and this API document.",
        operations: &["getLiveness", "getReadiness", "getOpenApiDocument"],
    },
];

/// The tags in order.
pub(super) fn tags(has_dialects: bool) -> Vec<Tag> {
    let tag =
        |name, description| TagBuilder::new().name(name).description(Some(description)).build();
    let dialects = "The wires of other systems, for clients that were written for them.";
    let dialects = has_dialects.then(|| tag(DIALECTS, dialects));
    JOURNEY.iter().map(|group| tag(group.name, group.description)).chain(dialects).collect()
}

/// The position of an operation in the document, from 0.
pub(crate) fn position(id: &str) -> Option<usize> {
    JOURNEY.iter().flat_map(|group| group.operations).position(|operation| *operation == id)
}

/// Sets the tag and the position of an operation.
pub(crate) fn place(operation: &mut Operation) {
    let id = operation.operation_id.as_deref().unwrap_or_default();
    let group = JOURNEY.iter().find(|group| group.operations.contains(&id));
    operation.tags = group.map(|group| vec![group.name.to_owned()]);
    let order = position(id).map(|position| ExtensionsBuilder::new().add(ORDER, position).build());
    operation.extensions = order;
}

/// Sets the tag of an operation of a dialect, after all others.
pub(crate) fn place_dialect(operation: &mut Operation) {
    operation.tags = Some(vec![DIALECTS.to_owned()]);
    operation.extensions = Some(ExtensionsBuilder::new().add(ORDER, usize::from(u16::MAX)).build());
}
