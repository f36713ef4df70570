"""The table: every token, whether it is valid, and what each verifier must respond to it."""

from minting import encode
from outcomes import (
    ACCEPT, ALGORITHM, CHECKED, CLAIM_JOSE, CLAIM_MISSING, EXPIRED, INVALID, NO_KEY, Note,
    SIGNATURE, bad, by_library, expect, faults, good,
)
import rows_claims
import rows_headers

NOT_A_TOKEN = by_library(
    INVALID, "422 Not enough segments", "DecodeError", "ERR_JWS_INVALID"
)
# Gateward does not publish the `kid` of its secrets.
HMAC = expect(NO_KEY, fl=ALGORITHM["fl"], jose=ALGORITHM["jose"])

GOOD = [
    good("Gateward's access token", lambda mint: mint.node["access"], loaded="node"),
    good("the same shape, by a key of this test", lambda mint: mint.token()),
    good("by a second published key", lambda mint: mint.signed_by(mint.retired),
         loaded="retired"),
    good("with an unknown claim", lambda mint: mint.token({"new_claim": {"a": 1}})),
]

KINDS = [
    bad("Gateward's expired access token", lambda mint: mint.node["expired_access"], EXPIRED,
        loaded="node"),
    bad("Gateward's refresh token", lambda mint: mint.node["refresh"], HMAC, loaded="node"),
    bad("a refresh token in the shape of Gateward's", lambda mint: mint.refresh(), HMAC),
    bad("a refresh token with the claims of the dialects", lambda mint: mint.refresh(
        token_type="access", type="access", user_id="7"), HMAC),
    bad("a refresh token with the kid of a published key", lambda mint: mint.hmac(mint.secret),
        ALGORITHM),
    bad("a refresh token by a published key", lambda mint: mint.token(
        {"type": "refresh", "token_type": "refresh"}, {"typ": "rt+jwt"}), expect(
        django="401 Token has wrong type", flask="422 Only non-refresh tokens are allowed",
        pyjwt="InvalidTokenError", jose=CLAIM_JOSE)),
    bad("an emailed link's token", lambda mint: encode(bytes(range(32))), NOT_A_TOKEN),
    bad("a CSRF token", lambda mint: encode(bytes(range(24))), NOT_A_TOKEN),
    bad("a session identifier", lambda mint: mint.claims()["sid"], NOT_A_TOKEN),
    bad("an ID token", lambda mint: mint.id_token(), by_library(
        INVALID, "422 Audience doesn't match", CLAIM_MISSING, CLAIM_JOSE)),
    bad("an ID token for our audience", lambda mint: mint.id_token(aud=mint.audience), expect(
        CHECKED, fl=ACCEPT, django="401 Token has no id", pyjwt=CLAIM_MISSING, jose=CLAIM_JOSE),
        Note("fl", "the library checks neither `typ` nor the claims that are missing",
             "flask_strict.py")),
    bad("an ID token with all claims of an access token", lambda mint: mint.token(
        header={"typ": "JWT"}), rows_headers.NO_TYP, rows_headers.NO_TYP_CHECK),
]

OUTAGE = [
    good("while the keys cannot be fetched", lambda mint: mint.token(), Note(
        "dj db", "the response is 401, as for a bad token, and a client logs its user out",
        "gateward_auth.py"), Note(
        "dj_strict db_strict fl_strict fl_db pyjwt jose", "an error of its own, to be reported as "
        "503; the kept keys are used until their time has passed"),
        expected=expect(
            django=INVALID, dj_checked="503 The keys are unavailable", fl=ACCEPT,
            fl_checked="503 The keys are unavailable", pyjwt="PyJWKClientConnectionError",
            jose="ERR_JOSE_GENERIC"),
        stage="outage"),
]

CACHE = Note(
    "dj dj_strict db db_strict fl_strict fl_db pyjwt jose",
    "the keys are kept: 5 minutes in Python, 10 in jose. To refuse the tokens of a key at once, "
    "follow the revocation feed",
)
NEVER = Note("fl", "the key was loaded at start, and is used until a restart", "flask_strict.py")

# In this order: `removed` before any verifier has a reason to fetch the keys again.
ROTATION = [
    bad("a key that was removed just now", lambda mint: mint.signed_by(mint.retired),
        expect(all=ACCEPT), CACHE, Note("fl", "the key was loaded at start"), loaded="retired",
        stage="removed"),
    good("a new key", lambda mint: mint.signed_by(mint.new), Note(
        "fl", "the key was loaded at start: after a rotation, every token is refused",
        "flask_strict.py"), expected=expect(all=ACCEPT, fl=SIGNATURE["fl"]), stage="rotated"),
    bad("a key that was removed", lambda mint: mint.signed_by(mint.retired), expect(
        NO_KEY, fl=ACCEPT), NEVER, loaded="retired", stage="rotated"),
    good("a key that stayed", lambda mint: mint.token(), stage="rotated"),
]

TABLE = OUTAGE + GOOD + rows_headers.ROWS + rows_claims.ROWS + KINDS + ROTATION


def check_table():
    """Returns the mistakes of the table itself."""
    found = [fault for row in TABLE for fault in faults(row)]
    names = [row.name for row in TABLE]
    twice = {name for name in names if names.count(name) > 1}
    return found + [f"{name}: is there twice" for name in sorted(twice)]
