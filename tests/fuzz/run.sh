#!/bin/bash
# Runs every fuzz target, or those that are named, for FUZZ_SECONDS each (60), as many at a time as there are cores. What
# is new is kept below the target folder for the next run, and nothing is written into the corpora.
#
#   tests/fuzz/run.sh [TARGET...]
#   tests/fuzz/run.sh minimise      adds what earlier runs have found to the corpora, as few inputs as cover it
#
# The stable toolchain is enough: what needs another one is a sanitizer, and there is no unsafe code to look for.
set -euo pipefail
cd "$(dirname "$0")"

tools=$PWD/../.tools/bin
target=$(realpath -m "${CARGO_TARGET_DIR:-../../target}")
host=$(rustc -vV | sed -n 's/^host: //p')
export programs=$target/$host/release found=$target/fuzz/found failed=$target/fuzz/failed
export seconds=${FUZZ_SECONDS:-60}

main() {
    build
    if [ "${1:-}" = minimise ]; then
        targets | xargs -I{} -P "$(nproc)" bash -c 'minimise {}'
        return
    fi
    if [ $# -eq 0 ]; then mapfile -t names < <(targets); else names=("$@"); fi
    printf '%s\n' "${names[@]}" | xargs -I{} -P "$(nproc)" bash -c 'run {}'
}

targets() {
    find fuzz_targets -name '*.rs' -printf '%f\n' | sed 's/\.rs$//' | sort
}

# With line numbers where something fails, and with overflows and assertions checked.
build() {
    echo "building the fuzz targets"
    CARGO_PROFILE_RELEASE_STRIP=none "$tools/cargo-fuzz" fuzz build --fuzz-dir . --sanitizer none --features libfuzzer \
        --target-dir "$target" 2>&1 | tail -n 1
}

run() {
    mkdir -p "$found/$1" "$failed/$1"
    log=$failed/$1.log
    if "$programs/$1" -max_total_time="$seconds" -timeout=10 -rss_limit_mb=2048 -max_len=4096 -print_final_stats=1 \
        -artifact_prefix="$failed/$1/" "$found/$1" "corpus/$1" >"$log" 2>&1; then
        printf '%-13s %9d runs, %5s edges\n' "$1" "$(sed -n 's/^stat::number_of_executed_units: //p' "$log")" \
            "$(sed -n 's/.*cov: \([0-9]*\) .*/\1/p' "$log" | tail -n 1)"
        return
    fi
    grep -A 4 -E 'panicked|ERROR: libFuzzer' "$log" || tail -n 20 "$log"
    echo "$1 does not hold for an input in $failed/$1. Once it is mended, it belongs into tests/fuzz/corpus/$1."
    return 1
}

# The largest are left out: a corpus is for reading.
minimise() {
    least=$(mktemp -d)
    "$programs/$1" -set_cover_merge=1 -max_len=1024 "$least" "corpus/$1" "$found/$1" >/dev/null 2>&1
    find "$least" -type f -size -2 -printf '%s %p\n' | sort -n | head -n 120 | while read -r _ input; do
        cmp -s "$input" "corpus/$1/$(basename "$input")" || known "$1" "$input" || cp "$input" "corpus/$1/"
    done
    rm -r "$least"
    echo "$1: $(find "corpus/$1" -type f | wc -l) inputs"
}

known() {
    find "corpus/$1" -type f -exec cmp -s "$2" {} \; -print -quit | grep -q .
}

export -f run minimise known
main "$@"
