"""A Flask resource server by settings alone: one public key, loaded at start."""

from flask_jwt_extended import JWTManager
from jwt import PyJWKClient


def configure(app, algorithm, jwks_url, issuer, audience, kid):
    """Configures Flask-JWT-Extended for the tokens of Gateward."""
    app.config.update(
        # Exactly the `keys.algorithm` of Gateward. Both: the library adds JWT_ALGORITHM, by
        # default HS256, to the accepted algorithms.
        JWT_ALGORITHM=algorithm,
        JWT_DECODE_ALGORITHMS=[algorithm],
        # A key object, or the key as PEM. It does not follow a rotation: after one, this server
        # refuses every token until it restarts. See flask_strict.py.
        JWT_PUBLIC_KEY=PyJWKClient(jwks_url).get_signing_key(kid).key,
        # Without these two, the library does not check `iss` and `aud`.
        JWT_DECODE_ISSUER=issuer,
        JWT_DECODE_AUDIENCE=audience,
        # Seconds by which the clocks of Gateward's nodes may differ; the default is 0.
        JWT_DECODE_LEEWAY=5,
        # Add "cookies" only if this server receives the cookies of the dialect. A server that
        # reads no cookies cannot be attacked by CSRF.
        JWT_TOKEN_LOCATION=["headers"],
        # The identity is the UUID of the account. "user_id" is the former key, if Gateward has
        # `dialects.user_ids = "integer"`.
        JWT_IDENTITY_CLAIM="sub",
    )
    return JWTManager(app)
