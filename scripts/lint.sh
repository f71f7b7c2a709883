#!/bin/sh
# lint.sh: what tools see without running anything. On the sources clang-format, cppcheck,
# clang-tidy, GCC's analyzer and the width of lines, on scripts shellcheck, on tests pyflakes, on
# the manual pages mandoc. Ends with 1 when one of them has something to say. DEP is where the
# libraries' headers are.
set -u
bad=0

# check NAME COMMAND...: a check that says anything, or ends badly, has found something.
check() {
    name=$1
    shift
    said=$("$@" 2>&1) && [ -z "$said" ] && echo "ok - $name" && return
    echo "not ok - $name"
    printf '%s\n' "$said"
    bad=1
}

too_wide() {
    awk 'length > 100 { print FILENAME ":" FNR ": over 100 columns" }' include/*.h include/*/*.h \
        src/*/*.[ch] test/*.h test/*/*.[ch] test/e2e/*.py scripts/*.sh scripts/*.py scripts/*/*.py
}

# Without its own analyzer, which takes minutes; numbers that are converted are GCC's to warn of.
tidy() {
    flags="-std=c11 -D_GNU_SOURCE -DADIT_MTLS -Iinclude -Isrc/gateway -I$DEP/include"
    # shellcheck disable=SC2016,SC2038
    find src -name '*.c' | flags=$flags xargs -P 2 -n 8 sh -c '
        clang-tidy-14 --quiet --warnings-as-errors="*" --checks="-*,bugprone-*,\
-bugprone-easily-swappable-parameters,-bugprone-narrowing-conversions,-bugprone-branch-clone,\
-bugprone-implicit-widening-of-multiplication-result,-bugprone-reserved-identifier,\
-bugprone-not-null-terminated-result,-bugprone-sizeof-expression" "$@" -- $flags 2>/dev/null
    ' sh
}

# GCC's analyzer, which is told what callers promise (check.h).
analyze() {
    # shellcheck disable=SC2016,SC2038
    find src -name '*.c' | xargs -P 2 -n 8 sh -c '
        for file; do
            gcc -std=c11 -D_GNU_SOURCE -DADIT_MTLS -DADIT_CHECKS -O1 -fanalyzer -Iinclude \
                -isystem "$DEP/include" -c -o /dev/null "$file" || exit 1
        done' sh
}

# Names of ours in scripts/stack/targets.txt that are in no source: lines of yesterday's code.
stale_targets() {
    sed '/^# ---- BearSSL/,$d; s/#.*//; s/[@:]/ /g' scripts/stack/targets.txt | tr -s ' ' '\n' |
        sort -u | while read -r name; do
        case $name in
        '' | switch | nothing | signal | again | pem | role | curves | our_x509 | hash | \
            own_certificate | vrfy | br_* | api_*) ;;
        *) grep -qw "$name" src/*/*.c || echo "scripts/stack/targets.txt: $name is in no source" ;;
        esac
    done
}

check 'lines within 100 columns' too_wide
check clang-format /usr/bin/python3 scripts/format.py include/*.h include/*/*.h src/*/*.[ch] \
    test/*.h test/*/*.[ch]
check cppcheck cppcheck -q --std=c11 --enable=warning,performance,portability --inline-suppr \
    --error-exitcode=1 -D_GNU_SOURCE -Iinclude -j 2 src
check 'stack targets' stale_targets
check clang-tidy tidy
check 'gcc -fanalyzer' analyze
# shellcheck disable=SC2046
check shellcheck shellcheck -S warning scripts/*.sh .ci/run $(find board test -name '*.sh')
# test_faults.py names fixtures of another file.
# shellcheck disable=SC2046
check pyflakes /usr/bin/python3 -m pyflakes scripts/*.py \
    $(find test/e2e -name '*.py' ! -name test_faults.py)
check 'manual pages' mandoc -T lint -W warning board/man/*.1
exit $bad
