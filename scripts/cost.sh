#!/bin/sh
# cost.sh BOARD...: what each part of the agent takes of these boards, file and static memory in
# bytes (scripts/cost.py), and what each switch adds or saves, by a build of our own code with it.
# Called by size.sh with V=1; OUT and PROFILE as there.
set -eu
OUT=${OUT:-build} PROFILE=${PROFILE:-}

# setting BOARD NAME: what the Makefile has for it.
setting() {
    make --no-print-directory BOARD="$1" PROFILE="$PROFILE" "show-$2"
}

# build BOARD FOLDER VARIABLE=VALUE...: sets file and ram.
build() {
    board=$1 folder=$OUT/cost/$2
    shift 2
    mkdir -p "$folder"
    make --no-print-directory -j2 OUT="$folder" BOARD="$board" PROFILE="$PROFILE" "$@" agent \
        >"$folder/log" 2>&1 || { cat "$folder/log" >&2; exit 1; }
    agent=$(echo "$folder/$board"*/adit)
    file=$(wc -c <"$agent")
    ram=$("${cross}size" -A "$agent" |
        awk '/^\.(s?data|s?bss|tdata|tbss)/ { n += $2 } END { print n + 0 }')
}

# switch VARIABLE=VALUE...
switch() {
    build "$board" "$board-$1" "$@"
    printf '%-36s %+8d %+8d\n' "$1" $((file - whole_file)) $((ram - whole_ram))
}

for board; do
    cross=$(setting "$board" CROSS)
    build "$board" "$board" DEBUG=yes
    whole_file=$file whole_ram=$ram
    printf '\n%s\n' "$board"
    # shellcheck disable=SC2046
    CROSS=$cross python3 -B scripts/cost.py "$agent" $(find "$folder" -name '*.o')
    echo
    if [ "$(setting "$board" MTLS)" = yes ]; then switch MTLS=no; else switch MTLS=yes; fi
    if [ -n "$(setting "$board" POOL_KB)" ]; then switch POOL_KB=; else switch POOL_KB=512; fi
    [ -n "$PROFILE" ] || switch PROFILE=tiny
    [ -z "$(setting "$board" FAST_OPT)" ] || switch FAST_OPT=
    [ -z "$(setting "$board" COMPACT)" ] || switch COMPACT=
    [ -z "$(setting "$board" LTO)" ] || switch LTO= LTO_MODE=-fno-lto
done
