"""Flask-AppBuilder's stock security API: no view here is written for the tests.

    POST /api/v1/security/login   {username, password, provider: "db", refresh: true}
                                  -> {access_token, refresh_token}
    POST /api/v1/security/refresh the refresh token in Authorization, no body -> {access_token}
    GET  /api/v1/menu/            a protected resource

User: alice / wonderland.
Environment, beside that of serve.py: AT_TTL, RT_TTL (seconds). It cannot rotate, and it knows no
sign-out for tokens.

Revoking deactivates the users, the one thing that the product offers: both kinds of token are
refused from then on, and so is signing in, until they are restored. Restoring revives the tokens
too, as far as they have not expired.
"""

import os
import sys
from datetime import timedelta

from flask import Flask
from flask_appbuilder import AppBuilder
from flask_appbuilder.utils.legacy import get_sqla_class

sys.dont_write_bytecode = True  # nothing is left in the checkout
sys.path.append(os.path.join(os.path.dirname(os.path.abspath(__file__)), ".."))
from serve import number, serve, state_dir

app = Flask(__name__)
app.config.update(
    AUTH_RATE_LIMITED=False,
    JWT_ACCESS_TOKEN_EXPIRES=timedelta(seconds=number("AT_TTL", 5)),
    JWT_REFRESH_TOKEN_EXPIRES=timedelta(seconds=number("RT_TTL", 3600)),
    RATELIMIT_ENABLED=False,
    SECRET_KEY="only for tests, only on loopback " * 2,
    SQLALCHEMY_DATABASE_URI="sqlite:///" + os.path.join(os.path.abspath(state_dir()), "appbuilder.sqlite3"),
)
db = get_sqla_class()()


def set_active(active):
    with app.app_context():
        users = builder.sm.get_all_users()
        for user in users:
            user.active = active
        db.session.commit()
        return len(users)


if __name__ == "__main__":
    with app.app_context():
        db.init_app(app)
        builder = AppBuilder(app, db.session)
        if not builder.sm.find_user("alice"):
            admin = builder.sm.find_role("Admin")
            builder.sm.add_user("alice", "Alice", "Liddell", "alice@example.test", admin, "wonderland")
    serve(
        app,
        login="POST /api/v1/security/login",
        refresh="POST /api/v1/security/refresh",
        protected=["GET /api/v1/menu/"],
        revoke=lambda: set_active(False),
        restore=lambda: set_active(True),
    )
