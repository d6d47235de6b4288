#!/bin/sh
# Builds and runs this package twice: against the folder two levels up, and against version 0.1.0 of a repository made
# of that folder's files. Only the second one is refused unsafe flags and whatever else a dependency by version may not
# have. Both share one build folder, so that other people's packages are compiled once.
set -eu

consumer=$(cd "$(dirname "$0")" && pwd)
root=$(cd "$consumer/../.." && pwd)
scratch=$root/.build/consumer
swift=${SWIFT:-swift}

echo "consumer: by path"
"$swift" run --package-path "$consumer" --scratch-path "$scratch" consumer
"$swift" run --package-path "$consumer" --scratch-path "$scratch" resume-anything

# A program that uses Study has no argument parser, no YAML parser and no networking in it; one that has them shows that this would see them.
links() { LC_ALL=C grep -c -E 'ArgumentParser|4Yams|AsyncHTTPClient' "$1" || true; }
bin=$("$swift" build --package-path "$consumer" --scratch-path "$scratch" --show-bin-path)
[ "$(links "$bin/resume-anything")" = 0 ] || { echo "consumer: resume-anything links what Study must not need" >&2; exit 1; }
[ "$(links "$bin/consumer")" != 0 ] || { echo "consumer: the check of linked modules sees nothing" >&2; exit 1; }

work=$(mktemp -d)
trap 'rm -rf "$work"' EXIT INT TERM
repository=$work/swift-rlhf
git init --quiet "$repository"
# The files as they are now, committed or not.
(cd "$root" && git --git-dir="$repository/.git" --work-tree="$root" add --all)
git -C "$repository" -c user.name=consumer -c user.email=consumer@localhost commit --quiet --message "Version 0.1.0"
git -C "$repository" tag 0.1.0

echo "consumer: by version"
cp -R "$consumer" "$work/consumer"
SWIFT_RLHF_URL=file://$repository "$swift" run --package-path "$work/consumer" --scratch-path "$scratch" consumer

echo "consumer: beside another package with a target called Models"
cp -R "$root/Examples/ModuleAliases" "$work/aliases"
SWIFT_RLHF_URL=file://$repository "$swift" run --package-path "$work/aliases" --scratch-path "$root/.build/aliases" app
