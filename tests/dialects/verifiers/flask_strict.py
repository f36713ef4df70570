"""A Flask resource server that follows key rotation, and accepts access tokens of Gateward only."""

from flask import jsonify
from flask_jwt_extended import JWTManager
from jwt import InvalidTokenError, PyJWKClient, PyJWKClientConnectionError, PyJWKClientError

# What every access token of Gateward contains. The library requires only `iss`, `aud` and the
# claim of the identity: without `exp`, a token would be valid forever.
TEXTS = ("sub", "jti", "sid", "client_id")
TIMES = ("exp", "iat", "nbf")


def configure(app, algorithm, jwks_url, issuer, audience, identity_claim="sub"):
    """Configures Flask-JWT-Extended. See flask_settings.py for the settings that both have."""
    app.config.update(
        # Both: the library adds JWT_ALGORITHM, by default HS256, to the accepted algorithms.
        JWT_ALGORITHM=algorithm,
        JWT_DECODE_ALGORITHMS=[algorithm],
        JWT_DECODE_ISSUER=issuer,
        JWT_DECODE_AUDIENCE=audience,
        JWT_DECODE_LEEWAY=5,
        JWT_TOKEN_LOCATION=["headers"],
        JWT_IDENTITY_CLAIM=identity_claim,
    )
    manager = JWTManager(app)
    # Keeps the keys for 5 minutes, and fetches them again when a token names one that is unknown,
    # at most every 30 seconds. Create it once: each client has a cache of its own.
    keys = PyJWKClient(jwks_url, lifespan=300, timeout=5)

    @manager.decode_key_loader
    def load_key(header, _claims):
        try:
            # The whole key and not its `.key`: PyJWT then also checks that the token's `alg` is
            # the one of this key.
            return keys.get_signing_key(header.get("kid"))
        except PyJWKClientConnectionError:
            raise
        except PyJWKClientError as error:
            # The library does not handle this error. Without the translation, any client causes
            # a response with status 500 by an unknown `kid`.
            raise InvalidTokenError("Unknown key") from error

    @app.errorhandler(PyJWKClientConnectionError)
    def keys_are_unavailable(_error):
        # Not 401: the token may be valid, and a client would log its user out.
        return jsonify(msg="The keys are unavailable"), 503

    @manager.token_verification_loader
    def is_access_token(header, claims):
        # `typ` tells an access token from an ID token by the same key (RFC 9068). The library
        # has no setting for it.
        texts = all(isinstance(claims.get(name), str) and claims[name] for name in TEXTS)
        # `type` and not `isinstance`: in Python, True is an int.
        times = all(type(claims.get(name)) is int for name in TIMES)
        # The library refuses the type "refresh" only, and reads a missing one as "access".
        access = header.get("typ") == "at+jwt" and claims["type"] == "access"
        return access and texts and times

    @manager.token_verification_failed_loader
    def not_an_access_token(_header, _claims):
        return jsonify(msg="Not an access token of Gateward"), 422

    return manager
