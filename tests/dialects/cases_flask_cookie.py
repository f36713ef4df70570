"""The rows of Flask-JWT-Extended with tokens in cookies, and CSRF values.

The reference has `JWT_COOKIE_SECURE` on, as Gateward always has.
"""

from common_flask import (
    ADA,
    BAD_LOGIN,
    BAD_SIGNATURE,
    EXPIRED,
    GONE,
    HELLO,
    NO_USER,
    NOT_ACCESS,
    NOT_REFRESH,
    OPTIONS,
    OUR_OPTIONS,
    REVOKED,
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
    said,
    stable,
)
from patterns import ANY, JWT, TEXT, TOKEN, UUID, Includes
from rows import Answer, Step, either, get, post, row

SAME_SITE = either("Lax", "Strict")
UNSET = {"value": "", "expires": "Thu, 01 Jan 1970 00:00:00 GMT"}
NAMES = ("access_token_cookie", "csrf_access_token", "refresh_token_cookie", "csrf_refresh_token")
NO_ACCESS = refused('Missing cookie "access_token_cookie"')
NO_REFRESH = refused('Missing cookie "refresh_token_cookie"')
NO_CSRF = refused("Missing CSRF token")
BAD_CSRF = refused("CSRF double submit tokens do not match")
WHY_COOKIES = "cookies have SameSite, and the refresh token is sent only to the path that needs it"
WHY_LOGOUT = "a browser can log out after its access token has expired; no script can delete cookies"
WHY_NEXT = "the next refresh token comes too"


def real_cookies(names=NAMES, value=None):
    """The cookies of the package. Those for scripts begin with `csrf`."""
    return {
        name: {"secure": True, "path": "/"}
        | ({} if name.startswith("csrf") else {"httponly": True})
        | (value or {"value": UUID if name.startswith("csrf") else JWT})
        for name in names
    }


def our_cookies(unset=False):
    """The cookies of Gateward. They may have a lifetime."""
    cookies = {}
    for name in NAMES:
        value = "" if unset else TEXT if name.startswith("csrf") else TOKEN
        cookie = Includes(value=value, secure=True, samesite=SAME_SITE, path="/")
        if not name.startswith("csrf"):
            cookie["httponly"] = True
        cookies[name] = cookie
    cookies["access_token_cookie"]["value"] = "" if unset else JWT
    cookies["refresh_token_cookie"]["path"] = "/refresh"
    # A page reads it from its own path, so it may be wider than that of the refresh token.
    cookies["csrf_refresh_token"]["path"] = either("/", "/refresh")
    if unset:
        # Either attribute makes a browser forget a cookie.
        for name, cookie in cookies.items():
            by_age, by_date = {"max-age": "0"}, {"expires": UNSET["expires"]}
            cookies[name] = either(Includes(cookie, **by_age), Includes(cookie, **by_date))
    return cookies


def cookies(access=None, refresh=None, csrf=None):
    """The headers with these variables as cookies, and as the CSRF value."""
    pairs = {"access_token_cookie": access, "refresh_token_cookie": refresh}
    text = "; ".join(f"{name}={{{variable}}}" for name, variable in pairs.items() if variable)
    headers = {"Cookie": text} if text else {}
    return {**headers, "X-CSRF-TOKEN": f"{{{csrf}}}"} if csrf else headers


ACCESS = cookies("access_token_cookie")
CHANGING = cookies("access_token_cookie", csrf="csrf_access_token")
RENEWING = cookies(refresh="refresh_token_cookie", csrf="csrf_refresh_token")


def protected(headers):
    """The protected route."""
    return get("/protected", headers)


def refresh(headers=None, **more):
    """The route that refreshes."""
    return Step("POST", "/refresh", RENEWING if headers is None else headers, **more)


def logout(headers=None, method="POST", **more):
    """The route that logs out."""
    return Step(method, "/logout", CHANGING if headers is None else headers, **more)


def newest(prefix):
    """A refresh with the cookies of the last refresh, or of the login if it sent none."""
    return refresh(cookies(
        refresh=f"{prefix}refresh_token_cookie/refresh_token_cookie",
        csrf=f"{prefix}csrf_refresh_token/csrf_refresh_token"))


LOGGED_IN = said("Login successful", cookies=real_cookies())
OUR_LOGIN = said("Login successful", cookies=our_cookies())
CSRF_CLAIM = {"access_token_cookie": Includes(csrf="{csrf_access_token}", type="access")}
RENEWED = said(TEXT, cookies=real_cookies(NAMES[:2]))
OUR_RENEWAL = said(TEXT, cookies=our_cookies())
LOGGED_OUT = said(TEXT, cookies=real_cookies(value=UNSET))
OUR_LOGOUT = said(TEXT, cookies=our_cookies(unset=True))

LOGINS = [
    row("login: four cookies", login(), real=LOGGED_IN, ours=OUR_LOGIN, why=WHY_COOKIES),
    row("login: names of the cookies", login(),
        real=said("Login successful", cookies={name: ANY for name in NAMES})),
    row("login: the CSRF cookie has the claim's value", login(),
        real=Answer(200, ANY, cookies=ANY, claims=CSRF_CLAIM)),
    row("login: the claim for refreshing", login(), real=Answer(200, ANY, cookies=ANY, claims={
        "refresh_token_cookie": Includes(csrf="{csrf_refresh_token}", type="refresh")}),
        ours=OUR_LOGIN, why=WHY_REFRESH_CLAIMS),
    row("login: by email address",
        post("/login", {"username": "{ada_email}", "password": "{ada_password}"}),
        real=BAD_LOGIN, ours=OUR_LOGIN, why=WHY_EMAIL),
    row("login: wrong password sets no cookies",
        post("/login", {"username": "{dave}", "password": "no"}), real=BAD_LOGIN),
    row("login: disabled user", login("bob"), real=BAD_LOGIN),
    row("login: deleted user", login("carol"), real=BAD_LOGIN),
    row("login: needs no CSRF value, with cookies of a session", login(),
        post("/login", ADA, ACCESS), real=Answer(200, ANY, cookies=ANY)),
]

PROTECTED = [
    row("protected", login(), protected(ACCESS), real=HELLO),
    row("protected: GET with a wrong CSRF value", login(),
        protected({**ACCESS, "X-CSRF-TOKEN": "wrong"}), real=HELLO),
    row("protected: all four cookies", login(), protected({"Cookie": "; ".join(
        f"{name}={{{name}}}" for name in NAMES)}), real=HELLO),
    row("protected: no cookie", protected({}), real=NO_ACCESS),
    row("protected: empty cookie", protected({"Cookie": "access_token_cookie="}), real=NO_ACCESS),
    row("protected: token in the header only", login(),
        protected({"Authorization": "Bearer {access_token_cookie}"}), real=NO_ACCESS),
    row("protected: refresh cookie only", login(),
        protected(cookies(refresh="refresh_token_cookie")), real=NO_ACCESS),
    row("protected: refresh token in the access cookie", login(),
        protected(cookies("refresh_token_cookie")), real=NOT_ACCESS),
    row("protected: tampered", login(), protected(cookies("access_token_cookie|tampered")),
        real=BAD_SIGNATURE, ours=stable(), why=WHY_TEXT, either=True),
    row("protected: signed with another key", protected(cookies("foreign_access")),
        real=BAD_SIGNATURE, ours=stable(), why=WHY_TEXT, either=True),
    row("protected: no token at all", protected({"Cookie": "access_token_cookie=rubbish"}),
        real=refused("Not enough segments", 422), ours=stable(), why=WHY_TEXT),
    row("protected: expired", protected(cookies("expired_access")), real=EXPIRED),
    row("protected: disabled user", protected(cookies("disabled_access_token_cookie")),
        real=NO_USER, ours=GONE, why=WHY_USER, either=True),
    row("protected: deleted user", protected(cookies("deleted_access_token_cookie")),
        real=NO_USER, ours=GONE, why=WHY_USER, either=True),
    row("protected: OPTIONS needs no cookie", Step("OPTIONS", "/protected"), real=OPTIONS,
        ours=OUR_OPTIONS, why=WHY_OPTIONS),
]

REFRESHES = [
    row("refresh", login(), refresh(), real=RENEWED, ours=OUR_RENEWAL, why=WHY_NEXT),
    row("refresh: then protected", login(), refresh(save="new_"),
        protected(cookies("new_access_token_cookie")), real=HELLO),
    row("refresh: the new CSRF cookie has the new claim's value", login(), refresh(),
        real=Answer(200, ANY, cookies=ANY, claims=CSRF_CLAIM)),
    row("refresh: then log out with the new CSRF value", login(), refresh(save="new_"),
        logout(cookies("new_access_token_cookie", csrf="new_csrf_access_token")),
        real=LOGGED_OUT, ours=OUR_LOGOUT, why=WHY_COOKIES),
    row("refresh: twice with one token", login(), refresh(save="new_"), refresh(),
        real=RENEWED, ours=REVOKED, why=WHY_ROTATION),
    row("refresh: with the newest cookies", login(), refresh(save="new_"), newest("new_"),
        real=RENEWED, ours=OUR_RENEWAL, why=WHY_NEXT),
    row("refresh: no CSRF value", login(), refresh(cookies(refresh="refresh_token_cookie")),
        real=NO_CSRF),
    row("refresh: empty CSRF value", login(),
        refresh({**cookies(refresh="refresh_token_cookie"), "X-CSRF-TOKEN": ""}), real=NO_CSRF),
    row("refresh: wrong CSRF value", login(),
        refresh({**cookies(refresh="refresh_token_cookie"), "X-CSRF-TOKEN": "wrong"}),
        real=BAD_CSRF),
    row("refresh: CSRF value of the access token", login(),
        refresh(cookies(refresh="refresh_token_cookie", csrf="csrf_access_token")), real=BAD_CSRF),
    row("refresh: CSRF value of another session", login("erin", save="other_"), login(),
        refresh(cookies(refresh="refresh_token_cookie", csrf="other_csrf_refresh_token")),
        real=BAD_CSRF),
    row("refresh: CSRF value in a form field only", login(), Step(
        "POST", "/refresh", cookies(refresh="refresh_token_cookie"),
        form={"csrf_token": "{csrf_refresh_token}"}), real=NO_CSRF),
    row("refresh: no cookie", refresh({}), real=NO_REFRESH),
    row("refresh: access cookie only", login(), refresh(CHANGING), real=NO_REFRESH),
    row("refresh: access token in the refresh cookie", login(),
        refresh(cookies(refresh="access_token_cookie", csrf="csrf_access_token")),
        real=NOT_REFRESH),
    row("refresh: expired", refresh(cookies(refresh="expired_refresh", csrf="expired_csrf")),
        real=EXPIRED),
    row("refresh: tampered", login(), refresh(cookies(
        refresh="refresh_token_cookie|tampered", csrf="csrf_refresh_token")),
        real=BAD_SIGNATURE, ours=stable(), why=WHY_TEXT, either=True),
    row("refresh: no token at all",
        refresh({"Cookie": "refresh_token_cookie=rubbish", "X-CSRF-TOKEN": "wrong"}),
        real=refused("Not enough segments", 422), ours=stable(), why=WHY_TEXT),
    row("refresh: disabled user", refresh(cookies(
        refresh="disabled_refresh_token_cookie", csrf="disabled_csrf_refresh_token")),
        real=NO_USER, ours=GONE, why=WHY_USER, either=True),
    row("refresh: deleted user", refresh(cookies(
        refresh="deleted_refresh_token_cookie", csrf="deleted_csrf_refresh_token")),
        real=NO_USER, ours=(GONE, stable()), why=WHY_USER, either=True),
]

LOGOUTS = [
    row("logout: POST", login(), logout(), real=LOGGED_OUT, ours=OUR_LOGOUT, why=WHY_COOKIES),
    row("logout: DELETE", login(), logout(method="DELETE"), real=LOGGED_OUT,
        ours=OUR_LOGOUT, why=WHY_COOKIES),
    row("logout: then protected", login(), logout(save="out_"), protected(ACCESS), real=REVOKED),
    row("logout: then refresh", login(), logout(save="out_"), refresh(), real=RENEWED,
        ours=REVOKED, why=WHY_SESSION),
    row("logout: twice", login(), logout(save="out_"), logout(), real=REVOKED),
    row("logout: no CSRF value", login(), logout(ACCESS), real=NO_CSRF),
    row("logout: DELETE, no CSRF value", login(), logout(ACCESS, "DELETE"), real=NO_CSRF),
    row("logout: wrong CSRF value", login(), logout({**ACCESS, "X-CSRF-TOKEN": "wrong"}),
        real=BAD_CSRF),
    row("logout: CSRF value of the refresh token", login(),
        logout(cookies("access_token_cookie", csrf="csrf_refresh_token")), real=BAD_CSRF),
    row("logout: CSRF value of another session", login("erin", save="other_"), login(),
        logout(cookies("access_token_cookie", csrf="other_csrf_access_token")), real=BAD_CSRF),
    row("logout: a failed one leaves the session", login(), logout(ACCESS, status=401),
        protected(ACCESS), real=HELLO),
    row("logout: no cookie", logout({}), real=NO_ACCESS),
    row("logout: no CSRF value comes before an expired token",
        logout(cookies("expired_access")), real=NO_CSRF),
    row("logout: token without the claim csrf", logout(cookies("no_csrf", csrf="forged_csrf")),
        real=refused("Missing claim: csrf", 422), ours=stable(), why=WHY_SIGNED),
    row("logout: expired", logout(cookies("expired_access", csrf="expired_access_csrf")),
        real=EXPIRED, ours=OUR_LOGOUT, why=WHY_LOGOUT),
    row("logout: GET", login(), get("/logout", ACCESS), real=page(405),
        ours=stable(405), why=WHY_HTML),
]

ROWS = LOGINS + PROTECTED + REFRESHES + LOGOUTS
