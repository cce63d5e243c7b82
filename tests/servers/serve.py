"""What the Python fixtures share: being started, watched and stopped by a test.

The views, the tokens and the errors are the product's own. This wraps the finished WSGI
application from outside and adds what a test needs to know about the server's side:

    GET  /__counters   {logins, refreshes, refreshed, protected, unauthorized, max_refreshes_in_flight}
    GET  /__log        the protected requests in order of arrival: [{method, path, n, status}, ...]
    POST /__revoke     takes the users' tokens away behind the client's back; each fixture says how
    POST /__restore    undoes what of that would keep a user from signing in again

Where one token endpoint serves every grant, its requests are told apart by `grant_type`, and counted
under the last word of it as well: {authorization_code, refresh_token, device_code, ...}. Those servers
also count what else a client asks of them, {devices, introspections, pushed, revocations}, and have:

    GET  /__tokens     {access, refresh}: how many of each are good at this moment
    GET  /__versions   {package: version, ...} of what is tested
    POST /__expire     ends the access tokens as time would, and nothing else
    POST /__lifetime?seconds=N   of access tokens from now on

`logins` and `refreshes` count requests, `refreshed` those refreshes that were granted,
`unauthorized` the protected requests answered with 401, 403 or 422. A status is null in the
log while its request is still being answered.

Environment: PORT (0, the default: any free one), STATE (a directory; what is in it survives a
restart), REFRESH_DELAY (seconds that each refresh is held, so that callers meet in it).

Prints `ready PORT` once it is listening. Ends on SIGTERM, and when standard input does: a test
that is killed closes the pipe and leaves no orphan. By hand: `sleep infinity | python app.py`.
"""

import io
import json
import os
import shutil
import signal
import sys
import tempfile
import threading
import time
from importlib.metadata import version
from urllib.parse import parse_qs

from werkzeug.serving import WSGIRequestHandler, make_server


def number(name, default):
    return float(os.environ.get(name) or default)


def flag(name, default):
    return (os.environ.get(name) or default) == "1"


def state_dir():
    """The directory of STATE, or one that goes away with the process."""
    if os.environ.get("STATE"):
        os.makedirs(os.environ["STATE"], exist_ok=True)
        return os.environ["STATE"]
    if not _own_state:
        _own_state.append(tempfile.mkdtemp(prefix="pilotlight-server-"))
    return _own_state[0]


def serve(app, protected, revoke, restore=lambda: 0, login=None, refresh=None, token=None,
          listening=lambda port: None, counted=None, actions=None, packages=()):
    """Serves `app` until told to stop. The routes are strings such as "POST /login".

    `token` is the endpoint of every grant, in place of `login` and `refresh`; `listening` is told
    the port before anybody else. `counted` names the counters of further routes, `actions` are
    answered with what they return, and the versions of `packages` are told to who asks.
    """
    watched = Watched(app, {login}, {refresh}, set(protected), token, revoke, restore)
    watched.counted = counted or {}
    watched.counters.update(dict.fromkeys(watched.counted.values(), 0))
    watched.actions["GET /__versions"] = lambda: {package: version(package) for package in packages}
    watched.actions.update(actions or {})
    server = make_server("127.0.0.1", int(number("PORT", 0)), watched, threaded=True, request_handler=Quiet)
    signal.signal(signal.SIGTERM, lambda *_: stop())
    threading.Thread(target=stop_with_stdin, daemon=True).start()
    listening(server.port)
    print("ready", server.port, flush=True)
    server.serve_forever()


class Watched:
    def __init__(self, app, logins, refreshes, protected, token, revoke, restore):
        self.app = app
        self.token = token
        self.kinds = {route: kind for kind, routes in
                      (("logins", logins), ("refreshes", refreshes), ("protected", protected)) for route in routes}
        self.actions = {"GET /__counters": self.read_counters, "GET /__log": self.read_log,
                        "POST /__revoke": lambda: {"revoked": revoke()},
                        "POST /__restore": lambda: {"restored": restore()}}
        self.lock = threading.Lock()
        self.counters = dict.fromkeys(
            ("logins", "refreshes", "refreshed", "protected", "unauthorized", "max_refreshes_in_flight"), 0)
        if token:
            self.counters.update(dict.fromkeys(GRANTS, 0))
        self.in_flight = 0
        self.log = []

    def __call__(self, environ, start_response):
        route = f"{environ['REQUEST_METHOD']} {environ['PATH_INFO']}"
        if route in self.actions:
            body = json.dumps(self.act(route, environ)).encode()
            start_response("200 OK", [("Content-Type", "application/json"), ("Content-Length", str(len(body)))])
            return [body]
        if route in self.counted:
            with self.lock:
                self.counters[self.counted[route]] += 1
        kind = self.granted(environ) if route == self.token else self.kinds.get(route)
        if kind is None:
            return self.app(environ, start_response)
        entry = self.arrived(kind, environ)
        status = [500]

        def note(line, headers, exc_info=None):
            status[0] = int(line.split()[0])
            return start_response(line, headers, exc_info)

        try:
            if kind == "refreshes":
                time.sleep(number("REFRESH_DELAY", 0))
            answer = self.app(environ, note)
            try:
                return [b"".join(answer)]
            finally:
                getattr(answer, "close", lambda: None)()
        finally:
            self.answered(kind, entry, status[0])

    def act(self, route, environ):
        query = {name: values[0] for name, values in parse_qs(environ.get("QUERY_STRING", "")).items()}
        return self.actions[route](**query)

    def granted(self, environ):
        body = environ["wsgi.input"].read(int(environ.get("CONTENT_LENGTH") or 0))
        environ["wsgi.input"] = io.BytesIO(body)
        grant = parse_qs(body.decode("utf-8", "replace")).get("grant_type", [""])[0].split(":")[-1]
        if grant in GRANTS:
            with self.lock:
                self.counters[grant] += 1
        return {"authorization_code": "logins", "password": "logins", "refresh_token": "refreshes"}.get(grant)

    def arrived(self, kind, environ):
        entry = {"method": environ["REQUEST_METHOD"], "path": environ["PATH_INFO"],
                 "n": parse_qs(environ.get("QUERY_STRING", "")).get("n", [None])[0], "status": None}
        with self.lock:
            self.counters[kind] += 1
            if kind == "protected":
                self.log.append(entry)
            if kind == "refreshes":
                self.in_flight += 1
                self.counters["max_refreshes_in_flight"] = max(
                    self.counters["max_refreshes_in_flight"], self.in_flight)
        return entry

    def answered(self, kind, entry, status):
        with self.lock:
            entry["status"] = status
            if kind == "protected":
                self.counters["unauthorized"] += status in (401, 403, 422)
            if kind == "refreshes":
                self.in_flight -= 1
                self.counters["refreshed"] += 200 <= status < 300

    def read_counters(self):
        with self.lock:
            return dict(self.counters)

    def read_log(self):
        with self.lock:
            return [dict(entry) for entry in self.log]


class Quiet(WSGIRequestHandler):
    def log_request(self, *_):
        pass


def stop_with_stdin():
    # os.read and not sys.stdin: a thread that holds the buffer's lock would break the exit.
    while os.read(0, 4096):
        pass
    stop()


def stop():
    for directory in _own_state:
        shutil.rmtree(directory, ignore_errors=True)
    sys.stdout.flush()
    os._exit(0)


GRANTS = ("authorization_code", "refresh_token", "device_code", "client_credentials", "password")
_own_state = []
