#!/bin/sh
# Can scripts/stack tell the deepest stack, and can it fail? Each case is a program of a few
# functions. Its figures must be the sums of what the compiler says with -fstack-usage. From the
# environment: CC, CROSS, MARCH, LDMARCH, NO_FPU, COMPACT, DEP. TAP.
set -u
tmp=$(mktemp -d)
trap 'rm -rf "$tmp"' EXIT
export OBJDUMP="${CROSS:-}objdump"
# What a function may begin with on RISC-V.
runtime=$(find "$PWD/${DEP:-none}/lib" -name librt_int.a 2>/dev/null)
count=0
failed=0

# program: compiles and links standard input; _start is its only beginning.
program() {
    { cat "$tmp/head"; cat; } >"$tmp/it.c"
    # shellcheck disable=SC2086
    (cd "$tmp" && ${CC:-cc} ${MARCH:-} ${NO_FPU:-} ${COMPACT:-} -w -std=c11 -Os -ffreestanding \
        -fno-stack-protector -fno-asynchronous-unwind-tables -fstack-usage -c it.c &&
        ${CC:-cc} ${LDMARCH:-} -static -nostdlib -Wl,--build-id=none,-e,_start -o it it.o \
            $runtime) || exit 1
}

report() {
    count=$((count + 1))
    if [ "$1" = 0 ]; then
        echo "ok $count - $2"
    else
        echo "not ok $count - $2"
        failed=$((failed + 1))
        sed 's/^/#   said: /' "$tmp/said" >&2
    fi
}

# depth NAME FUNCTION...: the program's stack is what these functions take.
depth() {
    name=$1
    shift
    want=0
    for function; do
        frame=$(awk -v f=":$function\$" '$1 ~ f { print $2 }' "$tmp/it.su")
        want=$((want + ${frame:-100000}))
    done
    python3 -B scripts/stack -v "$tmp/it" "$tmp/table" >"$tmp/said" 2>&1
    status=$?
    echo "wanted $want, status $status" >>"$tmp/said"
    [ "$status" = 0 ] && [ "$(head -n 1 "$tmp/said")" = "$want" ]
    report $? "$name"
}

# refused TEXT NAME: the tool fails and says this.
refused() {
    ! python3 -B scripts/stack "$tmp/it" "$tmp/table" >"$tmp/said" 2>&1 &&
        grep -q -- "$1" "$tmp/said"
    report $? "$2"
}

# What a function with a buffer of N bytes does to keep it.
cat >"$tmp/head" <<'X'
#define FRAME(n) volatile char frame[n]; frame[0] = 1
#define SELF __attribute__((noinline, noclone))
volatile int sink;
X
: >"$tmp/table"

program <<'X'
SELF int small(int x) { FRAME(64); return sink + x; }
SELF int large(int x) { FRAME(600); return sink + x; }
SELF int middle(int x) { FRAME(40); return large(x) + sink; }
void _start(void) { FRAME(24); sink = small(1) + 1; sink = middle(2) + 1; for (;;) ; }
X
depth 'the deepest of two ways' _start middle large

program <<'X'
SELF int huge(int x) { FRAME(70000); return sink + x; }
void _start(void) { sink = huge(1) + 1; for (;;) ; }
X
depth 'a frame that no instruction can hold' _start huge

program <<'X'
SELF int deep(int x) { FRAME(300); return sink + x; }
SELF int choose(int x)
{
    FRAME(32);
    switch (x) {
    case 0: return deep(3) + 1;
    case 1: sink = 7; return sink * 3;
    case 2: sink = 11; return deep(sink) - 1;
    case 3: sink = sink * 5; return 9;
    case 4: sink = 2; return deep(4) * 3;
    case 5: sink = sink + 4; return 2;
    case 6: return deep(8) + 8;
    case 7: sink = 1; return deep(9) + 6;
    default: return 0;
    }
}
void _start(void) { sink = choose(sink) + 1; for (;;) ; }
X
depth 'behind a table of jumps' _start choose deep

program <<'X'
SELF int handler(int x) { FRAME(200); return sink + x; }
SELF int other(int x) { FRAME(900); return sink + x; }
int (*volatile table[2])(int) = { handler, other };
SELF int caller(int x) { return table[x & 1](x) + sink; }
void _start(void) { FRAME(24); sink = caller(sink) + 1; for (;;) ; }
X
refused 'caller calls through a pointer, and has no line' 'a pointer without a line in the table'
echo 'caller: handler' >"$tmp/table"
refused 'other: its address is taken' 'a function that only a pointer leads to, on no line'
echo 'caller: nobody' >"$tmp/table"
refused 'none of its targets is in the program' 'a line without a target that is there'
printf '@both: handler other\ncaller: @both\n' >"$tmp/table"
depth 'through a pointer' _start caller other

program <<'X'
SELF int down(int x);
SELF int up(int x) { FRAME(32); return x > 9 ? sink : down(x + 1) + sink; }
SELF int down(int x) { FRAME(48); return up(x) + sink; }
void _start(void) { FRAME(24); sink = up(1) + 1; for (;;) ; }
X
: >"$tmp/table"
refused 'a ring of calls: up > down > up' 'functions that call each other'
echo 'up down: again' >"$tmp/table"
depth 'a ring that the table says is gone through once more' _start up down up down

program <<'X'
SELF int any(int n) { volatile char frame[n]; frame[n - 1] = 1; return sink; }
void _start(void) { FRAME(24); sink = any(sink) + 1; for (;;) ; }
X
: >"$tmp/table"
refused 'any: ' 'an array as long as an argument says'

program <<'X'
SELF int on_signal(int x) { FRAME(100); return sink; }
int (*volatile handler)(int) = on_signal;
SELF int waits(int x) { FRAME(32); return handler ? sink : 2; }
void _start(void) { FRAME(24); sink = waits(sink) + 1; for (;;) ; }
X
echo 'waits: signal on_signal' >"$tmp/table"
python3 -B scripts/stack "$tmp/it" "$tmp/table" >"$tmp/said" 2>&1 &&
    [ "$(cat "$tmp/said")" -gt 700 ]
report $? 'a signal handler and what the kernel puts before it'

echo "1..$count"
exit "$failed"
