#!/bin/sh
# Runs every test: side by side on all cores those that share nothing (unit tests; tests of pages; tests
# of the twins, of which each worker has its own with a server of its own); then, one after the other,
# those that load whole arms or take servers away, and would disturb each other.
# What is given is given to pytest both times. Both are run, whatever comes of the first.
set -u
cd "$(dirname "$0")/.."

TOGETHER="tests/unit tests/browser tests/contract"
ALONE="tests/faults tests/integration"
NOTHING_WANTED=5 # pytest's exit code where it had no test to run
failed=0
ran=0

# Tests of the folders $1 and none of $2. The folders are what is collected where no path is given;
# a path that is given may lead to the others, whose tests are deselected.
run() {
    folders=$1
    others=$2
    shift 2
    for folder in $others; do
        set -- "--deselect=$folder/" "$@"
    done
    .venv/bin/python -m pytest --cov -o "testpaths=$folders" "$@"
    code=$?
    case $code in
    0) ran=1 ;;
    "$NOTHING_WANTED") ;;
    *) failed=$code ;;
    esac
}

.venv/bin/coverage erase
echo "Side by side: $TOGETHER"
run "$TOGETHER" "$ALONE" --cov-report= --numprocesses=logical --maxprocesses=8 --dist=worksteal "$@"
echo "One after the other: $ALONE"
run "$ALONE" "$TOGETHER" --cov-append --cov-report=term:skip-covered "$@"

[ "$failed" = 0 ] || exit "$failed"
[ "$ran" = 1 ] || exit "$NOTHING_WANTED"
