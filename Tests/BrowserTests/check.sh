#!/bin/sh
# The tests of HTML pages in a real browser: `make test-report`.
#   SWIFT     the swift command
#   BROWSER   a Chromium, or a program that takes its place; one that is installed, or Debian's chromium unless given
#   REPORT    a report to open besides, where there is one
#   RUNS      a folder of runs, of which a report is made and opened, where there is one
# Exit code 3: there is no browser, and none could be installed. Nothing was tested then.
set -eu
cd "$(dirname "$0")/../.."
SWIFT=${SWIFT:-swift}
screenshots=$PWD/.build/report-screenshots

find_browser() {
    for name in ${BROWSER:-chromium chromium-browser google-chrome}; do
        browser=$(command -v "$name") && return 0
    done
    return 1
}

if ! find_browser; then
    [ -z "${BROWSER:-}" ] || { echo "test-report: there is no program $BROWSER" >&2; exit 1; }
    command -v apt-get >/dev/null || { echo "test-report: no chromium here, and no apt-get to install it" >&2; exit 3; }
    sudo=
    if [ "$(id -u)" != 0 ]; then
        command -v sudo >/dev/null || { echo "test-report: run as root: apt-get install chromium" >&2; exit 3; }
        sudo="sudo -n"
    fi
    echo "test-report: installing chromium"
    $sudo apt-get update -q && $sudo env DEBIAN_FRONTEND=noninteractive apt-get install -y -q --no-install-recommends chromium ||
        { echo "test-report: chromium could not be installed" >&2; exit 3; }
    find_browser || { echo "test-report: chromium is installed, but cannot be found" >&2; exit 3; }
fi

page=
if [ -n "${REPORT:-}" ] && [ -f "$REPORT" ]; then page=$(cd "$(dirname "$REPORT")" && pwd)/$(basename "$REPORT"); fi
runs=
if [ -n "${RUNS:-}" ] && [ -d "$RUNS" ]; then runs=$(cd "$RUNS" && pwd); fi
rm -rf "$screenshots"
echo "test-report: $browser${page:+, with $page}${runs:+, with the runs in $runs}"
REPORT_BROWSER=$browser REPORT_PAGE=$page REPORT_RUNS=$runs REPORT_SCREENSHOTS=$screenshots $SWIFT test -c release --filter BrowserTests
echo "test-report: pictures are in $screenshots"
