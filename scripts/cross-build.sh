#!/usr/bin/env bash
# Builds the agent for a Raspberry Pi, by Debian 12's own Rust and cross-compilers in a Debian 12 of its own: what is
# built runs on every Raspberry Pi OS from bookworm on. As root (chroot).
#   scripts/cross-build.sh arm64|armhf DIRECTORY     puts stardust-agent there
#   scripts/cross-build.sh ahead                     builds for both at once; the two above then find it done
#   scripts/cross-build.sh sysroot arm64|armhf       prints where that architecture's libraries are (for qemu -L)
# Only the agent: the hub asks for a newer Rust than bookworm has for all of them.
set -euo pipefail
cd "$(dirname "$0")/.."
. scripts/test-host/container.sh

# names ARCHITECTURE: Rust's and GNU's for it.
names() {
    case $1 in
    arm64) triple=aarch64-unknown-linux-gnu gnu=aarch64-linux-gnu ;;
    armhf) triple=armv7-unknown-linux-gnueabihf gnu=arm-linux-gnueabihf ;;
    *)
        echo "there are packages for arm64 and armhf, not for “$1”" >&2
        exit 2
        ;;
    esac
}

# Made once, kept: some minutes and about 1.5 GB.
toolchain() {
    local fresh ready=$container_cache/cross
    if [ ! -d "$ready" ]; then
        fresh=$(container_fresh)
        container_once make_toolchain "$fresh" "$ready"
    fi
    echo "$ready"
}
make_toolchain() {
    local fresh=$1 ready=$2 new
    if [ ! -d "$ready" ]; then
        echo "making a Debian 12 with cross-compilers (once; kept in $container_cache)" >&2
        new=$(mktemp -d "$container_cache/new.XXXXXX")
        cp -a --reflink=auto "$fresh/." "$new/"
        cp /etc/resolv.conf "$new/etc/"
        chroot "$new" sh -ec '
            export DEBIAN_FRONTEND=noninteractive
            dpkg --add-architecture arm64
            dpkg --add-architecture armhf
            apt-get -q update
            apt-get -q -y --no-install-recommends install rustc-web cargo-web gcc libc6-dev \
                libstd-rust-web-dev:arm64 gcc-aarch64-linux-gnu libc6-dev-arm64-cross \
                libstd-rust-web-dev:armhf gcc-arm-linux-gnueabihf libc6-dev-armhf-cross
            apt-get clean' >"$new.log" 2>&1 || {
            tail -n 20 "$new.log" >&2
            rm -rf --one-file-system "$new" "$new.log"
            return 1
        }
        rm -f "$new.log"
        mv -T "$new" "$ready"
    fi
}

if [ "$(id -u)" != 0 ]; then
    echo "a package for another architecture is built in a chroot, which only root can: sudo make deb ARCH=…" >&2
    exit 1
fi
if [ "${1:-}" = sysroot ]; then
    names "$2"
    echo "$(toolchain)/usr/$gnu"
    exit
fi
if [ "${1:-}" = ahead ]; then
    set -- arm64 armhf
    out=
else
    out=$2
    set -- "$1"
fi
root=$(toolchain)
target=$(realpath -m "${CARGO_TARGET_DIR:-target}")/cross
mkdir -p "$target"
# Cargo in there reaches no registry: the sources are brought, again when they are others.
bring() {
    cmp -s Cargo.lock "$target/vendor.lock" && return
    cargo vendor --quiet --locked "$target/vendor" >/dev/null
    cp Cargo.lock "$target/vendor.lock"
}
container_once bring
triples=()
linkers=()
for arch in "$@"; do
    names "$arch"
    triples+=(--target "$triple")
    lower=${triple//-/_}
    linkers+=("CC_$lower=$gnu-gcc" "CARGO_TARGET_${lower^^}_LINKER=$gnu-gcc")
done

# The mounts are this process's own, and gone with it.
unshare --mount --propagation private sh -ec '
    root=$1 source=$2 target=$3
    shift 3
    mkdir -p "$root/build/source" "$root/build/target"
    mount --bind -o ro "$source" "$root/build/source"
    mount --bind "$target" "$root/build/target"
    mount -t proc proc "$root/proc"
    mount --rbind /dev "$root/dev"
    exec chroot "$root" env -i PATH=/usr/bin:/bin HOME=/root CARGO_HOME=/build/target/home CARGO_TARGET_DIR=/build/target \
        CARGO_PROFILE_RELEASE_STRIP=symbols "$@"
' - "$root" "$PWD" "$target" "${linkers[@]}" \
    cargo build --manifest-path /build/source/Cargo.toml --release --locked --offline "${triples[@]}" \
    --config 'source.crates-io.replace-with="brought"' --config 'source.brought.directory="/build/target/vendor"' \
    -p stardust-agent
[ -z "$out" ] || install -D -m 0755 "$target/$triple/release/stardust-agent" "$out/stardust-agent"
