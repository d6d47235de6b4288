#!/bin/sh
# Tests the HTML pages in a real browser: `make test-report`. Environment variables:
#   SWIFT     the swift command
#   TRAITS    options of swift test for the package's traits. Default: those that `make` uses, so that nothing is compiled again
#   BROWSER   a Chromium or a compatible program. Default: an installed one; otherwise Debian's chromium is installed
#   REPORT    another report to open, if the file exists
#   RUNS      a folder of runs to generate and open a report of, if the folder exists
# Exit code 3: there is no browser and none could be installed, so nothing was tested.
set -eu
cd "$(dirname "$0")/../.."
SWIFT=${SWIFT:-swift}
[ -n "${TRAITS+given}" ] || TRAITS=$(make -s traits)
screenshots=$PWD/.build/report-screenshots

find_browser() {
    for name in ${BROWSER:-chromium chromium-browser google-chrome}; do
        browser=$(command -v "$name") && return 0
    done
    return 1
}

if ! find_browser; then
    [ -z "${BROWSER:-}" ] || { echo "test-report: the program $BROWSER was not found" >&2; exit 1; }
    command -v apt-get >/dev/null || { echo "test-report: neither chromium nor apt-get to install it was found" >&2; exit 3; }
    sudo=
    if [ "$(id -u)" != 0 ]; then
        command -v sudo >/dev/null || { echo "test-report: chromium is missing; run as root: apt-get install chromium" >&2; exit 3; }
        sudo="sudo -n"
    fi
    echo "test-report: installing chromium"
    $sudo apt-get update -q && $sudo env DEBIAN_FRONTEND=noninteractive apt-get install -y -q --no-install-recommends chromium ||
        { echo "test-report: chromium could not be installed" >&2; exit 3; }
    find_browser || { echo "test-report: chromium was installed, but was not found in PATH" >&2; exit 3; }
fi

page=
if [ -n "${REPORT:-}" ] && [ -f "$REPORT" ]; then page=$(cd "$(dirname "$REPORT")" && pwd)/$(basename "$REPORT"); fi
runs=
if [ -n "${RUNS:-}" ] && [ -d "$RUNS" ]; then runs=$(cd "$RUNS" && pwd); fi
rm -rf "$screenshots"
echo "test-report: $browser${page:+, with $page}${runs:+, with the runs in $runs}"
REPORT_BROWSER=$browser REPORT_PAGE=$page REPORT_RUNS=$runs REPORT_SCREENSHOTS=$screenshots \
    $SWIFT test -c release $TRAITS --filter BrowserTests
echo "test-report: screenshots are in $screenshots"
