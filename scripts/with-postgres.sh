#!/usr/bin/env bash
# Runs a command with a throw-away PostgreSQL server (STARDUST_TEST_POSTGRES), and stops the server afterwards.
# A server that is there already (the variable is set) is used and left alone.
#   scripts/with-postgres.sh cargo nextest run
set -euo pipefail
here=$(cd "$(dirname "$0")" && pwd)

if [ -z "${STARDUST_TEST_POSTGRES:-}" ]; then
    settings=$("$here/postgres.sh" start)
    eval "$settings"
    trap '"$here/postgres.sh" stop >/dev/null 2>&1' EXIT
fi
"$@"
