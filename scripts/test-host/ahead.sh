#!/usr/bin/env bash
# What make test-host needs and takes long, begun before it: a Debian 12, one with cross-compilers, and the agent's binaries for
# a Raspberry Pi. Whoever needs one of them finds it, or waits for it. As root.
set -euo pipefail
cd "$(dirname "$0")/../.."
. scripts/test-host/container.sh

container_fresh >/dev/null
if [ "${STARDUST_HOST_ARM:-yes}" != no ]; then scripts/cross-build.sh ahead; fi
