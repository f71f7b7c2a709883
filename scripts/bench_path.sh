#!/bin/sh
# bench_path.sh [check]: downloads, uploads and small requests over a long path, through TCP
# alone, adit and `ssh -R`; check: is adit as fast as it has to be? RTT (100) in milliseconds,
# MBIT (1000), LOSS (0) in per cent. Needs a quiet machine, and to be root, for two network
# namespaces of its own. BENCH_RUNS (3), BENCH_WAYS ("tcp adit ssh"), BENCH_WHATS ("down1 down4
# up1 up4 small"); BENCH_GATEWAY_OPTIONS.
set -eu
cd "$(dirname "$0")/.."
sh scripts/setup.sh build test bench
out=${OUT:-build}
make --no-print-directory -j2 OUT="$out" BOARD=host all "$out/path"
export PATH_TOOL="$out/path" ADIT_BUILD="${ADIT_BUILD:-$out/host}"
export RTT="${RTT:-100}" MBIT="${MBIT:-1000}" LOSS="${LOSS:-0}"
exec /usr/bin/python3 -B test/e2e/bench_path.py "$@"
