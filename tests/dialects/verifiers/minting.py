"""Keys and tokens of this test: good ones in the exact shape of Gateward's, and broken ones.

Tokens are put together from raw parts, because a JWT library refuses to write most of what the
table needs: unknown algorithms, claims of the wrong type, signatures of the wrong length.
"""

import base64
import copy
import hashlib
import hmac
import json
import time
import uuid

from cryptography.hazmat.primitives import hashes
from cryptography.hazmat.primitives.asymmetric import ec, ed25519, padding, rsa
from cryptography.hazmat.primitives.asymmetric.utils import decode_dss_signature
from cryptography.hazmat.primitives.serialization import Encoding, PublicFormat

ALGORITHMS = ("EdDSA", "ES256", "PS256", "RS256")

# Value of a claim or a header field that is left out.
ABSENT = object()

ACCESS_TTL_SECONDS = 900


def encode(data):
    """Encodes bytes in base64url without padding (RFC 7515, section 2)."""
    return base64.urlsafe_b64encode(data).rstrip(b"=").decode()


def encode_number(number, length=None):
    return encode(number.to_bytes(length or (number.bit_length() + 7) // 8, "big"))


class Key:
    """A key pair for one algorithm, published as Gateward publishes its own."""

    def __init__(self, algorithm):
        self.algorithm = algorithm
        if algorithm == "EdDSA":
            self.private = ed25519.Ed25519PrivateKey.generate()
        elif algorithm == "ES256":
            self.private = ec.generate_private_key(ec.SECP256R1())
        else:
            self.private = rsa.generate_private_key(65537, 2048)
        self.kid = self.thumbprint()

    def public_members(self):
        """The public parts of the JWK."""
        public = self.private.public_key()
        if self.algorithm == "EdDSA":
            raw = public.public_bytes(Encoding.Raw, PublicFormat.Raw)
            return {"kty": "OKP", "crv": "Ed25519", "x": encode(raw)}
        numbers = public.public_numbers()
        if self.algorithm == "ES256":
            x, y = (encode_number(number, 32) for number in (numbers.x, numbers.y))
            return {"kty": "EC", "crv": "P-256", "x": x, "y": y}
        return {"kty": "RSA", "n": encode_number(numbers.n), "e": encode_number(numbers.e)}

    def thumbprint(self):
        """The identifier that Gateward gives a key (RFC 7638)."""
        canonical = json.dumps(self.public_members(), sort_keys=True, separators=(",", ":"))
        return encode(hashlib.sha256(canonical.encode()).digest())

    def jwk(self):
        return self.public_members() | {"kid": self.kid, "alg": self.algorithm, "use": "sig"}

    def pem(self):
        form = PublicFormat.SubjectPublicKeyInfo
        return self.private.public_key().public_bytes(Encoding.PEM, form)

    def sign(self, message, algorithm=None):
        """Signs by `algorithm`, which may be another one for the same kind of key."""
        algorithm = algorithm or self.algorithm
        if algorithm == "EdDSA":
            return self.private.sign(message)
        if algorithm in ("ES256", "ES384"):
            hash_function = hashes.SHA256() if algorithm == "ES256" else hashes.SHA384()
            r, s = decode_dss_signature(self.private.sign(message, ec.ECDSA(hash_function)))
            return r.to_bytes(32, "big") + s.to_bytes(32, "big")
        if algorithm == "PS256":
            mask = padding.MGF1(hashes.SHA256())
            return self.private.sign(message, padding.PSS(mask, 32), hashes.SHA256())
        return self.private.sign(message, padding.PKCS1v15(), hashes.SHA256())

    def sign_der(self, message):
        """An ECDSA signature in the form of X.509, which JWS does not allow."""
        return self.private.sign(message, ec.ECDSA(hashes.SHA256()))


class Mint:
    """Makes tokens for one node: the claims of its user, signed by keys of this test."""

    def __init__(self, algorithm, issuer, audience, user_number, sub=None):
        self.algorithm, self.issuer, self.audience = algorithm, issuer, audience
        self.user_number = user_number
        self.sub = sub or str(uuid.uuid4())
        # `main` and `retired` are published from the start, `new` after the rotation, and
        # `attacker` never.
        self.main, self.retired, self.new, self.attacker = (Key(algorithm) for _ in range(4))
        self.secret = hashlib.sha256(b"a secret of Gateward").digest()
        self.node = {}

    def claims(self):
        """The claims of a good access token, in Gateward's order."""
        now = int(time.time())
        return {
            "iss": self.issuer, "sub": self.sub, "aud": self.audience,
            "exp": now + ACCESS_TTL_SECONDS, "iat": now, "nbf": now,
            "jti": str(uuid.uuid4()), "sid": str(uuid.uuid4()), "client_id": self.issuer,
            "username": "ada", "email": "ada@example.org", "email_verified": True,
            "roles": ["user"], "permissions": [], "auth_time": now, "amr": ["pwd"],
            "token_type": "access", "user_id": str(self.user_number),
            "type": "access", "fresh": True, "csrf": str(uuid.uuid4()),
        }

    def header(self):
        return {"alg": self.algorithm, "typ": "at+jwt", "kid": self.main.kid}

    def token(self, claims=None, header=None, key=None, sign=None, payload=None):
        """A good token, except for what the arguments change.

        `key` signs, `main` by default, and the `kid` stays that of `main`. `sign` is a function
        from the message to the signature. `payload` replaces the claims by raw bytes.
        """
        key = key or self.main
        parts = changed(self.header(), header)
        if payload is None:
            payload = to_json(changed(self.claims(), claims))
        message = f"{encode(to_json(parts))}.{encode(payload)}".encode()
        signature = (sign or key.sign)(message)
        return f"{message.decode()}.{encode(signature)}"

    def signed_by(self, key, **arguments):
        """A token by another key, with that key's `kid`."""
        header = {"kid": key.kid} | arguments.pop("header", {})
        return self.token(key=key, header=header, **arguments)

    def hmac(self, secret, claims=None, header=None, payload=None):
        """A token that is signed by HS256."""
        header = {"alg": "HS256"} | (header or {})
        return self.token(
            claims, header, payload=payload,
            sign=lambda message: hmac.digest(secret, message, "sha256"),
        )

    def refresh(self, **dialect):
        """A refresh token of Gateward: HS256 and `rt+jwt`, by a secret that is not published."""
        now = int(time.time())
        body = {
            "iss": self.issuer, "aud": self.issuer, "sub": self.sub, "sid": str(uuid.uuid4()),
            "gen": 1, "iat": now, "exp": now + 86_400, "sec": encode(bytes(32)),
        }
        header = {"typ": "rt+jwt", "kid": encode(bytes(32))}
        return self.hmac(self.secret, header=header, payload=to_json(body | dialect))

    def id_token(self, **claims):
        """An ID token (OpenID Connect Core, section 2): same issuer and key, other purpose."""
        now = int(time.time())
        body = {
            "iss": self.issuer, "sub": self.sub, "aud": "browser-app", "exp": now + 900,
            "iat": now, "nonce": "n-0S6_WzA2Mj", "user_id": str(self.user_number),
        }
        return self.token(header={"typ": "JWT"}, payload=to_json(body | claims))


def changed(fields, changes):
    """Replaces fields, and removes the `ABSENT` ones."""
    fields = copy.copy(fields) | (changes or {})
    return {name: value for name, value in fields.items() if value is not ABSENT}


def to_json(value):
    return json.dumps(value, separators=(",", ":")).encode()


def seconds_from_now(seconds):
    return int(time.time()) + seconds


def flip(token, segment):
    """Changes one bit of a segment (0 header, 1 payload, 2 signature)."""
    parts = token.split(".")
    data = bytearray(base64.urlsafe_b64decode(parts[segment] + "=="))
    data[len(data) // 2] ^= 1
    parts[segment] = encode(bytes(data))
    return ".".join(parts)


def tamper(token, **claims):
    """Changes claims, and keeps the signature."""
    header, payload, signature = token.split(".")
    changes = decode_json(payload) | claims
    return f"{header}.{encode(to_json(changes))}.{signature}"


def decode_json(segment):
    return json.loads(base64.urlsafe_b64decode(segment + "=="))


def strip_signature(token):
    return token.rsplit(".", 1)[0] + "."


def loosen(token):
    """Sets a bit of the last character that stands for no byte of the signature."""
    alphabet = "ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789-_"
    return token[:-1] + alphabet[alphabet.index(token[-1]) | 1]
