#!/bin/bash
# Changes the session's code in every way that cargo-mutants knows, one at a time, and looks whether a test fails: the whole
# state machine (core/ and shared/), and of everything else a tenth, drawn by MUTANTS_SEED (0). What no test minds must stand
# in survivors.txt, with the reason.
#
#   tests/mutants/run.sh [machine|rest]...
#
# A change meets the tests that take seconds first, and only what they let pass meets the simulation. What is under
# target/mutants is taken up again: a run that was stopped goes on, and one after a mend tries only what had survived. Remove
# the folder to begin anew.
set -euo pipefail
cd "$(dirname "$0")/../.."

tools=$PWD/tests/.tools/bin
found=$(realpath -m "${CARGO_TARGET_DIR:-target}")/mutants
mkdir -p "$found"
export PATH=$tools:$PATH TMPDIR=$found SIM_SHRINK=1 SIM_SEEDS=${SIM_SEEDS:-1500}
# Each change is built in a folder of its own.
unset CARGO_TARGET_DIR

main() {
    [ $# -gt 0 ] || set -- machine rest
    for what; do "$what"; done
    conclude "$@"
}

machine() {
    quick=(--test rules --test transitions) slow=(--lib --test rules --test simulation)
    try machine -f 'crates/session/src/core/**' -f 'crates/session/src/shared/**'
}

rest() {
    quick=(--test oauth --test recipes) slow=(--lib --test oauth --test recipes --test rules --test simulation)
    drawn=()
    while read -r change; do drawn+=(-F "$change"); done < <(draw)
    # What deletes a field is not held to the names.
    try rest -e 'crates/session/src/core/**' -e 'crates/session/src/shared/**' "${drawn[@]}"
}

# The same changes in each pass and at each run, wherever in its file the line is by then; a shard would be one of what is left.
draw() {
    mkdir -p "$found/rest"
    [ -s "$found/rest/drawn" ] || list -e 'crates/session/src/core/**' -e 'crates/session/src/shared/**' |
        awk -v first="$((${MUTANTS_SEED:-0} % 10))" 'NR % 10 == first' >"$found/rest/drawn"
    sed -E 's/[][(){}.*+?^$|\\]/\\&/g; s/^([^:]*):[0-9]+:[0-9]+: (.*)$/^\1:[0-9]+:[0-9]+: \2$/' "$found/rest/drawn" | sort -u
}

list() {
    cargo-mutants mutants --no-config --package pilotlight-session --list "$@"
}

# try NAME OPTION... Those of the quick tests that take seconds are left to the second pass.
try() {
    name=$1
    shift
    mkdir -p "$found/$name"
    list "$@" | wc -l >"$found/$name/all"
    pass "$name" 20 "$@" -C --config -C profile.test.debug=false -- --lib "${quick[@]}" -- \
        --skip b4_callers_in_an_outage --skip a8_at_most_two --skip a_wall_clock_that_is_years_off \
        --skip that_died_of_rest
    pass "$name" 60 "$@" -C --config -C profile.test.debug=false -C --config -C profile.test.opt-level=1 \
        -- "${slow[@]}" -- --skip planted
}

# Fails with 2 if some were missed, and 3 if some did not end, which is what is looked at in the end.
pass() {
    local name=$1 seconds=$2 code=0
    shift 2
    cargo-mutants mutants --no-config --package pilotlight-session --output "$found/$name" --iterate --jobs "$(nproc)" \
        --no-times --colors never --minimum-test-timeout "$seconds" "$@" || code=$?
    case $code in 0 | 2 | 3) ;; *) exit "$code" ;; esac
}

conclude() {
    for what; do
        survivors "$found/$what/mutants.out/missed.txt"
    done | sort -u >"$found/survivors"
    for what; do
        missed=$(wc -l <"$found/$what/mutants.out/missed.txt")
        echo "mutants: of $(cat "$found/$what/all") changes ($what) $missed survived, all others were caught, never ended or do not compile"
    done
    cat "$found/survivors"
    if unlisted=$(grep -vxFf <(grep '^crates/' tests/mutants/survivors.txt) "$found/survivors"); then
        echo "not in tests/mutants/survivors.txt:"
        echo "$unlisted"
        exit 1
    fi
}

# The line of the source in the place of its number, which every edit moves.
survivors() {
    [ -f "$1" ] || return 0
    while IFS=: read -r file line _ change; do
        echo "$file:$change: $(sed -n "${line}s/^ *//p" "$file")"
    done <"$1"
}

main "$@"
