"""Django REST framework with simplejwt. Every token view is the library's own.

    POST /api/token/           {username, password} -> {access, refresh}
    POST /api/token/refresh/   {refresh} -> {access}, and {refresh} where it rotates
    POST /api/token/verify/    {token}
    POST /api/token/blacklist/ {refresh}
    GET  /api/protected/       POST echoes its body

Users: alice / wonderland; `off` / `x` is deactivated.
Environment, beside that of serve.py: AT_TTL, RT_TTL (seconds), ROTATE=1|0 (a new refresh token
with every refresh), BLACKLIST=1|0 (the old one dies then), THROTTLE=2/min (anonymous requests,
answered with 429), LEEWAY (seconds), CHECK_REVOKE=1|0 (an access token dies with the password
it was issued for).

Revoking is what an administrator can do here: every refresh token handed out is blacklisted,
and the passwords are stored anew, which ends the access tokens unless CHECK_REVOKE is 0. The
same passwords sign in again.
"""

import os
import sys
from datetime import timedelta

import django
from django.conf import settings

sys.dont_write_bytecode = True  # nothing is left in the checkout
sys.path.append(os.path.join(os.path.dirname(os.path.abspath(__file__)), ".."))
from serve import flag, number, serve, state_dir

USERS = {"alice": "wonderland", "off": "x"}
THROTTLE = os.environ.get("THROTTLE")

settings.configure(
    ALLOWED_HOSTS=["*"],
    DATABASES={"default": {
        "ENGINE": "django.db.backends.sqlite3",
        "NAME": os.path.join(state_dir(), "simplejwt.sqlite3"),
        "OPTIONS": {"timeout": 20},
    }},
    DEFAULT_AUTO_FIELD="django.db.models.BigAutoField",
    INSTALLED_APPS=[
        "django.contrib.auth",
        "django.contrib.contenttypes",
        "rest_framework",
        "rest_framework_simplejwt",
        "rest_framework_simplejwt.token_blacklist",
    ],
    # The proper hashers are slow on purpose, and sign-in is not what is measured.
    PASSWORD_HASHERS=["django.contrib.auth.hashers.MD5PasswordHasher"],
    REST_FRAMEWORK={
        "DEFAULT_AUTHENTICATION_CLASSES": ["rest_framework_simplejwt.authentication.JWTAuthentication"],
        "DEFAULT_RENDERER_CLASSES": ["rest_framework.renderers.JSONRenderer"],
        "DEFAULT_THROTTLE_CLASSES": ["rest_framework.throttling.AnonRateThrottle"] if THROTTLE else [],
        "DEFAULT_THROTTLE_RATES": {"anon": THROTTLE},
    },
    ROOT_URLCONF=__name__,
    SECRET_KEY="only for tests, only on loopback " * 2,
    SIMPLE_JWT={
        "ACCESS_TOKEN_LIFETIME": timedelta(seconds=number("AT_TTL", 5)),
        "REFRESH_TOKEN_LIFETIME": timedelta(seconds=number("RT_TTL", 3600)),
        "ROTATE_REFRESH_TOKENS": flag("ROTATE", "1"),
        "BLACKLIST_AFTER_ROTATION": flag("BLACKLIST", "1"),
        "CHECK_REVOKE_TOKEN": flag("CHECK_REVOKE", "1"),
        "LEEWAY": number("LEEWAY", 0),
    },
    USE_TZ=True,
)
django.setup()

# Django's own modules can only be imported once it is set up.
from django.contrib.auth.models import User
from django.core.management import call_command
from django.core.wsgi import get_wsgi_application
from django.db import connection
from django.urls import path
from rest_framework.permissions import IsAuthenticated
from rest_framework.response import Response
from rest_framework.views import APIView
from rest_framework_simplejwt.token_blacklist.models import BlacklistedToken, OutstandingToken
from rest_framework_simplejwt.views import (
    TokenBlacklistView,
    TokenObtainPairView,
    TokenRefreshView,
    TokenVerifyView,
)


class Protected(APIView):
    permission_classes = [IsAuthenticated]

    def get(self, request):
        return Response({"message": f"hello {request.user.username}", "n": request.query_params.get("n")})

    def post(self, request):
        return Response({"echo": request.data})


urlpatterns = [
    path("api/token/", TokenObtainPairView.as_view()),
    path("api/token/refresh/", TokenRefreshView.as_view()),
    path("api/token/verify/", TokenVerifyView.as_view()),
    path("api/token/blacklist/", TokenBlacklistView.as_view()),
    path("api/protected/", Protected.as_view()),
]


def revoke():
    try:
        tokens = list(OutstandingToken.objects.all())
        for token in tokens:
            BlacklistedToken.objects.get_or_create(token=token)
        for name, password in USERS.items():
            user = User.objects.get(username=name)
            user.set_password(password)
            user.save()
        return len(tokens)
    finally:
        connection.close()


if __name__ == "__main__":
    call_command("migrate", verbosity=0, run_syncdb=True)
    for name, password in USERS.items():
        if not User.objects.filter(username=name).exists():
            User.objects.create_user(name, password=password, is_active=name != "off")
    serve(
        get_wsgi_application(),
        login="POST /api/token/",
        refresh="POST /api/token/refresh/",
        protected=["GET /api/protected/", "POST /api/protected/"],
        revoke=revoke,
    )
