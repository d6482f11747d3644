#!/usr/bin/env bash
# The packages on a real system: a Debian 12 that is booted with systemd in a container, where they are installed,
# upgraded in mid-print, removed and purged. Needs root; some minutes, the first time some more.
#   make test-host
# STARDUST_HOST_ARM=no leaves the packages for a Raspberry Pi out, whose first build takes some minutes.
# STARDUST_PROFILE is Cargo's profile of this machine's own binaries, if it is not release.
set -euo pipefail
cd "$(dirname "$0")/.."
. scripts/test-host/container.sh
. scripts/meanwhile.sh

target=$(realpath -m "${CARGO_TARGET_DIR:-target}")
binaries=$target/${STARDUST_PROFILE:-release}
url=http://127.0.0.1:8080
agent=stardust-agent.service
speed=20                    # simulated seconds in a real one
state=/var/lib/firmware-sim # of the simulated printer, in the container

if [ "$(id -u)" != 0 ]; then
    echo "test-host boots a container, which only root can: sudo make test-host" >&2
    exit 1
fi

work=$(mktemp -d)
cleanup() {
    meanwhile_end
    if [ -n "${losses:-}" ]; then kill -TERM "$losses" 2>/dev/null && wait "$losses" 2>/dev/null; fi
    container_remove
    rm -rf "$work"
}
trap cleanup EXIT
trap 'exit 130' INT TERM HUP

began=$SECONDS step_name=
finish_step() { [ -z "$step_name" ] || printf -- '-- %-58s ok %4d s\n' "$step_name" $((SECONDS - step_began)); }
step() {
    finish_step
    step_name=$1 step_began=$SECONDS
}
fail() {
    printf 'FAILED: %s: %s\n' "$step_name" "$*" >&2
    if [ -n "$container_init" ] && kill -0 "$container_init" 2>/dev/null; then
        inside journalctl --no-pager -n 60 -u "stardust*" -u firmware-sim >&2 || true
    fi
    exit 1
}
# until_true SECONDS WHAT COMMAND…: waits for a condition.
until_true() {
    local until=$((SECONDS + $1 + 1)) limit=$1 what=$2
    shift 2
    while [ $SECONDS -lt $until ]; do
        if "$@" >/dev/null 2>&1; then return 0; fi
        sleep 0.05
    done
    fail "waited $limit s for: $what"
}
must() { "$@" >"$work/said" 2>&1 || fail "$* said: $(cat "$work/said")"; }
property() { inside systemctl show --value -p "$2" "$1"; }

# -- the hub, as a person uses it

api() { networked curl -sS --fail-with-body -m 10 -H "Authorization: Bearer $token" -H 'Content-Type: application/json' "$@"; }
# field NAME: of the JSON on standard input, as a.b.c
field() { python3 -c '
import json, sys
value = json.load(sys.stdin)
for name in sys.argv[1].split("."):
    value = value[int(name)] if isinstance(value, list) else value.get(name)
print("" if value is None else value)' "$1"; }
printer_is() { [ "$(api "$url/api/v1/printers" | field items.0.state)" = "$1" ]; }
job_state() { api "$url/api/v1/jobs/$job" | field state; }
job_is() { [ "$(job_state)" = "$1" ]; }
job_beyond() { python3 -c "import sys; sys.exit(not float(sys.argv[1] or 0) > $1)" "$(api "$url/api/v1/jobs/$job" | field progress.fraction)"; }

# print_file MOVES: each move is another one, so that a lost or doubled command shows.
print_file() {
    printf 'G28\nM104 S200\nM109 S200\nG90\nM82\nG92 E0\n'
    awk -v moves="$1" 'BEGIN { for (i = 1; i <= moves; i++)
        printf "G1 X%.3f Y%.3f Z0.2 E%.3f F3000\n", 20 + i % 2 * 10 + i / 1000, 30 + i / 1000, i / 50 }'
    printf 'M104 S0\nM84\n'
}
start_print() {
    print_file "$1" >"$work/$2"
    job=$(networked "$binaries/stardust" print "$work/$2" --json | field id)
    until_true 60 "the print is at work" job_is printing
}
# switch_on OPTION…: the printer; nothing that it was told before counts any more.
switch_on() {
    inside systemd-run --quiet --unit=firmware-sim --uid=stardust-agent -p RuntimeDirectory=firmware-sim \
        -p StateDirectory=firmware-sim /opt/firmware-sim --link /run/firmware-sim/tty --journal "$state/journal" \
        --targets "$state/targets" --speed $speed "$@"
    until_true 10 "the printer's port" inside test -e /run/firmware-sim/tty
}
# After a print that was not finished.
clear_up() {
    until_true 30 "the print that was stopped is over" job_is failed
    must api -X POST -d '{}' "$url/api/v1/jobs/$job/confirm-removal"
    until_true 30 "the printer is idle" printer_is idle
}
# Milliseconds of real time between two moves; the simulator's clock runs $speed times faster.
longest_pause() {
    executed |
        awk -v speed=$speed 'NR > 1 && $1 - last > most { most = $1 - last } { last = $1 } END { print int(most / speed * 1000) }'
}
# Once the bed of the one before is clear.
start_next() {
    must api -X POST -d '{}' "$url/api/v1/jobs/$job/confirm-removal"
    until_true 30 "the printer is idle" printer_is idle
    start_print 5000 next.gcode
}
# The moves of the print at hand that the printer has executed, in order: `t move`
executed() {
    sed -n 's/.*"t":\([0-9.]*\).*"cmd":"\([^"]*\)".*/\1 \2/p' "$container_root$state/journal" |
        awk '$2 == "G28" { moves = ""; next } $2 == "G1" && $3 ~ /^X/ && $0 ~ / E/ { moves = moves $0 "\n" } END { printf "%s", moves }'
}
moves_done() { executed | cut -d ' ' -f 2-; }

# Read at the printer: what its heaters are set to.
is_cold() { grep -qx '{"nozzles":\[0.0\],"bed":0.0,"chamber":null}' "$container_root$state/targets"; }

agent_pid() { property "$agent" MainPID; }
agent_is_another() { [ "$(agent_pid)" != "$1" ] && [ "$(agent_pid)" != 0 ] && [ "$(property "$agent" ActiveState)" = active ]; }

# -- the steps

step "tools and binaries"
scripts/setup.sh host
# It takes the longest, and waits for the network.
ahead=${STARDUST_HOST_AHEAD:-}
if [ -z "$ahead" ]; then
    meanwhile_idle "$work/ahead.log" scripts/test-host/ahead.sh
    ahead=$meanwhile
fi
make -s build-demo >"$work/build.log" 2>&1 || fail "the build: $(tail -n 30 "$work/build.log")"
STARDUST_DEB_BINARIES=$binaries scripts/deb.sh >"$work/deb.log" 2>&1 || fail "deb: $(tail -n 30 "$work/deb.log")"
cat "$work/deb.log"
version=$(sed -n 's/.*stardust-agent_\(.*\)_.*\.deb$/\1/p' "$work/deb.log")
newer=$version+next1
arch=$(dpkg --print-architecture)
for part in agent hub; do
    dpkg-deb -R "$target/debian/stardust-${part}_${version}_$arch.deb" "$work/newer"
    sed -i "s/^Version: .*/Version: $newer/" "$work/newer/DEBIAN/control"
    must dpkg-deb --root-owner-group -Zgzip -z1 -b "$work/newer" "$work/stardust-${part}_${newer}_$arch.deb"
    rm -r "$work/newer"
done

# It waits most of the time, as the steps until its own do.
losses=
if unshare --net sh -c 'ip link add wire type veth peer name other && nft add table inet losses' 2>"$work/no-losses"; then
    STARDUST_TEST_BINARIES=$binaries scripts/test-host/losses.sh >"$work/losses.log" 2>&1 &
    losses=$!
fi

step "lintian finds no errors"
lintian --fail-on error --tag-display-limit 0 "$target/debian/stardust-"{agent,hub}"_${version}_$arch.deb" 2>&1 |
    grep -v "root privileges" || [ "${PIPESTATUS[0]}" = 0 ] || fail "lintian"

step "the container boots"
[ -d "$container_cache/cross" ] || meanwhile_hurry "$ahead"
container_prepare || fail "no container"
mkdir -p "$container_root/opt"
cp "$target/debian/stardust-"{agent,hub}"_${version}_$arch.deb" "$work/"*.deb "$binaries/firmware-sim" "$container_root/opt/"
container_boot || fail "no container"

step "apt installs both packages, and both services run"
apt=(inside env DEBIAN_FRONTEND=noninteractive apt-get -q -y --no-install-recommends)
must "${apt[@]}" install "/opt/stardust-agent_${version}_$arch.deb" "/opt/stardust-hub_${version}_$arch.deb"
for unit in agent hub; do
    [ "$(property "stardust-$unit" ActiveState)" = active ] || fail "stardust-$unit is not active"
    [ "$(property "stardust-$unit" UnitFileState)" = enabled ] || fail "stardust-$unit is not enabled"
    [ "$(inside stat -c '%a %U' "/var/lib/stardust-$unit")" = "700 stardust-$unit" ] || fail "the data directory of $unit"
    [ -n "$(property "stardust-$unit" StatusText)" ] || fail "stardust-$unit says nothing of itself"
done
inside id -nG stardust-agent | grep -qw dialout || fail "the agent is not of the serial ports' group"
[ "$(inside stat -c '%a %U:%G' /etc/stardust/hub.toml)" = "640 root:stardust-hub" ] || fail "hub.toml is not private"
inside stardust-agent --version && inside stardust-hub --version
inside systemd-analyze verify --man=no "$agent" stardust-hub.service 2>&1 | grep . && fail "systemd has something to say"
said=$(inside udevadm test --action=add /sys/class/tty/ttyS0 2>&1 || true)
grep -q 60-stardust-serial.rules <<<"$said" || fail "udev does not read the rule: $said"
grep -iE '60-stardust-serial.rules:[0-9]+.*(invalid|unknown|error|failed)' <<<"$said" && fail "udev does not understand the rule"

step "the hub answers, and a printer is paired with it"
until_true 20 "the hub is ready" networked curl -fsS -o /dev/null "$url/readyz"
password=$(inside runuser -u stardust-hub -- stardust-hub --config /etc/stardust/hub.toml \
    admin reset-password owner@stardust.local | sed 's/.*: //')
export XDG_CONFIG_HOME=$work/config
networked "$binaries/stardust" login "$url" --email owner@stardust.local --password-stdin <<<"$password" >/dev/null
token=$(sed -n 's/^token = "\(.*\)"/\1/p' "$XDG_CONFIG_HOME/stardust/credentials.toml")
switch_on
code=$(api -X POST -d '{}' "$url/api/v1/pairing-codes" | field code)
must inside stardust-agent pair "$url" "$code" --port /run/firmware-sim/tty --name "Ender left"
until_true 30 "the printer is idle" printer_is idle
[ "$(inside sh -c 'stat -c %a /var/lib/stardust-agent/printers/*/credential')" = 600 ] || fail "the credential is not private"

step "a print runs, and systemctl status tells of it"
start_print 5000 bracket.gcode
until_true 60 "the print is beyond 2 %" job_beyond 0.02
status_tells() { property "$agent" StatusText | grep -E '^printing bracket.gcode [0-9]+ %'; }
until_true 10 "the status in words" status_tells
echo "   $(property "$agent" StatusText)"
inside journalctl -o cat --no-pager STARDUST_JOB_ID="$job" STARDUST_JOB_STATE=printing >"$work/log"
grep -qE "^job moved job\.id=$job job\.state=printing" "$work/log" || fail "the journal can't be asked for the job: $(cat "$work/log")"

# goes_on WHAT COMMAND…: the print does, over what happens to the agent.
goes_on() {
    local what=$1 before
    shift
    before=$(agent_pid)
    "$@"
    until_true 20 "the agent is back after $what" agent_is_another "$before"
    until_true 20 "the print goes on after $what" job_beyond "$(moves_done | wc -l | awk '{print $1 / 5000 + 0.02}')"
}

step "kill -9 of the agent in mid-print"
goes_on "kill -9" inside systemctl kill -s KILL --kill-whom=main "$agent"
[ "$(property "$agent" NRestarts)" -ge 1 ] || fail "it was not systemd that started it again"

step "systemctl restart in mid-print"
goes_on "a restart" inside systemctl restart "$agent"

step "a newer package in mid-print"
goes_on "the upgrade" must "${apt[@]}" install "/opt/stardust-agent_${newer}_$arch.deb" "/opt/stardust-hub_${newer}_$arch.deb"
[ "$(inside dpkg-query -W -f '${Version}' stardust-agent)" = "$newer" ] || fail "not upgraded"

step "the print ends, and was exact"
until_true 120 "the print is done" job_is awaiting_removal
diff <(grep '^G1 X' "$work/bracket.gcode") <(moves_done) >"$work/diff" ||
    fail "the printer did something else than the file says: $(head -n 5 "$work/diff")"
echo "   $(moves_done | wc -l) moves, none lost, none doubled; the printer stood still for $(longest_pause) ms at most"
start_next

step "an agent that hangs is ended and started again"
inside mkdir -p "/run/systemd/system/$agent.d"
printf '[Service]\nWatchdogSec=5\n' >"$work/watchdog.conf"
inside sh -c "cat >/run/systemd/system/$agent.d/test.conf" <"$work/watchdog.conf"
must inside systemctl daemon-reload
goes_on "a restart with a short watchdog" inside systemctl restart "$agent"
goes_on "a hang" inside systemctl kill -s STOP --kill-whom=main "$agent"
inside journalctl -u "$agent" --no-pager -o cat | grep -q "Watchdog timeout" || fail "it was not the watchdog"

step "a stop leaves the printer safe"
is_cold && fail "the print does not heat, so this would show nothing"
must inside systemctl stop "$agent"
[ "$(property "$agent" ActiveState)" = inactive ] || fail "not stopped"
is_cold || fail "it is hot: $(cat "$container_root$state/targets")"
must inside systemctl start "$agent"
clear_up

step "a mistake in the settings, and a restart in mid-print: nothing stays hot"
start_print 5000 mistaken.gcode
until_true 60 "the print is beyond 2 %" job_beyond 0.02
is_cold && fail "the print does not heat, so this would show nothing"
inside cp -p /etc/stardust/agent.toml /etc/stardust/agent.toml.kept
inside sh -c 'echo "bawd = 9600" >>/etc/stardust/agent.toml'
inside systemctl restart "$agent" && fail "it was started with a mistake in its settings"
[ "$(property "$agent" ExecMainStatus)" = 78 ] || fail "it did not say that its settings are wrong"
is_cold || fail "it is hot: $(cat "$container_root$state/targets")"
must inside mv /etc/stardust/agent.toml.kept /etc/stardust/agent.toml
must inside systemctl start "$agent"
clear_up

step "a program that can't start, and a restart in mid-print: nothing stays hot"
start_print 5000 replaced.gcode
until_true 60 "the print is beyond 2 %" job_beyond 0.02
is_cold && fail "the print does not heat, so this would show nothing"
inside mv /usr/bin/stardust-agent /usr/bin/stardust-agent.kept
inside sh -c 'head -c 4096 /usr/bin/stardust-agent.kept >/usr/bin/stardust-agent; chmod 755 /usr/bin/stardust-agent'
inside systemctl restart "$agent" && fail "it was started with half a program"
is_cold || fail "it is hot: $(cat "$container_root$state/targets")"
must inside mv /usr/bin/stardust-agent.kept /usr/bin/stardust-agent
# systemd has gone on trying.
until_true 20 "the agent runs again" agent_is_another 0
clear_up

step "a stop while the firmware waits for its bed and hears nothing: nothing stays hot"
printf '[Service]\nTimeoutStopSec=2\n' >"$work/stop.conf"
inside sh -c "cat >/run/systemd/system/$agent.d/stop.conf" <"$work/stop.conf"
must inside systemctl daemon-reload
inside systemctl stop firmware-sim
switch_on --no-emergency-parser
until_true 30 "the printer is idle" printer_is idle
printf 'G28\nM104 S200\nM190 S110\nM109 S250\nG1 X10 F600\n' >"$work/heats.gcode"
job=$(networked "$binaries/stardust" print "$work/heats.gcode" --json | field id)
heats_bed() { grep -q '"bed":110.0' "$container_root$state/targets"; }
until_true 60 "it heats its bed" heats_bed
began_stop=$SECONDS
must inside systemctl stop "$agent"
[ "$(property "$agent" Result)" = success ] || fail "systemd did not wait for it: $(property "$agent" Result)"
is_cold || fail "it is hot: $(cat "$container_root$state/targets")"
[ $((SECONDS - began_stop)) -gt 2 ] || fail "the bed was warm too soon, so this shows nothing"
must inside systemctl start "$agent"
clear_up

step "ExecStop knows restart and stop, with and without D-Bus"
# A stand-in with the agent's own unit, which only writes down what it is told.
inside sh -c "sed -e 's#^ExecStart=.*#ExecStart=/opt/told#' -e 's/^Type=.*/Type=exec/' -e 's/^WatchdogSec=.*//' \
    -e 's#^StateDirectory=.*#StateDirectory=told#' /usr/lib/systemd/system/$agent >/run/systemd/system/told.service"
inside sh -c 'cat >/opt/told; chmod 755 /opt/told' <<'TOLD'
#!/bin/sh
trap 'echo handover >>/var/lib/told/log; exit 0' USR1
trap 'echo stop >>/var/lib/told/log; exit 0' TERM
echo start >>/var/lib/told/log
while :; do sleep 0.05; done
TOLD
must inside systemctl daemon-reload
told() {
    local before=$1 expected=$2
    shift 2
    must "$@"
    until_true 10 "$expected after $*" sh -c "[ \"\$(tail -n +$((before + 1)) $container_root/var/lib/told/log | tr '\n' ' ')\" = '$expected ' ]"
}
lines() { wc -l <"$container_root/var/lib/told/log"; }
must inside systemctl start told
until_true 10 "the stand-in" test -s "$container_root/var/lib/told/log"
told "$(lines)" "handover start" inside systemctl restart told
told "$(lines)" "handover start" inside systemctl try-restart told
told "$(lines)" "handover start" inside systemctl reload-or-restart told
told "$(lines)" "stop" inside systemctl stop told
told "$(lines)" "start" inside systemctl start told
must inside systemctl stop dbus.socket dbus.service
told "$(lines)" "handover start" inside systemctl restart told
told "$(lines)" "stop" inside systemctl stop told
told "$(lines)" "start" inside systemctl start told
must inside systemctl start dbus.socket

step "remove keeps the data, purge does not"
services() { pgrep --ns "$container_init" --nslist pid -x 'stardust-.*'; }
[ "$(services | wc -l)" = 2 ] || fail "not two services run: $(services)"
must "${apt[@]}" remove stardust-agent stardust-hub
inside test -e /usr/bin/stardust-agent && fail "the binary is still there"
services && fail "a service still runs"
inside sh -c 'test -s /var/lib/stardust-agent/printers/*/credential' || fail "remove took the credential"
inside test -s /var/lib/stardust-hub/hub.db || fail "remove took the hub's database"
inside test -s /etc/stardust/agent.toml || fail "remove took the settings"
must "${apt[@]}" install "/opt/stardust-agent_${newer}_$arch.deb" "/opt/stardust-hub_${newer}_$arch.deb"
until_true 20 "the hub is ready again" networked curl -fsS -o /dev/null "$url/readyz"
until_true 30 "the printer is idle again, with what was kept" printer_is idle
must "${apt[@]}" purge stardust-agent stardust-hub
for path in /var/lib/stardust-agent /var/lib/stardust-hub /etc/stardust; do
    inside test -e $path && fail "purge left $path"
done
inside systemctl list-unit-files --no-legend 'stardust*' | grep . && fail "purge left units"

step "a machine that is switched off tells a stop"
before=$(lines)
container_down || fail "no power-off"
[ "$(tail -n +$((before + 1)) "$container_root/var/lib/told/log")" = stop ] || fail "told: $(cat "$container_root/var/lib/told/log")"

step "a network that loses 30 of 100 packets"
if [ -n "$losses" ]; then
    wait "$losses" || fail "a print over a bad network: $(cat "$work/losses.log")"
    losses=
    cat "$work/losses.log"
else
    printf 'NOT SHOWN: this kernel makes no network that loses packets: %s\n' "$(tail -n 1 "$work/no-losses")"
fi

if [ "${STARDUST_HOST_ARM:-yes}" != no ]; then
    step "the agent's packages for a Raspberry Pi"
    meanwhile_hurry "$ahead"
    scripts/test-host/arm.sh || fail "a package for another architecture"
fi

finish_step
printf 'test-host: everything holds (%d s)\n' $((SECONDS - began))
