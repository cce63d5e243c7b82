# A provider of a few lines, which does as a script tells it.
import json
import threading
import time
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from urllib.parse import parse_qs, urlparse

PAGE = "<html><body>Please sign in to the network</body></html>"


class Provider:
    """Each refresh token is good once, as with careful providers."""

    def __init__(self):
        self.lifetime, self.delay, self.says, self.more = 3600, 0, [], {}
        self.sent, self.asked, self.number, self.always_refuses = [], 0, 0, False
        self.good, self.access, self.lock = {"rt-0"}, set(), threading.Lock()

    def token(self, form):
        if form.get("grant_type") == "authorization_code":
            new = {"access_token": "at-0", "refresh_token": "rt-0", "token_type": "Bearer", "expires_in": self.lifetime}
            return 200, {}, json.dumps(new)
        with self.lock:
            self.sent.append(form.get("refresh_token"))
            said = self.says.pop(0) if self.says else None
        if said:
            return said
        time.sleep(self.delay)
        with self.lock:
            if form.get("refresh_token") not in self.good:
                return 400, {}, json.dumps({"error": "invalid_grant"})
            self.good.discard(form["refresh_token"])
            self.number += 1
            new = {"access_token": f"at-{self.number}", "refresh_token": f"rt-{self.number}", "token_type": "Bearer"}
            new = {**new, "expires_in": self.lifetime, "scope": "read", "id_token": ID_TOKEN, **self.more}
            new = {name: value for name, value in new.items() if value is not LEFT_OUT}
            self.good.add(new.get("refresh_token") or form["refresh_token"])
            self.access.add(new["access_token"])
            return 200, {}, json.dumps(new)


LEFT_OUT = object()
ID_TOKEN = "e30.eyJzdWIiOiJhbGljZSIsImF1ZCI6ImNsaWVudCIsImlzcyI6Imh0dHBzOi8vcHJvdmlkZXIudGVzdC90ZW5hbnQifQ.e30"


class Handler(BaseHTTPRequestHandler):
    protocol_version = "HTTP/1.1"

    def log_message(self, *_):
        pass

    def handle(self):
        try:
            super().handle()
        except ConnectionError:
            """Whoever asked has been ended."""

    def answer(self, status, headers, body):
        self.send_response(status)
        for name, value in {"Content-Type": "text/html" if body.startswith("<") else "application/json", **headers}.items():
            self.send_header(name, value)
        self.send_header("Content-Length", str(len(body)))
        self.end_headers()
        self.wfile.write(body.encode())

    def do_GET(self):
        provider = self.server.provider
        if self.path.endswith("openid-configuration"):
            own = f"http://{self.headers['Host']}"
            places = {"issuer": own, "authorization_endpoint": f"{own}/authorize", "token_endpoint": f"{own}/token"}
            return self.answer(200, {}, json.dumps({**places, "scopes_supported": ["openid", "offline_access"]}))
        if self.path.startswith("/authorize"):
            asked = {name: value[0] for name, value in parse_qs(urlparse(self.path).query).items()}
            return self.answer(302, {"Location": f"{asked['redirect_uri']}?code=c&state={asked['state']}"}, "")
        if self.path == "/page":
            return self.answer(200, {}, PAGE)
        provider.asked += 1
        token = self.headers.get("Authorization", "").removeprefix("Bearer ")
        good = token in provider.access and not provider.always_refuses
        self.answer(200 if good else 401, {}, "{}")

    def do_POST(self):
        body = self.rfile.read(int(self.headers.get("Content-Length", 0))).decode()
        form = {name: value[0] for name, value in parse_qs(body).items()}
        self.answer(*self.server.provider.token(form))


def start():
    provider = Provider()
    server = ThreadingHTTPServer(("127.0.0.1", 0), Handler)
    server.provider = provider
    threading.Thread(target=server.serve_forever, daemon=True).start()
    return provider, f"http://127.0.0.1:{server.server_address[1]}"
