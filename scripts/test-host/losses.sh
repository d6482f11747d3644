#!/usr/bin/env bash
# A hub and an agent with a network between them that loses 30 of 100 packets, in each direction: a printer is paired, and a
# job of it printed, paused, resumed and finished. In the end the hub's history equals the agent's journal, each move once,
# and the printer has done what the file says, once. As root; two to four minutes; part of make test-host. Both are network namespaces of this
# script's own with nothing in them but the wire: nothing is sent anywhere else.
# Takes the binaries in target/release, or STARDUST_TEST_BINARIES.
set -euo pipefail
cd "$(dirname "$0")/../.."

binaries=${STARDUST_TEST_BINARIES:-$(realpath "${CARGO_TARGET_DIR:-target}")/release}
lost=${STARDUST_LOSSES:-30} # of 100
speed=8                     # simulated seconds in a real one
moves=3000                  # of 0.2 s
hub_address=10.99.0.1
own=http://127.0.0.1:8080   # the hub, for the person who sits at it

if [ "$(id -u)" != 0 ]; then
    echo "losses.sh makes networks, which only root can: sudo $0" >&2
    exit 1
fi
work=$(mktemp -d)
pids=()
cleanup() {
    # A namespace goes with its last process, and the wire with the namespace.
    if [ ${#pids[@]} -gt 0 ]; then kill -KILL "${pids[@]}" 2>/dev/null || true; fi
    wait 2>/dev/null || true
    rm -rf "$work"
}
trap cleanup EXIT
trap 'exit 130' INT TERM HUP
fail() {
    echo "FAILED: $*" >&2
    tail -n 15 "$work"/*.log >&2 || true
    exit 1
}
# until_true SECONDS WHAT COMMAND…: waits for a condition.
until_true() {
    local until=$((SECONDS + $1 + 1)) limit=$1 what=$2
    shift 2
    while [ $SECONDS -lt $until ]; do
        if "$@" >/dev/null 2>&1; then return 0; fi
        sleep 0.1
    done
    fail "waited $limit s for: $what"
}

# -- two machines and the wire between them

machine() { # machine NAME: its process id is in $machine
    unshare --net sleep infinity &
    machine=$!
    pids+=("$machine")
    until_true 5 "a network of its own" sh -c "[ \$(readlink /proc/$machine/ns/net) != \$(readlink /proc/self/ns/net) ]"
    nsenter --target "$machine" --net ip link set lo up
}
machine
at_hub=$machine
machine
at_printer=$machine
on_hub() { nsenter --target "$at_hub" --net "$@"; }
on_printer() { nsenter --target "$at_printer" --net "$@"; }
on_hub ip link add wire type veth peer name wire netns "$at_printer"
on_hub ip address add $hub_address/24 dev wire
on_printer ip address add 10.99.0.2/24 dev wire
for side in on_hub on_printer; do
    $side ip link set wire up
    $side nft -f - <<NFT
table inet losses {
    chain arriving {
        type filter hook input priority 0
        iifname "wire" counter jump some
    }
    chain some {
        numgen random mod 100 < $lost counter drop
    }
}
NFT
done

# -- who runs on them

# start MACHINE LOG COMMAND…: a process that lasts as long as this script. Not by on_hub: that would leave it behind, for a
# function in the background has a shell of its own around what it starts.
start() {
    local log=$work/$2
    nsenter --target "$1" --net "${@:3}" >>"$log" 2>&1 &
    pids+=($!)
}
start "$at_hub" hub.log "$binaries/stardust-hub" serve --data "$work/hub" --listen 0.0.0.0:8080 --mqtt-listen 0.0.0.0:1883
start "$at_printer" printer.log "$binaries/firmware-sim" --link "$work/port" --speed $speed --journal "$work/printed"
until_true 20 "the hub is ready" on_hub curl -fsS -m 2 -o /dev/null $own/readyz
until_true 20 "the printer" test -e "$work/port"

api() {
    on_hub curl -sS --fail-with-body -m 10 -b "$work/cookies" -c "$work/cookies" -H "Origin: $own" \
        -H 'Content-Type: application/json' "$@"
}
# field NAME: of the JSON on standard input, as a.b.c
field() { python3 -c '
import json, sys
value = json.load(sys.stdin)
for name in sys.argv[1].split("."):
    value = value[int(name)] if isinstance(value, list) else value.get(name)
print("" if value is None else value)' "$1"; }
printer_is() { [[ $(api $own/api/v1/printers) == *"\"state\":\"$1\""* ]]; }
job_state() { api "$own/api/v1/jobs/$job" | field state; }
job_is() { [ "$(job_state)" = "$1" ]; }
# wish_granted WHAT FROM TO: asks for it, and again when the request came too late, as a person would.
wish_granted() {
    local state
    state=$(job_state)
    [ "$state" = "$3" ] && return 0
    if [ "$state" = "$2" ] && [ -z "$(api "$own/api/v1/jobs/$job" | field requested)" ]; then
        api -d '{}' "$own/api/v1/jobs/$job/$1" || true
    fi
    return 1
}

email=$(sed -n 's/^first sign-in e-mail: //p' "$work/hub.log")
password=$(sed -n 's/^first sign-in password: //p' "$work/hub.log")
api -d "{\"email\":\"$email\",\"password\":\"$password\"}" $own/api/v1/session >/dev/null || fail "no sign-in"

paired() { # A code is good once: a call that was lost is made again with another.
    local code
    code=$(api -d '{}' $own/api/v1/pairing-codes | field code)
    on_printer "$binaries/stardust-agent" pair http://$hub_address:8080 "$code" --name Ada --port "$work/port" \
        --data "$work/agent" >>"$work/pair.log" 2>&1
}
until_true 120 "pairing" paired
start "$at_printer" agent.log "$binaries/stardust-agent" run --data "$work/agent"
until_true 60 "the printer is idle on the hub" printer_is idle

# Each move is another one, so that a lost or doubled command shows.
{
    printf 'M302 P1\nG28\nG90\nM82\nG92 E0\n'
    awk -v moves=$moves 'BEGIN { for (i = 1; i <= moves; i++)
        printf "G1 X%.3f Y%.3f E%.3f F3000\n", 100 + i % 2 * 10, 50 + i / 100, i / 20 }'
    printf 'M104 S0\nM84\n'
} >"$work/bracket.gcode"
file=$(api -H 'Content-Type: application/octet-stream' --data-binary @"$work/bracket.gcode" \
    "$own/api/v1/files?name=bracket.gcode" | field id)
job=$(api -d "{\"file_id\":\"$file\"}" $own/api/v1/jobs | field id)
until_true 180 "the print is at work" job_is printing
until_true 180 "the print is paused" wish_granted pause printing paused
until_true 180 "the print goes on" wish_granted resume paused printing
until_true 400 "the print is done" job_is awaiting_removal

# -- the books

api "$own/api/v1/jobs/$job/transitions?limit=200" >"$work/history.json"
python3 - "$job" "$work/history.json" "$work/agent/printers/ada/journal.jsonl" "$work/printed" "$work/bracket.gcode" <<'PYTHON' ||
import datetime, json, sys

job, history, journal, printed, wanted = sys.argv[1:]
history = [(move["to"], move["at"]) for move in json.load(open(history))["items"]]
journal = [json.loads(line) for line in open(journal)]
told = [(r["state"], r["at"]) for r in journal if r.get("kind") == "job_moved" and r["job_id"] == job]
whole = "queued claimed transferring preparing printing pausing paused resuming printing awaiting_removal".split()
# A download that stands still for two minutes lets its claim run out: the job is queued again, and nothing was printed by then.
states = [to for to, _ in history]
last = len(states) - 1 - states[::-1].index("claimed")
assert set(states[1:last]) <= {"queued", "claimed", "transferring"} and states[last - 1] == "queued", history
history = history[:1] + history[last:]
assert [to for to, _ in history] == whole, history
# Those in the queue, the claim and the leave to start are the hub's.
agents = [move for move in history if move[0] not in ("queued", "claimed", "preparing")]
told = told[-len(agents):]
assert [to for to, _ in agents] == [to for to, _ in told], (history, told)
# Told by the hub's clock, which the agent knows to the time that an answer may be on its way.
late = [datetime.datetime.fromisoformat(hub.rstrip("Z")) - datetime.datetime.fromisoformat(agent.rstrip("Z"))
        for (_, hub), (_, agent) in zip(agents, told)]
assert all(-0.1 <= by.total_seconds() <= 20 for by in late), (history, told)
executed = [json.loads(line).get("cmd", "") for line in open(printed)]
moves = lambda lines: [line for line in lines if line.startswith("G1 X") and " E" in line]
assert moves(executed) == moves(open(wanted).read().splitlines()), "the printer has done something else than the file says"
assert executed.count("G28") == 1, "homed once: printed once"
assert executed.index("M84") > executed.index("G28")
print(f"   history: {' '.join(whole)}; {len(moves(executed))} moves, none lost, none doubled")
PYTHON
    fail "the books"
for side in on_hub on_printer; do
    counts=($($side nft list table inet losses | sed -n 's/.*counter packets \([0-9]*\).*/\1/p'))
    [ "${counts[1]}" -gt 20 ] || fail "nothing was lost: ${counts[*]}"
    printf '   %s: %d packets, %d of them lost (%d %%)\n' "$side" "${counts[0]}" "${counts[1]}" $((counts[1] * 100 / counts[0]))
done
printf '   %d s\n' $SECONDS
