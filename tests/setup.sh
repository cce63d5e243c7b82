#!/bin/sh
# Puts in place what building and testing need, and says what it does. Each step does nothing when
# there is nothing to do.
#
#   tests/setup.sh STEP...
#
#   rust             there is a cargo; if not, what to do about it
#   lints            rustfmt and clippy
#   node             there is a Node that is new enough; if not, what to do about it
#   packages-keeper  what the keeper needs from Debian or Ubuntu to be built
#   packages-run     what the window needs besides
#   packages-test    what testing the window and the keyrings needs besides
#   page             the page's npm packages
#   driver           tauri-driver, which lets a test press the window's buttons
#   peers            what `make crash` kills beside the keeper: MSAL, pizauth, oidc-agent
#   deny             cargo-deny, which holds what is built in to deny.toml
#   fuzz             cargo-fuzz, which builds the parsers with a fuzzer
#   mutants          cargo-mutants, which changes the code to see whether a test minds
#
# Exits with 77 when something cannot be installed from here but everything else could go on.
set -eu
cd "$(dirname "$0")/.."

NODE_OLDEST=20.19
TAURI_DRIVER=2.1.0
CARGO_DENY=0.20.2
CARGO_FUZZ=0.13.2
CARGO_MUTANTS=27.1.0
MSAL=1.39.0
MSAL_EXTENSIONS=1.3.1
PIZAUTH=1.1.0
KEEPER="build-essential"
WINDOW="pkg-config libwebkit2gtk-4.1-dev libgtk-3-dev librsvg2-dev"
TESTS="webkit2gtk-driver xvfb xauth dbus dbus-x11 gnome-keyring libsecret-tools openbox imagemagick python3-venv fonts-noto-cjk"
# A file system of the tests can be mounted by everybody with it.
TESTS="$TESTS fuse3"
CRASH="dbus gnome-keyring python3-venv fuse3"
# A network of a test's own takes `ip`, and namespaces `unshare`.
TESTS="$TESTS iproute2 util-linux"
# One of its own gives the keeper a credential.
TESTS="$TESTS systemd"
# The other keyrings that people have, and what answers the dialogs of all.
TESTS="$TESTS keepassxc libkf5wallet-bin libqca-qt5-2-plugins gcr xdotool"
# In Ubuntu these are doors to a snap.
case $(sed -n 's/^ID=//p' /etc/os-release 2>/dev/null) in
    ubuntu) TESTS="$TESTS chromium-browser chromium-chromedriver" ;;
    *) TESTS="$TESTS chromium chromium-driver" ;;
esac

# The lists of packages are meant to be split into words.
# shellcheck disable=SC2086
main() {
    for step; do
        case $step in
            rust) rust ;;
            lints) lints ;;
            node) node_js ;;
            packages-keeper) packages "building the keeper" $KEEPER ;;
            packages-run) packages "building the window" $KEEPER $WINDOW && recommend_fonts ;;
            packages-test) packages "building the window and testing everything" $KEEPER $WINDOW $TESTS ;;
            packages-crash) packages "killing the keeper" $KEEPER $CRASH ;;
            page) page ;;
            driver) cargo_tool tauri-driver "$TAURI_DRIVER" tests/.tools --version "$TAURI_DRIVER" ;;
            peers) peers ;;
            deny) cargo_tool cargo-deny "$CARGO_DENY" tests/.tools --version "$CARGO_DENY" ;;
            fuzz) cargo_tool cargo-fuzz "$CARGO_FUZZ" tests/.tools --version "$CARGO_FUZZ" ;;
            mutants) cargo_tool cargo-mutants "$CARGO_MUTANTS" tests/.tools --version "$CARGO_MUTANTS" ;;
            *) give_up 2 "no such step: $step" ;;
        esac
    done
}

rust() {
    command -v cargo >/dev/null ||
        give_up 1 "there is no cargo. Install Rust from https://rustup.rs and run this again."
}

lints() {
    cargo fmt --version >/dev/null 2>&1 && cargo clippy --version >/dev/null 2>&1 && return
    command -v rustup >/dev/null || give_up 1 "cargo fmt and cargo clippy are missing, and there is no rustup to add them."
    say "adding rustfmt and clippy to Rust"
    rustup component add rustfmt clippy
}

node_js() {
    if ! command -v npm >/dev/null || ! command -v node >/dev/null; then
        give_up 1 "there is no Node with npm. Install Node $NODE_OLDEST or newer (https://nodejs.org) and run this again."
    fi
    version=$(node --version | tr -d v)
    [ "$(printf '%s\n' "$NODE_OLDEST" "$version" | sort -V | head -n 1)" = "$NODE_OLDEST" ] ||
        give_up 1 "Node $version is too old: the page needs $NODE_OLDEST or newer (https://nodejs.org)."
}

# packages WHY PACKAGE...
packages() {
    why=$1
    shift
    if ! command -v dpkg-query >/dev/null; then
        say "this is neither Debian nor Ubuntu, so nothing is installed. For $why there must be what these hold: $*"
        return
    fi
    missing=
    for package; do
        dpkg-query -W -f '${db:Status-Status}\n' "$package" 2>/dev/null | grep -qx installed || missing="$missing $package"
    done
    [ -n "$missing" ] || return 0
    command="apt-get install -y --no-install-recommends$missing"
    if [ "$(id -u)" = 0 ]; then
        as_root="env DEBIAN_FRONTEND=noninteractive"
    elif command -v sudo >/dev/null; then
        as_root="sudo env DEBIAN_FRONTEND=noninteractive"
    else
        give_up 77 "$why needs packages, and there is neither root nor sudo to install them. As root: $command"
    fi
    say "$why needs packages that are not here, so installing:$missing"
    $as_root apt-get update -q || say "apt-get update did not quite work; trying with what is known"
    # shellcheck disable=SC2086
    $as_root $command || give_up 77 "$why needs packages that could not be installed. As root: $command"
}

recommend_fonts() {
    command -v fc-list >/dev/null || return 0
    [ -n "$(fc-list :lang=zh family)" ] || say "for Chinese text a font is missing; a good one: apt-get install fonts-noto-cjk"
}

page() {
    now=$(cksum ui/package.json ui/package-lock.json)
    [ "$(cat ui/node_modules/.installed 2>/dev/null)" = "$now" ] && return
    say "installing the page's npm packages into ui/node_modules"
    npm --prefix ui ci --ignore-scripts --no-audit --no-fund --loglevel=error
    echo "$now" >ui/node_modules/.installed
}

# What `make crash` kills besides, where it is there. Nothing else needs it, so what cannot be installed is said and left out.
peers() {
    [ -x tests/.tools/peers/bin/python ] || python3 -m venv tests/.tools/peers
    tests/.tools/peers/bin/pip install --quiet "msal==$MSAL" "msal-extensions==$MSAL_EXTENSIONS" || say "MSAL is left out"
    # It is in no registry.
    (cargo_tool pizauth "$PIZAUTH" tests/.tools/peers --git https://github.com/ltratt/pizauth --tag "pizauth-$PIZAUTH") ||
        say "pizauth is left out"
    (packages "killing oidc-agent" oidc-agent-cli) || say "oidc-agent is left out"
}

# cargo_tool NAME VERSION ROOT SOURCE... Optimised for whoever waits for it to be built: each of them runs for seconds.
cargo_tool() {
    name=$1 version=$2 into=$3
    shift 3
    grep -qs "\"$name $version " "$into/.crates.toml" && [ -x "$into/bin/$name" ] && return
    say "building $name $version into $into, which takes minutes, once"
    CARGO_PROFILE_RELEASE_LTO=off CARGO_PROFILE_RELEASE_CODEGEN_UNITS=16 CARGO_PROFILE_RELEASE_OPT_LEVEL=1 \
        cargo install "$name" "$@" --locked --quiet --root "$into"
}

say() {
    echo "setup: $*"
}

give_up() {
    code=$1
    shift
    echo "setup: $*" >&2
    exit "$code"
}

main "$@"
