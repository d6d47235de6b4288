#!/usr/bin/env bash
# Tests the two commands of the README on a minimal Debian 12 that debootstrap creates in a folder. It uses this machine's Swift toolchain
# (read-only) and a clone of the last commit.
#
# usage: bare.sh [STEP...]     as root. Default: all steps except remove.
#   machine     creates the minimal system, the packages that the toolchain needs, a normal user and the clone; updates an existing clone
#   refused     as the user, without sudo: make deps fails and prints what to install
#   deps        as root: make deps installs the packages
#   demo test   as the user: make demo, make test
#   spaces      a clone in a folder whose path has spaces: make build, and one program
#   installed   the programs of `make install` on a second system without the toolchain (FOLDER-installed)
#   remove      removes both systems
# FOLDER is the folder of the system. Default: .build/bare. About 12 GB are needed.
set -euo pipefail
cd "$(dirname "$0")/../.."
[ "$(id -u)" = 0 ] || { echo "bare: run as root; debootstrap and chroot need it" >&2; exit 1; }
folder=$(realpath -m "${FOLDER:-.build/bare}")
case "$folder" in
    *[[:space:]]*) echo "bare: FOLDER is '$folder'; expected a path without spaces (debootstrap does not support them)" >&2; exit 64 ;;
esac
user=newcomer
here=/home/$user/swift-rlhf
spaced="/home/$user/a folder with spaces/swift-rlhf"

say() { printf '\n\033[1mbare: %s\033[0m\n' "$*" >&2; }

swift=$(command -v swift) || { echo "bare: swift was not found in PATH" >&2; exit 1; }
toolchain=$(dirname "$(dirname "$(realpath "$swift")")")

# Prints the local folders that git's settings substitute for package URLs, if there are any.
mirrors() { git config --system --get-regexp '^url\..*\.insteadof$' | sed -n 's/^url\.\(\/.*\)\.insteadof .*/\1/p' | sort -u; }

# Unmounts everything below the folder; also runs at exit.
unmount() {
    local place
    awk -v folder="$1/" 'index($2, folder) == 1 { print $2 }' /proc/mounts | sort -r | while read -r place; do
        umount "$place" || umount --lazy "$place"
    done
}
trap 'unmount "$folder"; unmount "$folder-installed"' EXIT
trap 'exit 130' INT TERM

# Mounts what the system needs from this machine. Everything but /dev is read-only.
mounts() {
    local system=$1 source
    shift
    mountpoint -q "$system/proc" || mount -t proc proc "$system/proc"
    mountpoint -q "$system/dev" || mount --rbind --make-rslave /dev "$system/dev"
    for source in "$@"; do
        mkdir -p "$system$source"
        mountpoint -q "$system$source" && continue
        mount --bind "$source" "$system$source"
        mount -o remount,bind,ro "$system$source"
    done
}

# Runs a command in the system with a clean environment.
run_as() {
    local system=$1 who=$2 where=$3
    shift 3
    local home=/root
    [ "$who" = root ] || home=/home/$who
    chroot --userspec="$who:$who" "$system" /usr/bin/env -i HOME="$home" USER="$who" LANG=C.UTF-8 \
        PATH="$toolchain/bin:/usr/local/sbin:/usr/local/bin:/usr/sbin:/usr/bin:/sbin:/bin" \
        ${BARE_ENVIRONMENT:-} /bin/sh -c 'cd "$1" && shift && exec "$@"' sh "$where" "$@"
}

mount_all() { mapfile -t shared < <(mirrors); mounts "$folder" "$toolchain" "${shared[@]}"; }

# Creates a minimal Debian from the mirror that this machine's apt uses.
debian() {
    local system=$1 mirror
    [ ! -e "$system/etc/debian_version" ] || return 0
    command -v debootstrap >/dev/null || { echo "bare: debootstrap was not found; install it (apt-get install debootstrap)" >&2; exit 1; }
    mirror=$(find /etc/apt/sources.list /etc/apt/sources.list.d -type f -exec cat {} + 2>/dev/null |
        sed -n 's/^URIs: *\([^ ]*\).*/\1/p; s/^deb *\(\[[^]]*\] *\)\?\([^ ]*\) .*/\2/p' | grep '/debian/*$' |
        head -n 1) || true
    mkdir -p "$(dirname "$system")"
    debootstrap --variant=minbase --include=ca-certificates bookworm "$system.partial" ${mirror:+"$mirror"} >"$system.log" 2>&1 || { tail "$system.log" >&2; exit 1; }
    # certificates that were added to this machine
    cp -L /etc/ssl/certs/ca-certificates.crt "$system.partial/etc/ssl/certs/ca-certificates.crt"
    cp /etc/resolv.conf "$system.partial/etc/resolv.conf"
    mv "$system.partial" "$system"
}

# Clones the last commit of this repository, or updates an existing clone to it.
clone() {
    local where=$1
    if [ -e "$folder$where/.git" ]; then
        git -c safe.directory='*' -C "$folder$where" fetch -q --no-tags "$PWD" HEAD
        git -c safe.directory='*' -C "$folder$where" reset -q --hard FETCH_HEAD
        chroot "$folder" chown -R "$user:$user" "/home/$user"
        return 0
    fi
    mkdir -p "$(dirname "$folder$where")"
    git clone -q --no-hardlinks . "$folder$where"
    chroot "$folder" chown -R "$user:$user" "/home/$user"
}

machine() {
    say "creating a minimal Debian 12 in $folder"
    debian "$folder"
    mount_all
    if ! chroot "$folder" id "$user" >/dev/null 2>&1; then
        install -D -m 755 Examples/Docker/steps.sh "$folder/tmp/steps.sh"
        run_as "$folder" root / /tmp/steps.sh toolchain-packages >"$folder.log" 2>&1 || { tail "$folder.log" >&2; exit 1; }
        run_as "$folder" root / /tmp/steps.sh user "$user"
        # git's settings for the locations of packages
        git config --system --get-regexp '^url\..*\.insteadof$' | while read -r key value; do
            chroot "$folder" git config --system --add "$key" "$value"
        done
        chroot "$folder" git config --system --add safe.directory '*'
    fi
    clone "$here"
    run_as "$folder" "$user" "$here" swift --version
}

step() { run_as "$folder" "$1" "$2" sh Examples/Docker/steps.sh "$3"; }

spaces() {
    clone "$spaced"
    step "$user" "$spaced" build
    run_as "$folder" "$user" "$spaced" sh -c './.build/release/train-sft --dataset generated --from-scratch --hidden-size 16 \
        --intermediate-size 24 --num-hidden-layers 2 --num-attention-heads 2 --vocabulary-size 300 --max-steps 2 --output-dir "my runs"'
}

# Tests the installed programs on a system with the libraries that they are linked with, but without Swift.
installed() {
    debian "$folder-installed"
    mounts "$folder-installed"
    chroot "$folder-installed" sh -c 'apt-get update -q && apt-get install -y -q --no-install-recommends libopenblas0 liblapacke zlib1g' \
        >"$folder-installed.log" 2>&1 || { tail "$folder-installed.log" >&2; exit 1; }
    make install PREFIX=/usr/local DESTDIR="$folder-installed"
    chroot "$folder-installed" sh -c 'train-sft --version && train-sft --dataset generated --from-scratch --hidden-size 16 \
        --intermediate-size 24 --num-hidden-layers 2 --num-attention-heads 2 --vocabulary-size 300 --max-steps 2 --output-dir /tmp/runs'
}

steps=("$@")
[ $# -gt 0 ] || steps=(machine refused deps demo test spaces installed)
for name in "${steps[@]}"; do
    say "$name"
    [ "$name" = machine ] || [ "$name" = installed ] || [ "$name" = remove ] || mount_all
    case "$name" in
        machine) machine ;;
        refused) step "$user" "$here" refused-deps ;;
        deps) step root "$here" deps ;;
        demo | test) step "$user" "$here" "$name" ;;
        spaces) spaces ;;
        installed) installed ;;
        remove)
            for system in "$folder" "$folder-installed"; do
                unmount "$system"
                ! grep -q " $system/" /proc/mounts ||
                    { echo "bare: file systems are still mounted below $system, so nothing was removed; unmount them first" >&2; exit 1; }
                [ ! -e "$system" ] || rm -rf --one-file-system "$system"
            done
            ;;
        *) echo "bare: unknown step $name; expected machine, refused, deps, demo, test, spaces, installed or remove" >&2; exit 64 ;;
    esac
done
say "done"
