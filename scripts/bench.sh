#!/bin/sh
# bench.sh: the same requests and downloads directly, through adit, a pair of HAProxys and `ssh -R`.
# Needs a quiet machine. BENCH_SECONDS (3) a measurement, BENCH_RUNS (3) of which the median counts,
# BENCH_WAYS ("direct adit haproxy ssh") which ones.
set -eu
cd "$(dirname "$0")/.."
sh scripts/setup.sh build test bench
make --no-print-directory -j2 OUT="${OUT:-build}" BOARD=host
ADIT_BUILD=${ADIT_BUILD:-${OUT:-build}/host} exec /usr/bin/python3 -B test/e2e/bench.py
