"""Answers and requests that the rows of djangorestframework-simplejwt share."""

from patterns import ANY, JWT, TOKEN, Ordered
from rows import Answer, either, post

LOGIN, REFRESH = "/api/token/", "/api/token/refresh/"
VERIFY, BLACKLIST = "/api/token/verify/", "/api/token/blacklist/"
ADA = {"username": "{ada}", "password": "{ada_password}"}
POST_ONLY = "POST, OPTIONS"

REQUIRED = "This field is required."
BLANK = "This field may not be blank."
NULL = "This field may not be null."
NO_STRING = "Not a valid string."

INVALID = "Token is invalid or expired"
WHY_INVALID = "`Token is invalid or expired` for both, as the documentation of its users shows"
WHY_SLASH = "a path works without the final slash too; there is no redirect"
WHY_SIGNED = "only tokens that Gateward has signed, with all claims, are valid"
WHY_SESSION = "access tokens end with their session, at once"


def denied(detail, code=None, **more):
    """A 401 of DRF."""
    body = {"detail": detail, "code": code} if code else {"detail": detail}
    return Answer(401, {**body, **more}, www='Bearer realm="api"')


def bad_token(detail):
    """A token that a token endpoint does not accept."""
    return denied(detail, "token_not_valid")


def unusable(message):
    """A token that a protected endpoint does not accept."""
    kind = {"token_class": "AccessToken", "token_type": "access", "message": message}
    text = "Given token not valid for any token type"
    return denied(text, "token_not_valid", messages=[kind])


def wrong(**fields):
    """A 400 with a text for each field."""
    return Answer(400, {name: [text] for name, text in fields.items()})


def moved(path):
    """Django's redirect to the path with the final slash."""
    return Answer(301, "", type="text/html", location=path)


def not_allowed(method, allow=POST_ONLY):
    """A wrong method."""
    return Answer(405, {"detail": f'Method "{method}" not allowed.'}, allow=allow)


def unsupported(media):
    """A media type that no parser reads."""
    return Answer(415, {"detail": f'Unsupported media type "{media}" in request.'})


PAIR = Answer(200, Ordered(refresh=TOKEN, access=JWT))
ROTATED = Answer(200, Ordered(access=JWT, refresh=TOKEN))
DONE = Answer(200, {})
CRASH = Answer(500, ANY, type="text/html")
NO_ACCOUNT = denied("No active account found with the given credentials")
NO_ACCOUNT_OF_TOKEN = denied("No active account found for the given token.")
BLACKLISTED = bad_token("Token is blacklisted")
WRONG_TYPE = bad_token("Token has wrong type")
NOT_VALID = bad_token(INVALID)
VERIFY_BLACKLISTED = Answer(400, {"non_field_errors": ["Token is blacklisted"]})
# An access token that is refused because its session has ended. No text is fixed for that.
ENDED = unusable(either(INVALID, "Token is invalid", "Token is blacklisted"))
INVALID_ACCESS = unusable(either(INVALID, "Token is invalid"))
EXPIRED_ACCESS = unusable(either(INVALID, "Token is expired"))


def login(user="ada", **more):
    """Logs in."""
    return post(LOGIN, {"username": f"{{{user}}}", "password": f"{{{user}_password}}"}, **more)


def refresh(variable="refresh", **more):
    """Refreshes with the token in a variable."""
    return post(REFRESH, {"refresh": f"{{{variable}}}"}, **more)


def verify(variable, **more):
    """Verifies the token in a variable."""
    return post(VERIFY, {"token": f"{{{variable}}}"}, **more)


def blacklist(variable="refresh", **more):
    """Blacklists the token in a variable."""
    return post(BLACKLIST, {"refresh": f"{{{variable}}}"}, **more)
