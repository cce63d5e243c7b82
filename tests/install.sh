#!/bin/bash
# Puts the programs that were built for the tests where `make install` puts programs, uses them there,
# and takes them away again.
set -euo pipefail
cd "$(dirname "$0")/.."

dir=$(mktemp -d "${TMPDIR:-/tmp}/pilotlight-install.XXXXXX")
trap leave EXIT
# A blank in the path, which many a Makefile does not survive.
prefix="$dir/some where"
# Nobody's keeper, keyring or other programs.
export PILOTLIGHT_HOME="$dir/home" PATH="/usr/bin:/bin:$PATH"
unset PILOTLIGHT_KEEPER DBUS_SESSION_BUS_ADDRESS
mkdir -m 700 "$PILOTLIGHT_HOME"

main() {
    make --no-print-directory place PREFIX="$prefix" BUILT="${CARGO_TARGET_DIR:-target}/debug"
    for program in pilotlight pilotlight-keeper pilotlight-sandbox pilotlight-window; do
        [ -x "$prefix/bin/$program" ] || fail "$program is not installed"
    done

    entry=$(find "$prefix/share/applications" -name '*.desktop')
    named=$(sed -n 's/^Exec="\(.*\)"$/\1/p' "$entry")
    [ -x "$named" ] || fail "the desktop's entry starts $named, which is no program"
    icon=$(sed -n 's/^Icon=//p' "$entry")
    [ -n "$(find "$prefix/share/icons" -name "$icon.svg")" ] || fail "there is no icon $icon"
    grep -q "\"identifier\": \"$icon\"" src-tauri/tauri.conf.json || fail "the window is not called $icon"

    # This starts the keeper that is beside it, and uninstalling ends that.
    "$prefix/bin/pilotlight" status
    make --no-print-directory uninstall PREFIX="$prefix"
    left=$(find "$prefix" -type f)
    [ -z "$left" ] || fail "uninstall leaves behind: $left"
    [ -z "$(running)" ] || fail "the keeper goes on"
}

running() {
    for exe in /proc/[0-9]*/exe; do
        case $(readlink "$exe") in "$prefix"/*) basename "${exe%/exe}" ;; esac
    done
}

leave() {
    running | xargs -r kill
    rm -rf "$dir"
}

fail() {
    echo "install: $*" >&2
    exit 1
}

main
