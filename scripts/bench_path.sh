#!/bin/sh
# bench_path.sh: downloads, uploads and small requests over a long path, through TCP alone, adit and
# `ssh -R`. RTT (100) in milliseconds, MBIT (1000), LOSS (0) in per cent. Needs a quiet machine, and
# to be root, for two network namespaces of its own. BENCH_RUNS (3), BENCH_WAYS ("tcp adit ssh"),
# BENCH_WHATS ("down1 down4 up1 up4 small"); BENCH_GATEWAY_OPTIONS.
set -eu
cd "$(dirname "$0")/.."
sh scripts/setup.sh build test bench
out=${OUT:-build}
make --no-print-directory -j2 OUT="$out" BOARD=host
# No part of the product: with this machine's compiler and library.
[ "$out/path" -nt test/tools/path.c ] ||
    cc -std=c11 -D_GNU_SOURCE -O2 -Wall -Wextra -o "$out/path" test/tools/path.c
RTT=${RTT:-100} MBIT=${MBIT:-1000} LOSS=${LOSS:-0} PATH_TOOL=$out/path ADIT_BUILD=${ADIT_BUILD:-$out/host} \
    exec /usr/bin/python3 -B test/e2e/bench_path.py
