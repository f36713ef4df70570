"""Settings of a Django resource server without a user table: Gateward holds the users."""

import os

SECRET_KEY = "only for tests; Gateward's tokens do not depend on it"
ALLOWED_HOSTS = ["127.0.0.1"]
ROOT_URLCONF = "django_views"

# simplejwt needs the user model to be installed, though it reads no table.
INSTALLED_APPS = [
    "django.contrib.auth",
    "django.contrib.contenttypes",
    "rest_framework",
]

REST_FRAMEWORK = {
    # Or gateward_auth.GatewardStatelessAuthentication, which also checks `typ`.
    "DEFAULT_AUTHENTICATION_CLASSES": [
        "rest_framework_simplejwt.authentication.JWTStatelessUserAuthentication",
    ],
    "DEFAULT_PERMISSION_CLASSES": ["rest_framework.permissions.IsAuthenticated"],
    "DEFAULT_RENDERER_CLASSES": ["rest_framework.renderers.JSONRenderer"],
}

SIMPLE_JWT = {
    # Exactly the `keys.algorithm` of Gateward. simplejwt accepts one algorithm, and its default
    # is HS256.
    "ALGORITHM": os.environ["GATEWARD_ALGORITHM"],
    # The keys are fetched from here, kept for 5 minutes, and fetched again when a token names
    # one that is unknown, at most every 30 seconds.
    "JWK_URL": os.environ["GATEWARD_JWKS_URL"],
    # Without ISSUER and AUDIENCE, the library does not check `iss` and `aud`. They are
    # `tokens.issuer` and `tokens.audience` of Gateward.
    "ISSUER": os.environ["GATEWARD_ISSUER"],
    "AUDIENCE": os.environ["GATEWARD_AUDIENCE"],
    # Seconds by which the clocks of Gateward's nodes may differ. The default of 0 refuses fresh
    # tokens of a node whose clock is ahead of yours.
    "LEEWAY": 5,
    # This server issues no tokens. The default is SECRET_KEY, with which it could.
    "SIGNING_KEY": None,
    # The claims that the dialect adds. These are the defaults, stated because the check depends
    # on them: TOKEN_TYPE_CLAIM = None would accept any kind of token.
    "USER_ID_CLAIM": "user_id",
    "TOKEN_TYPE_CLAIM": "token_type",
    "JTI_CLAIM": "jti",
    "AUTH_TOKEN_CLASSES": ("rest_framework_simplejwt.tokens.AccessToken",),
}
