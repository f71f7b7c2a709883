#!/bin/sh
# Does scripts/cost.py give every byte to the part that it comes from? Programs of three files, named
# as files of the agent, linked from objects and compiled as a whole. From the environment: CC,
# CROSS, MARCH, LDMARCH, NO_FPU, COMPACT. TAP.
set -u
tmp=$(mktemp -d)
trap 'rm -rf "$tmp"' EXIT
count=0
failed=0

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

# program OPTION...: compiles and links, and asks what the parts take.
program() {
    options="${MARCH:-} ${NO_FPU:-} ${COMPACT:-} -w -g -std=c11 -Os -ffreestanding \
        -fno-stack-protector -fno-asynchronous-unwind-tables -ffunction-sections -fdata-sections $*"
    # shellcheck disable=SC2086
    (cd "$tmp" && ${CC:-cc} $options -c log.c json.c main.c &&
        ${CC:-cc} $options ${LDMARCH:-} -static -nostdlib -o it.debug log.o json.o main.o \
            -Wl,--gc-sections,--build-id=none,-e,_start,-Map=it.debug.map \
            -Wl,-z,norelro,-z,noseparate-code,-z,common-page-size=64 &&
        "${CROSS:-}strip" -s -R .comment -R .note.gnu.property -o it it.debug) >"$tmp/said" 2>&1 &&
        python3 -B scripts/cost.py "$tmp/it" "$tmp/log.o" "$tmp/json.o" "$tmp/main.o" \
            >"$tmp/said" 2>&1
}

# takes PART COLUMN FROM TO: so many bytes, in the last column (0: memory) or that before it (1).
takes() {
    got=$(grep "^$1" "$tmp/said" | awk -v back="$2" '{ print $(NF - back) }')
    [ "${got:-0}" -ge "$3" ] && [ "${got:-0}" -le "$4" ]
}

cat >"$tmp/log.c" <<'X'
const unsigned char table[1000] = { 1, 2, 3, [999] = 4 };
int log_it(int n)
{
    return table[n];
}
X
cat >"$tmp/json.c" <<'X'
int memory[256];
int nobody[4096];
__attribute__((noinline)) int json_it(int n)
{
    return memory[n]++;
}
X
cat >"$tmp/main.c" <<'X'
int log_it(int), json_it(int);
volatile int number;
void _start(void)
{
    const char *volatile text = "a text of thirty characters...";
    number = log_it(number) + json_it(number) + text[number];
    for (;;)
        ;
}
X

for options in '' '-flto -ffat-lto-objects -flto-partition=one'; do
    name=${options:+as a whole: }
    program "$options"
    report $? "${name}a program is taken apart"
    size=$(wc -c <"$tmp/it")
    takes total 1 "$size" "$size"
    report $? "${name}the parts add up to the file"
    sum=$(awk '/^part/ { next } /^total/ { exit } { n += $(NF - 1) } END { print n }' "$tmp/said")
    [ "$sum" = "$size" ]
    report $? "${name}line by line"
    takes log 1 1001 1100
    report $? "${name}constants and code by their source"
    takes 'messages: JSON form' 0 1024 1024
    report $? "${name}memory, without what nobody uses"
    takes 'reconnect, main' 1 50 300
    report $? "${name}texts by the object that has them"
    takes rest 1 0 1000
    report $? "${name}little is left"
done

rm -f "$tmp/it.debug.map"
! python3 -B scripts/cost.py "$tmp/it" >"$tmp/said" 2>&1
report $? 'no map, no figures'
echo "1..$count"
[ "$failed" = 0 ]
