#!/usr/bin/env bash
# Builds the API documentation of all libraries as one static site. Warnings of DocC are errors.
#
# usage: site.sh [FOLDER]      default: .build/docs/site; SWIFT (swift) may be set
set -euo pipefail
cd "$(dirname "$0")/.."
swift=${SWIFT:-swift}
site=$(realpath -m "${1:-.build/docs/site}")
work=$PWD/.build/docs
modules=(Tensor Formats Models Data TextGeneration Eval Diversity Train Runs Services Study Report CommandLine)

docc=$(dirname "$(realpath "$(command -v "$swift")")")/docc
[ -x "$docc" ] || docc=$(command -v docc) || { echo "docs: there is no docc beside $swift; it is part of the Swift toolchain" >&2; exit 1; }

# The command also fails if only the graph of the test runner's own module cannot be made, so the graphs themselves are checked.
rm -rf "$work"/build/*/symbolgraph
"$swift" package --scratch-path "$work/build" dump-symbol-graph --minimum-access-level public --skip-synthesized-members >"$work.log" 2>&1 || true
graphs=$(sed -n 's/^Files written to //p' "$work.log" | tail -n 1)
for module in "${modules[@]}"; do
    [ -f "$graphs/$module.symbols.json" ] ||
        { grep -E 'error|warning' "$work.log" | tail -n 20 >&2; echo "docs: no symbol graph of $module; see $work.log" >&2; exit 1; }
done

rm -rf "$work/archives"
mkdir -p "$work/archives"
for module in "${modules[@]}"; do
    # the module's own symbols, and those that it adds to types of others
    mkdir "$work/archives/$module"
    cp "$graphs/$module.symbols.json" "$work/archives/$module"
    cp "$graphs/$module"@*.symbols.json "$work/archives/$module" 2>/dev/null || true
    echo "docs: $module"
    "$docc" convert "Sources/$module/$module.docc" --additional-symbol-graph-dir "$work/archives/$module" --warnings-as-errors \
        --fallback-display-name "$module" --fallback-bundle-identifier "swift-rlhf.$module" --transform-for-static-hosting \
        --output-path "$work/archives/$module.doccarchive"
done
rm -rf "$site"
mkdir -p "$(dirname "$site")"
"$docc" merge "$work"/archives/*.doccarchive --synthesized-landing-page-name swift-rlhf --synthesized-landing-page-kind Package \
    --output-path "$site"
echo "docs: $site (serve it with: python3 -m http.server --directory $site)"
