# oidc-agent, with one account and its password in a file, as scripts use it.
import os
import subprocess
import sys
import time

from line import serve

url, path = sys.argv[1:3]
home = os.path.dirname(path)
socket, password = os.path.join(home, "socket"), os.path.join(home, "password")
os.environ.update(OIDC_SOCK=socket, OIDC_CONFIG_DIR=home)
with open(password, "w") as file:
    file.write("a password\n")
WORDS = f"--pw-file={password}"


def run(program, *more):
    return subprocess.run([program, *more, "a"], stdin=subprocess.DEVNULL, capture_output=True).returncode == 0


def refresh():
    return run("oidc-token", "--force-new")


def begin(token):
    if os.path.exists(account):
        run("oidc-add", "--remove")
        os.remove(account)
    return run(
        "oidc-gen", f"--iss={url}", "--client-id=oidc-agent", "--client-secret=", f"--rt={token}", "--scope=openid",
        "--redirect-uri=http://localhost:4242", "--manual", "--no-url-call", "--prompt=none", "--confirm-default", WORDS,
    )


account = os.path.join(home, "a")
if os.path.exists(socket):
    os.remove(socket)
# It keeps the end of the pipe by which the run sees that all of it has ended.
agent = subprocess.Popen(
    ["oidc-agent", "--console", "--quiet", "--no-autoreauthenticate", "-a", socket],
    stdout=subprocess.DEVNULL,
    pass_fds=[os.dup(1)],
)
while not os.path.exists(socket):
    assert agent.poll() is None
    time.sleep(0.01)
# It asks for a token at once, and adds nothing when that is refused; then the next question is refused as well.
if os.path.exists(account):
    run("oidc-add", WORDS)
serve(refresh, begin)
