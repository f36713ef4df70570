"""Tokens that no service of ours would make: expired, incomplete, or signed with another key.

The reference applications sign them with their own key, so that only the defect counts. Gateward's
keys stay in Gateward: there they are signed with a key that it does not know.
"""

import base64
import json
import time
import uuid

import jwt

OTHER_KEY = "a key that no server knows, of thirty-two bytes and more"


def sign(claims, key, algorithm="HS256"):
    """Signs claims; those that are None are left out."""
    claims = {name: value for name, value in claims.items() if value is not None}
    # PyJWT refuses to write claims of the wrong type, such as a number as the subject.
    header = base64.urlsafe_b64encode(json.dumps({"alg": algorithm, "typ": "JWT"}).encode())
    body = base64.urlsafe_b64encode(json.dumps(claims).encode())
    text = b".".join(part.rstrip(b"=") for part in (header, body))
    if algorithm == "none":
        return text.decode() + "."
    instance = jwt.get_algorithm_by_name(algorithm)
    signature = instance.sign(text, instance.prepare_key(key))
    return (text + b"." + base64.urlsafe_b64encode(signature).rstrip(b"=")).decode()


def simplejwt(key, user_id):
    """Tokens with the claims of djangorestframework-simplejwt."""
    now = int(time.time())

    def token(kind, signer=key, algorithm="HS256", **changes):
        claims = {"token_type": kind, "exp": now + 600, "iat": now, "jti": uuid.uuid4().hex}
        return sign({**claims, "user_id": str(user_id), **changes}, signer, algorithm)

    return {
        "expired_access": token("access", exp=now - 60),
        "expired_refresh": token("refresh", exp=now - 60),
        "foreign_access": token("access", OTHER_KEY),
        "foreign_refresh": token("refresh", OTHER_KEY),
        "unsigned_access": token("access", algorithm="none"),
        "unsigned_refresh": token("refresh", algorithm="none"),
        "other_alg_access": token("access", algorithm="HS512"),
        "other_alg_refresh": token("refresh", algorithm="HS512"),
        "access_no_type": token("access", token_type=None),
        "access_no_jti": token("access", jti=None),
        "access_no_exp": token("access", exp=None),
        "access_no_user": token("access", user_id=None),
        "refresh_no_type": token("refresh", token_type=None),
        "refresh_no_jti": token("refresh", jti=None),
        "refresh_no_exp": token("refresh", exp=None),
    }


def flask(key, subject):
    """Tokens with the claims of Flask-JWT-Extended. All of them share one CSRF value."""
    now = int(time.time())
    csrf = str(uuid.uuid4())

    def token(kind="access", signer=key, algorithm="HS256", **changes):
        claims = {"fresh": False, "iat": now, "jti": str(uuid.uuid4()), "type": kind}
        claims |= {"sub": str(subject), "nbf": now, "csrf": csrf, "exp": now + 600}
        return sign({**claims, **changes}, signer, algorithm)

    return {
        "forged_csrf": csrf,
        "expired_csrf": csrf,
        "expired_access_csrf": csrf,
        "expired_access": token(exp=now - 60),
        "expired_refresh": token("refresh", exp=now - 60),
        "foreign_access": token(signer=OTHER_KEY),
        "foreign_refresh": token("refresh", OTHER_KEY),
        "unsigned_access": token(algorithm="none"),
        "other_alg_access": token(algorithm="HS512"),
        "no_type": token(type=None),
        "other_type": token("session"),
        "no_exp": token(exp=None),
        "no_sub": token(sub=None),
        "number_sub": token(sub=1),
        "no_csrf": token(csrf=None),
        "future_nbf": token(nbf=now + 300),
        "future_iat": token(iat=now + 300),
    }
