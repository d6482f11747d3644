#!/usr/bin/env bash
# The agent's packages for a Raspberry Pi: built, looked into, and their binary started on an emulated processor.
# Takes the binaries of this machine (STARDUST_PROFILE, else release) for the manual. (qemu-user knows no serial port's speeds, so nothing is printed there.)
set -euo pipefail
cd "$(dirname "$0")/../.."

target=$(realpath "${CARGO_TARGET_DIR:-target}")
work=$(mktemp -d)
trap 'rm -rf "$work"' EXIT
fail() { echo "FAILED: $*" >&2; exit 1; }

for arch in arm64 armhf; do
    began=$SECONDS
    STARDUST_DEB_BINARIES=$target/${STARDUST_PROFILE:-release} scripts/deb.sh $arch >"$work/log" 2>&1 || fail "$arch: $(tail -n 30 "$work/log")"
    package=$(awk -F '\t' '/\.deb$/ { path = $2 } END { print path }' "$work/log")
    dpkg-deb -x "$package" "$work/$arch"
    case $arch in
    arm64) emulator=qemu-aarch64-static machine=AArch64 ;;
    armhf) emulator=qemu-arm-static machine=ARM ;;
    esac
    binary=$work/$arch/usr/bin/stardust-agent
    readelf -h "$binary" | grep -qE "Machine: +$machine$" || fail "$arch: another machine's binary"
    on_arm=("$emulator" -L "$(scripts/cross-build.sh sysroot $arch)" "$binary")

    "${on_arm[@]}" --version | grep -q '^stardust-agent [0-9]' || fail "$arch: no version"
    "${on_arm[@]}" manual "$work/manual-$arch"
    # Written by this machine's binary when the package was built, and the same.
    zcat "$work/$arch/usr/share/man/man1/stardust-agent-pair.1.gz" | diff - "$work/manual-$arch/stardust-agent-pair.1" ||
        fail "$arch: another manual"
    # The whole of it: runtime, timers, signals, the disk.
    "${on_arm[@]}" run --data "$work/data-$arch" 2>"$work/run-$arch" &
    agent=$!
    # It answers as soon as it runs; until then the exit status is another.
    for _ in $(seq 100); do
        if "${on_arm[@]}" status --data "$work/data-$arch" >"$work/status" 2>&1; then break; fi
        sleep 0.1
    done
    grep -q "^No printer is paired yet" "$work/status" || fail "$arch: $(cat "$work/status" "$work/run-$arch")"
    kill -TERM $agent
    wait $agent || fail "$arch: did not end well: $(cat "$work/run-$arch")"
    printf '   %s: %s, runs; %d s\n' "$arch" "$(du -h --apparent-size "$package" | cut -f 1)" $((SECONDS - began))
done
