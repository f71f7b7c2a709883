#!/bin/sh
# coverage.sh [e2e]: what the tests reach. By unit tests alone the lines and branches of codec and
# core; with e2e those of all of src/, after the end-to-end suite as well. Lines that no test can
# reach are listed, with the reason, in test/coverage.txt, which is printed behind the figures. OUT
# is the build tree.
set -eu
OUT=${OUT:-build}
board=$OUT/host-cov
# Counts of an earlier run are of other code.
find "$board" -name '*.gcda' -exec rm -f {} + 2>/dev/null || true
make --no-print-directory -s -j2 OUT="$OUT" BOARD=host-cov all tests
for test in "$board"/test/test_*; do
    case $test in *.debug | *.map) continue ;; esac
    "$test" >/dev/null 2>&1 || { echo "coverage: $test fails" >&2; exit 1; }
done
filters='--filter src/codec/ --filter src/core/'
if [ "${1:-}" = e2e ]; then
    filters='--filter src/'
    # Some tests fail here: those of the filter of system calls, which is off.
    ADIT_BUILD=$board ADIT_GATEWAY_BUILD=$board \
        /usr/bin/python3 -m pytest -q -n 2 --dist loadfile -p no:cacheprovider test/e2e || true
fi
# shellcheck disable=SC2086
gcovr -r . --object-directory "$board/obj" $filters --exclude-throw-branches -j 2 --txt
# shellcheck disable=SC2086
gcovr -r . --object-directory "$board/obj" $filters --exclude-throw-branches -j 2 --txt --branches \
    --print-summary
grep -v '^#' test/coverage.txt || true
