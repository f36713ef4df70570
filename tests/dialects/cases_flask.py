"""The rows of Flask-JWT-Extended with tokens in bodies and in the header."""

from common_flask import (
    ADA,
    BAD_HEADER,
    BAD_LOGIN,
    BAD_SCHEME,
    BAD_SIGNATURE,
    EXPIRED,
    GONE,
    HELLO,
    LOGGED_OUT,
    NO_USER,
    NOT_ACCESS,
    NOT_REFRESH,
    OPTIONS,
    OUR_OPTIONS,
    REVOKED,
    WHY_CASE,
    WHY_EMAIL,
    WHY_HTML,
    WHY_OPTIONS,
    WHY_REFRESH_CLAIMS,
    WHY_ROTATION,
    WHY_SESSION,
    WHY_SIGNED,
    WHY_TEXT,
    WHY_USER,
    login,
    page,
    refused,
    stable,
)
from patterns import ANY, DIGITS, JWT, NUMBER, TEXT, TOKEN, UUID, Includes
from rows import Act, Answer, Step, bearer, get, post, row

PAIR = Answer(200, {"access_token": JWT, "refresh_token": TOKEN})
ONE = Answer(200, {"access_token": JWT})
NO_HEADER = refused("Missing Authorization Header")
CLAIMS = {
    "fresh": True, "iat": NUMBER, "jti": UUID, "type": "access", "sub": DIGITS, "nbf": NUMBER,
    "csrf": UUID, "exp": NUMBER,
}
OUR_CLAIMS = Includes(
    fresh=True, iat=NUMBER, jti=TEXT, type="access", sub=UUID, nbf=NUMBER, csrf=TEXT, exp=NUMBER)
WHY_CLAIMS = "`sub` is a UUID, `jti` is Gateward's, and its own claims stay"


def protected(variable):
    """The protected route, with the token in a variable."""
    return get("/protected", bearer(variable))


def with_header(text):
    """The protected route, with this header."""
    return get("/protected", {"Authorization": text})


def refresh(variable="refresh_token", **more):
    """Refreshes with the token in a variable."""
    return Step("POST", "/refresh", bearer(variable), **more)


def logout(variable="access_token", method="DELETE", **more):
    """Logs out with the token in a variable."""
    return Step(method, "/logout", bearer(variable), **more)


def sent(username="{ada}", password="{ada_password}"):
    """A login with these members."""
    return post("/login", {"username": username, "password": password})


# Where Flask has an error page, only the status of Gateward's answer is fixed.
BAD_BODY = stable(400)

LOGINS = [
    row("login: by username", login(), real=PAIR),
    row("login: unknown members are ignored", post("/login", {**ADA, "next": 1}), real=PAIR),
    row("login: a bad Authorization header is ignored",
        post("/login", ADA, {"Authorization": "Bearer rubbish"}), real=PAIR),
    row("login: claims of the access token", login(),
        real=Answer(200, ANY, claims={"access_token": CLAIMS}),
        ours=Answer(200, ANY, claims={"access_token": OUR_CLAIMS}), why=WHY_CLAIMS),
    row("login: claims of the refresh token", login(), real=Answer(200, ANY, claims={
        "refresh_token": {**CLAIMS, "fresh": False, "type": "refresh"}}),
        ours=Answer(200, ANY, claims={"refresh_token": Includes(exp=NUMBER, iat=NUMBER, sub=UUID)}),
        why=WHY_REFRESH_CLAIMS),
    row("login: by email address", sent("{ada_email}"), real=BAD_LOGIN, ours=PAIR, why=WHY_EMAIL),
    row("login: username in capitals", sent("{ada|upper}"), real=BAD_LOGIN,
        ours=PAIR, why=WHY_CASE),
    row("login: wrong password", sent("{dave}", "not the password"), real=BAD_LOGIN),
    row("login: unknown user", sent("nobody-here", "not the password"), real=BAD_LOGIN),
    row("login: disabled user", login("bob"), real=BAD_LOGIN),
    row("login: deleted user", login("carol"), real=BAD_LOGIN),
    row("login: user enabled again", Act("enable", "bob"), login("bob"), real=PAIR,
        after=(Act("disable", "bob"),)),
    row("login: no username", post("/login", {"password": "no"}), real=BAD_LOGIN),
    row("login: no password", post("/login", {"username": "{ada}"}), real=BAD_LOGIN),
    row("login: empty object", post("/login", {}), real=BAD_LOGIN),
    row("login: blank username", sent(""), real=BAD_LOGIN),
    row("login: blank password", sent(password=""), real=BAD_LOGIN),
    row("login: null username", sent(None), real=BAD_LOGIN),
    row("login: null password", sent(password=None), real=BAD_LOGIN),
    row("login: list as username", sent(["ada"]), real=BAD_LOGIN),
    row("login: number as password", sent(password=42), real=BAD_LOGIN),
    row("login: list as body", post("/login", ["ada"]), real=page(500),
        ours=(BAD_BODY, BAD_LOGIN), why="nothing answers 500"),
    row("login: malformed JSON", post("/login", raw=b"{username}"), real=page(400),
        ours=BAD_BODY, why=WHY_HTML),
    row("login: no body", post("/login", raw=b""), real=page(400),
        ours=(BAD_BODY, BAD_LOGIN), why=WHY_HTML),
    row("login: text/plain", post("/login", ADA, {"Content-Type": "text/plain"}), real=page(415),
        ours=stable(415), why=WHY_HTML),
    row("login: form", Step("POST", "/login", form=ADA), real=page(415),
        ours=(PAIR, stable(415)), why="forms may be accepted; an error is JSON"),
    row("login: GET", get("/login"), real=page(405), ours=stable(405), why=WHY_HTML),
    row("login: with a final slash", post("/login/", ADA), real=page(404),
        ours=(PAIR, Answer(404, ANY, type=ANY)), why="no page for a path that does not exist"),
    row("login: OPTIONS", Step("OPTIONS", "/login"), real=OPTIONS,
        ours=OUR_OPTIONS, why=WHY_OPTIONS),
    row("login: an error has its text twice", sent("{dave}", "no"), real=BAD_LOGIN, exact=True,
        ours=Answer(401, {"msg": "Bad username or password",
                          "message": "Bad username or password"}),
        why="`message` is beside `msg`, for clients written by hand"),
]

PROTECTED = [
    row("protected", login(), protected("access_token"), real=HELLO),
    row("protected: two spaces in the header", login(), with_header("Bearer  {access_token}"),
        real=HELLO, ours=(refused(BAD_HEADER, 422), refused(BAD_SCHEME)), either=True,
        why="the header is read strictly"),
    row("protected: no header", get("/protected"), real=NO_HEADER),
    row("protected: empty header", with_header(""), real=NO_HEADER),
    row("protected: bearer in lower case", login(), with_header("bearer {access_token}"),
        real=refused(BAD_SCHEME)),
    row("protected: scheme Basic", with_header("Basic YTpi"), real=refused(BAD_SCHEME)),
    row("protected: scheme JWT", login(), with_header("JWT {access_token}"),
        real=refused(BAD_SCHEME)),
    row("protected: no scheme", login(), with_header("{access_token}"), real=refused(BAD_SCHEME)),
    row("protected: Bearer alone", with_header("Bearer"), real=refused(BAD_HEADER, 422)),
    row("protected: three parts", login(), with_header("Bearer {access_token} more"),
        real=refused(BAD_HEADER, 422)),
    row("protected: token in the query only", login(), get("/protected?jwt={access_token}"),
        real=NO_HEADER),
    row("protected: token in a cookie only", login(),
        get("/protected", {"Cookie": "access_token_cookie={access_token}"}), real=NO_HEADER),
    row("protected: no token at all", with_header("Bearer rubbish"),
        real=refused("Not enough segments", 422), ours=stable(), why=WHY_TEXT),
    row("protected: three segments of rubbish", with_header("Bearer a.b.c"),
        real=refused("Invalid header padding", 422), ours=stable(), why=WHY_TEXT),
    row("protected: signature missing", login(), protected("access_token|unpadded"),
        real=refused("Not enough segments", 422), ours=stable(), why=WHY_TEXT),
    row("protected: tampered", login(), protected("access_token|tampered"), real=BAD_SIGNATURE,
        ours=stable(), why=WHY_TEXT, either=True),
    row("protected: signed with another key", protected("foreign_access"), real=BAD_SIGNATURE,
        ours=stable(), why=WHY_TEXT, either=True),
    row("protected: algorithm none", protected("unsigned_access"),
        real=refused("The specified alg value is not allowed", 422),
        ours=stable(), why=WHY_TEXT, either=True),
    row("protected: other algorithm", protected("other_alg_access"),
        real=refused("The specified alg value is not allowed", 422),
        ours=stable(), why=WHY_TEXT, either=True),
    row("protected: expired", protected("expired_access"), real=EXPIRED),
    row("protected: refresh token", login(), protected("refresh_token"), real=NOT_ACCESS),
    row("protected: no sub", protected("no_sub"), real=refused("Missing claim: sub", 422),
        ours=stable(), why=WHY_SIGNED),
    row("protected: number as sub", protected("number_sub"),
        real=refused("Subject must be a string", 422), ours=stable(), why=WHY_SIGNED),
    row("protected: nbf in the future", protected("future_nbf"),
        real=refused("The token is not yet valid (nbf)", 422), ours=stable(), why=WHY_SIGNED),
    row("protected: iat in the future", protected("future_iat"),
        real=refused("The token is not yet valid (iat)", 422), ours=stable(), why=WHY_SIGNED),
    row("protected: no type", protected("no_type"), real=HELLO, ours=stable(), why=WHY_SIGNED),
    row("protected: other type", protected("other_type"), real=HELLO,
        ours=stable(), why=WHY_SIGNED),
    row("protected: no exp", protected("no_exp"), real=HELLO,
        ours=stable(), why="`exp` is required, and " + WHY_SIGNED),
    row("protected: disabled user", protected("disabled_access_token"), real=NO_USER,
        ours=GONE, why=WHY_USER, either=True),
    row("protected: deleted user", protected("deleted_access_token"), real=NO_USER,
        ours=GONE, why=WHY_USER, either=True),
    row("protected: POST", login(), post("/protected", {}, bearer("access_token")),
        real=page(405), ours=stable(405), why=WHY_HTML),
    row("protected: OPTIONS needs no token", Step("OPTIONS", "/protected"), real=OPTIONS,
        ours=OUR_OPTIONS, why=WHY_OPTIONS),
]

REFRESHES = [
    row("refresh", login(), refresh(), real=ONE, ours=PAIR, why="the next refresh token comes too"),
    row("refresh: then protected", login(), refresh(save="new_"), protected("new_access_token"),
        real=HELLO),
    row("refresh: the earlier access token stays", login(), refresh(save="new_"),
        protected("access_token"), real=HELLO),
    row("refresh: the new access token is not fresh", login(), refresh(),
        real=Answer(200, ANY, claims={"access_token": {**CLAIMS, "fresh": False}}),
        ours=Answer(200, ANY, claims={"access_token": Includes(OUR_CLAIMS, fresh=False)}),
        why=WHY_CLAIMS),
    row("refresh: twice with one token", login(), refresh(save="new_"), refresh(), real=ONE,
        ours=REVOKED, why=WHY_ROTATION),
    row("refresh: with the newest token", login(), refresh(save="new_"),
        refresh("new_refresh_token/refresh_token"), real=ONE, ours=PAIR,
        why="the next refresh token comes too"),
    row("refresh: access token", login(), refresh("access_token"), real=NOT_REFRESH),
    row("refresh: no header", post("/refresh"), real=NO_HEADER),
    row("refresh: token in the body only", login(),
        post("/refresh", {"refresh_token": "{refresh_token}"}), real=NO_HEADER),
    row("refresh: bearer in lower case", login(),
        post("/refresh", headers={"Authorization": "bearer {refresh_token}"}),
        real=refused(BAD_SCHEME)),
    row("refresh: three parts", login(),
        post("/refresh", headers={"Authorization": "Bearer {refresh_token} more"}),
        real=refused(BAD_HEADER, 422)),
    row("refresh: expired", refresh("expired_refresh"), real=EXPIRED),
    row("refresh: tampered", login(), refresh("refresh_token|tampered"), real=BAD_SIGNATURE,
        ours=stable(), why=WHY_TEXT, either=True),
    row("refresh: signed with another key", refresh("foreign_refresh"), real=BAD_SIGNATURE,
        ours=stable(), why=WHY_TEXT, either=True),
    row("refresh: no token at all", post("/refresh", headers={"Authorization": "Bearer rubbish"}),
        real=refused("Not enough segments", 422), ours=stable(), why=WHY_TEXT),
    row("refresh: disabled user", refresh("disabled_refresh_token"), real=NO_USER,
        ours=GONE, why=WHY_USER, either=True),
    row("refresh: deleted user", refresh("deleted_refresh_token"), real=NO_USER,
        ours=(GONE, stable()), why=WHY_USER, either=True),
    row("refresh: GET", get("/refresh", bearer("foreign_refresh")), real=page(405),
        ours=stable(405), why=WHY_HTML),
]

LOGOUTS = [
    row("logout: DELETE", login(), logout(), real=LOGGED_OUT),
    row("logout: POST", login(), logout(method="POST"), real=LOGGED_OUT),
    row("logout: then protected", login(), logout(), protected("access_token"), real=REVOKED),
    row("logout: then refresh", login(), logout(), refresh(), real=ONE,
        ours=REVOKED, why=WHY_SESSION),
    row("logout: twice", login(), logout(), logout(), real=REVOKED),
    row("logout: with the refresh token", login(), logout("refresh_token"), real=LOGGED_OUT),
    row("logout: with the refresh token, then refresh", login(), logout("refresh_token"),
        refresh(), real=REVOKED),
    row("logout: with the refresh token, then protected", login(), logout("refresh_token"),
        protected("access_token"), real=HELLO, ours=REVOKED, why=WHY_SESSION),
    row("logout: other sessions stay", login(save="other_"), login(), logout(),
        protected("other_access_token"), real=HELLO),
    row("logout: no header", Step("DELETE", "/logout"), real=NO_HEADER),
    row("logout: expired", logout("expired_access"), real=EXPIRED),
    row("logout: tampered", login(), logout("access_token|tampered"), real=BAD_SIGNATURE,
        ours=stable(), why=WHY_TEXT, either=True),
    row("logout: GET", login(), get("/logout", bearer("access_token")), real=page(405),
        ours=stable(405), why=WHY_HTML),
]

ROWS = LOGINS + PROTECTED + REFRESHES + LOGOUTS
