"""A Django project with djangorestframework-simplejwt and djoser, as their documentation has it.

Refresh tokens rotate and are blacklisted after rotation. The protected view is djoser's
/auth/users/me/.
"""

import logging
import tempfile
from pathlib import Path

import django
from django.conf import settings

import forge
from serve import serve

KEY = "the signing key of the reference application, long enough"
VALIDATORS = [
    "UserAttributeSimilarityValidator",
    "MinimumLengthValidator",
    "CommonPasswordValidator",
    "NumericPasswordValidator",
]


def configure(folder):
    """The settings file of the project."""
    settings.configure(
        SECRET_KEY=KEY,
        # With DEBUG a POST without the final slash would be an error page instead of a redirect.
        DEBUG=False,
        ALLOWED_HOSTS=["127.0.0.1"],
        ROOT_URLCONF="reference_simplejwt",
        USE_TZ=True,
        INSTALLED_APPS=[
            "django.contrib.auth",
            "django.contrib.contenttypes",
            "rest_framework",
            "rest_framework_simplejwt",
            "rest_framework_simplejwt.token_blacklist",
            "djoser",
        ],
        MIDDLEWARE=["django.middleware.common.CommonMiddleware"],
        TEMPLATES=[{
            "BACKEND": "django.template.backends.django.DjangoTemplates",
            "APP_DIRS": True,
        }],
        DATABASES={"default": {
            "ENGINE": "django.db.backends.sqlite3",
            "NAME": str(Path(folder) / "reference.sqlite3"),
            # Threads of the server wait for each other instead of failing.
            "OPTIONS": {"timeout": 30},
        }},
        DEFAULT_AUTO_FIELD="django.db.models.BigAutoField",
        # The hash is not on the wire, and a fast one makes the comparison fast.
        PASSWORD_HASHERS=["django.contrib.auth.hashers.MD5PasswordHasher"],
        AUTH_PASSWORD_VALIDATORS=[
            {"NAME": f"django.contrib.auth.password_validation.{name}"} for name in VALIDATORS
        ],
        REST_FRAMEWORK={"DEFAULT_AUTHENTICATION_CLASSES": (
            "rest_framework_simplejwt.authentication.JWTAuthentication",
        )},
        SIMPLE_JWT={"ROTATE_REFRESH_TOKENS": True, "BLACKLIST_AFTER_ROTATION": True},
    )
    django.setup()


def __getattr__(name):
    """The routes. Django reads them here, but only once the settings exist."""
    if name != "urlpatterns":
        raise AttributeError(name)
    from django.urls import include, path
    from rest_framework_simplejwt import views

    return [
        path("api/token/", views.TokenObtainPairView.as_view()),
        path("api/token/refresh/", views.TokenRefreshView.as_view()),
        path("api/token/verify/", views.TokenVerifyView.as_view()),
        path("api/token/blacklist/", views.TokenBlacklistView.as_view()),
        path("auth/", include("djoser.urls")),
    ]


class Reference:
    """The running project with its users."""

    name = "djangorestframework-simplejwt"

    def __init__(self, users):
        self.folder = tempfile.TemporaryDirectory(prefix="gateward-dialects-")
        configure(self.folder.name)
        # Two of the cases crash the real package; the traces would hide the results.
        logging.disable(logging.CRITICAL)
        from django.contrib.auth import get_user_model
        from django.core.management import call_command
        from django.core.wsgi import get_wsgi_application

        call_command("migrate", verbosity=0)
        self.users = get_user_model().objects
        for name, user in users.items():
            self.users.create_user(name, user["email"], user["password"])
        self.url = serve(get_wsgi_application())
        self.variables = forge.simplejwt(KEY, self.users.get(username="ada").pk)

    def act(self, act, name):
        """Disables, enables or deletes a user."""
        if act == "delete":
            self.users.get(username=name).delete()
        else:
            self.users.filter(username=name).update(is_active=act == "enable")
