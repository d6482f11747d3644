#!/usr/bin/env bash
# Everything that checks the project, in the order in which mistakes are cheapest to find. Stops at the first step
# that fails. Each step is a target of the Makefile, and can be run alone: make lint
#   scripts/test.sh              what any machine can do
#   scripts/test.sh with-host    and then the packages on a booted Debian, as root: make test-host
#
# All is built once, as Cargo's profile `checked`: for the tests, for the demo's check, and for the packages.
set -uo pipefail
cd "$(dirname "$0")/.."

logs=$(mktemp -d)
summary=()
failed_step=

export MAKEFLAGS=
export STARDUST_PROFILE=${STARDUST_PROFILE:-checked}
if [ -t 1 ]; then export CARGO_TERM_COLOR=${CARGO_TERM_COLOR:-always}; fi
# A machine that builds once and throws the result away has nothing to gain from it.
if [ -n "${CI:-}" ]; then export CARGO_INCREMENTAL=${CARGO_INCREMENTAL:-0}; fi

. scripts/meanwhile.sh

cleanup() {
    meanwhile_end
    if [ -n "${STARDUST_TEST_POSTGRES_DIR:-}" ]; then scripts/postgres.sh stop >/dev/null 2>&1; fi
    rm -rf "$logs"
}
trap cleanup EXIT
trap 'exit 130' INT TERM HUP

# Processor seconds of all children so far. (`times` tells of this shell's own, so no pipe and no substitution.)
cpu_seconds() {
    times >"$logs/times"
    cpu=$(awk -F '[ms ]+' 'NR == 2 { printf "%d", $1 * 60 + $2 + $3 * 60 + $4 }' "$logs/times")
}

# step NAME COMMAND…
step() {
    local name=$1 from=$SECONDS outcome=ok cpu_from
    shift
    [ -z "$failed_step" ] || return 0
    printf '\n== %s\n' "$name"
    cpu_seconds
    cpu_from=$cpu
    if ! "$@" 2>&1 </dev/null | tee "$logs/$((${#summary[@]})).log"; then
        outcome=FAILED
        failed_step=$name
    fi
    local line
    cpu_seconds
    line=$(printf '%-22s %-6s %4d s, of the processors %4d s' "$name" "$outcome" $((SECONDS - from)) $((cpu - cpu_from)))
    summary+=("$line")
    printf -- '-- %s\n' "$line"
}

# count WORD: adds up "12 passed" or "1 failed" from the closing lines of nextest and vitest.
count() {
    cat "$logs"/*.log 2>/dev/null | sed 's/\x1b\[[0-9;]*m//g' |
        grep -E '^ *(Summary \[|Tests  )' | grep -oE "[0-9]+ (tests )?$1" | awk '{n += $1} END {print n + 0}'
}

if [ "${1:-}" = with-host ]; then
    step "tools" make -s setup-ci
    # What it takes of the network and of processors that wait, it takes now.
    [ -n "$failed_step" ] || meanwhile_idle "$logs/ahead.txt" scripts/test-host/ahead.sh
    export STARDUST_HOST_AHEAD=$meanwhile
else
    step "tools" make -s setup-test
fi
[ -n "$failed_step" ] || meanwhile "$logs/npm.txt" make -s dashboard-packages
npm=$meanwhile
dashboard() {
    # Said again, if it has failed, by the step that needs it.
    tail --pid="$npm" -f /dev/null
    make -s test-dashboard
}
step "format" make -s format-check
step "units" make -s check-units
# Before the dashboard: in a fresh clone this shows that the Rust code builds without Node.
step "lint" make -s lint
# Before the Rust build: the hub has the dashboard embedded.
step "dashboard" dashboard
step "build" make -s build
if [ -z "$failed_step" ] && [ -z "${STARDUST_TEST_POSTGRES:-}" ]; then
    if settings=$(scripts/postgres.sh start 2>"$logs/postgres.txt"); then
        eval "$settings"
    else
        cat "$logs/postgres.txt" >&2
        failed_step="starting PostgreSQL"
    fi
fi
step "tests" make -s test-rust
# Those of full and read-only disks mount some, in a namespace of their own.
if ! unshare --mount mount -t tmpfs none /mnt 2>/dev/null && ! unshare --mount --map-root-user mount -t tmpfs none /mnt 2>/dev/null; then
    skipped="full and read-only disks NOT RUN: this user may not mount anything (unshare --mount --map-root-user)"
    printf '\n== %s\n' "$skipped"
    summary+=("$skipped")
elif [ "$(id -u)" != 0 ]; then
    skipped="a disk that turns read-only in mid-print NOT RUN: that takes root (a loop device)"
    printf '\n== %s\n' "$skipped"
    summary+=("$skipped")
fi
# A collection that is not in the repository. Where it is missing the summary says so.
if [ -n "${STARDUST_PRINT_FILES:-}" ] || [ -d ../shared/data/gcode ]; then
    step "every print file" make -s every-file
else
    skipped="every print file NOT RUN: no ../shared/data/gcode, and STARDUST_PRINT_FILES is not set"
    printf '\n== %s\n' "$skipped"
    summary+=("$skipped")
fi
step "e2e on PostgreSQL" make -s e2e-postgres
step "demo" env STARDUST_TIMES_TOLD=1 make -s check-demo
step "fuzz" make -s fuzz
step "docs" make -s docs
step "licences and bans" make -s deny
if [ "${1:-}" = with-host ]; then
    step "packages" make -s test-host
    # Its own steps, below it.
    while IFS= read -r line; do summary+=("   $line"); done < <(sed -n 's/^-- //p' "$logs/$((${#summary[@]} - 1)).log")
fi

printf '\n== summary\n'
printf '%s\n' "${summary[@]}"
cpu_seconds
printf '%-22s %-6s %4d s, of the processors %4d s\n' "all" "${failed_step:+FAILED}" "$SECONDS" "$cpu"
passed=$(count passed)
failed=$(count failed)
# From a clean clone on two cores; other work on the machine takes its share. Nothing fails by it.
if [ "${1:-}" = with-host ] && [ "$SECONDS" -ge 2700 ]; then
    echo "OVER THE BUDGET of 45 minutes (CONTRIBUTING.md)"
fi
if [ -n "$failed_step" ]; then
    echo "Stopped at: $failed_step"
    # A step can fail without a single failed test.
    [ "$failed" -gt 0 ] || failed=1
fi
echo "$passed passed, $failed failed"
[ -z "$failed_step" ]
