# The peers that can be tried from a script. Each holds the provider's first refresh token when it is made; `refresh` asks
# for a new access token, and `ask` for one that is good.
import atexit
import os
import re
import shutil
import subprocess
import tempfile
import time
import urllib.request

import google.auth.transport.requests
import google.oauth2.credentials
import msal
import requests

# MSAL speaks HTTPS only, so the provider is called by another name.
NAME = "https://provider.test/tenant"


class Msal:
    name = "MSAL"

    def __init__(self, url, cache=None):
        class Answer:
            def __init__(self, answer):
                self.status_code, self.headers = answer.status_code, answer.headers
                self.text = answer.text.replace(url, NAME)

            def raise_for_status(self):
                if self.status_code >= 400:
                    raise requests.HTTPError(self.status_code)

        class Http:
            get = staticmethod(lambda to, **more: Answer(requests.get(to.replace(NAME, url), **more)))
            post = staticmethod(lambda to, **more: Answer(requests.post(to.replace(NAME, url), **more)))
            close = staticmethod(lambda: None)

        self.url, self.made = url, lambda cache: msal.PublicClientApplication(
            "client", oidc_authority=NAME, token_cache=cache, http_client=Http()
        )
        self.app = self.made(cache)
        if not self.app.get_accounts():
            self.app.acquire_token_by_refresh_token("rt-0", ["read"])

    def ask(self, force=False):
        said = self.app.acquire_token_silent_with_error(["read"], self.app.get_accounts()[0], force_refresh=force)
        if not said or "access_token" not in said:
            raise RuntimeError(f"{said and said.get('error')}")
        return said["access_token"]

    def refresh(self):
        return self.ask(force=True)

    def forget_answers(self):
        """Of errors it remembers 400 for a minute and 5xx for five seconds, as long as it lives."""
        self.app = self.made(self.app.token_cache)


class Google:
    name = "google-auth"

    def __init__(self, url):
        self.request = google.auth.transport.requests.Request()
        self.made = google.oauth2.credentials.Credentials(
            None, refresh_token="rt-0", token_uri=f"{url}/token", client_id="client", client_secret="secret"
        )
        self.made.refresh(self.request)
        self.url = url

    def ask(self):
        headers = {}
        self.made.before_request(self.request, "GET", self.url, headers)
        return headers["authorization"].removeprefix("Bearer ")

    def refresh(self):
        self.made.refresh(self.request)
        return self.made.token

    def forget_answers(self):
        pass

    def fetch(self):
        return google.auth.transport.requests.AuthorizedSession(self.made).get(f"{self.url}/resource").status_code


class Program:
    """Runs in a directory of its own, and ends with this process."""

    def __init__(self):
        self.home = tempfile.mkdtemp(prefix="peers-")
        atexit.register(shutil.rmtree, self.home, ignore_errors=True)

    def start(self, *command, **env):
        self.env = {**os.environ, **env}
        self.process = subprocess.Popen(command, env=self.env, stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL)
        atexit.register(self.process.kill)

    def run(self, *command):
        return subprocess.run(command, env=self.env, stdin=subprocess.DEVNULL, capture_output=True, text=True)

    def until(self, holds, patience=5):
        end = time.monotonic() + patience
        while not holds() and time.monotonic() < end:
            time.sleep(0.01)

    def forget_answers(self):
        pass


class Pizauth(Program):
    name = "pizauth"

    def __init__(self, url):
        super().__init__()
        self.events = os.path.join(self.home, "events")
        with open(os.path.join(self.home, "conf"), "w") as file:
            file.write(f"""
                https_listen = none;
                token_event_cmd = "echo $PIZAUTH_EVENT >>{self.events}";
                account "a" {{
                    auth_uri = "{url}/authorize";
                    token_uri = "{url}/token";
                    client_id = "pizauth";
                }}
            """)
        self.start("pizauth", "server", "-d", "-c", f"{self.home}/conf", XDG_RUNTIME_DIR=self.home, SHELL="/bin/sh")
        self.until(lambda: self.run("pizauth", "status").returncode == 0)
        page = re.search(r"http://\S+", self.run("pizauth", "show", "a").stderr).group()
        urllib.request.urlopen(page).read()
        self.until(lambda: self.happened() > 0)

    def happened(self):
        return len(open(self.events).read().splitlines()) if os.path.exists(self.events) else 0

    def ask(self):
        ran = self.run("pizauth", "show", "-u", "a")
        if ran.returncode:
            raise RuntimeError(ran.stderr.strip().replace("ERROR - ", "")[:60])
        return ran.stdout.strip()

    def refresh(self):
        before = self.happened()
        ran = self.run("pizauth", "refresh", "-u", "a")
        if "pending" in ran.stderr.lower():
            raise RuntimeError("it wants a sign-in")
        # A failure that it takes for a passing one is no event.
        self.until(lambda: self.happened() > before, patience=1.5)
        if self.happened() == before:
            raise RuntimeError("no new token yet")
        return self.ask()


class OidcAgent(Program):
    name = "oidc-agent"

    def __init__(self, url):
        super().__init__()
        socket, word = os.path.join(self.home, "socket"), os.path.join(self.home, "word")
        with open(word, "w") as file:
            file.write("a password\n")
        agent = ["oidc-agent", "--console", "--quiet", "--no-autoreauthenticate", "-a", socket]
        self.start(*agent, OIDC_SOCK=socket, OIDC_CONFIG_DIR=self.home)
        self.until(lambda: os.path.exists(socket))
        made = [f"--iss={url}", "--client-id=oidc-agent", "--client-secret=", "--rt=rt-0", "--scope=openid"]
        how = ["--redirect-uri=http://localhost:4242", "--manual", "--no-url-call", "--prompt=none", "--confirm-default"]
        ran = self.run("oidc-gen", *made, *how, f"--pw-file={word}", "a")
        assert ran.returncode == 0, ran.stderr

    def ask(self, *more):
        ran = self.run("oidc-token", *more, "a")
        if ran.returncode:
            raise RuntimeError(ran.stderr.strip().splitlines()[0][:60])
        return ran.stdout.strip()

    def refresh(self):
        return self.ask("--force-new")


def versions():
    told = {
        "MSAL": msal.__version__,
        "google-auth": google.auth.__version__,
        "pizauth": version_of("pizauth", "info", "-c", __file__),
        "oidc-agent": version_of("oidc-agent", "--version"),
    }
    return {name: version for name, version in told.items() if version}


def version_of(program, *how):
    if not shutil.which(program):
        return None
    with tempfile.TemporaryDirectory() as home:
        env = {**os.environ, "XDG_RUNTIME_DIR": home}
        said = subprocess.run([program, *how], env=env, capture_output=True, text=True)
    return re.search(r"\d+(\.\d+)+", said.stdout + said.stderr).group()
