#!/bin/sh
# Installed as /usr/lib/stardust-agent/stop; the unit's ExecStop, run as root with the unit's name.
#
# systemd stops a service in the same way whether it is meant to stay stopped or to come back at once. For a printer
# that is all the difference: on a stop it has to be left safe (heaters off), on a restart or an upgrade of the package
# the print has to go on. The manager's job tells them apart. It is asked by systemctl, which as root talks to the
# manager itself: it needs no D-Bus.
#
# On a restart the agent is told to hand over (SIGUSR1) and waited for. In every other case, and whenever there is any
# doubt, this script just ends: systemd then sends SIGTERM, and the agent leaves the printer safe.
unit=$1
# The agent has ended by itself: there is nothing to stop.
[ -n "$MAINPID" ] || exit 0

job=$(timeout 2 systemctl list-jobs --no-legend --plain "$unit" 2>/dev/null) || exit 0
# "123 stardust-agent.service restart running"
case " $job " in
*" $unit restart "*) ;;
*) exit 0 ;;
esac

# An agent that has no handler for it (an older one, in a downgrade) would be ended by it with the heaters on.
# (The lowest 16 of the handled signals; SIGUSR1 is number 10.)
caught=$(sed -n 's/^SigCgt:.*\(....\)$/\1/p' "/proc/$MAINPID/status" 2>/dev/null)
[ -n "$caught" ] && [ $((0x$caught >> 9 & 1)) = 1 ] || exit 0

# What comes next must be able to start: with a mistake in the settings, or a program that does not run, the print would
# stand on a hot printer with nobody there. Then it is a stop: the agent that runs leaves the printer safe.
# As the service's user: it may not be able to read what root can.
timeout 5 setpriv --reuid stardust-agent --regid stardust-agent --init-groups --no-new-privs \
    /usr/bin/stardust-agent check --config /etc/stardust/agent.toml >/dev/null
# 65: one printer's own files can't be read; it is made safe, and the prints of the others go on.
case $? in
0 | 65) ;;
*) exit 0 ;;
esac

kill -USR1 "$MAINPID" 2>/dev/null || exit 0
# SIGTERM comes when this script ends: not before the agent has handed over. 5 s at most.
turns=0
while [ $turns -lt 500 ] && kill -0 "$MAINPID" 2>/dev/null; do
    sleep 0.01
    turns=$((turns + 1))
done
exit 0
