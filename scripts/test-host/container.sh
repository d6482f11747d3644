# A Debian 12 of its own, booted with systemd, for scripts/test-host.sh (sourced). As root.
#   container_prepare   its file system, from a cached copy of a fresh installation
#   container_boot      started; `inside COMMAND…` runs in it
#   container_down      stopped as a machine is; container_remove: whatever is left of it
#
# It has a network of its own with nothing in it but the loopback: what it needs is brought.

container_cache=${STARDUST_HOST_CACHE:-${XDG_CACHE_HOME:-$HOME/.cache}/stardust-test-host}
container_packages=systemd,systemd-sysv,dbus,udev,ca-certificates # ca-certificates: the agent's package needs them
container_root=
container_pid=  # of systemd-nspawn
container_init= # of systemd in it, as seen from outside

# container_once COMMAND…: only one at a time makes what is kept; who comes second finds it.
container_once() {
    mkdir -p "$container_cache"
    (
        flock 9
        "$@" 9>&-
    ) 9>"$container_cache/lock"
}

# container_fresh: prints where a fresh installation is; a minute or more the first time.
container_fresh() {
    local arch ready
    arch=$(dpkg --print-architecture)
    # Another list of packages is another installation.
    ready=$container_cache/bookworm-$arch-$(cksum <<<"$container_packages" | cut -d ' ' -f 1)
    [ -d "$ready" ] || container_once container_install "$ready" || return 1
    echo "$ready"
}
container_install() {
    local ready=$1 new log
    if [ ! -d "$ready" ]; then
        new=$(mktemp -d "$container_cache/new.XXXXXX")
        log=$new.log
        echo "making a Debian 12 (once; kept in $container_cache)" >&2
        if ! debootstrap --variant=minbase --include="$container_packages" bookworm "$new" \
            http://deb.debian.org/debian >"$log" 2>&1; then
            tail -n 20 "$log" >&2
            rm -rf --one-file-system "$new" "$log"
            return 1
        fi
        rm -f "$log" "$new"/var/cache/apt/archives/*.deb
        chmod 0755 "$new"
        mv -T "$new" "$ready"
    fi
}

container_prepare() {
    local fresh
    fresh=$(container_fresh) || return 1
    # On a disk: a tmpfs may be too small for it.
    container_root=$(mktemp -d /var/tmp/stardust-host.XXXXXX)
    cp -a --reflink=auto "$fresh/." "$container_root/"
    echo printer-host >"$container_root/etc/hostname"
    # Each boot of the copy is a machine of its own; without a number it would ask questions as on a first boot.
    tr -d - </proc/sys/kernel/random/uuid >"$container_root/etc/machine-id"
}

container_boot() {
    local turn
    systemd-nspawn --quiet --directory="$container_root" --boot --register=no --keep-unit --private-network \
        --console=pipe </dev/null >"$container_root.boot.log" 2>&1 &
    container_pid=$!
    for turn in $(seq 300); do
        container_init=$(pgrep -P "$container_pid" || true)
        if [ -n "$container_init" ]; then
            # Not by its exit status: it is not zero when any unit has failed.
            case $(inside systemctl is-system-running 2>/dev/null || true) in running | degraded) return 0 ;; esac
        fi
        sleep 0.1
    done
    echo "the container did not come up in $turn turns:" >&2
    tail -n 20 "$container_root.boot.log" >&2
    return 1
}

inside() { nsenter --target "$container_init" --all env -i PATH=/usr/sbin:/usr/bin:/sbin:/bin LANG=C.UTF-8 HOME=/root "$@"; }
# A program of the outside, in the container's network.
networked() { nsenter --target "$container_init" --net "$@"; }

# container_ended SECONDS
container_ended() {
    local turn
    for turn in $(seq "$(($1 * 10))"); do
        kill -0 "$container_pid" 2>/dev/null || return 0
        sleep 0.1
    done
    return 1
}

container_down() {
    # The machine may be gone before it has answered.
    inside systemctl poweroff --no-block 2>/dev/null || true
    if ! container_ended 30; then
        echo "the container did not power off" >&2
        return 1
    fi
    container_pid=
}

container_remove() {
    if [ -n "$container_pid" ] && kill -0 "$container_pid" 2>/dev/null; then
        kill -TERM "$container_pid" 2>/dev/null || true
        container_ended 15 || kill -KILL "$container_pid" 2>/dev/null || true
        wait "$container_pid" 2>/dev/null || true
    fi
    if [ -n "$container_root" ]; then rm -rf --one-file-system "$container_root" "$container_root.boot.log"; fi
}
