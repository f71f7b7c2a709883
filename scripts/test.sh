#!/bin/sh
# test.sh [asan]: everything that has to pass, or the end-to-end suite under AddressSanitizer and
# UBSan; then one line of counts. `make test` and `make test-asan` call it; OUT is the build tree.
set -eu
OUT=${OUT:-build}
passed=0 failed=0 skipped=0
said=$(mktemp)
trap 'rm -f "$said"' EXIT

# field WORD: the number before WORD in pytest's closing line.
field() {
    sed -n "\$s/.*[^0-9]\{0,1\}\b\([0-9]\{1,\}\) $1.*/\1/p" "$said"
}

total() {
    awk '{ sum += $1 } END { print sum + 0 }'
}

# suite NAME COMMAND...: runs it, shows it, adds up what prove or pytest counted. A suite that ends
# badly without a counted failure (it did not build, it died) counts as one failure.
suite() {
    echo "== $1"
    shift
    status=0
    { "$@" 2>&1 || echo "suite ended with $?"; } | tee "$said"
    ! grep -q '^suite ended with ' "$said" || status=1
    sed -i '/^suite ended with /d; /^make[:[]/d' "$said"
    ran=$(sed -n 's/^Files=[0-9]*, Tests=\([0-9]*\),.*/\1/p' "$said" | total)
    checks=$(sed -n 's/.*(Wstat: .* Failed: \([0-9]*\))$/\1/p' "$said")
    good=$((ran - $(echo "$checks" | total)))
    # A program that died without a failed check counts as one.
    bad=$(echo "$checks" | sed 's/^0$/1/' | total)
    for word in passed failed error skipped; do
        number=$(field "$word")
        case $word in
        passed) good=$((good + ${number:-0})) ;;
        skipped) skipped=$((skipped + ${number:-0})) ;;
        *) bad=$((bad + ${number:-0})) ;;
        esac
    done
    [ "$status" = 0 ] || [ "$bad" -gt 0 ] || bad=1
    passed=$((passed + good))
    failed=$((failed + bad))
}

build() {
    make --no-print-directory -j2 OUT="$OUT" BOARD="$1" "$2"
}

# end_to_end NAME BOARD: most of a test's time is waiting, so that three files at once take half the
# time on two cores; then those that measure time, by themselves.
end_to_end() {
    some_tests "$1" "$2" -n 3 --dist loadfile -m 'not alone'
    some_tests "$1, by themselves" "$2" -m alone
}

# Debian's python3, which has the packages that setup.sh installed, whatever else is in PATH.
some_tests() { # NAME BOARD OPTION...
    name=$1 board=$2
    shift 2
    suite "$name" env ADIT_BUILD="$OUT/$board" ADIT_GATEWAY_BUILD="$OUT/$board" \
        PYTHONDONTWRITEBYTECODE=1 /usr/bin/python3 -m pytest -q -p no:cacheprovider "$@" test/e2e
}

sh scripts/setup.sh build boards test
if [ "${1:-}" = asan ]; then
    build host-asan all
    end_to_end 'end to end, sanitized' host-asan
else
    build host all
    build mips_24kc all
    build host tests
    build mips_24kc tests
    build host-asan tests
    for board in host mips_24kc; do
        suite "layers, $board" make --no-print-directory OUT="$OUT" BOARD=$board layers
    done
    for board in host-asan host mips_24kc; do
        suite "unit tests, $board" make --no-print-directory OUT="$OUT" BOARD=$board run-tests
    done
    suite packaging env ADIT_BUILD="$OUT/host" prove -j2 --exec 'busybox ash' \
        test/packaging/test_init.sh test/packaging/test_openwrt.sh test/packaging/test_install.sh \
        test/packaging/test_man.sh test/packaging/test_trees.sh test/packaging/test_service.sh
    end_to_end 'end to end' host
fi
echo "$passed passed, $failed failed$([ "$skipped" = 0 ] || echo ", $skipped skipped")"
[ "$failed" = 0 ] && [ "$passed" -gt 0 ]
