"""Rows with a false header or signature. All of them but the noted ones are attacks."""

from minting import ABSENT, flip, loosen, strip_signature, tamper, to_json
from outcomes import (
    ACCEPT, ACCEPTED, ALGORITHM, CLAIM_JOSE, IGNORED, INVALID, NO_KEY, Note, SIGNATURE,
    UNCHECKED, bad, by_library, expect,
)

NO_TYP_CHECK = Note(
    "plain", "the library has no check of `typ`",
    "gateward_auth.py for Django, flask_strict.py for Flask",
)
NO_TYP = expect(UNCHECKED, pyjwt="InvalidTokenError", jose=CLAIM_JOSE)
ONE_KEY = Note("fl", "a server with one key does not read `kid`; the signature is by its key")
MALFORMED = "ERR_JWS_INVALID"


def header(**fields):
    return lambda mint: mint.token(header=fields)


def by_attacker(**fields):
    """An attacker's key, with the `kid` of a published one."""
    return lambda mint: mint.token(
        key=mint.attacker,
        header={
            name: value(mint) if callable(value) else value for name, value in fields.items()
        },
    )


def decode_error(text, jose=MALFORMED, **changes):
    return expect(by_library(INVALID, f"422 {text}", "DecodeError", jose), changes)


def sibling(mint):
    """Another algorithm for the same kind of key."""
    return {"RS256": "PS256", "PS256": "RS256", "ES256": "ES384", "EdDSA": "Ed25519"}[
        mint.algorithm
    ]


def by_sibling(mint):
    """The right key with another algorithm: what a key that is used for two allows."""
    algorithm = sibling(mint)
    signer = mint.algorithm if algorithm == "Ed25519" else algorithm
    return mint.token(
        header={"alg": algorithm}, sign=lambda message: mint.main.sign(message, signer)
    )


def jwk_secret(mint):
    return to_json(mint.main.jwk())


def signature(change):
    """A good token whose signature is changed, as bytes."""
    return lambda mint: mint.token(sign=lambda message: change(mint.main.sign(message)))


def spliced(mint):
    """The claims of one token with the signature of another."""
    return mint.token().rsplit(".", 1)[0] + "." + mint.token().rsplit(".", 1)[1]


ATTACKS = [
    bad("alg none, no signature",
        lambda mint: strip_signature(mint.token(header={"alg": "none"})), ALGORITHM),
    bad("alg none, with a signature", header(alg="none"), ALGORITHM),
    bad("alg nOnE", lambda mint: strip_signature(mint.token(header={"alg": "nOnE"})), ALGORITHM),
    bad("no alg", header(alg=ABSENT), expect(
        ALGORITHM, flask="422 Algorithm not specified", jose=MALFORMED)),
    bad("alg is a number", header(alg=256), expect(ALGORITHM, jose=MALFORMED)),
    bad("HS256 with the public key as PEM", lambda mint: mint.hmac(mint.main.pem()), ALGORITHM),
    bad("HS256 with the public key as JWK", lambda mint: mint.hmac(jwk_secret(mint)), ALGORITHM),
    bad("HS256 with an empty secret", lambda mint: mint.hmac(b""), ALGORITHM),
    bad("another algorithm of the same key", by_sibling, ALGORITHM),
    bad("alg of another family", lambda mint: mint.token(
        header={"alg": "RS256" if mint.algorithm in ("EdDSA", "ES256") else "ES256"}), ALGORITHM),
    bad("alg in lower case", lambda mint: mint.token(
        header={"alg": mint.algorithm.lower()}), ALGORITHM),

    bad("unknown kid", header(kid="unknown"), expect(NO_KEY, fl=ACCEPT), ONE_KEY),
    bad("no kid", header(kid=ABSENT), expect(
        NO_KEY, fl=ACCEPT, jose="ERR_JWKS_MULTIPLE_MATCHING_KEYS"), ONE_KEY),
    bad("kid is empty", header(kid=""), expect(NO_KEY, fl=ACCEPT), ONE_KEY),
    bad("kid is a number", header(kid=1), expect(
        NO_KEY, flask="422 Key ID header parameter must be a string",
        pyjwt="InvalidTokenError")),
    bad("kid of another published key", lambda mint: mint.token(
        header={"kid": mint.retired.kid}), expect(SIGNATURE, fl=ACCEPT), ONE_KEY),
    bad("kid is a path", header(kid="../../../../dev/null"), expect(NO_KEY, fl=ACCEPT), ONE_KEY),

    bad("an attacker's key with the same kid", by_attacker(), SIGNATURE),
    bad("an attacker's key, embedded as jwk", by_attacker(
        jwk=lambda mint: mint.attacker.jwk()), SIGNATURE),
    bad("an attacker's key, embedded, without kid", by_attacker(
        kid=ABSENT, jwk=lambda mint: mint.attacker.jwk()), expect(
        NO_KEY, fl=SIGNATURE["fl"], jose="ERR_JWKS_MULTIPLE_MATCHING_KEYS")),
    bad("an attacker's key by jku", by_attacker(
        jku="http://127.0.0.1:9/jwks.json"), SIGNATURE),
    bad("an attacker's key by x5u", by_attacker(x5u="http://127.0.0.1:9/key.pem"), SIGNATURE),
    bad("an attacker's key by x5c", by_attacker(x5c=["MIIB"]), SIGNATURE),
    bad("an attacker's key with its own kid", lambda mint: mint.signed_by(mint.attacker), expect(
        NO_KEY, fl=SIGNATURE["fl"])),

    bad("crit with an unknown extension", lambda mint: mint.token(
        header={"crit": ["exp-policy"], "exp-policy": 1}), expect(
        by_library(INVALID, "422 Unsupported critical extension: exp-policy",
                   "InvalidTokenError", "ERR_JOSE_NOT_SUPPORTED"))),
    bad("crit is empty", header(crit=[]), by_library(
        INVALID, "422 Invalid 'crit' header: must be a non-empty list", "InvalidTokenError",
        MALFORMED)),
    bad("crit b64, with b64 false", header(crit=["b64"], b64=False), decode_error(
        "Payload segment must be empty when 'b64' is false.", jose="ERR_JWT_INVALID")),
    bad("b64 false without crit", header(b64=False), decode_error(
        "Payload segment must be empty when 'b64' is false.", jose=ACCEPT),
        Note("jose", IGNORED)),

    bad("jwk of the right key", lambda mint: mint.token(header={"jwk": mint.main.jwk()}),
        ACCEPTED, Note("all", IGNORED)),
    bad("jku with the right key", header(jku="http://127.0.0.1:9/"), ACCEPTED,
        Note("all", IGNORED)),
    bad("zip", header(zip="DEF"), ACCEPTED, Note("all", IGNORED)),
    bad("cty JWT", header(cty="JWT"), ACCEPTED, Note("all", IGNORED)),

    bad("typ JWT", header(typ="JWT"), NO_TYP, NO_TYP_CHECK),
    bad("no typ", header(typ=ABSENT), NO_TYP, NO_TYP_CHECK),
    bad("typ rt+jwt", header(typ="rt+jwt"), NO_TYP, NO_TYP_CHECK),
    bad("typ logout+jwt", header(typ="logout+jwt"), NO_TYP, NO_TYP_CHECK),
    bad("typ is a list", header(typ=["at+jwt"]), NO_TYP, NO_TYP_CHECK),
    bad("typ application/at+jwt", header(typ="application/at+jwt"), expect(
        NO_TYP, jose=ACCEPT), NO_TYP_CHECK,
        Note("jose", "RFC 7515, section 4.1.9: the same media type, written in full")),
    bad("typ in upper case", header(typ="AT+JWT"), expect(NO_TYP, jose=ACCEPT), NO_TYP_CHECK,
        Note("jose", "media types are compared without regard to case")),
]

SIGNATURES = [
    bad("a bit of the signature is flipped", lambda mint: flip(mint.token(), 2), SIGNATURE),
    bad("the claims are changed", lambda mint: tamper(
        mint.token(), user_id=str(mint.user_number + 1)), SIGNATURE),
    bad("the signature of another token", spliced, SIGNATURE),
    bad("the signature is one byte short", signature(lambda data: data[:-1]), SIGNATURE),
    bad("the signature is one byte long", signature(lambda data: data + b"\0"), SIGNATURE),
    bad("the signature is all zeros", signature(lambda data: bytes(len(data))), SIGNATURE),
    bad("the signature is empty", lambda mint: strip_signature(mint.token()), SIGNATURE),
    bad("the signature is in DER", lambda mint: mint.token(sign=mint.main.sign_der), SIGNATURE,
        algorithms=("ES256",)),
    bad("the signature is padded", lambda mint: mint.token() + "==", ACCEPTED, Note(
        "all", "PyJWT and jose accept padding; the same bytes are signed. Do not use the text of "
        "a token as a key, for example in a block list: use `jti` or `sid`")),
    bad("the signature has loose bits", lambda mint: loosen(mint.token()), expect(
        decode_error("Invalid crypto padding"), jose=ACCEPT), Note(
        "jose", "the decoder ignores bits that stand for no byte; the same bytes are signed")),
    bad("two segments", lambda mint: mint.token().rsplit(".", 1)[0], decode_error(
        "Not enough segments")),
    bad("four segments", lambda mint: mint.token() + ".AAAA", decode_error(
        "Invalid payload padding")),
    bad("cut in the middle", lambda mint: mint.token()[: len(mint.token()) // 2], decode_error(
        "Not enough segments")),
    bad("not a token", lambda mint: "abc", decode_error("Not enough segments")),
    bad("an empty string", lambda mint: "", by_library(
        "401 Authorization header must contain two space-delimited values",
        "422 Bad Authorization header. Expected 'Authorization: Bearer <JWT>'", "DecodeError",
        MALFORMED)),
    bad("the claims are a list", lambda mint: mint.token(payload=b"[]"), decode_error(
        "Invalid payload string: must be a json object", jose="ERR_JWT_INVALID")),
    bad("the claims are not JSON", lambda mint: mint.token(payload=b"{"), decode_error(
        "Invalid payload string: Expecting property name enclosed in double quotes: "
        "line 1 column 2 (char 1)", jose="ERR_JWT_INVALID")),
]

ROWS = ATTACKS + SIGNATURES
