#!/usr/bin/env bash
# Checks what the project needs on this machine, and installs what is missing where it may.
#   scripts/setup.sh demo    what `make demo` needs
#   scripts/setup.sh test    what `make test` needs: more
#   scripts/setup.sh host    what `make test-host` needs beside that
# Several of them are done in one go: scripts/setup.sh test host
# Says nothing when all is there. Says one sentence for each thing that it can't install.
set -euo pipefail

# Versions that are known to build and to work, and the files in which they come built: wheels on PyPI, made by Astral
# from the tools' own tags (their METADATA names the commit, their SBOM what is in them). Only these very files are taken.
nextest_version=0.9.143
deny_version=0.20.2
declare -A wheels=(
    [cargo-nextest]="a58a0dafb1d6a54b4e80b837a7cbcf2999b2dfd133eb6261b3d61c714b295c81 f6501029b9f9597a720a496997da1aad8e31069a352a80415441eff15d15637d"
    [cargo-deny]="ae708f458c23ce1eecfd8f169befbb47424bdc21ecf0965e36db3b1d98400fee 0e42259c537b2432f5655b3413940e899906033354c5838e367c6837b467a141"
)
oldest_rust=1.89   # the hub's rust-version
oldest_node=20.19  # the dashboard's build

packages=()   # Debian packages to install
sentences=()  # what a person has to do

have() { command -v "$1" >/dev/null 2>&1; }
at_least() { [ "$(printf '%s\n%s\n' "$1" "$2" | sort -V | head -n 1)" = "$1" ]; } # at_least WANTED FOUND
# needs PACKAGES SENTENCE: by apt where that is possible, else by the person.
may_install=no
as_root=()
if have apt-get; then
    if [ "$(id -u)" = 0 ]; then
        may_install=yes
    elif have sudo && sudo -n true 2>/dev/null; then
        may_install=yes
        as_root=(sudo -n)
    fi
fi
needs() {
    if [ "$may_install" = yes ]; then
        read -ra more <<<"$1"
        packages+=("${more[@]}")
    else
        sentences+=("$2")
    fi
}

check_rust() {
    if ! have cargo || ! have rustc; then
        sentences+=("Rust is missing. Install it from https://rustup.rs, version $oldest_rust or later.")
    elif ! at_least "$oldest_rust" "$(rustc --version | cut -d ' ' -f 2)"; then
        sentences+=("Rust is too old: $(rustc --version). Version $oldest_rust or later is needed: rustup update stable")
    fi
}

check_node() {
    if have node && have npm; then
        at_least "$oldest_node" "$(node --version | tr -d v)" ||
            sentences+=("Node.js is too old: $(node --version). Version $oldest_node or later is needed: https://nodejs.org/en/download")
    else
        # Debian 12's own is too old: installing it would only hide that.
        sentences+=("Node.js (with npm) is missing. Install version $oldest_node or later from https://nodejs.org/en/download")
    fi
}

check_gxx() {
    # libFuzzer is compiled from C++.
    have g++ || needs "g++" "A C++ compiler is missing. Install it: apt-get install g++"
}

check_gcc() {
    # A compiler without the C library's headers can't build anything: the test is a program.
    if ! have cc || ! printf '#include <stdio.h>\n' | cc -fsyntax-only -x c - 2>/dev/null; then
        needs "gcc libc6-dev" "A C compiler is missing. Install it: apt-get install gcc libc6-dev"
    fi
}

check_components() {
    local component
    for component in rustfmt clippy; do
        if ! cargo "${component/rustfmt/fmt}" --version >/dev/null 2>&1; then
            if have rustup && rustup component add "$component" >/dev/null 2>&1; then continue; fi
            sentences+=("Cargo's $component is missing. Install it: rustup component add $component")
        fi
    done
}

check_postgres() {
    if ! ls /usr/lib/postgresql/*/bin/initdb >/dev/null 2>&1 || ! have psql; then
        needs "postgresql" "PostgreSQL's server is missing. Install it: apt-get install postgresql"
    fi
}

check_chromium() {
    have chromium || needs "chromium" "Chromium is missing. Install it: apt-get install chromium"
}

check_systemd_analyze() {
    have systemd-analyze || needs "systemd" "systemd-analyze is missing, which checks the units. Install it: apt-get install systemd"
}

check_host() {
    local tool
    for tool in debootstrap:debootstrap systemd-nspawn:systemd-container lintian:lintian curl:curl nsenter:util-linux \
        qemu-arm-static:qemu-user-static ip:iproute2 nft:nftables; do
        have "${tool%%:*}" || needs "${tool#*:}" "${tool%%:*} is missing. Install it: apt-get install ${tool#*:}"
    done
}

install_packages() {
    [ ${#packages[@]} -gt 0 ] || return 0
    echo "Installing by apt: ${packages[*]}"
    local log
    log=$(mktemp)
    # The package would start a server of its own at once; the tests start theirs.
    local config=/etc/postgresql-common/createcluster.conf
    if [[ " ${packages[*]} " == *" postgresql "* ]] && [ ! -e "$config" ]; then
        "${as_root[@]}" mkdir -p "${config%/*}"
        echo "create_main_cluster = false" | "${as_root[@]}" tee "$config" >/dev/null
    fi
    local apt=("${as_root[@]}" env DEBIAN_FRONTEND=noninteractive UCF_FORCE_CONFFOLD=1
        apt-get -q -y -o DPkg::Lock::Timeout=400)
    if ! "${apt[@]}" update </dev/null >"$log" 2>&1 ||
        ! "${apt[@]}" install --no-install-recommends "${packages[@]}" </dev/null >>"$log" 2>&1; then
        tail -n 20 "$log" >&2
        sentences+=("apt could not install ${packages[*]} (its last words are above). Install them by hand: apt-get install ${packages[*]}")
    fi
    rm -f "$log"
}

# install_cargo_tool NAME VERSION: built already where that is to be had, else from source.
install_cargo_tool() {
    cargo "${1#cargo-}" --version >/dev/null 2>&1 && return 0
    install_wheel "$1" "$2" || compile_tool "$1" "$2"
}

# install_wheel NAME VERSION: fails without a word where there is no pip, no network, or no file for this machine.
install_wheel() {
    local dir outcome=0 hash wanted=astral-dev-toolchain-$1==$2
    dir=$(mktemp -d)
    for hash in ${wheels[$1]}; do wanted+=" --hash=sha256:$hash"; done
    echo "$wanted" >"$dir/wanted"
    python3 -m pip download -q --disable-pip-version-check --no-deps --only-binary :all: --require-hashes \
        -r "$dir/wanted" -d "$dir" </dev/null >/dev/null 2>&1 &&
        python3 -m zipfile -e "$dir"/*.whl "$dir/files" &&
        install -D -m 0755 "$dir/files"/*.data/scripts/"$1" "${CARGO_HOME:-$HOME/.cargo}/bin/$1" &&
        cargo "${1#cargo-}" --version >/dev/null 2>&1 || outcome=1
    rm -rf "$dir"
    [ $outcome != 0 ] || echo "Installed $1 $2"
    return $outcome
}

# compile_tool NAME VERSION: a tool is used for a minute, so a build that is quick beats one that is fast.
compile_tool() {
    echo "Installing $1 $2 (compiled from source: some minutes)"
    local log dir
    log=$(mktemp)
    dir=$(mktemp -d)
    if ! env CARGO_TARGET_DIR="$dir" CARGO_PROFILE_RELEASE_LTO=off CARGO_PROFILE_RELEASE_OPT_LEVEL=1 \
        CARGO_PROFILE_RELEASE_CODEGEN_UNITS=16 CARGO_PROFILE_RELEASE_DEBUG=0 \
        cargo install --locked --force "$1@$2" </dev/null >"$log" 2>&1; then
        tail -n 20 "$log" >&2
        sentences+=("$1 could not be installed (its build's last words are above). Install it: cargo install --locked $1@$2")
    fi
    rm -rf "$log" "$dir"
}

finish() {
    [ ${#sentences[@]} -gt 0 ] || return 0
    printf '%s\n' "${sentences[@]}" >&2
    exit 1
}

[ $# -gt 0 ] || set -- unknown
tools=no
for part in "$@"; do
    case $part in
    demo | test)
        check_rust
        check_node
        check_gcc
        ;;&
    test)
        check_gxx
        check_postgres
        check_chromium
        check_systemd_analyze
        tools=yes
        ;;
    host) check_host ;;
    demo) ;;
    *)
        sed -n '2,7p' "$0" >&2
        exit 2
        ;;
    esac
done
install_packages
finish # without a compiler the tools below can't be built
if [ $tools = yes ]; then
    check_components
    install_cargo_tool cargo-nextest "$nextest_version"
    install_cargo_tool cargo-deny "$deny_version"
    finish
fi
