"""Verification by PyJWT alone, for Python programs with another framework or none."""

import jwt

# Claims that must exist. PyJWT checks the types of `iss`, `aud`, `sub`, `jti` and of the times.
REQUIRED = ["iss", "sub", "aud", "exp", "iat", "nbf", "jti", "sid", "client_id"]


class Verifier:
    """Verifies access tokens of one installation of Gateward."""

    def __init__(self, algorithm, jwks_url, issuer, audience):
        self.algorithm, self.issuer, self.audience = algorithm, issuer, audience
        # Create it once: it keeps the keys for 5 minutes, and fetches them again when a token
        # names one that is unknown, at most every 30 seconds.
        self.keys = jwt.PyJWKClient(jwks_url, lifespan=300, timeout=5)

    def verify(self, token):
        """Returns the claims. Raises InvalidTokenError, or PyJWKClientError for a key."""
        token = jwt.decode_complete(
            token,
            # The key object, not its `.key`: it is bound to the algorithm of the key set.
            self.keys.get_signing_key_from_jwt(token),
            # Never from the token's header.
            algorithms=[self.algorithm],
            issuer=self.issuer,
            audience=self.audience,
            # Seconds by which the clocks of Gateward's nodes may differ; the default is 0.
            leeway=5,
            # Gateward's `aud` is one string. Without strict_aud, a list that contains yours is
            # accepted too.
            options={"require": REQUIRED, "strict_aud": True},
        )
        # PyJWT does not check `typ`, which tells an access token from an ID token (RFC 9068).
        if token["header"].get("typ") != "at+jwt":
            raise jwt.InvalidTokenError("Not an access token")
        return token["payload"]
