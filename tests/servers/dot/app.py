"""django-oauth-toolkit (OAuth 2.0 and OpenID Connect). Everything but /api/protected is its own, and
the page on which somebody signs in is that of Django's admin.

The issuer is http://127.0.0.1:PORT/o, with the port that the request was sent to:

    GET  /o/.well-known/openid-configuration          names no revocation endpoint,
    GET  /.well-known/oauth-authorization-server/o    which this does; neither names that for devices
    GET  /o/authorize/             needs PKCE    POST /o/token/
    POST /o/device-authorization/                GET  /o/device/
    POST /o/revoke_token/                        POST /o/introspect/ (client `rs`)
    GET  /o/userinfo/              GET /o/logout/ ends every token of the user
    GET  /api/protected            behind the product's own ProtectedResourceView: 403 with an empty body
                                   for every token that is not good; POST echoes its body (JSON)

Clients: `desktop` (public; code, refresh; redirects to http://127.0.0.1/callback with any port, and
to nothing below it), `device` (public), `ropc` (public; password), `rs` / `rs-secret` (client_credentials,
introspection). Users: alice / wonderland, bob / builder; the subject is the user's number. Scopes: openid,
read, write, offline_access; a refresh token comes with any of them.

A refresh ends the access token before it, at once. At five refreshes of one token at a time sqlite
answers some with 500.

Signing in with a script that keeps cookies and follows no redirect by itself. Each form holds a hidden
`csrfmiddlewaretoken`, which is sent along; a page's other hidden fields are sent back as they are:

    1. GET  /o/authorize/?client_id=desktop&response_type=code&redirect_uri&scope&state&code_challenge
            &code_challenge_method=S256        -> 302 /admin/login/?next=...
    2. GET  that                               -> 200, form
    3. POST that  csrfmiddlewaretoken&username=alice&password=wonderland&next=(as in the address)
                                               -> 302 /o/authorize/?... (200 and a message when wrong)
    4. GET  that                               -> 200, form; with SKIP_CONSENT=1 as after 5
    5. POST the same address, with the form's hidden fields and allow=Authorize
                                               -> 302 REDIRECT?code&state, and no iss
To cancel, leave out `allow` in 5: REDIRECT?error=access_denied&state. A browser that is signed in
skips 2 and 3.

A device: POST /o/device-authorization/ client_id=device&scope=... -> {device_code, user_code,
verification_uri, expires_in, interval}, and polls of /o/token/. Then, in a browser that signed in as above
(GET /o/device/ redirects to the sign-in by itself):

    1. GET  /o/device/                         -> 200, form
    2. POST /o/device/     csrfmiddlewaretoken&user_code=CODE  -> 302 /o/device-confirm/device/CODE
    3. GET  that                               -> 200, form
    4. POST that           csrfmiddlewaretoken&action=accept   -> 302 (action=deny to deny)

Environment, beside that of serve.py: AT_TTL, RT_TTL (seconds), ROTATE=1|0 (a new refresh token with
every refresh), GRACE (seconds in which a spent one gets the very same tokens again), REUSE=0|1 (a
spent one ends the whole family), SKIP_CONSENT=0|1, DEVICE_INTERVAL (seconds; a device's code is good
for half an hour, which cannot be set), REDIRECT_PATH (in place of /callback), PUBLIC_PORT (the port
that others know it by, where something stands before it), DB_TIMEOUT (seconds for which a request
waits while the database is locked, before it ends in 500).

POST /__lock locks the database, as a long transaction of somebody else does, and POST /__unlock ends that.

Revoking ends every token of everybody, as an administrator can. Browsers stay signed in.
"""

import json
import os
import sqlite3
import sys
from datetime import timedelta

import django
from django.conf import settings

sys.dont_write_bytecode = True  # nothing is left in the checkout
sys.path.append(os.path.join(os.path.dirname(os.path.abspath(__file__)), ".."))
from serve import flag, number, serve, state_dir

USERS = {"alice": "wonderland", "bob": "builder"}
DEVICE_CODE = "urn:ietf:params:oauth:grant-type:device_code"


def kept(name, make):
    """What must be the same after a restart."""
    path = os.path.join(state_dir(), name)
    if not os.path.exists(path):
        with open(path, "w") as file:
            file.write(make())
    with open(path) as file:
        return file.read()


def new_key():
    from cryptography.hazmat.primitives import serialization
    from cryptography.hazmat.primitives.asymmetric import rsa

    key = rsa.generate_private_key(public_exponent=65537, key_size=2048)
    return key.private_bytes(
        serialization.Encoding.PEM, serialization.PrivateFormat.PKCS8, serialization.NoEncryption()
    ).decode()


settings.configure(
    ALLOWED_HOSTS=["*"],
    DATABASES={"default": {
        "ENGINE": "django.db.backends.sqlite3",
        "NAME": os.path.join(state_dir(), "dot.sqlite3"),
        "OPTIONS": {"timeout": number("DB_TIMEOUT", 20)},
    }},
    DEFAULT_AUTO_FIELD="django.db.models.BigAutoField",
    INSTALLED_APPS=[
        "django.contrib.admin",
        "django.contrib.auth",
        "django.contrib.contenttypes",
        "django.contrib.messages",
        "django.contrib.sessions",
        "oauth2_provider",
    ],
    LOGIN_URL="/admin/login/",
    MIDDLEWARE=[
        "django.contrib.sessions.middleware.SessionMiddleware",
        "django.middleware.csrf.CsrfViewMiddleware",
        "django.contrib.auth.middleware.AuthenticationMiddleware",
        "django.contrib.messages.middleware.MessageMiddleware",
    ],
    OAUTH2_PROVIDER={
        "ACCESS_TOKEN_EXPIRE_SECONDS": int(number("AT_TTL", 5)),
        "ALWAYS_RELOAD_OAUTHLIB_CORE": True,  # it would remember the lifetime
        "DEFAULT_SCOPES": ["read"],
        "DEVICE_FLOW_INTERVAL": int(number("DEVICE_INTERVAL", 5)),
        "OAUTH_DEVICE_VERIFICATION_URI": "",  # known once there is a port
        "OIDC_ENABLED": True,
        "OIDC_RP_INITIATED_LOGOUT_ALWAYS_PROMPT": False,
        "OIDC_RP_INITIATED_LOGOUT_ENABLED": True,
        "OIDC_RSA_PRIVATE_KEY": kept("dot.pem", new_key),
        "PKCE_REQUIRED": True,
        "REFRESH_TOKEN_EXPIRE_SECONDS": int(number("RT_TTL", 3600)),
        "REFRESH_TOKEN_GRACE_PERIOD_SECONDS": int(number("GRACE", 0)),
        "REFRESH_TOKEN_REUSE_PROTECTION": flag("REUSE", "0"),
        "ROTATE_REFRESH_TOKEN": flag("ROTATE", "1"),
        "SCOPES": {"openid": "OpenID", "read": "Read", "write": "Write", "offline_access": "Stay signed in"},
    },
    # The tables as they are in the end, at once: going through their history takes seconds.
    MIGRATION_MODULES={"admin": None, "auth": None, "contenttypes": None, "oauth2_provider": None, "sessions": None},
    # The proper hashers are slow on purpose, and sign-in is not what is measured.
    PASSWORD_HASHERS=["django.contrib.auth.hashers.MD5PasswordHasher"],
    ROOT_URLCONF=__name__,
    SECRET_KEY="only for tests, only on loopback " * 2,
    TEMPLATES=[{
        "BACKEND": "django.template.backends.django.DjangoTemplates",
        "APP_DIRS": True,
        "OPTIONS": {"context_processors": [
            "django.contrib.auth.context_processors.auth",
            "django.contrib.messages.context_processors.messages",
            "django.template.context_processors.request",
        ]},
    }],
    USE_TZ=True,
)
django.setup()

# Django's own modules can only be imported once it is set up.
from django.contrib import admin
from django.contrib.auth.models import User
from django.core.management import call_command
from django.core.wsgi import get_wsgi_application
from django.db import connection
from django.http import HttpResponse, JsonResponse
from django.urls import include, path
from django.utils import timezone
from django.views.decorators.csrf import csrf_exempt
from oauth2_provider import urls
from oauth2_provider.models import AccessToken, Grant, RefreshToken, get_application_model
from oauth2_provider.settings import oauth2_settings
from oauth2_provider.views.generic import ProtectedResourceView


class Protected(ProtectedResourceView):
    def get(self, request):
        # A client that came for itself has nobody behind it.
        whose = getattr(request.resource_owner, "username", None)
        return JsonResponse({"hello": whose, "n": request.GET.get("n")})

    def post(self, request):
        return JsonResponse({"echo": json.loads(request.body or "null")})


urlpatterns = [
    # Where a browser is sent that has signed out and has nowhere else to go.
    path("", lambda request: HttpResponse("Nobody is signed in.\n")),
    path("admin/", admin.site.urls),
    path("api/protected", csrf_exempt(Protected.as_view())),
    path("o/", include("oauth2_provider.urls", namespace="oauth2_provider")),
    # RFC 8414 puts it at the root of the origin.
    path("", include((urls.metadata_urlpatterns, "oauth2_provider"), namespace="oauth2_metadata")),
]


def clients():
    callback = os.environ.get("REDIRECT_PATH") or "/callback"
    known = {
        "desktop": {
            "authorization_grant_type": "authorization-code",
            "algorithm": "RS256",
            "post_logout_redirect_uris": "http://127.0.0.1/signed-out",
            "redirect_uris": f"http://127.0.0.1{callback}",
            "skip_authorization": flag("SKIP_CONSENT", "0"),
        },
        "device": {"authorization_grant_type": DEVICE_CODE},
        "ropc": {"authorization_grant_type": "password"},
        "rs": {
            "authorization_grant_type": "client-credentials",
            "client_secret": "rs-secret",
            "client_type": "confidential",
        },
    }
    for client_id, fields in known.items():
        fields = {"client_type": "public", "name": client_id, **fields}
        get_application_model().objects.update_or_create(client_id=client_id, defaults=fields)


def revoke():
    try:
        refresh = list(RefreshToken.objects.filter(revoked__isnull=True))
        for token in refresh:
            token.revoke()
        access, _ = AccessToken.objects.all().delete()
        Grant.objects.all().delete()
        return len(refresh) + access
    finally:
        connection.close()


def expire():
    try:
        return {"expired": living().update(expires=timezone.now() - timedelta(seconds=1))}
    finally:
        connection.close()


def tokens():
    try:
        refresh = RefreshToken.objects.filter(revoked__isnull=True).count()
        return {"access": living().count(), "refresh": refresh}
    finally:
        connection.close()


def living():
    return AccessToken.objects.filter(expires__gt=timezone.now())


def lifetime(seconds):
    oauth2_settings.ACCESS_TOKEN_EXPIRE_SECONDS = int(seconds)
    return {"seconds": int(seconds)}


def lock():
    other = sqlite3.connect(settings.DATABASES["default"]["NAME"], timeout=20, check_same_thread=False)
    other.execute("BEGIN EXCLUSIVE")
    _locks.append(other)
    return {"locked": True}


def unlock():
    while _locks:
        _locks.pop().close()
    return {"locked": False}


def listening(port):
    port = os.environ.get("PUBLIC_PORT") or port
    oauth2_settings.OAUTH_DEVICE_VERIFICATION_URI = f"http://127.0.0.1:{port}/o/device/"


_locks = []


if __name__ == "__main__":
    call_command("migrate", verbosity=0, run_syncdb=True)
    for name, password in USERS.items():
        if not User.objects.filter(username=name).exists():
            User.objects.create_superuser(name, f"{name}@example.test", password)
    clients()
    serve(
        get_wsgi_application(),
        token="POST /o/token/",
        protected=["GET /api/protected", "POST /api/protected", "GET /o/userinfo/"],
        revoke=revoke,
        listening=listening,
        counted={
            "POST /o/device-authorization/": "devices",
            "POST /o/introspect/": "introspections",
            "POST /o/revoke_token/": "revocations",
        },
        actions={
            "GET /__tokens": tokens,
            "POST /__expire": expire,
            "POST /__lifetime": lifetime,
            "POST /__lock": lock,
            "POST /__unlock": unlock,
        },
        packages=("django-oauth-toolkit", "Django"),
    )
