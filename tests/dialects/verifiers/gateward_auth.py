"""Authentication classes for Django REST framework that close what the settings leave open.

Copy this file into your project, and name one of the classes in DEFAULT_AUTHENTICATION_CLASSES:
the stateless one if Gateward holds your users, the other if you have a user table of your own.
"""

import jwt
from rest_framework.exceptions import APIException
from rest_framework_simplejwt.authentication import (
    JWTAuthentication,
    JWTStatelessUserAuthentication,
)
from rest_framework_simplejwt.exceptions import InvalidToken
from rest_framework_simplejwt.state import token_backend

# What every access token of Gateward contains. The library requires only `exp`, `jti`,
# `token_type`, `iss` and `aud`.
TEXTS = ("sub", "jti", "sid", "client_id", "user_id")
TIMES = ("exp", "iat", "nbf")


class KeysUnavailable(APIException):
    status_code = 503
    default_detail = "The keys are unavailable"
    default_code = "keys_unavailable"


class GatewardChecks:
    """Requires an access token of Gateward, and refuses any other kind."""

    def get_validated_token(self, raw_token):
        try:
            # simplejwt responds 401 if it cannot fetch the keys, and a client would log its user
            # out. Here the keys are fetched, or found in the cache, before it needs them.
            token_backend.jwks_client.get_signing_key_from_jwt(raw_token)
        except (jwt.PyJWKClientConnectionError, jwt.PyJWKSetError) as error:
            raise KeysUnavailable() from error
        except jwt.PyJWTError:
            pass  # The token is at fault: simplejwt finds the same, and reports it.
        try:
            token = super().get_validated_token(raw_token)
        except (TypeError, ValueError, OverflowError) as error:
            # simplejwt 5.5.1 computes with `exp` before it knows that it is a number in range.
            # Without this, such a token causes a response with status 500.
            raise InvalidToken("Not an access token of Gateward") from error
        # The header is trusted here: the signature was verified above. simplejwt has no setting
        # for `typ`, which tells an access token from an ID token by the same key (RFC 9068).
        header = jwt.get_unverified_header(raw_token)
        texts = all(isinstance(token.get(name), str) and token[name] for name in TEXTS)
        # `type` and not `isinstance`: in Python, True is an int.
        times = all(type(token.get(name)) is int for name in TIMES)
        if header.get("typ") != "at+jwt" or not texts or not times:
            raise InvalidToken("Not an access token of Gateward")
        return token


class GatewardStatelessAuthentication(GatewardChecks, JWTStatelessUserAuthentication):
    """Takes the user from the token."""


class GatewardAuthentication(GatewardChecks, JWTAuthentication):
    """Looks the user up in the user table of this project."""

    def get_user(self, validated_token):
        # With `dialects.user_ids = "uuid"`, `user_id` is no integer, and the lookup raises
        # ValueError: a response with status 500 for every request.
        if not validated_token["user_id"].isdecimal():
            raise InvalidToken("Not an access token of Gateward")
        return super().get_user(validated_token)
