#!/bin/bash
# The window, for real: WebKit driven over WebDriver on a display of its own, with a real keyring on
# a D-Bus of its own, and a real Chromium as the browser in which people sign in. Nothing of the
# person who runs it is touched, and nothing is left behind.
#
#   tests/window/run.sh [TEST FILE...]
#
# PILOTLIGHT_BIN_DIR  where the programs are; otherwise they are built here when they are missing or old
# PICTURES=DIR        where to put a picture of what a test that failed was looking at
# SCREENSHOT=FILE     only takes the picture of the window for the README
#
# Exits with 77 when something that it needs is not installed.
set -euo pipefail
cd "$(dirname "$0")/../.."

main() {
    if [ "${1:-}" = --inside ]; then
        shift
        inside "$@"
        return
    fi
    needs Xvfb xvfb-run xauth openbox dbus-run-session dbus-send gnome-keyring-daemon secret-tool WebKitWebDriver chromium chromedriver node
    PATH="$PWD/tests/.tools/bin:$PATH"
    needs tauri-driver
    programs

    dir=$(mktemp -d "${TMPDIR:-/tmp}/pilotlight-window.XXXXXX")
    trap clear_stage EXIT
    mkdir -m 700 "$dir/run" "$dir/home"
    bus_configuration >"$dir/bus.conf"
    # A font size, language or proxy of whoever runs this must not change what is tested.
    env -i PATH="$PATH" STAGE="$dir" PILOTLIGHT_BIN_DIR="$PILOTLIGHT_BIN_DIR" SCREENSHOT="${SCREENSHOT:-}" PICTURES="${PICTURES:-}" \
        HOME="$dir/home" XDG_RUNTIME_DIR="$dir/run" LANG=C.UTF-8 TERM="${TERM:-dumb}" \
        xvfb-run -a -s "-screen 0 1280x900x24" dbus-run-session --config-file="$dir/bus.conf" -- tests/window/run.sh --inside "$@"
}

# Without the desktop's services: a portal that is started by being asked differs from machine to machine.
bus_configuration() {
    cat <<CONFIGURATION
<!DOCTYPE busconfig PUBLIC "-//freedesktop//DTD D-BUS Bus Configuration 1.0//EN"
 "http://www.freedesktop.org/standards/dbus/1.0/busconfig.dtd">
<busconfig>
  <type>session</type>
  <listen>unix:dir=$dir/run</listen>
  <auth>EXTERNAL</auth>
  <policy context="default">
    <allow send_destination="*" eavesdrop="true"/>
    <allow eavesdrop="true"/>
    <allow own="*"/>
  </policy>
</busconfig>
CONFIGURATION
}

# On the private display and bus.
inside() {
    export GDK_BACKEND=x11 NO_AT_BRIDGE=1 LIBGL_ALWAYS_SOFTWARE=1
    export WEBKIT_DISABLE_COMPOSITING_MODE=1 WEBKIT_DISABLE_DMABUF_RENDERER=1
    openbox >"$STAGE/openbox.log" 2>&1 &
    # Unlocked before anything asks for it: a keyring that was started by being asked stays locked.
    printf 'pilotlight' | gnome-keyring-daemon --unlock --components=secrets --foreground >"$STAGE/keyring.log" 2>&1 &
    local tries=0
    until dbus-send --session --print-reply --dest=org.freedesktop.DBus / \
        org.freedesktop.DBus.GetNameOwner string:org.freedesktop.secrets >/dev/null 2>&1; do
        [ $((tries += 1)) -lt 200 ] || { cat "$STAGE/keyring.log"; echo "the keyring did not start"; return 1; }
        sleep 0.05
    done
    if [ -n "${SCREENSHOT:-}" ]; then
        node tests/window/screenshot.mjs "$SCREENSHOT"
    else
        [ $# -gt 0 ] || set -- tests/window/*.test.mjs
        # One window after the other: two at once on two cores make each other wait.
        node --test --test-concurrency=1 "$@"
    fi
}

programs() {
    if [ -z "${PILOTLIGHT_BIN_DIR:-}" ]; then
        PILOTLIGHT_BIN_DIR="${CARGO_TARGET_DIR:-$PWD/target}/debug"
        [ -e ui/dist/index.html ] || { echo "there is no ui/dist: npm --prefix ui run build"; exit 1; }
        if is_old pilotlight || is_old pilotlight-keeper || is_old pilotlight-sandbox || is_old pilotlight-window; then
            cargo build --workspace --bins --features pilotlight-window/custom-protocol
        fi
    fi
    PILOTLIGHT_BIN_DIR=$(cd "$PILOTLIGHT_BIN_DIR" && pwd)
}

is_old() {
    local program="$PILOTLIGHT_BIN_DIR/$1" sources=(Cargo.lock crates)
    [ "$1" != pilotlight-window ] || sources+=(src-tauri/src src-tauri/capabilities src-tauri/tauri.conf.json ui/dist)
    [ ! -x "$program" ] || [ -n "$(find "${sources[@]}" -type f -newer "$program" -print -quit)" ]
}

needs() {
    local missing=()
    for program; do
        command -v "$program" >/dev/null || missing+=("$program")
    done
    [ "${#missing[@]}" = 0 ] || { echo "not installed: ${missing[*]}"; exit 77; }
}

# Whatever still runs was started here: it has the stage in its environment.
clear_stage() {
    local process
    for process in /proc/[0-9]*; do
        if grep -qsF "STAGE=$dir" "$process/environ"; then
            kill -KILL "${process#/proc/}" 2>/dev/null || true
        fi
    done
    rm -rf "$dir"
}

main "$@"
