#!/usr/bin/env bash
# The systemd units: systemd has nothing to say about them, and finds them hardened.
set -euo pipefail
cd "$(dirname "$0")/.."

# Tenths, of what `systemd-analyze security` calls the exposure: 10.0 is everything, 0.0 nothing.
threshold=30

if ! command -v systemd-analyze >/dev/null; then
    echo "systemd-analyze is missing, so the units are NOT checked. Install it: apt-get install systemd" >&2
    exit 0
fi
work=$(mktemp -d)
trap 'rm -rf "$work"' EXIT
failed=0
for unit in systemd/*.service; do
    copy=$work/${unit##*/}
    # What they start is not installed here.
    sed -E 's#^(Exec[A-Za-z]+=[-+@:!]*)/[^ ]+#\1/bin/true#' "$unit" >"$copy"
    said=$(systemd-analyze verify --man=no "$copy" 2>&1) || failed=1
    if [ -n "$said" ]; then
        printf '%s: systemd has something to say:\n%s\n' "$unit" "$said" >&2
        failed=1
    fi
    if exposure=$(systemd-analyze security --no-pager --offline=true --threshold="$threshold" "$copy"); then
        echo "$unit: $(tail -n 1 <<<"$exposure" | sed 's/^[^a-zA-Z]*//')"
    else
        printf '%s: more exposed than %s tenths:\n%s\n' "$unit" "$threshold" "$exposure" >&2
        failed=1
    fi
done
# What the units start must be what the packages install.
for path in $(sed -nE 's#^Exec[A-Za-z]+=[-+@:!]*(/[^ ]+).*#\1#p' systemd/*.service); do
    case $path in
    /usr/bin/stardust-agent | /usr/bin/stardust-hub | /usr/lib/stardust-agent/stop) ;;
    *)
        echo "a unit starts $path, which no package installs" >&2
        failed=1
        ;;
    esac
done
exit $failed
