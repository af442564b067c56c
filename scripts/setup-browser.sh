#!/bin/sh
# Makes sure that the tests can look at pages: Debian's chromium where no browser is installed, and
# Playwright to drive it, which is never asked for a browser of its own. What cannot be had is said:
# its tests are skipped then, and fail in CI.
set -eu
cd "$(dirname "$0")/.."

say() { printf '%s\n' "$*" >&2; }
found() {
    for name in chromium chromium-browser google-chrome chrome; do
        command -v "$name" >/dev/null 2>&1 && return
    done
    return 1
}

if ! found && [ "$(id -u)" = 0 ] && command -v apt-get >/dev/null 2>&1; then
    say "Installing chromium, to look at pages …"
    log=$(mktemp)
    { timeout 300 apt-get -qq update && DEBIAN_FRONTEND=noninteractive timeout 900 \
        apt-get install -y -qq --no-install-recommends chromium fonts-dejavu-core; } >"$log" 2>&1 ||
        tail -n 5 "$log" >&2
    rm -f "$log"
fi
found || say "No Chromium can be had: nothing looks at the pages (Debian: apt-get install chromium)."
# Its mark, .venv/.browser, is left only where both are there.
sh scripts/setup-python.sh browser || say "Playwright cannot be had: nothing looks at the pages."
found || rm -f .venv/.browser
