//! The texts of the pages, page by page. Titles, leads, labels and buttons are inserted as they
//! are, so they contain no HTML. `page.js` has the words of its button to show and hide a password.

use crate::problem::Code;

// `/confirm-email`: confirm the email address of a sign-up, an account or a change.
pub(super) const CONFIRM_TITLE: &str = "Confirm your email address";
pub(super) const CONFIRM_LEAD: &str =
    "Enter your password to confirm your email address. You can then log in.";
pub(super) const CONFIRM_PASSWORD: &str = "Password";
pub(super) const CONFIRM_PASSWORD_HINT: &str = "The password for your account. It shows that the \
    account is yours, in case another person entered your email address.";
pub(super) const CONFIRM_BUTTON: &str = "Confirm email address";
pub(super) const CONFIRM_DONE: Done = ("Your email address is confirmed", "You can now log in.");
/// One text for all reasons, so that it reveals nothing.
pub(super) const CONFIRM_LINK: &str = "Your email address could not be confirmed. Check your \
    password, and the code if you typed one. If they are correct, the link or code has expired, \
    was already used or was replaced by one in a newer email. Request a new confirmation email \
    where you signed up or changed your email address.";

// The same page, when another account has taken the username of a sign-up.
pub(super) const USERNAME: &str = "New username";
pub(super) const USERNAME_HINT: &str =
    "3 to 32 characters: letters A to Z, digits, dots, underscores and hyphens.";
pub(super) const USERNAME_TAKEN: &str =
    "Another account took this username after you signed up. Choose a different one.";
pub(super) const USERNAME_LENGTH: &str = "Use 3 to 32 characters.";
pub(super) const USERNAME_CHARACTER: &str =
    "Use only letters A to Z, digits, dots, underscores and hyphens.";
pub(super) const USERNAME_RESERVED: &str = "This username is reserved. Choose another one.";

// `/reset-password`: set a new password with a link or a code.
pub(super) const RESET_TITLE: &str = "Set a new password";
pub(super) const RESET_LEAD: &str = "Choose a new password for your account. Setting it logs you \
    out everywhere. You can then log in with the new password.";
pub(super) const RESET_PASSWORD: &str = "New password";
pub(super) const RESET_BUTTON: &str = "Set new password";
pub(super) const RESET_DONE: Done = (
    "Your password was reset",
    "You have been logged out everywhere. Log in with your new password.",
);
/// One text for all reasons, so that it reveals nothing.
pub(super) const RESET_LINK: &str = "This link or code does not work. Perhaps it has expired, was \
    already used or was replaced by one in a newer email. If you typed the code, check it and your \
    email address. If it still does not work, request a new password reset email where you log in.";

// `/accept-invitation`: set the first password of an invited account.
pub(super) const INVITATION_TITLE: &str = "Accept your invitation";
pub(super) const INVITATION_LEAD: &str =
    "Choose a password to activate your account. You can then log in.";
pub(super) const INVITATION_PASSWORD: &str = "Password";
pub(super) const INVITATION_BUTTON: &str = "Set password";
pub(super) const INVITATION_DONE: Done =
    ("Your password is set", "You can now log in with your email address and your password.");
/// One text for all reasons, so that it reveals nothing.
pub(super) const INVITATION_LINK: &str = "This invitation has expired or was already used, or the \
    link is incomplete. If you have already set a password, log in. Otherwise, ask the person who \
    invited you for a new invitation.";

// `/undo-email-change`: keep the old email address, before or after a change.
pub(super) const UNDO_TITLE: &str = "Keep your email address";
pub(super) const UNDO_LEAD: &str = "We received a request to change the email address of your \
    account. If it was you, close this page. If it was not you, keep your old email address. This \
    undoes the change and logs you out everywhere. Your current password stops working, and we \
    will email you a link to set a new one.";
pub(super) const UNDO_BUTTON: &str = "Keep my email address";
pub(super) const UNDO_DONE: Done = (
    "Your email address is restored",
    "You have been logged out everywhere, and your old password no longer works. Check your email \
     for a link to set a new one.",
);
/// One text for all reasons, so that it reveals nothing.
pub(super) const UNDO_LINK: &str = "This link has expired or was already used, or it is \
    incomplete. If you have lost access to your account, contact support.";

// `/not-me`: report a login from a new device.
pub(super) const NOT_ME_TITLE: &str = "Was this you?";
pub(super) const NOT_ME_LEAD: &str = "There was a login to your account from a new device or \
    browser. If it was you, close this page. If it was not you, secure your account. You will be \
    logged out everywhere, your current password stops working, and we will email you a link to \
    set a new one.";
pub(super) const NOT_ME_BUTTON: &str = "Not me, secure my account";
pub(super) const NOT_ME_DONE: Done = (
    "Your account is secured",
    "You have been logged out everywhere, and your old password no longer works. Check your email \
     for a link to set a new one. If your email address was changed too, restore it first: use the \
     link in our earlier email about that change.",
);
/// One text for all reasons, so that it reveals nothing.
pub(super) const NOT_ME_LINK: &str = "This link has expired or was already used, or it is \
    incomplete. If the login was not yours, reset your password where you log in. That logs you \
    out everywhere.";

// The link and the code, on every page that takes them by hand.
pub(super) const OTHER_LINK: &str = "Use a different link";
pub(super) const CODE_INSTEAD: &str = "Use the code from the email instead";
pub(super) const LINK: &str = "Link";
pub(super) const LINK_HINT: &str = "Paste the complete link from the email.";
pub(super) const LINK_MISSING: &str = "Paste the link from the email.";
pub(super) const EMAIL: &str = "Email address";
pub(super) const EMAIL_HINT: &str = "The email address that the code was sent to.";
pub(super) const EMAIL_INCOMPLETE: &str =
    "Enter a complete email address, such as name@example.org.";
pub(super) const EMAIL_TOO_LONG: &str = "This email address is too long.";
pub(super) const EMAIL_INVISIBLE: &str =
    "This email address contains an invisible character. Type it again.";
pub(super) const CODE: &str = "Code";
pub(super) const CODE_HINT: &str = "The 8-digit code from the email.";
pub(super) const CODE_WRONG: &str = "Enter the 8-digit code from the email.";

// Passwords, on every page that asks for one.
pub(super) const SHOW: &str = "Show";
pub(super) const SHOW_PASSWORD: &str = "Show the password";
pub(super) const PASSWORD_MISSING: &str = "Enter a password.";
pub(super) const PASSWORD_TOO_LONG: &str = "Use at most 1,024 characters.";
pub(super) const PASSWORD_COMMON: &str = "This password is too common. Choose another one.";
pub(super) const PASSWORD_BREACHED: &str =
    "This password is on a list of leaked passwords, so it is easy to guess. Choose another one.";
pub(super) const PASSWORD_CONTEXT: &str = "This password is too similar to your username, your \
    email address or the name of this service. Choose another one.";

pub(super) fn password_hint(length_min: usize) -> String {
    format!("At least {length_min} characters. A few unrelated words make a good password.")
}

pub(super) fn password_too_short(length_min: usize) -> String {
    format!("Use at least {length_min} characters.")
}

// Above a form that is shown again because of an error in a field.
pub(super) const CHECK_FIELDS: &str = "Please check the fields below.";

// A form that is refused as a whole.
pub(super) const FORM_UNREADABLE: &str = "The form could not be read. Open the link in the email \
    again and submit the form on that page.";
pub(super) const FORM_LINK_AND_CODE: &str = "Use either the link or the code, not both. Open the \
    link in the email again.";
pub(super) const FORM_CROSS_SITE: &str = "For your security, this request was blocked because it \
    came from another site. Open the link in the email again and submit the form from there.";

// A problem of the service, as a title and what to do. The same text is above a form.
pub(super) const BROKEN: (&str, &str) = (
    "Something went wrong",
    "Something went wrong on our side. Submit the form again in a few minutes.",
);
pub(super) const METHOD: (&str, &str) =
    ("This page cannot be opened this way", "Open the link in the email again.");
pub(super) const TOO_MANY: &str = "Too many attempts";
pub(super) const UNAVAILABLE: &str = "Temporarily unavailable";

pub(super) fn too_many(seconds: u32) -> String {
    format!("Too many attempts. Wait {}, then submit the form again.", span(seconds))
}

pub(super) fn unavailable(seconds: Option<u32>) -> String {
    let wait = seconds.map_or_else(|| "a minute".to_owned(), span);
    format!("The service is temporarily unavailable. Wait {wait}, then submit the form again.")
}

/// A wait in words. Minutes are rounded up, so that a retry after that time works.
pub(super) fn span(seconds: u32) -> String {
    match seconds {
        1 => "1 second".to_owned(),
        0..120 => format!("{seconds} seconds"),
        120.. => format!("{} minutes", seconds.div_ceil(60)),
    }
}

/// The title of a page that refuses a request.
pub(super) const fn title(code: Code) -> &'static str {
    match code {
        Code::MalformedRequest
        | Code::UnsupportedMediaType
        | Code::BodyTooLarge
        | Code::ValidationFailed => "The form could not be submitted",
        Code::Forbidden => "Request blocked",
        other => other.title(),
    }
}

// Below the text of a page that refuses a request, before the request ID.
pub(super) const REQUEST_ID: &str = "If you contact support, include this request ID:";

/// The title of the page after an action, and the next step.
pub(super) type Done = (&'static str, &'static str);
