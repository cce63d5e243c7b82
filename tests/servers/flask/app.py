"""Flask with flask-jwt-extended, where the refresh token comes first and is opaque.

    POST /login        {username, password} -> {refresh_token}, and no access token
    POST /access_token {refresh_token} -> {access_token}; 400 when it is not valid
    POST /logout       {refresh_token} -> 204
    GET  /protected    POST echoes its body; the errors are the library's own (401 and 422)
    GET  /fresh        401 for every token there is here: one that no refresh mends

User: alice / wonderland. Bodies may be JSON or a form.
Environment, beside that of serve.py: AT_TTL, RT_TTL (seconds), ROTATE=0|1 (a new refresh token
with every access token, the old one is spent).

Revoking forgets every refresh token and puts every access token handed out on the library's
blocklist. Signing in works again at once.
"""

import json
import os
import secrets
import sys
import threading
import time
from datetime import timedelta

from flask import Flask, jsonify, request
from flask_jwt_extended import JWTManager, create_access_token, get_jti, get_jwt_identity, jwt_required

sys.dont_write_bytecode = True  # nothing is left in the checkout
sys.path.append(os.path.join(os.path.dirname(os.path.abspath(__file__)), ".."))
from serve import flag, number, serve, state_dir

USERS = {"alice": "wonderland"}
RT_TTL = number("RT_TTL", 3600)
ROTATE = flag("ROTATE", "0")

app = Flask(__name__)
app.config.update(
    JWT_ACCESS_TOKEN_EXPIRES=timedelta(seconds=number("AT_TTL", 5)),
    JWT_SECRET_KEY="only for tests, only on loopback " * 2,
)
jwt = JWTManager(app)


class Tokens:
    """What the server remembers, in a file so that a restart forgets nothing."""

    def __init__(self, path):
        self.path = path
        self.lock = threading.Lock()
        self.refresh = {}  # token -> [user, until]
        self.issued = []  # ids of access tokens
        self.blocked = []
        if os.path.exists(path):
            with open(path) as file:
                self.refresh, self.issued, self.blocked = json.load(file)

    def save(self):
        with open(self.path + ".new", "w") as file:
            json.dump([self.refresh, self.issued, self.blocked], file)
        os.replace(self.path + ".new", self.path)

    def sign_in(self, user):
        with self.lock:
            token = self.new_refresh(user)
            self.save()
            return token

    def exchange(self, token):
        with self.lock:
            user, until = self.refresh.get(token, (None, 0))
            if until < time.time():
                return None
            out = {"access_token": create_access_token(user)}
            self.issued.append(get_jti(out["access_token"]))
            if ROTATE:
                del self.refresh[token]
                out["refresh_token"] = self.new_refresh(user)
            self.save()
            return out

    def new_refresh(self, user):
        token = secrets.token_urlsafe(32)
        self.refresh[token] = [user, time.time() + RT_TTL]
        return token

    def forget(self, token):
        with self.lock:
            self.refresh.pop(token, None)
            self.save()

    def revoke(self):
        with self.lock:
            revoked = len(self.refresh)
            self.refresh.clear()
            self.blocked.extend(self.issued)
            self.issued.clear()
            self.save()
            return revoked


tokens = Tokens(os.path.join(state_dir(), "flask.json"))


@jwt.token_in_blocklist_loader
def blocked(_header, payload):
    return payload["jti"] in tokens.blocked


@app.post("/login")
def login():
    name, password = field("username"), field("password")
    if not password or USERS.get(name) != password:
        return jsonify(error="bad credentials"), 400
    return jsonify(refresh_token=tokens.sign_in(name))


@app.post("/access_token")
def access_token():
    out = tokens.exchange(field("refresh_token"))
    if out is None:
        return jsonify(error="invalid refresh_token"), 400
    return jsonify(out)


@app.post("/logout")
def logout():
    tokens.forget(field("refresh_token"))
    return "", 204


@app.get("/protected")
@jwt_required()
def protected():
    return jsonify(logged_in_as=get_jwt_identity(), n=request.args.get("n"))


@app.post("/protected")
@jwt_required()
def echo():
    return jsonify(echo=request.get_json(silent=True))


@app.get("/fresh")
@jwt_required(fresh=True)
def fresh():
    return jsonify(fresh=True)


def field(name):
    body = request.get_json(silent=True)
    return (body if isinstance(body, dict) else request.form).get(name)


if __name__ == "__main__":
    serve(
        app,
        login="POST /login",
        refresh="POST /access_token",
        protected=["GET /protected", "POST /protected", "GET /fresh"],
        revoke=tokens.revoke,
    )
