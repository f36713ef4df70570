"""The verifiers, what they may respond, and the form of a row of the table."""

from dataclasses import dataclass
from typing import Callable

# One column of the table for each verifier: what it is.
VERIFIERS = {
    "dj": "Django, stateless, by settings (django_stateless.py)",
    "dj_strict": "Django, stateless, with GatewardStatelessAuthentication (gateward_auth.py)",
    "db": "Django with its own user table, by settings (django_database.py)",
    "db_strict": "Django with its own user table, with GatewardAuthentication (gateward_auth.py)",
    "fl": "Flask, one key, by settings (flask_settings.py)",
    "fl_strict": "Flask, keys by `kid`, with checks (flask_strict.py)",
    "fl_db": "as fl_strict, with its own user table by `user_id`",
    "pyjwt": "PyJWT (pyjwt_verifier.py)",
    "jose": "jose (jose_verifier.mjs)",
}

GROUPS = {
    "all": tuple(VERIFIERS),
    "django": ("dj", "dj_strict", "db", "db_strict"),
    "database": ("db", "db_strict", "fl_db"),
    "plain": ("dj", "db", "fl"),
    "flask": ("fl", "fl_strict", "fl_db"),
    "dj_checked": ("dj_strict", "db_strict"),
    "fl_checked": ("fl_strict", "fl_db"),
}

# The verifier of the same library that closes what one leaves open by settings alone.
STRICTER = {"dj": "dj_strict", "db": "db_strict", "fl": "fl_strict"}

ACCEPT = "accept"
CRASH = "500"


def columns(names):
    """Resolves names of verifiers and groups, separated by spaces."""
    return tuple(column for name in names.split() for column in GROUPS.get(name, (name,)))


def expect(*base, **changes):
    """Merges expectations. Later arguments win, so name a group before its members."""
    expected = {}
    for part in (*base, changes):
        for names, outcome in part.items():
            expected |= dict.fromkeys(columns(names), outcome)
    return expected


def by_library(django, flask, pyjwt, jose):
    return expect(django=django, flask=flask, pyjwt=pyjwt, jose=jose)


INVALID = "401 Token is invalid"
EXPIRED_401 = "401 Token is expired"

ACCEPTED = expect(all=ACCEPT)
SIGNATURE = by_library(
    INVALID, "422 Signature verification failed", "InvalidSignatureError",
    "ERR_JWS_SIGNATURE_VERIFICATION_FAILED",
)
ALGORITHM = by_library(
    INVALID, "422 The specified alg value is not allowed", "InvalidAlgorithmError",
    "ERR_JOSE_ALG_NOT_ALLOWED",
)
EXPIRED = by_library(
    EXPIRED_401, "401 Token has expired", "ExpiredSignatureError", "ERR_JWT_EXPIRED"
)
NO_KEY = by_library(INVALID, "422 Unknown key", "PyJWKClientError", "ERR_JWKS_NO_MATCHING_KEY")

# What the code beyond the settings responds.
CHECKED = expect(
    dj_checked="401 Not an access token of Gateward",
    fl_checked="422 Not an access token of Gateward",
)

# A claim that the settings do not check: accepted by settings, refused with the code beyond them.
UNCHECKED = expect(ACCEPTED, CHECKED)

CLAIM_MISSING = "MissingRequiredClaimError"
CLAIM_JOSE = "ERR_JWT_CLAIM_VALIDATION_FAILED"

# Why a verifier may accept what Gateward itself refuses.
UNSIGNED = "the library does not check it; no one but Gateward can sign such a token"
IGNORED = "the library ignores the field, as RFC 7515 allows; the signature is by a published key"
NOT_ITS_CLAIM = "the claim is for another library, and this one ignores it"
NUMERIC = "PyJWT converts with int(), which takes numbers in other forms; the time is checked"


@dataclass(frozen=True)
class Note:
    """Why verifiers differ from the strict rule, and what closes the gap if it is dangerous."""

    verifiers: str
    reason: str
    remedy: str | None = None


@dataclass(frozen=True)
class Row:
    """A token, whether a strict verifier accepts it, and what each verifier responds."""

    name: str
    make: Callable
    valid: bool
    expected: dict
    notes: tuple = ()
    # The call to a Flask server: its route, and how the token and the CSRF value are sent.
    call: str = "header"
    # The key that the Flask server with one key has loaded.
    loaded: str = "main"
    # `outage` (the key sets cannot be fetched), `first`, then after the rotation `removed` (before
    # the key sets are fetched again) and `rotated` (after).
    stage: str = "first"
    algorithms: tuple = ("EdDSA", "ES256", "PS256", "RS256")


def good(name, make, *notes, expected=ACCEPTED, **options):
    return Row(name, make, True, expected, notes, **options)


def bad(name, make, expected, *notes, **options):
    return Row(name, make, False, expected, notes, **options)


def faults(row):
    """Returns what is wrong with a row itself: gaps, and deviations without a reason."""
    noted, found = {}, []
    for note in row.notes:
        noted |= dict.fromkeys(columns(note.verifiers), note)
    for column, outcome in row.expected.items():
        deviates = outcome.startswith(ACCEPT) != row.valid or outcome == CRASH
        if deviates and column not in noted:
            found.append(f"{column} deviates without a note")
        if not deviates and column in noted:
            found.append(f"{column} has a note but does not deviate")
        dangerous = column in noted and noted[column].remedy and outcome.startswith(ACCEPT)
        stricter = row.expected.get(STRICTER.get(column))
        if dangerous and (stricter is None or (stricter == ACCEPT and not row.valid)):
            found.append(f"{column} has a remedy that is not shown by a stricter verifier")
    if not set(row.expected) <= set(VERIFIERS):
        found.append("has an unknown verifier")
    return [f"{row.name}: {fault}" for fault in found]
