#!/bin/sh
# Makes .venv from the hash-locked requirements: with uv where it is installed, else venv and pip.
# With the word `drivers` or `browser`: adds the optional database drivers, or what drives the tests' browser.
set -eu
cd "$(dirname "$0")/.."

say() { printf '%s\n' "$*" >&2; }

# The `python3` on the path first: it is the one that a person or a CI matrix has chosen.
find_python() {
    for name in python3 python3.14 python3.13 python3.12 python3.11; do
        if command -v "$name" >/dev/null 2>&1 &&
            "$name" -c 'import sys; raise SystemExit(sys.version_info < (3, 11))' 2>/dev/null; then
            command -v "$name"
            return
        fi
    done
}

make_venv() {
    python=$(find_python)
    if [ -z "$python" ]; then
        say "No Python 3.11 or newer was found. Install one (Debian, Ubuntu: apt-get install python3 python3-venv)."
        exit 1
    fi
    if "$python" -c 'import ensurepip, venv' 2>/dev/null; then
        "$python" -m venv --clear .venv
    elif [ "$(id -u)" = 0 ] && command -v apt-get >/dev/null 2>&1; then
        say "Installing python3-venv (this Python has no venv module) …"
        { apt-get -qq update && apt-get install -y -qq --no-install-recommends python3-venv; } >&2
        "$python" -m venv --clear .venv
    else
        say "$python has no venv module. Install it (Debian, Ubuntu: apt-get install python3-venv)."
        exit 1
    fi
}

# The locks are complete. Resolving them again would fail once a newer release of a package with
# extras is out: older pips look for `coverage[toml]` beyond the pinned `coverage`.
if command -v uv >/dev/null 2>&1; then
    installer=uv
    install() { uv pip install --quiet --python .venv/bin/python --no-deps "$@"; }
else
    installer=pip
    export PIP_DISABLE_PIP_VERSION_CHECK=1
    install() { .venv/bin/python -m pip install --quiet --no-deps "$@"; }
fi

case "${1:-}" in
drivers | browser)
    case "$1" in drivers) what="database drivers" ;; *) what="driver of the tests' browser" ;; esac
    say "Installing the locked $what with $installer …"
    install --require-hashes --only-binary :all: -r "requirements-$1.lock"
    touch ".venv/.$1"
    exit
    ;;
esac

if [ "$installer" = uv ]; then
    say "Installing the locked requirements with uv …"
    python=$(find_python)
    uv venv --quiet --clear --python "${python:->=3.11}" .venv
else
    say "Installing the locked requirements with pip (about a minute; uv is faster) …"
    make_venv
fi
install --require-hashes -r requirements.lock
install --no-build-isolation --editable .
touch .venv/.installed
say "Ready: .venv/bin/bench"
