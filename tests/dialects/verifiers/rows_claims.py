"""Rows with one claim that is missing, of the wrong type or false, signed by a published key."""

import uuid

from minting import ABSENT, seconds_from_now, to_json
from outcomes import (
    ACCEPT, ACCEPTED, CHECKED, CLAIM_JOSE, CLAIM_MISSING, CRASH, EXPIRED, INVALID,
    NOT_ITS_CLAIM, NUMERIC, Note, UNCHECKED, UNSIGNED, bad, by_library, expect, good,
)

CLASS = "gateward_auth.py"
LOADER = "flask_strict.py"


def claim(name, value):
    return lambda mint: mint.token({name: value(mint) if callable(value) else value})


def refused(flask, pyjwt, **changes):
    """Refused by the libraries themselves."""
    return expect(by_library(INVALID, f"422 {flask}", pyjwt, CLAIM_JOSE), changes)


def library(name):
    return Note(name, UNSIGNED)


ISSUER = "InvalidIssuerError"
AUDIENCE = "InvalidAudienceError"
NO_USER = "401 Token contained no recognizable user identification"
NO_LOOKUP = "401 Error loading the user"

WHO = [
    bad("no iss", claim("iss", ABSENT), refused('Token is missing the "iss" claim', CLAIM_MISSING)),
    bad("iss of another", claim("iss", "https://evil.example"), refused("Invalid issuer", ISSUER)),
    bad("iss with a final slash", claim("iss", lambda mint: mint.issuer + "/"),
        refused("Invalid issuer", ISSUER)),
    bad("iss is a list", claim("iss", lambda mint: [mint.issuer]),
        refused("Payload Issuer (iss) must be a string", ISSUER)),
    bad("iss is null", claim("iss", None),
        refused("Payload Issuer (iss) must be a string", CLAIM_MISSING)),
    bad("no aud", claim("aud", ABSENT), refused('Token is missing the "aud" claim', CLAIM_MISSING)),
    bad("aud of another", claim("aud", "https://other.example"),
        refused("Audience doesn't match", AUDIENCE)),
    bad("aud begins with ours", claim("aud", lambda mint: mint.audience + ".evil.example"),
        refused("Audience doesn't match", AUDIENCE)),
    bad("aud is a list of others", claim("aud", ["https://other.example"]),
        refused("Audience doesn't match", AUDIENCE)),
    bad("aud is a list with ours", claim("aud", lambda mint: [mint.audience, "other"]), expect(
        ACCEPTED, pyjwt=AUDIENCE), Note(
        "django flask jose", "RFC 7519 allows a list; Gateward issues one string")),
    bad("aud is a number", claim("aud", 7), refused("Invalid claim format in token", AUDIENCE)),
    bad("aud is null", claim("aud", None),
        refused('Token is missing the "aud" claim', CLAIM_MISSING)),
    bad("aud is empty", claim("aud", ""),
        refused('Token is missing the "aud" claim', CLAIM_MISSING)),
    bad("no sub", claim("sub", ABSENT), expect(
        UNCHECKED, fl_checked="422 Missing claim: sub", fl="422 Missing claim: sub",
        fl_db=CHECKED["fl_db"], pyjwt=CLAIM_MISSING, jose=CLAIM_JOSE), library("dj db")),
    bad("sub is a number", claim("sub", 7), expect(
        by_library(INVALID, "422 Subject must be a string", "InvalidSubjectError", ACCEPT)),
        library("jose")),
    bad("sub is null", claim("sub", None), expect(
        by_library(INVALID, "422 Subject must be a string", CLAIM_MISSING, ACCEPT)),
        library("jose")),
    bad("sub is empty", claim("sub", ""), UNCHECKED, library("dj db fl pyjwt jose")),
    bad("sub is no UUID", claim("sub", "ada"), ACCEPTED, library("all")),
    bad("no client_id", claim("client_id", ABSENT), expect(
        UNCHECKED, pyjwt=CLAIM_MISSING, jose=CLAIM_JOSE), library("plain")),
    bad("client_id of another", claim("client_id", "shop"), ACCEPTED, library("all")),
    bad("no jti", claim("jti", ABSENT), expect(
        UNCHECKED, django="401 Token has no id", pyjwt=CLAIM_MISSING, jose=CLAIM_JOSE),
        library("fl")),
    bad("jti is a number", claim("jti", 7), expect(
        by_library(INVALID, "422 JWT ID must be a string", "InvalidJTIError", ACCEPT)),
        library("jose")),
    bad("no sid", claim("sid", ABSENT), expect(
        UNCHECKED, pyjwt=CLAIM_MISSING, jose=CLAIM_JOSE), library("plain")),
    bad("sid is a number", claim("sid", 7), UNCHECKED, library("plain pyjwt jose")),
    bad("roles is a string", claim("roles", "administrator"), ACCEPTED, Note(
        "all", "no library checks it; in Python, \"admin\" in roles is then true for a part of "
        "the string: check that it is a list where you read it")),
    bad("email_verified is a string", claim("email_verified", "false"), ACCEPTED, Note(
        "all", "no library checks it; the string is true in Python and JavaScript")),
    bad("aud twice, ours at last", lambda mint: mint.token(
        payload=b'{"aud":"other",' + to_json(mint.claims())[1:]), ACCEPTED, Note(
        "all", "all parsers of JSON take the last of two members, so that all checks agree")),
    bad("aud twice, ours at first", lambda mint: mint.token(
        payload=to_json(mint.claims())[:-1] + b',"aud":"other"}'),
        refused("Audience doesn't match", AUDIENCE)),
]

TIMES = [
    bad("no exp", claim("exp", ABSENT), expect(
        UNCHECKED, django="401 Token has no 'exp' claim", pyjwt=CLAIM_MISSING, jose=CLAIM_JOSE),
        Note("fl", "the library does not require it: the token never expires", LOADER)),
    bad("exp is null", claim("exp", None), refused(
        "Expiration Time claim (exp) must be an integer.", CLAIM_MISSING, jose=CLAIM_JOSE)),
    bad("exp is a word", claim("exp", "tomorrow"), refused(
        "Expiration Time claim (exp) must be an integer.", "DecodeError")),
    bad("exp is digits in a string", claim("exp", lambda mint: str(seconds_from_now(900))), expect(
        UNCHECKED, dj=CRASH, db=CRASH, jose=CLAIM_JOSE),
        Note("dj db", "simplejwt computes with it and fails", CLASS),
        Note("fl pyjwt", NUMERIC)),
    bad("exp is a fraction", claim("exp", lambda mint: seconds_from_now(900) + 0.5), UNCHECKED,
        Note("plain pyjwt jose", "RFC 7519 allows fractions; the time is checked")),
    bad("exp is true", claim("exp", True), expect(EXPIRED, jose=CLAIM_JOSE)),
    bad("exp is a list", claim("exp", [1]), refused(
        "Expiration Time claim (exp) must be an integer.", "DecodeError")),
    bad("exp is negative", claim("exp", -1), EXPIRED),
    bad("exp in the year 10000", claim("exp", 253_402_300_800), expect(
        ACCEPTED, dj=CRASH, db=CRASH, dj_checked=CHECKED["dj_strict"]),
        Note("dj db", "no date of Python is that late, and simplejwt fails", CLASS),
        Note("flask pyjwt jose", UNSIGNED)),
    bad("exp one minute ago", claim("exp", lambda mint: seconds_from_now(-60)), EXPIRED),
    bad("exp just beyond the leeway", claim("exp", lambda mint: seconds_from_now(-6)), EXPIRED),
    good("exp within the leeway", claim("exp", lambda mint: seconds_from_now(-1))),
    bad("no nbf", claim("nbf", ABSENT), expect(
        UNCHECKED, pyjwt=CLAIM_MISSING, jose=CLAIM_JOSE), library("plain")),
    bad("nbf in one minute", claim("nbf", lambda mint: seconds_from_now(60)), refused(
        "The token is not yet valid (nbf)", "ImmatureSignatureError")),
    bad("nbf is a word", claim("nbf", "now"), refused(
        "Not Before claim (nbf) must be an integer.", "DecodeError")),
    bad("nbf is digits in a string", claim("nbf", lambda mint: str(seconds_from_now(-1))), expect(
        UNCHECKED, jose=CLAIM_JOSE), Note("plain pyjwt", NUMERIC)),
    good("nbf within the leeway", claim("nbf", lambda mint: seconds_from_now(3))),
    bad("no iat", claim("iat", ABSENT), expect(
        UNCHECKED, pyjwt=CLAIM_MISSING, jose=CLAIM_JOSE), library("plain")),
    bad("iat in one minute", claim("iat", lambda mint: seconds_from_now(60)), refused(
        "The token is not yet valid (iat)", "ImmatureSignatureError")),
    bad("iat is a word", claim("iat", "now"), refused(
        "Issued At claim (iat) must be an integer.", "InvalidIssuedAtError")),
    bad("iat is true", claim("iat", True), expect(UNCHECKED, jose=CLAIM_JOSE),
        Note("plain pyjwt", NUMERIC)),
    good("iat within the leeway", claim("iat", lambda mint: seconds_from_now(3))),
]

OTHER_DIALECT = "flask pyjwt jose"

SIMPLEJWT = [
    bad("no token_type", claim("token_type", ABSENT), expect(
        ACCEPTED, django="401 Token has no type"), Note(OTHER_DIALECT, NOT_ITS_CLAIM)),
    bad("token_type refresh", claim("token_type", "refresh"), expect(
        ACCEPTED, django="401 Token has wrong type"), Note(OTHER_DIALECT, NOT_ITS_CLAIM)),
    bad("token_type in upper case", claim("token_type", "ACCESS"), expect(
        ACCEPTED, django="401 Token has wrong type"), Note(OTHER_DIALECT, NOT_ITS_CLAIM)),
    bad("token_type is a list", claim("token_type", ["access"]), expect(
        ACCEPTED, django="401 Token has wrong type"), Note(OTHER_DIALECT, NOT_ITS_CLAIM)),
    bad("no user_id", claim("user_id", ABSENT), expect(
        ACCEPTED, django=NO_USER, dj_checked=CHECKED["dj_strict"],
        fl_db="422 Missing claim: user_id"), Note("fl fl_strict pyjwt jose", NOT_ITS_CLAIM)),
    bad("user_id is null", claim("user_id", None), expect(
        ACCEPTED, db="401 User not found", dj_checked=CHECKED["dj_strict"], fl_db=NO_LOOKUP),
        Note("dj", "the library looks for the name only: the user has the id None", CLASS),
        Note("fl fl_strict pyjwt jose", NOT_ITS_CLAIM)),
    bad("user_id is an integer", claim("user_id", lambda mint: mint.user_number), expect(
        ACCEPTED, dj_checked=CHECKED["dj_strict"]),
        Note("dj db fl_db", "the library takes it for the same key"),
        Note("fl fl_strict pyjwt jose", NOT_ITS_CLAIM)),
    bad("user_id is true", claim("user_id", True), expect(
        ACCEPTED, db="accept as '1'", dj_checked=CHECKED["dj_strict"], fl_db=NO_LOOKUP),
        Note("dj", UNSIGNED, CLASS),
        Note("db", "Django converts True to 1: the user with this key", CLASS),
        Note("fl fl_strict pyjwt jose", NOT_ITS_CLAIM)),
    bad("user_id is a list", claim("user_id", [7]), expect(
        ACCEPTED, db=CRASH, dj_checked=CHECKED["dj_strict"], fl_db=NO_LOOKUP),
        Note("db", "the lookup raises TypeError", CLASS),
        Note("dj", UNSIGNED), Note("fl fl_strict pyjwt jose", NOT_ITS_CLAIM)),
    good("user_id is a UUID", claim("user_id", lambda mint: mint.sub), Note(
        "db", "an integer key is expected: every request fails with status 500",
        'dialects.user_ids = "integer"'), Note(
        "db_strict fl_db", "an integer key is expected", 'dialects.user_ids = "integer"'),
        expected=expect(ACCEPTED, db=CRASH, db_strict=CHECKED["db_strict"], fl_db=NO_LOOKUP)),
    good("user_id has no row here", claim(
        "user_id", lambda mint: str(mint.user_number + 1000)), Note(
        "database", "the account exists at Gateward only: create the row, or use the stateless "
        "server"),
        expected=expect(ACCEPTED, db="401 User not found", db_strict="401 User not found",
                        fl_db=NO_LOOKUP)),
    good("user_id of a user who is inactive here", claim(
        "user_id", lambda mint: str(mint.user_number + 1)), Note(
        "database", "deactivated in this table, whatever Gateward says"),
        expected=expect(ACCEPTED, db="401 User is inactive", db_strict="401 User is inactive",
                        fl_db=NO_LOOKUP)),
]

NOT_FLASK = Note("django pyjwt jose", NOT_ITS_CLAIM)

FLASK = [
    bad("no type", claim("type", ABSENT), ACCEPTED, NOT_FLASK, Note(
        "flask", "the library reads it as access; flask_strict.py checks `typ`, which has the "
        "same meaning")),
    bad("type refresh", claim("type", "refresh"), expect(
        ACCEPTED, flask="422 Only non-refresh tokens are allowed"), NOT_FLASK),
    bad("type is another", claim("type", "api-key"), expect(
        ACCEPTED, fl_checked=CHECKED["fl_strict"]), NOT_FLASK,
        Note("fl", "the library refuses the type refresh only", LOADER)),
    bad("type is null", claim("type", None), expect(
        ACCEPTED, fl_checked=CHECKED["fl_strict"]), NOT_FLASK,
        Note("fl", "the library refuses the type refresh only", LOADER)),
    good("fresh, at a route for fresh tokens", lambda mint: mint.token(), call="fresh"),
    good("not fresh", claim("fresh", False)),
    bad("not fresh, at a route for fresh tokens", claim("fresh", False), expect(
        flask="401 Fresh token required"), call="fresh"),
    bad("no fresh, at a route for fresh tokens", claim("fresh", ABSENT), expect(
        flask="401 Fresh token required"), call="fresh"),
    bad("fresh is a string", claim("fresh", "yes"), ACCEPTED, NOT_FLASK, Note("flask", UNSIGNED)),
    bad("fresh is a string, at a route for fresh tokens", claim("fresh", "yes"), expect(
        flask=CRASH), Note("flask", "the library compares it with the clock and fails"),
        call="fresh"),
    bad("no csrf, in the header", claim("csrf", ABSENT), ACCEPTED, Note(
        "all", "a token in the header needs no CSRF value")),
    good("in a cookie with its CSRF value", lambda mint: mint.token(), call="cookie",
         expected=expect(flask=ACCEPT)),
    bad("in a cookie without a CSRF value", lambda mint: mint.token(), expect(
        flask="401 Missing CSRF token"), call="cookie, no csrf"),
    bad("in a cookie with another CSRF value", lambda mint: mint.token(), expect(
        flask="401 CSRF double submit tokens do not match"), call="cookie, wrong csrf"),
    bad("in a cookie, no csrf claim", claim("csrf", ABSENT), expect(
        flask="422 Missing claim: csrf"), call="cookie, wrong csrf"),
    bad("in a cookie, csrf is a number", claim("csrf", 7), expect(flask=CRASH), Note(
        "flask", "the library compares it with the header and fails"), call="cookie, wrong csrf"),
    bad("jti of a random form", claim("jti", lambda mint: uuid.uuid4().hex), ACCEPTED, Note(
        "all", UNSIGNED)),
]

ROWS = WHO + TIMES + SIMPLEJWT + FLASK
