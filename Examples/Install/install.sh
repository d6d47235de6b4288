#!/usr/bin/env bash
# Installs the programs with their man pages, completions and licences below DESTDIR/PREFIX, or uninstalls them.
#
# usage: install.sh install|uninstall      with PREFIX (/usr/local), DESTDIR (empty) and SWIFT (swift) in the environment
# The installed files are listed in PREFIX/share/swift-rlhf/files, which uninstall uses.
set -euo pipefail
cd "$(dirname "$0")/../.."
prefix=${PREFIX:-/usr/local}
case "$prefix" in /*) ;; *) echo "install: PREFIX is $prefix; expected an absolute path, such as /usr/local" >&2; exit 64 ;; esac
root=${DESTDIR:-}
list=$prefix/share/swift-rlhf/files
programs=(train-sft train-reward-model train-ppo train-preference sample-best-of-n calculate-diversity rlhf-report)

uninstall() {
    [ -f "$root$list" ] ||
        { echo "install: $root$list does not exist, so nothing is known to be installed there; check PREFIX and DESTDIR" >&2; exit 66; }
    while IFS= read -r file; do
        case "$file" in
            "$prefix"/*) rm -f -- "$root$file" ;;
            *) echo "install: $root$list lists $file, which is not below $prefix; nothing more was removed" >&2; exit 65 ;;
        esac
    done <"$root$list"
    rm -f -- "$root$list"
    rmdir -- "$root$prefix/share/swift-rlhf" 2>/dev/null || true
    find "$root$prefix/share/doc/swift-rlhf" -depth -type d -empty -delete 2>/dev/null || true
    echo "install: removed from $root$prefix"
}

# Copies one file into the staging folder and adds it to the list.
put() {
    install -D -m "$1" -- "$2" "$work/stage$3"
    printf '%s\n' "$3" >>"$work/files"
}

# Adds the licence and notice files of a package and of third-party code in its sources.
licences() {
    local package=$1 name file
    name=$(basename "$package")
    while IFS= read -r file; do
        local part=${file#"$package"/}
        put 644 "$file" "$prefix/share/doc/swift-rlhf/licences/$name/${part//\//-}"
    done < <(find "$package" -maxdepth 1 -type f \( -iname 'LICENSE*' -o -iname 'NOTICE*' -o -iname 'COPYING*' \) ! -name '.*'
        find "$package/Sources" -type f \( -iname 'LICENSE*' -o -iname 'NOTICE*' -o -iname 'COPYING*' \) 2>/dev/null)
}

# Everything is first built in a temporary folder, so that a failure does not change an existing installation.
install_all() {
    local build=.build/static bin program shell name package target
    "${SWIFT:-swift}" build -c release --static-swift-stdlib --scratch-path "$build"
    bin=$("${SWIFT:-swift}" build -c release --static-swift-stdlib --scratch-path "$build" --show-bin-path)
    work=$(mktemp -d)
    trap 'rm -rf "$work"' EXIT
    : >"$work/files"
    for program in "${programs[@]}"; do
        strip -o "$work/$program" "$bin/$program" 2>/dev/null || cp "$bin/$program" "$work/$program"
        put 755 "$work/$program" "$prefix/bin/$program"
        rm "$work/$program"
        for shell in bash zsh fish; do
            "$bin/$program" --generate-completion-script $shell >"$work/completion"
            case $shell in
                bash) name=share/bash-completion/completions/$program ;;
                zsh) name=share/zsh/site-functions/_$program ;;
                fish) name=share/fish/vendor_completions.d/$program.fish ;;
            esac
            put 644 "$work/completion" "$prefix/$name"
        done
        "$bin/$program" --experimental-dump-help | python3 Examples/Install/man_page.py >"$work/$program.1"
        put 644 "$work/$program.1" "$prefix/share/man/man1/$program.1"
    done
    put 644 LICENSE "$prefix/share/doc/swift-rlhf/LICENSE"
    for package in "$build"/checkouts/*/; do licences "${package%/}"; done
    name=$(dirname "$(dirname "$(realpath "$(command -v "${SWIFT:-swift}")")")")/share/swift/LICENSE.txt
    [ ! -f "$name" ] || put 644 "$name" "$prefix/share/doc/swift-rlhf/licences/swift/LICENSE.txt"
    [ ! -f "$root$list" ] || uninstall
    while IFS= read -r target; do
        install -D -m "$(stat -c %a "$work/stage$target")" -- "$work/stage$target" "$root$target"
    done <"$work/files"
    install -D -m 644 "$work/files" "$root$list"
    echo "install: $(wc -l <"$work/files") files below $root$prefix; they need the packages libopenblas0, liblapacke and zlib1g"
}

case "${1:-}" in
    install) install_all ;;
    uninstall) uninstall ;;
    *) sed -n '4s/^# //p' "$0" >&2; exit 64 ;;
esac
