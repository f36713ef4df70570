"""Answers and requests that the rows of Flask-JWT-Extended share."""

from patterns import ANY, TEXT, matching
from rows import Answer, either, post

ADA = {"username": "{ada}", "password": "{ada_password}"}

BAD_SCHEME = (
    "Missing 'Bearer' type in 'Authorization' header. Expected 'Authorization: Bearer <JWT>'"
)
BAD_HEADER = "Bad Authorization header. Expected 'Authorization: Bearer <JWT>'"

WHY_CASE = "usernames are unique regardless of case"
WHY_EMAIL = "`username` takes an email address too"
WHY_HTML = "Gateward's errors are JSON, where Flask has an HTML page"
WHY_OPTIONS = "OPTIONS is only for CORS"
WHY_REFRESH_CLAIMS = "refresh tokens have Gateward's claims only; clients do not read them"
WHY_ROTATION = "refresh tokens rotate: each works once"
WHY_SESSION = "logging out ends the whole session, with both of its tokens"
WHY_SIGNED = "only tokens that Gateward has signed, with all claims, are valid"
WHY_TEXT = "the texts of PyJWT change with its version; Gateward has its own, stable ones"
WHY_USER = "the sessions of the user have ended, which is found first"


def said(text, status=200, **more):
    """An answer with this text as `msg`."""
    return Answer(status, {"msg": text}, **more)


def refused(text, status=401):
    """An error of the package."""
    return said(text, status)


def page(status):
    """An error page of Flask."""
    return Answer(status, ANY, type="text/html")


def stable(status=422):
    """An error with a text of Gateward's own."""
    return said(TEXT, status)


def login(user="ada", **more):
    """Logs in."""
    return post("/login", {"username": f"{{{user}}}", "password": f"{{{user}_password}}"}, **more)


BAD_LOGIN = refused("Bad username or password")
REVOKED = refused("Token has been revoked")
EXPIRED = refused("Token has expired")
NOT_ACCESS = refused("Only non-refresh tokens are allowed", 422)
NOT_REFRESH = refused("Only refresh tokens are allowed", 422)
BAD_SIGNATURE = refused("Signature verification failed", 422)
NO_USER = refused(matching(r"Error loading the user \S+"))
GONE = refused(either(matching(r"Error loading the user \S+"), "Token has been revoked"))
HELLO = Answer(200, {"message": "Hello, {ada}!"})
LOGGED_OUT = Answer(200, {"msg": TEXT})
OPTIONS = Answer(200, ANY, type=ANY, allow=matching(".*OPTIONS.*"))
OUR_OPTIONS = Answer(either(200, 204, 405), ANY, type=ANY)
