#!/usr/bin/env bash
# Feeds any bytes to the parsers. scripts/fuzz.sh [SECONDS a target] [TARGET…]; without arguments 3 s for each.
# What is found stands in the target folder; what is interesting is kept there too and is the start of the next run.
set -euo pipefail
cd "$(dirname "$0")/.."

seconds=${1:-3}
shift || true
all="lines commands metadata motion replies host"
targets=${*:-$all}

build=$(realpath -m "${CARGO_TARGET_DIR:-target}/fuzz")
host=$(rustc -vV | sed -n 's/^host: //p')

# Counters for coverage, as cargo-fuzz sets them, but without a sanitizer: those want a nightly toolchain. What
# they would find beyond panics is in unsafe code, and the project has none.
flags="--cfg fuzzing -Cpasses=sancov-module -Ccodegen-units=1
 -Cllvm-args=-sanitizer-coverage-level=4
 -Cllvm-args=-sanitizer-coverage-inline-8bit-counters
 -Cllvm-args=-sanitizer-coverage-pc-table
 -Cllvm-args=-sanitizer-coverage-trace-compares"

# --target keeps the flags away from build scripts, which could not be linked with them.
RUSTFLAGS="${flags//$'\n'/}" cargo build --release --quiet --manifest-path fuzz/Cargo.toml \
    --target "$host" --target-dir "$build" ${CI:+--locked}

failed=0
for target in $targets; do
    case $target in
        replies | host) seeds=fuzz/seeds/replies ;;
        *) seeds=fuzz/seeds/gcode ;;
    esac
    corpus=$build/corpus/$target
    findings=$build/findings/$target
    mkdir -p "$corpus" "$findings"
    log=$(mktemp)
    if "$build/$host/release/$target" "$corpus" "$seeds" -max_total_time="$seconds" -max_len=4096 -timeout=10 \
        -rss_limit_mb=1024 -artifact_prefix="$findings/" -print_final_stats=1 >"$log" 2>&1; then
        runs=$(sed -n 's/^stat::number_of_executed_units: *//p' "$log")
        reached=$(grep -oE 'cov: [0-9]+' "$log" | tail -1)
        printf '%-10s %9s runs, %s\n' "$target" "$runs" "${reached:-cov: none}"
    else
        failed=1
        grep -vE '^#[0-9]+|^INFO' "$log" | head -60
        echo "$target failed. Once more: $build/$host/release/$target $findings/<the input>"
        echo "Put the input into $seeds when it is mended."
    fi
    rm -f "$log"
done
exit $failed
