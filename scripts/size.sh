#!/bin/sh
# size.sh BOARD...: builds the agent for these boards and prints what it takes of each: bytes of
# the stripped file, static memory, the deepest stack (scripts/stack), and of these the limits in
# board/BOARD.mk. Fails when a board is over its budget, when its stack cannot be told, or when the
# file holds a floating-point instruction or a mark that says it needs an FPU or hard-float calls:
# kernels for processors without one refuse or emulate it. OUT, PROFILE as in the Makefile; V=1
# shows the deepest way of calls, and behind the table what each part costs (cost.sh).
set -eu
OUT=${OUT:-build} PROFILE=${PROFILE:-}
bad=0

# setting BOARD NAME: what the Makefile has for it.
setting() {
    make --no-print-directory BOARD="$1" PROFILE="$PROFILE" "show-$2"
}

# Data among the code is no instruction: MIPS16's jump tables, an address in musl's _start.
# Mnemonics that compute with or load FPU registers. Vector registers that only carry integers are
# no FPU's: SSE2 and aarch64's memset use them.
fpu_mnemonics() {
    case $1 in
    host|x86_64|i386*)
               echo 'f[a-z0-9]+|v?(add|sub|mul|div|sqrt|max|min|u?comi|cvt[a-z0-9]*)[sp][sd]' ;;
    arm_*)     echo 'v[a-z0-9.]+|f[a-z]+[sdx]' ;;
    aarch64*)  echo 'f[a-z0-9]+|[su]cvtf' ;;
    mips*)     echo '[a-z0-9.]+[.](s|d|ps|w)|[ls][wd]c1|[dmc][mtf][fth]?c1|bc1[a-z]+' ;;
    powerpc*)  echo 'f[a-z]+[.]?|l?f[sd][ux]*|stf[a-z]+|mffs|mtfs[a-z0-9]+' ;;
    riscv*)    echo '(c[.])?f([^e].*|e[^n].*)' ;;
    *)         echo 'size: no list of FPU instructions for '"$1" >&2; return 1 ;;
    esac
}

printf '%-20s %7s %7s %7s %7s %6s %6s  %s\n' board file max static max stack max fpu
for board; do
    log=$OUT/size-$board.log
    mkdir -p "$OUT"
    make --no-print-directory -j2 OUT="$OUT" BOARD="$board" PROFILE="$PROFILE" agent \
        >"$log" 2>&1 || {
        cat "$log" >&2
        exit 1
    }
    agent=$OUT/$board${PROFILE:+-$PROFILE}/adit
    cross=$(setting "$board" CROSS)
    flash_max=$(setting "$board" FLASH_MAX) ram_max=$(setting "$board" RAM_MAX)
    flash=$(wc -c <"$agent")
    ram=$("${cross}size" -A "$agent" | awk '/^\.(s?data|s?bss|tdata|tbss)/ { n += $2 }
        END { print n + 0 }')
    mnemonics=$(fpu_mnemonics "$board")
    fpu=$("${cross}objdump" -d --no-show-raw-insn "$agent.debug" |
        awk -F '\t' -v fpu="^($mnemonics)\$" -v data='^<(_start|__jump_.*)>' '
            /^[0-9a-f]+ </ { name = $0; sub(/^[^<]*/, "", name) }
            { split($2, word, " ") } name !~ data && word[1] ~ fpu { print name, $2 }')
    marks=$("${cross}readelf" -hA "$agent.debug" |
        grep -E 'hard.float|Hard float|(double|single|quad)-float|VFP registers' || :)
    stack_max=$(setting "$board" STACK_MAX)
    verdict=none
    way=$(OBJDUMP="${cross}objdump" python3 -B scripts/stack -v "$agent.debug") ||
        { verdict='STACK NOT TOLD' bad=1; }
    stack=${way%%
*}
    [ -z "$fpu$marks" ] || {
        verdict="NEEDS ONE, $verdict" bad=1
        printf '%s\n' "$fpu" "$marks" >&2
    }
    [ "$flash" -le "$flash_max" ] || { verdict="$verdict, FILE OVER BUDGET"; bad=1; }
    [ "$ram" -le "$ram_max" ] || { verdict="$verdict, MEMORY OVER BUDGET"; bad=1; }
    [ "${stack:-0}" -le "$stack_max" ] || { verdict="$verdict, STACK OVER BUDGET"; bad=1; }
    printf '%-20s %7d %7d %7d %7d %6d %6d  %s\n' "$board" "$flash" "$flash_max" "$ram" "$ram_max" \
        "${stack:-0}" "$stack_max" "$verdict"
    [ -z "${V:-}" ] || printf '%s\n' "$way" | sed 1d
done
[ -z "${V:-}" ] || OUT=$OUT PROFILE=$PROFILE V='' sh scripts/cost.sh "$@"
exit $bad
