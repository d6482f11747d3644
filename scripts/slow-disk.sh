#!/usr/bin/env bash
# An agent on a disk that gives 20 MB/s, with a print file of 1 GiB: does it tell its status all the time, and feed the watchdog?
#   scripts/slow-disk.sh BENCH [ARGUMENT…]    BENCH: the program stardust-bench, beside those that it starts
# The disk is a file on this one's, as a block device of its own that the kernel throttles; nothing else becomes slow. As root;
# 5 GB while it runs (STARDUST_SLOW_DISK_ROOM: where); about five minutes. All of it is taken back in the end, however it ends.
set -euo pipefail

bench=$(realpath "$1")
shift
rate=20000000 # bytes a second, written and read
if [ "$(id -u)" != 0 ]; then
    echo "slow-disk.sh makes a disk, which only root can: sudo make slow-disk" >&2
    exit 1
fi

work=$(mktemp -d "$(realpath "${STARDUST_SLOW_DISK_ROOM:-$(dirname "$bench")}")/slow-disk-XXXXXX")
group='' device='' number='' running='' v1=/sys/fs/cgroup/blkio v2=/sys/fs/cgroup
cleanup() {
    trap '' INT TERM HUP
    if [ -n "$running" ]; then
        # The agent is of the bench's process group; hub and printer end with the bench.
        kill -TERM -- "-$running" 2>/dev/null || true
        wait "$running" 2>/dev/null || true
    fi
    # First, so that what has to be written for the rest is soon written.
    if [ -n "$number" ]; then throttle 0 2>/dev/null || true; fi
    if mountpoint -q "$work/disk"; then umount "$work/disk" 2>/dev/null || umount --lazy "$work/disk" || true; fi
    if [ -n "$device" ]; then losetup --detach "$device" || true; fi
    if [ -n "$group" ]; then
        echo $$ >"$v2/cgroup.procs" || true
        rmdir "$group" || true
    fi
    rm -rf "$work"
}
trap cleanup EXIT
trap 'exit 130' INT TERM HUP

# throttle BYTES: that many a second; 0: as fast as it is.
throttle() {
    if [ -z "$group" ]; then
        echo "$number $1" >"$v1/blkio.throttle.write_bps_device"
        echo "$number $1" >"$v1/blkio.throttle.read_bps_device"
    else
        local most=${1/#0/max}
        echo "$number wbps=$most rbps=$most" >"$group/io.max"
    fi
}

truncate -s 3G "$work/image"
device=$(losetup --find --show --direct-io=on "$work/image")
number=$(lsblk --noheadings --nodeps --output MAJ:MIN "$device" | tr -d ' ')
# Nothing is left to be made in the background.
mkfs.ext4 -q -E lazy_itable_init=0,lazy_journal_init=0 "$device"
mkdir "$work/disk" "$work/data"
mount "$device" "$work/disk"

if [ -w "$v1/blkio.throttle.write_bps_device" ]; then
    : # Of all processes.
elif grep -qw io "$v2/cgroup.controllers" 2>/dev/null; then
    # Of those in a group, with what they have written and the kernel writes down later.
    echo +io >"$v2/cgroup.subtree_control"
    group=$v2/stardust-slow-disk-$$
    mkdir "$group"
    echo $$ >"$group/cgroup.procs"
else
    echo "This kernel has no cgroup controller that throttles a disk (blkio, io): it can't be done here." >&2
    exit 1
fi
throttle $rate

# Believed when it has been seen.
before=$(date +%s%N)
dd if=/dev/zero of="$work/disk/probe" bs=1M count=100 conv=fsync status=none
measured=$((104857600 * 1000 / (($(date +%s%N) - before) / 1000000)))
rm "$work/disk/probe"
printf 'The disk takes %d.%d MB/s, as dd with fsync sees it.\n' $((measured / 1000000)) $((measured / 100000 % 10))
if [ $measured -gt $((rate * 5 / 4)) ] || [ $measured -lt $((rate / 2)) ]; then
    echo "It is not as slow as it should be, or slower: what is measured on it would say nothing." >&2
    exit 1
fi

# A process group of its own, to be ended as a whole.
set -m
"$bench" --only slow-disk --slow-dir "$work/disk" --data "$work/data" "$@" &
running=$!
set +m
status=0
wait "$running" || status=$?
running=''
exit $status
