#!/usr/bin/env bash
# A throw-away PostgreSQL cluster for the tests, in a directory of its own on a free port.
#   eval "$(scripts/postgres.sh start)"   starts it and sets STARDUST_TEST_POSTGRES and STARDUST_TEST_POSTGRES_DIR
#   scripts/postgres.sh stop              stops it and removes the directory
set -euo pipefail

bin=$(ls -d /usr/lib/postgresql/*/bin 2>/dev/null | sort -V | tail -n 1)
[ -x "$bin/initdb" ] || { echo "PostgreSQL's server is missing. Install it: apt-get install postgresql" >&2; exit 1; }

# PostgreSQL refuses to run as root.
as_server() { if [ "$(id -u)" = 0 ]; then runuser -u postgres -- "$@"; else "$@"; fi; }

case "${1:-}" in
start)
    dir=$(mktemp -d /tmp/stardust-postgres.XXXXXX)
    if [ "$(id -u)" = 0 ]; then chown postgres "$dir"; fi
    cd "$dir"
    # A locale of its own, not the caller's: it may not be installed, and text must sort by its bytes as in SQLite.
    as_server "$bin/initdb" -A trust --no-sync -E UTF8 --locale=C -U stardust -D "$dir/data" >"$dir.log" 2>&1 ||
        { cat "$dir.log" >&2; rm -rf "$dir" "$dir.log"; exit 1; }
    rm -f "$dir.log"
    # A port below the range of outgoing connections; when it is taken the server does not start, and the next is
    # tried. fsync is off: nothing here outlives the tests.
    for _ in 1 2 3 4 5 6 7 8 9 10; do
        port=$((10000 + RANDOM % 22000))
        if as_server "$bin/pg_ctl" -D "$dir/data" -w -l "$dir/log" \
            -o "-c listen_addresses=127.0.0.1 -p $port -c unix_socket_directories=$dir -c fsync=off -c max_connections=300" start >&2
        then started=yes; break; fi
    done
    [ "${started:-}" ] || { tail -n 20 "$dir/log" >&2; rm -rf "$dir"; exit 1; }
    echo "export STARDUST_TEST_POSTGRES=postgres://stardust@127.0.0.1:$port/postgres"
    echo "export STARDUST_TEST_POSTGRES_DIR=$dir"
    ;;
stop)
    dir=${STARDUST_TEST_POSTGRES_DIR:?nothing was started}
    cd /
    as_server "$bin/pg_ctl" -D "$dir/data" -m immediate stop >&2 || true
    rm -rf "$dir"
    ;;
*)
    sed -n '2,4p' "$0" >&2
    exit 2
    ;;
esac
