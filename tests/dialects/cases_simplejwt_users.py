"""The rows of djoser beside djangorestframework-simplejwt: a protected view, and signing up."""

from common_simplejwt import (
    BLANK,
    ENDED,
    EXPIRED_ACCESS,
    INVALID_ACCESS,
    PAIR,
    REQUIRED,
    WHY_INVALID,
    WHY_SESSION,
    WHY_SIGNED,
    WHY_SLASH,
    blacklist,
    denied,
    login,
    moved,
    not_allowed,
    refresh,
    unusable,
    wrong,
)
from patterns import ANY, NUMBER, TEXTS, UUID, matching
from rows import Answer, Step, bearer, either, get, post, row

ME, USERS = "/auth/users/me/", "/auth/users/"
NO_CREDENTIALS = denied("Authentication credentials were not provided.")
BAD_HEADER = denied(
    "Authorization header must contain two space-delimited values", "bad_authorization_header")
ID = either(NUMBER, UUID)
ADA = Answer(200, {"id": ID, "username": "{ada}", "email": "{ada_email}"})
PASSWORD = "seven lamps by the river"
WHY_EMAIL = "every account has an email address, and no two have the same"


def me(variable):
    """The protected view, with the token in a variable."""
    return get(ME, bearer(variable))


def with_header(text):
    """The protected view, with this header."""
    return get(ME, {"Authorization": text})


PROTECTED = [
    row("me", login(), me("access"), real=ADA),
    row("me: type of the id", login(), me("access"),
        real=Answer(200, {"id": NUMBER, "username": ANY, "email": ANY}),
        ours=Answer(200, {"id": UUID, "username": ANY, "email": ANY}), either=True,
        why="the id is a UUID unless `dialects.user_ids` is `integer`"),
    row("me: two spaces in the header", login(), with_header("Bearer  {access}"), real=ADA,
        ours=(BAD_HEADER, INVALID_ACCESS, NO_CREDENTIALS), either=True,
        why="the header is read strictly"),
    row("me: access token from a refresh", login(), refresh(save="new_"), me("new_access"),
        real=ADA),
    row("me: the earlier access token, after a refresh", login(), refresh(save="new_"),
        me("access"), real=ADA),
    row("me: without the final slash", login(), get("/auth/users/me", bearer("access")),
        real=moved(ME), ours=ADA, why=WHY_SLASH),
    row("me: no header", get(ME), real=NO_CREDENTIALS),
    row("me: empty header", with_header(""), real=NO_CREDENTIALS),
    row("me: bearer in lower case", login(), with_header("bearer {access}"),
        real=NO_CREDENTIALS),
    row("me: bearer in capitals", login(), with_header("BEARER {access}"), real=NO_CREDENTIALS),
    row("me: scheme Token", login(), with_header("Token {access}"), real=NO_CREDENTIALS),
    row("me: scheme JWT", login(), with_header("JWT {access}"), real=NO_CREDENTIALS),
    row("me: scheme Basic", with_header("Basic YTpi"), real=NO_CREDENTIALS),
    row("me: no scheme", login(), with_header("{access}"), real=NO_CREDENTIALS),
    row("me: Bearer alone", with_header("Bearer"), real=BAD_HEADER),
    row("me: three parts", login(), with_header("Bearer {access} more"), real=BAD_HEADER),
    row("me: token in the query only", login(), get(ME + "?token={access}"),
        real=NO_CREDENTIALS),
    row("me: token in a cookie only", login(), get(ME, {"Cookie": "access={access}"}),
        real=NO_CREDENTIALS),
    row("me: no token at all", with_header("Bearer rubbish"), real=unusable("Token is invalid"),
        ours=INVALID_ACCESS, why=WHY_INVALID, either=True),
    row("me: tampered", login(), me("access|tampered"), real=unusable("Token is invalid"),
        ours=INVALID_ACCESS, why=WHY_INVALID, either=True),
    row("me: signature missing", login(), me("access|unpadded"),
        real=unusable("Token is invalid"), ours=INVALID_ACCESS, why=WHY_INVALID, either=True),
    row("me: signed with another key", me("foreign_access"), real=unusable("Token is invalid"),
        ours=INVALID_ACCESS, why=WHY_INVALID, either=True),
    row("me: algorithm none", me("unsigned_access"), real=unusable("Token is invalid"),
        ours=INVALID_ACCESS, why=WHY_INVALID, either=True),
    row("me: other algorithm", me("other_alg_access"), real=unusable("Token is invalid"),
        ours=INVALID_ACCESS, why=WHY_INVALID, either=True),
    row("me: expired", me("expired_access"), real=unusable("Token is expired"),
        ours=EXPIRED_ACCESS, why=WHY_INVALID, either=True),
    row("me: refresh token", login(), me("refresh"), real=unusable("Token has wrong type")),
    row("me: no token_type", me("access_no_type"), real=unusable("Token has no type"),
        ours=INVALID_ACCESS, why=WHY_SIGNED),
    row("me: no jti", me("access_no_jti"), real=unusable("Token has no id"),
        ours=INVALID_ACCESS, why=WHY_SIGNED),
    row("me: no exp", me("access_no_exp"), real=unusable("Token has no 'exp' claim"),
        ours=INVALID_ACCESS, why=WHY_SIGNED),
    row("me: no user_id", me("access_no_user"),
        real=denied("Token contained no recognizable user identification", "token_not_valid"),
        ours=INVALID_ACCESS, why=WHY_SIGNED),
    row("me: disabled user", me("disabled_access"),
        real=denied("User is inactive", "user_inactive")),
    row("me: deleted user", me("deleted_access"), real=denied("User not found", "user_not_found")),
    row("me: after blacklisting the refresh token", login(), blacklist(), me("access"),
        real=ADA, ours=ENDED, why=WHY_SESSION),
    row("me: POST", login(), post(ME, {}, bearer("access")), real=not_allowed("POST", ANY)),
]


def signup(username="{fresh}", email="{fresh}@example.org", password=PASSWORD, **more):
    """Signs up with these members; those that are None are left out."""
    body = {"username": username, "email": email, "password": password}
    return post(USERS, {name: text for name, text in body.items() if text is not None}, **more)


CREATED = Answer(201, {"email": "{fresh}@example.org", "username": "{fresh}", "id": ID})
TAKEN = wrong(username="A user with that username already exists.")

SIGNUPS = [
    row("sign-up", signup(), real=CREATED),
    row("sign-up: form", Step("POST", USERS, form={
        "username": "{fresh}", "email": "{fresh}@example.org", "password": PASSWORD,
    }), real=CREATED),
    row("sign-up: unknown members are ignored", post(USERS, {
        "username": "{fresh}", "email": "{fresh}@example.org", "password": PASSWORD, "is_staff": 1,
    }), real=CREATED),
    row("sign-up: without the final slash", post("/auth/users", {
        "username": "{fresh}", "email": "{fresh}@example.org", "password": PASSWORD,
    }), real=moved(USERS), ours=CREATED, why=WHY_SLASH),
    row("sign-up: then login", signup(),
        post("/api/token/", {"username": "{fresh}", "password": PASSWORD}), real=PAIR),
    row("sign-up: username taken", signup("{ada}"), real=TAKEN),
    row("sign-up: username taken, in capitals", signup("{ada|upper}"),
        real=Answer(201, {"email": ANY, "username": "{ada|upper}", "id": ID}),
        ours=TAKEN, why="usernames are unique regardless of case"),
    row("sign-up: email address taken", signup(email="{ada_email}"),
        real=Answer(201, {"email": "{ada_email}", "username": "{fresh}", "id": ID}),
        ours=Answer(400, {"email": TEXTS}), why=WHY_EMAIL),
    row("sign-up: no email address", signup(email=None),
        real=Answer(201, {"email": "", "username": "{fresh}", "id": ID}),
        ours=wrong(email=REQUIRED), why=WHY_EMAIL),
    row("sign-up: empty object", post(USERS, {}), real=wrong(username=REQUIRED, password=REQUIRED),
        ours=wrong(username=REQUIRED, email=REQUIRED, password=REQUIRED), why=WHY_EMAIL),
    row("sign-up: blank username", signup(""), real=wrong(username=BLANK)),
    row("sign-up: blank password", signup(password=""), real=wrong(password=BLANK)),
    row("sign-up: no address at all", signup(email="rubbish"),
        real=wrong(email="Enter a valid email address.")),
    row("sign-up: username with a space", signup("a b {fresh}"),
        real=Answer(400, {"username": [matching("Enter a valid username[.] .+")]}),
        ours=Answer(400, {"username": TEXTS}), either=True,
        why="the rules for usernames are Gateward's own"),
    row("sign-up: short password", signup(password="x7-r"), real=wrong(password=
        "This password is too short. It must contain at least 8 characters."),
        ours=Answer(400, {"password": TEXTS}), either=True,
        why="the rules for passwords are Gateward's own"),
    row("sign-up: common password", signup(password="password123"),
        real=wrong(password="This password is too common."),
        ours=Answer(400, {"password": TEXTS}), either=True,
        why="the rules for passwords are Gateward's own"),
    row("sign-up: malformed JSON", post(USERS, raw=b"{"),
        real=Answer(400, {"detail": matching("JSON parse error - .+")})),
    row("sign-up: text/plain", post(USERS, {}, {"Content-Type": "text/plain"}),
        real=Answer(415, {"detail": 'Unsupported media type "text/plain" in request.'})),
    row("users: list without a token", get(USERS), real=NO_CREDENTIALS,
        ours=not_allowed("GET", ANY), why="users are listed by the administration API",
        either=True),
]

ROWS = PROTECTED + SIGNUPS
