#!/bin/sh
# The steps that run the two commands of the README on a Debian 12. `bare.sh` uses them in a system that it creates, the Dockerfile in an
# image.
#
# usage: steps.sh toolchain-packages | user NAME | deps | refused-deps | build | demo | test
set -eu

# The packages that the Swift toolchain is linked with or calls. A tar archive from swift.org does not include them.
toolchain_packages() {
    apt-get update -q
    DEBIAN_FRONTEND=noninteractive apt-get install -y -q --no-install-recommends \
        binutils ca-certificates git libc6-dev libcurl4 libedit2 libgcc-12-dev libncurses6 libpython3.11 libsqlite3-0 libstdc++-12-dev \
        libuuid1 libxml2 make pkg-config tzdata
}

# Checks that without root and sudo, make prints which packages are missing and how to install them.
refused_deps() {
    if text=$(make deps 2>&1); then
        echo "steps: make deps succeeded; expected it to fail because packages are missing" >&2
        exit 1
    fi
    echo "$text"
    case "$text" in
        *"apt-get install"*libopenblas-dev*) ;;
        *) echo "steps: make deps does not print what to install" >&2; exit 1 ;;
    esac
}

case "${1:-}" in
    toolchain-packages) toolchain_packages ;;
    user) useradd --create-home --shell /bin/sh "$2" ;;
    deps) make deps ;;
    refused-deps) refused_deps ;;
    build) make build ;;
    demo) make demo ;;
    test) make test ;;
    *) sed -n '5s/^# //p' "$0" >&2; exit 64 ;;
esac
