#!/usr/bin/env bash
# Builds the Debian packages of this machine's architecture, or of a Raspberry Pi's:
#   scripts/deb.sh              stardust-agent and stardust-hub
#   scripts/deb.sh arm64        stardust-agent (also: armhf)
# They are put into target/debian. DEB_VERSION is the version if it is not the workspace's own; STARDUST_DEB_BINARIES
# is a folder of binaries of this machine's architecture that are built already.
#
# By dpkg-deb alone: what is in a package stands here and in packaging/, and nothing else has to be installed.
set -euo pipefail
cd "$(dirname "$0")/.."
export LC_ALL=C

target=${CARGO_TARGET_DIR:-target}
native=$(dpkg --print-architecture)
arch=${1:-$native}
version=${DEB_VERSION:-$(sed -n '/^\[workspace.package\]/,/^\[/s/^version = "\(.*\)"/\1/p' Cargo.toml)}
# The same source makes the same package.
SOURCE_DATE_EPOCH=${SOURCE_DATE_EPOCH:-$(git log -1 --format=%ct 2>/dev/null || date +%s)}
export SOURCE_DATE_EPOCH
locked=()
if [ -n "${CI:-}" ]; then locked=(--locked); fi

work=$(mktemp -d)
trap 'rm -rf "$work"' EXIT

build() {
    # Binaries that this machine can run: they also write the manual's pages.
    own=${STARDUST_DEB_BINARIES:-$target/release}
    binaries=$own
    packages=(agent)
    if [ "$arch" = "$native" ]; then packages=(agent hub); fi
    if [ -z "${STARDUST_DEB_BINARIES:-}" ]; then
        if [ "$arch" = "$native" ]; then make -s dashboard; fi
        cargo build --release "${locked[@]}" "${packages[@]/#/--package=stardust-}"
    fi
    if [ "$arch" != "$native" ]; then
        binaries=$target/cross/$arch
        scripts/cross-build.sh "$arch" "$binaries"
    fi
}

# put MODE SOURCE DESTINATION: a file into the package.
put() { install -D -m "$1" "$2" "$root/$3"; }

# The C library that the binary asks for; anything else that it asks for is a mistake.
libraries() {
    local unknown newest
    unknown=$(readelf -d "$1" | sed -n 's/.*(NEEDED).*\[\(.*\)\]/\1/p' |
        grep -vE '^(libc|libm|libgcc_s|libpthread|libdl|ld-linux[-a-z0-9_]*)\.so\.[0-9]+$' || true)
    if [ -n "$unknown" ]; then
        echo "$1 needs libraries that the package does not name: $unknown" >&2
        return 1
    fi
    newest=$(readelf --version-info "$1" | grep -oE 'GLIBC_[0-9.]+' | sort -uV | tail -n 1)
    echo "libc6 (>= ${newest#GLIBC_}), libgcc-s1 (>= 4.2)"
}

copyright() {
    sed "s/@PACKAGE@/$1/" packaging/copyright
    # Everything is linked into one file: it names what is in it.
    cargo tree "${locked[@]}" -q -p "$1" -e normal,no-proc-macro --prefix none --format ' {p}: {l}' |
        sed -E 's/ \((\/.*|\*)\)//; /^ (stardust|firmware)/d' | sort -u
}

changelog() {
    printf '%s (%s) unstable; urgency=medium\n\n' "$1" "$version"
    printf '  * See CHANGELOG.md.gz beside this file.\n\n'
    printf ' -- %s  %s\n' "$(sed -n 's/^Maintainer: //p' "packaging/$2/control")" "$(date -u -R -d "@$SOURCE_DATE_EPOCH")"
}

package() {
    local part=$1 name=stardust-$1 binary page
    root=$work/$part
    mkdir -m 0755 "$root"
    binary=$root/usr/bin/$name
    put 0755 "$binaries/$name" "usr/bin/$name"
    # The cross-build has it stripped: this machine's tool may not know the format.
    if [ "$arch" = "$native" ]; then strip --strip-all "$binary"; fi

    put 0644 "systemd/$name.service" "usr/lib/systemd/system/$name.service"
    put 0644 "systemd/$name.sysusers" "usr/lib/sysusers.d/$name.conf"
    put 0644 "systemd/$name.tmpfiles" "usr/lib/tmpfiles.d/$name.conf"
    put 0644 "packaging/$part/$part.toml" "etc/stardust/$part.toml"
    if [ "$part" = agent ]; then
        put 0755 systemd/stardust-agent-stop.sh usr/lib/stardust-agent/stop
        put 0644 systemd/60-stardust-serial.rules usr/lib/udev/rules.d/60-stardust-serial.rules
    fi

    "$own/$name" manual "$work/manual-$part"
    for page in "$work/manual-$part"/*.1; do
        put 0644 "$page" "usr/share/man/man1/${page##*/}"
    done
    put 0644 "$work/manual-$part/$name.bash" "usr/share/bash-completion/completions/$name"
    put 0644 "$work/manual-$part/$name.fish" "usr/share/fish/vendor_completions.d/$name.fish"
    put 0644 "$work/manual-$part/_$name" "usr/share/zsh/vendor-completions/_$name"

    copyright "$name" >"$work/copyright"
    changelog "$name" "$part" >"$work/changelog"
    put 0644 "$work/copyright" "usr/share/doc/$name/copyright"
    put 0644 "$work/changelog" "usr/share/doc/$name/changelog"
    put 0644 CHANGELOG.md "usr/share/doc/$name/CHANGELOG.md"
    gzip -9n "$root/usr/share/man/man1"/*.1 "$root/usr/share/doc/$name"/{changelog,CHANGELOG.md}
    if [ -e "packaging/$part/lintian-overrides" ]; then
        put 0644 "packaging/$part/lintian-overrides" "usr/share/lintian/overrides/$name"
    fi

    mkdir -m 0755 "$root/DEBIAN"
    install -m 0755 "packaging/$part"/{postinst,prerm,postrm} "$root/DEBIAN/"
    echo "/etc/stardust/$part.toml" >"$root/DEBIAN/conffiles"
    (cd "$root" && find . -type f ! -path './DEBIAN/*' ! -path './etc/*' -printf '%P\0' | sort -z | xargs -0 md5sum) \
        >"$root/DEBIAN/md5sums"
    sed -e "/^Package:/a Version: $version\nArchitecture: $arch\nInstalled-Size: $(du -sk --apparent-size "$root" | cut -f 1)" \
        -e "s/^Depends: /&$(libraries "$binary"), /" "packaging/$part/control" >"$root/DEBIAN/control"
    chmod 0644 "$root/DEBIAN"/{conffiles,md5sums,control}
    find "$root" -type d -exec chmod 0755 {} +

    mkdir -p "$target/debian"
    # xz: Debian 12's dpkg and older ones read it too.
    dpkg-deb --root-owner-group -Zxz --build "$root" "$target/debian/${name}_${version}_$arch.deb" >/dev/null
    du -h --apparent-size "$target/debian/${name}_${version}_$arch.deb"
}

build
for part in "${packages[@]}"; do package "$part"; done
