#!/bin/sh
# test_boards.sh BOARD...: of every board, the unit tests and fuzz corpora, and an end-to-end fetch
# through TLS, with the board's own agent, on this machine or in qemu-user.
# OUT is the build tree. Goes on after a board that fails; its status says whether all passed.
set -u
OUT=${OUT:-build}
failed=
mkdir -p "$OUT"
for board; do
    echo "== $board"
    run=$(make --no-print-directory BOARD="$board" show-RUN)
    make --no-print-directory -j2 OUT="$OUT" BOARD="$board" all tests >"$OUT/$board.log" 2>&1 &&
        make --no-print-directory OUT="$OUT" BOARD="$board" run-tests &&
        ADIT_BUILD="$OUT/$board" ADIT_RUNNER="$run" PYTHONDONTWRITEBYTECODE=1 \
            /usr/bin/python3 -m pytest -q -p no:cacheprovider test/e2e/test_agent.py \
            -k "${E2E_CASES:-test_fetch}" || failed="$failed $board"
done
[ -z "$failed" ] || { echo "failed:$failed" >&2; exit 1; }
