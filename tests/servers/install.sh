#!/bin/sh
# Installs the real auth servers that the tests start: the Python ones into tests/servers/.venv, the
# Node ones into the node_modules of each. Run again, it does only what has changed.
set -eu
cd "$(dirname "$0")"

# Two tests may come here at once.
if command -v flock >/dev/null; then
    exec 9<install.sh
    flock 9
fi

# What is installed, told apart by the Python that runs it: a venv does not survive an upgrade of its Python.
python_stamp() { .venv/bin/python --version && cksum requirements.txt; }
node_stamp() { cksum "$1/package.json" "$1/package-lock.json"; }

if [ -x .venv/bin/python ] && [ "$(cat .venv/.installed 2>/dev/null)" = "$(python_stamp)" ]; then
    echo "servers: Python ones are installed"
else
    echo "servers: installing Django, Flask and what they need into tests/servers/.venv"
    rm -rf .venv
    python3 -m venv .venv
    .venv/bin/python -m pip install --quiet --disable-pip-version-check --requirement requirements.txt
    python_stamp >.venv/.installed
fi

for server in nestjs oidc-provider; do
    if [ "$(cat $server/node_modules/.installed 2>/dev/null)" = "$(node_stamp $server)" ]; then
        echo "servers: $server is installed"
    else
        echo "servers: installing $server into tests/servers/$server/node_modules"
        (cd $server && npm ci --ignore-scripts --no-audit --no-fund --loglevel=error)
        node_stamp $server >$server/node_modules/.installed
    fi
done
