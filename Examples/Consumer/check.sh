#!/bin/sh
# Builds and runs this package twice: with a dependency on the folder two levels up, and on version 0.1.0 of a repository with
# that folder's files. Only a dependency by version detects unsafe flags and other settings that such dependencies must not
# have. Both builds share one build folder, so that other dependencies are compiled once.
set -eu

consumer=$(cd "$(dirname "$0")" && pwd)
root=$(cd "$consumer/../.." && pwd)
scratch=$root/.build/consumer
swift=${SWIFT:-swift}

echo "consumer: by path"
"$swift" run --package-path "$consumer" --scratch-path "$scratch" consumer
"$swift" run --package-path "$consumer" --scratch-path "$scratch" resume-anything

# A program that uses Study must not link an argument parser, a YAML parser or networking. The program consumer links them, which shows that
# the check can detect them.
links() { LC_ALL=C grep -c -E 'ArgumentParser|4Yams|AsyncHTTPClient' "$1" || true; }
bin=$("$swift" build --package-path "$consumer" --scratch-path "$scratch" --show-bin-path)
[ "$(links "$bin/resume-anything")" = 0 ] ||
    { echo "consumer: resume-anything links an argument parser, a YAML parser or networking, which Study must not need" >&2; exit 1; }
[ "$(links "$bin/consumer")" != 0 ] ||
    { echo "consumer: the check of linked modules does not work: it finds none in the program consumer" >&2; exit 1; }

work=$(mktemp -d)
trap 'rm -rf "$work"' EXIT INT TERM
repository=$work/swift-rlhf
git init --quiet "$repository"
# The current files, committed or not.
(cd "$root" && git --git-dir="$repository/.git" --work-tree="$root" add --all)
git -C "$repository" -c user.name=consumer -c user.email=consumer@localhost commit --quiet --message "Version 0.1.0"
git -C "$repository" tag 0.1.0

echo "consumer: by version"
cp -R "$consumer" "$work/consumer"
SWIFT_RLHF_URL=file://$repository "$swift" run --package-path "$work/consumer" --scratch-path "$scratch" consumer

echo "consumer: together with another package that has a target Models"
cp -R "$root/Examples/ModuleAliases" "$work/aliases"
SWIFT_RLHF_URL=file://$repository "$swift" run --package-path "$work/aliases" --scratch-path "$root/.build/aliases" app
