# pizauth with the settings that its README has for keeping tokens over a restart: each change of a token is dumped into a
# file, and a start restores it. The file is replaced at once, so that a kill in the middle of a dump leaves the old one.
import os
import re
import subprocess
import sys
import time
import urllib.request

from line import serve

url, path = sys.argv[1:3]
home = os.path.dirname(path)
conf, events = os.path.join(home, "pizauth.conf"), os.path.join(home, "events")
os.environ.update(XDG_RUNTIME_DIR=home, SHELL="/bin/sh")
save = f"pizauth dump >{path}.new && mv {path}.new {path}; echo $PIZAUTH_EVENT >>{events}"
with open(conf, "w") as file:
    file.write(f"""
        https_listen = none;
        token_event_cmd = "{save}";
        account "a" {{
            auth_uri = "{url}/authorize";
            token_uri = "{url}/token";
            client_id = "pizauth";
            scopes = ["read"];
        }}
    """)


def pizauth(command, *more, **options):
    return subprocess.run(["pizauth", command, *more], capture_output=True, **options)


def happened():
    return open(events).read().splitlines() if os.path.exists(events) else []


# Whether it brings a token and the command that saves it has come to its end.
def event(before):
    while len(happened()) == before:
        assert server.poll() is None
        time.sleep(0.002)
    return happened()[before] != "token_invalidated"


def refresh():
    before = len(happened())
    return pizauth("refresh", "a").returncode == 0 and event(before)


# It takes no token from somebody else, so this is a sign-in, without the person.
def begin(_):
    before = len(happened())
    asks = pizauth("show", "a").stderr.decode()
    urllib.request.urlopen(re.search(r"http://\S+", asks).group()).read()
    return event(before)


server = subprocess.Popen(["pizauth", "server", "-d", "-c", conf])
while pizauth("status").returncode:
    assert server.poll() is None
    time.sleep(0.01)
if os.path.exists(path):
    with open(path, "rb") as file:
        assert pizauth("restore", stdin=file).returncode == 0
serve(refresh, begin)
