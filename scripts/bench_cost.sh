#!/bin/sh
# bench_cost.sh: instructions and system calls of both programs for a request and for a MiB, each
# way. Exact, whatever else the machine does, but for what chance gathers in one turn.
set -eu
cd "$(dirname "$0")/.."
sh scripts/setup.sh build test bench cost
make --no-print-directory -j2 OUT="${OUT:-build}" BOARD=host
export ADIT_BUILD="${ADIT_BUILD:-${OUT:-build}/host}"
export ADIT_GATEWAY_BUILD="${ADIT_GATEWAY_BUILD:-$ADIT_BUILD}"
exec /usr/bin/python3 -B test/e2e/bench_cost.py
