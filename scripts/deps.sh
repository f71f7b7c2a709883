#!/bin/sh
# Builds musl and BearSSL for one board into $DEP: include/, lib/. Called by the Makefile, which
# exports BOARD BOARD_FILES CC CROSS MARCH NO_FPU MUSL_AS RT_MARK LIBC DEP SECTIONS SIZE_OPT COMPACT
# BEAR_DEFS PLAIN_BEAR LTO SYSROOT FAST_OPT FAST_BEAR.
set -eu
# DESTDIR: `make install` on a fresh tree must not install musl's headers there.
unset MAKEFLAGS MFLAGS MAKELEVEL DESTDIR
mkdir -p "$DEP/lib" "$DEP/include"
exec 8>"$DEP.lock"
flock 8
# Another make may have built it while this one waited.
inputs="scripts/deps.sh scripts/fetch.sh scripts/bearssl.patch $BOARD_FILES"
# shellcheck disable=SC2086
[ -f "$DEP/stamp" ] && [ -z "$(find $inputs -newer "$DEP/stamp")" ] && exit 0
sh scripts/setup.sh build
dep=$(cd "$DEP" && pwd)
log=$dep/build.log
trap '[ $? = 0 ] || { tail -n 20 "$log" >&2; echo "deps: failed, see $log" >&2; }' EXIT
flags="${SIZE_OPT:-} $MARCH ${NO_FPU:-} ${COMPACT:-} ${LTO:-} ${FAST_OPT:-}"
echo "$CC $flags for ${FAST_BEAR:-}" >"$log"

build_musl() {
    src=$(sh scripts/fetch.sh musl)
    echo "  DEP  musl for $BOARD"
    rm -rf "$dep/musl"
    mkdir -p "$dep/musl"
    (
        cd "$dep/musl"
        "$src/configure" --prefix="$dep" --target="$("$CC" -dumpmachine)" --disable-shared \
            --disable-wrapper CC="$CC" CROSS_COMPILE="$CROSS" CFLAGS="$SIZE_OPT $MARCH $SECTIONS"
        make -j2 AS_CMD="\$(CC_CMD) ${MUSL_AS:-}" AR="${CROSS}ar" RANLIB="${CROSS}ranlib" \
            install-headers lib/libc.a lib/crt1.o lib/crti.o lib/crtn.o
        cp lib/libc.a lib/crt1.o lib/crti.o lib/crtn.o "$dep/lib/"
    ) >>"$log" 2>&1
}

# unmark FILE: takes "hard float" off an integer helper, where the board's compiler writes it.
unmark() {
    "${CROSS}objcopy" -R .MIPS.abiflags -R .gnu.attributes -R .pdr "$1"
    # RT_MARK is the offset of a byte in the ELF header, and what it is without the mark.
    [ -z "${RT_MARK:-}" ] || printf %b "\\00${RT_MARK#* }" |
        dd of="$1" bs=1 seek="${RT_MARK% *}" conv=notrunc status=none
}

# The integer helpers of the compiler's libgcc, less the mark that says "hard float": they hold no
# float code, and leaving the others out makes a float helper that slips in a link error.
build_rt() {
    rm -rf "$dep/rt" "$dep/lib/librt_int.a"
    mkdir -p "$dep/rt"
    (
        cd "$dep/rt"
        "${CROSS}ar" x "$("$CC" -print-libgcc-file-name)"
        for name in _divdi3 _moddi3 _divmoddi4 _udivdi3 _umoddi3 _udivmoddi4 _divti3 _udivti3 \
            _umodti3 _udivmodti4 _muldi3 _ashldi3 _ashrdi3 _lshrdi3 _clz _clzsi2 _clzdi2 _ctzsi2 \
            _ctzdi2 _ffssi2 _ffsdi2 _popcountsi2 _popcountdi2 _popcount_tab _bswapsi2 _bswapdi2 \
            _ucmpdi2 _cmpdi2 _udivsi3 _divsi3 _umodsi3 _modsi3 _aeabi_lcmp _aeabi_ulcmp \
            _aeabi_ldivmod _aeabi_uldivmod _dvmd_lnx bpabi linux-atomic _thumb1_case_sqi \
            _thumb1_case_uqi _thumb1_case_shi _thumb1_case_uhi _thumb1_case_si _call_via_rX \
            crtsavgpr crtresgpr crtresxgpr save-restore muldi3 multi3 div; do
            [ -f "$name.o" ] || continue
            unmark "$name.o"
            set -- "$@" "$name.o"
        done
        "${CROSS}ar" rcD "$dep/lib/librt_int.a" "$@"
    ) >>"$log" 2>&1
}

build_bearssl() {
    src=$(sh scripts/fetch.sh bearssl)
    echo "  DEP  BearSSL for $BOARD"
    rm -rf "$dep/bearssl" "$dep/lib/libbearssl.a"
    mkdir -p "$dep/bearssl"
    cp "$src"/inc/*.h "$dep/include/"
    cp -R "$src/src" "$dep/bearssl/"
    patch -s -p1 -d "$dep/bearssl" <scripts/bearssl.patch >>"$log" 2>&1
    libc="${SIZE_OPT:-} ${SYSROOT:+--sysroot=$SYSROOT}"
    if [ "$LIBC" = musl ]; then
        libc="-nostdinc -isystem $dep/include -isystem $("$CC" -print-file-name=include) $SIZE_OPT"
    fi
    # BearSSL reads contexts through pointers of other types. Compiled as a whole, and only then,
    # the compiler sees that, and on PowerPC the check of certificate chains came out wrong.
    safe=-fno-strict-aliasing
    # Names without spaces, all of them.
    # shellcheck disable=SC2016,SC2038
    find "$dep/bearssl/src" -name '*.c' |
        flags="$libc $MARCH ${NO_FPU:-} $SECTIONS $safe $BEAR_DEFS ${LTO:-} -I$src/inc \
            -I$dep/bearssl/src" \
        out=$dep/bearssl \
        xargs -P 2 -n 16 sh -c '
        for file; do
            name=$(basename "$file" .c)
            opt=${COMPACT:-}
            case " ${PLAIN_BEAR:-} " in *" $name "*) opt= ;; esac
            case " ${FAST_BEAR:-} " in *" $name "*) opt=$FAST_OPT ;; esac
            $CC -w $flags $opt -c -o "$out/$name.o" "$file" || exit 255
        done' sh >>"$log" 2>&1
    (cd "$dep/bearssl" && "${CROSS}ar" rcD "$dep/lib/libbearssl.a" ./*.o && rm ./*.o)
}

rm -f "$DEP/stamp"
if [ "$LIBC" = musl ]; then
    build_musl
    build_rt
fi
build_bearssl
rm -rf "$dep/musl" "$dep/rt" "$dep/bearssl"
touch "$DEP/stamp"
