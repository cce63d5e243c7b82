#!/bin/bash
# What other programs and libraries do in rows of docs/failure-modes.md: the cells of docs/peers.md that were tried. No part
# of `make test`: it is about what others do, and what it prints is for people.
#
#   tests/peers/run.sh [ROW...]
#
# Beside what `tests/setup.sh peers` installs (MSAL, pizauth, oidc-agent), google-auth and axios-auth-refresh come from PyPI
# and npm into tests/.tools. What is not there is left out.
set -euo pipefail
cd "$(dirname "$0")/../.."

GOOGLE_AUTH=2.63.0
REQUESTS=2.34.2
AXIOS=1.21.1
AXIOS_AUTH_REFRESH=5.0.2

tests/setup.sh peers
PATH="$PWD/tests/.tools/peers/bin:$PATH"
python -m pip install --quiet "google-auth==$GOOGLE_AUTH" "requests==$REQUESTS"
python tests/peers/tried.py "$@"

npm install --silent --no-save --prefix tests/.tools/peers "axios@$AXIOS" "axios-auth-refresh@$AXIOS_AUTH_REFRESH"
# Node looks for packages above the file that wants them.
cp tests/peers/tried.mjs tests/.tools/peers/
node tests/.tools/peers/tried.mjs "$@"
