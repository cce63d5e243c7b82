#!/bin/bash
# Everything that `make test`, `make test-fast` and `make lint` are: one phase after the other, each
# timed, and at the end what ran, what failed, and what was skipped and why. With CI=true a skip is a
# failure.
#
#   tests/all.sh [test|test-fast|lint]
#
# A phase is any command. It fails as commands do, and exits with 77 to say that it could not run
# here; its last line then says why. A last line that begins with "note: " is repeated at the end.
set -uo pipefail
cd "$(dirname "$0")/.." || exit

what=${1:-test}

output=$(mktemp)
trap 'rm -f "$output"' EXIT
summary=()
failed=()
skipped=()

main() {
    case $what in
        test) everything ;;
        test-fast) fast ;;
        lint) lint ;;
        *) echo "tests/all.sh: no such thing to run: $what" >&2; exit 2 ;;
    esac
    conclude
}

# What a change can be tried against while it is being made.
fast() {
    tests/setup.sh rust node || exit 1
    phase "page: packages" tests/setup.sh page
    phase "core: tests" cargo test -p pilotlight-session
    phase "page: tests" npm --prefix ui test
}

lint() {
    tests/setup.sh rust node || exit 1
    packages packages-run
    phase "page: packages" tests/setup.sh page
    # The window's program holds the page, so without it there is nothing for clippy to look at.
    phase "page: build" npm --prefix ui run build
    read_through
}

everything() {
    tests/setup.sh rust node || exit 1
    packages packages-test
    phase "real servers" tests/servers/install.sh

    phase "page: packages" tests/setup.sh page
    phase "page: tests" npm --prefix ui test
    # The window's program holds the page, so this comes before Rust.
    phase "page: build" npm --prefix ui run build
    read_through
    # The programs first: the tests start them, and so does WebDriver.
    phase "rust: build" cargo build "${workspace[@]}" --bins --tests
    # Most of them wait for tokens to run out, and waiting needs no core.
    phase "rust: tests" env RUST_TEST_THREADS="${RUST_TEST_THREADS:-4}" cargo test "${workspace[@]}"

    phase "fuzz: cargo-fuzz" tests/setup.sh fuzz
    phase "fuzz: every parser" env FUZZ_SECONDS="${FUZZ_SECONDS:-5}" tests/fuzz/run.sh

    if [ -z "$no_window" ]; then
        phase "install and uninstall" tests/install.sh
        phase "window: driver" tests/setup.sh driver
        # These very programs: run.sh would otherwise build its own where it finds them old.
        phase "window: tests" env PILOTLIGHT_BIN_DIR="${CARGO_TARGET_DIR:-target}/debug" tests/window/run.sh
    else
        skip "install and uninstall" "$no_window"
        skip "window: tests" "$no_window"
    fi
}

# Without GTK the default members of the workspace can be tested all the same.
packages() {
    workspace=(--workspace) no_window=
    phase "packages" tests/setup.sh "$1"
    [ "$result" = ok ] || { workspace=(); no_window="its packages are not installed"; }
}

# What can be said without running anything of ours.
read_through() {
    phase "page: types and style" npm --prefix ui run check
    phase "rust: fmt and clippy are there" tests/setup.sh lints
    phase "rust: format" cargo fmt --all --check
    phase "rust: clippy" cargo clippy "${workspace[@]}" --all-targets -- -D warnings
    phase "dependencies: cargo-deny" tests/setup.sh deny
    phase "dependencies: licences, bans, sources" tests/.tools/bin/cargo-deny --locked check licenses bans sources
    phase "dependencies: advisories" advisories
}

# The list of known holes is fetched anew each time: an old one does not know yesterday's. Where there
# is no way to it, that is said, and is no mistake of the sources.
advisories() {
    if timeout 120 tests/.tools/bin/cargo-deny --locked fetch db; then
        tests/.tools/bin/cargo-deny --locked check advisories
    else
        echo "note: no list of advisories could be fetched from here, so none was looked at"
    fi
}

# phase NAME COMMAND...: runs it and sets `result` to ok, skipped or FAILED.
phase() {
    local name=$1 began=$SECONDS code
    shift
    printf '\n==> %s: %s\n' "$name" "$*"
    { "$@"; } > >(exec tee "$output") 2>&1
    code=$?
    drain $!
    case $code in
        0) result=ok ;;
        77) skip "$name" "$(tail -n 1 "$output")"; return ;;
        *) result=FAILED; failed+=("$name") ;;
    esac
    summary+=("$(printf '%-8s %5d s  %s%s' "$result" $((SECONDS - began)) "$name" "$(counts)$(noted)")")
}

# A pipe ends when the last process that holds it does. One that a phase left behind must not hold
# up the rest, but it is a fault, and told.
drain() {
    local tries=0
    while kill -0 "$1" 2>/dev/null; do
        if [ $((tries += 1)) -gt 50 ]; then
            echo "note: something that this phase started is still running"
            kill "$1"
            return
        fi
        sleep 0.1
    done
}

skip() {
    result=skipped
    skipped+=("$1")
    summary+=("$(printf '%-8s          %s: %s' skipped "$1" "$2")")
}

# What all the test binaries of one cargo test say together.
counts() {
    awk '/^test result: / { for (i = 1; i < NF; i++) {
             if ($(i + 1) == "passed;") passed += $i
             if ($(i + 1) == "failed;") failed += $i
             if ($(i + 1) == "ignored;") ignored += $i
         } seen = 1 }
         END { if (seen) printf ": %d passed, %d failed, %d ignored", passed, failed, ignored }' "$output"
}

# What a phase has to say for itself although it did not fail.
noted() {
    tail -n 1 "$output" | sed -n 's/^note: /: /p'
}

conclude() {
    printf '\n==> make %s: %d s\n' "$what" "$SECONDS"
    printf '  %s\n' "${summary[@]}"
    if [ "${#failed[@]}" -gt 0 ]; then
        echo "make $what: FAILED (${#failed[@]} of ${#summary[@]} phases)"
        exit 1
    fi
    if [ "${#skipped[@]}" -gt 0 ] && [ "${CI:-}" = true ]; then
        echo "make $what: FAILED (${#skipped[@]} skipped, and on CI nothing may be)"
        exit 1
    fi
    if [ "${#skipped[@]}" -gt 0 ]; then
        echo "make $what: ok, ${#skipped[@]} skipped"
    else
        echo "make $what: ok, nothing skipped"
    fi
}

main
