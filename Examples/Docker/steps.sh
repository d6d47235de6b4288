#!/bin/sh
# What a Debian 12 needs to run the two commands of the README, step by step. `bare.sh` takes these steps on a machine that was made for it,
# and the Dockerfile in an image.
#
# usage: steps.sh toolchain-packages | user NAME | deps | refused-deps | build | demo | test
set -eu

# What the Swift toolchain itself is linked with or calls; a tar archive from swift.org brings none of it.
toolchain_packages() {
    apt-get update -q
    DEBIAN_FRONTEND=noninteractive apt-get install -y -q --no-install-recommends \
        binutils ca-certificates git libc6-dev libcurl4 libedit2 libgcc-12-dev libncurses6 libpython3.11 libsqlite3-0 libstdc++-12-dev \
        libuuid1 libxml2 make pkg-config tzdata
}

# Without root and without sudo, make says which packages are missing and how to install them.
refused_deps() {
    if text=$(make deps 2>&1); then
        echo "steps: make deps succeeded, so packages are there that should not be" >&2
        exit 1
    fi
    echo "$text"
    case "$text" in
        *"apt-get install"*libopenblas-dev*) ;;
        *) echo "steps: make deps does not say what to install" >&2; exit 1 ;;
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
