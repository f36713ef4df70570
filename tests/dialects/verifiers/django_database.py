"""Settings of a Django resource server with its own user table, whose keys are integers.

Gateward needs `dialects.user_ids = "integer"`, and the accounts must have been imported with
their keys, so that `user_id` is the key of the same person here.
"""

import os

SECRET_KEY = "only for tests; Gateward's tokens do not depend on it"
ALLOWED_HOSTS = ["127.0.0.1"]
ROOT_URLCONF = "django_views"
DEFAULT_AUTO_FIELD = "django.db.models.BigAutoField"

INSTALLED_APPS = [
    "django.contrib.auth",
    "django.contrib.contenttypes",
    "rest_framework",
]

DATABASES = {"default": {"ENGINE": "django.db.backends.sqlite3", "NAME": ":memory:"}}

REST_FRAMEWORK = {
    # Or gateward_auth.GatewardAuthentication, which also checks `typ`.
    "DEFAULT_AUTHENTICATION_CLASSES": [
        "rest_framework_simplejwt.authentication.JWTAuthentication",
    ],
    "DEFAULT_PERMISSION_CLASSES": ["rest_framework.permissions.IsAuthenticated"],
    "DEFAULT_RENDERER_CLASSES": ["rest_framework.renderers.JSONRenderer"],
}

SIMPLE_JWT = {
    # See django_stateless.py for the settings that both have.
    "ALGORITHM": os.environ["GATEWARD_ALGORITHM"],
    "JWK_URL": os.environ["GATEWARD_JWKS_URL"],
    "ISSUER": os.environ["GATEWARD_ISSUER"],
    "AUDIENCE": os.environ["GATEWARD_AUDIENCE"],
    "LEEWAY": 5,
    "SIGNING_KEY": None,
    "TOKEN_TYPE_CLAIM": "token_type",
    "JTI_CLAIM": "jti",
    "AUTH_TOKEN_CLASSES": ("rest_framework_simplejwt.tokens.AccessToken",),
    # The user is looked up by this field with the value of this claim.
    "USER_ID_FIELD": "id",
    "USER_ID_CLAIM": "user_id",
    # Users who are deactivated in this table are refused, whatever Gateward says about them.
    "CHECK_USER_IS_ACTIVE": True,
    # Compares a hash of the password in this table with a claim that Gateward does not have. A
    # change of the password ends sessions at Gateward.
    "CHECK_REVOKE_TOKEN": False,
}
