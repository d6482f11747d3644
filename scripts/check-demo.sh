#!/usr/bin/env bash
# Types `make demo` as a person would, on a machine that has built before, and holds it to its promises: the
# dashboard answers in less than 5 s, the hub takes less than 60 MB and each agent less than 15 MB, Ctrl-C ends it all,
# and a second start goes on from the same data. STARDUST_PROFILE is Cargo's profile if it is not release.
set -euo pipefail
cd "$(dirname "$0")/.."

binaries=${CARGO_TARGET_DIR:-target}/${STARDUST_PROFILE:-release}
data=$(mktemp -d /tmp/stardust-check-demo.XXXXXX)
log=$data/make.log
demo=
trap '[ -z "$demo" ] || kill -KILL -- "-$demo" 2>/dev/null || true; rm -rf "$data"' EXIT
fail() { echo "$*" >&2; tail -n 30 "$log" >&2; exit 1; }
free_port() { python3 -c 'import socket; s = socket.socket(); s.bind(("127.0.0.1", 0)); print(s.getsockname()[1])'; }
http=$(free_port) mqtt=$(free_port)
rss_kb() { awk '/^VmRSS:/ {print $2}' "/proc/$1/status"; }
own_kb() { awk '/^RssAnon:/ {print $2}' "/proc/$1/status"; }
# processes NAMES: those of this demo.
processes() { pgrep -f "($1).*$data/house" || true; }

make -s setup-demo dashboard build-demo >"$log" 2>&1 || fail "make demo's build failed"

start() {
    local began now
    began=$(date +%s%N)
    # A process group of its own, as a terminal would give it: its Ctrl-C goes to all of the group.
    setsid make -s demo DEMO_DATA="$data/house" DEMO_PORT="$http" DEMO_MQTT_PORT="$mqtt" >"$log" 2>&1 </dev/null &
    demo=$!
    until curl -fs -o /dev/null "http://127.0.0.1:$http/"; do
        kill -0 "$demo" 2>/dev/null || fail "the demo ended before its dashboard answered"
        now=$(date +%s%N)
        [ $(((now - began) / 1000000)) -lt 60000 ] || fail "the dashboard did not answer within 60 s"
        sleep 0.02
    done
    now=$(date +%s%N)
    started_ms=$(((now - began) / 1000000))
    for _ in $(seq 600); do grep -q "Press Ctrl-C" "$log" && return; sleep 0.1; done
    fail "the demo did not say that it is running"
}

stop() {
    kill -INT -- "-$demo"
    for _ in $(seq 300); do kill -0 "$demo" 2>/dev/null || break; sleep 0.1; done
    kill -0 "$demo" 2>/dev/null && fail "the demo did not end within 30 s of Ctrl-C"
    demo=
    [ -z "$(processes 'stardust-|firmware-sim')" ] || fail "processes are left behind: $(processes 'stardust-|firmware-sim')"
}

# A bound of time is judged where nothing else runs; among other checks (make test) it is told.
in_time() {
    [ "$started_ms" -lt 5000 ] || [ -n "${STARDUST_TIMES_TOLD:-}" ] || fail "more than 5 s"
}

start
echo "first start: the dashboard answered after $started_ms ms"
in_time
hub_kb=$(rss_kb "$(processes stardust-hub)")
agents=$(processes stardust-agent)
agent_kb=0 agent_own_kb=0
for agent in $agents; do
    kb=$(rss_kb "$agent") own=$(own_kb "$agent")
    [ "$kb" -le "$agent_kb" ] || agent_kb=$kb
    [ "$own" -le "$agent_own_kb" ] || agent_own_kb=$own
done
echo "memory: the hub $hub_kb kB, the largest of $(wc -w <<<"$agents") agents $agent_kb kB, $agent_own_kb kB of it its own"
[ "$(wc -w <<<"$agents")" = 6 ] || fail "six agents were expected"
[ "$hub_kb" -lt 60000 ] || fail "the hub takes more than 60 MB"
[ "$agent_own_kb" -lt 4000 ] || fail "an agent allocates more than 4 MB"
[ "$agent_kb" -lt 15000 ] || fail "an agent takes more than 15 MB"
said=$("$binaries/stardust-demo" --data "$data/house" 2>&1) && fail "a second demo started on the same data"
[[ $said == *"already running"*"$http"* ]] || fail "a second demo said: $said"
said=$("$binaries/stardust-demo" --data "$data/other" --listen "127.0.0.1:$http" 2>&1) && fail "a demo started on a taken port"
[[ $said == *"$http"* && $said == *"DEMO_PORT"* ]] || fail "a demo on a taken port said: $said"
echo "a second demo and a taken port are told in a sentence"
stop
start
echo "second start: the dashboard answered after $started_ms ms"
in_time
stop
echo "the demo keeps its promises"
