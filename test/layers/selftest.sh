#!/bin/sh
# Can scripts/layers.sh fail? Each case compiles a few objects into a folder of its own and tells
# what the check has to say about them. From the environment: CC, MARCH, NM, SIZE. TAP.
set -u
tmp=$(mktemp -d)
trap 'rm -rf "$tmp"' EXIT
count=0
failed=0

# object LAYER/NAME: compiles standard input.
object() {
    mkdir -p "$tmp/src/${1%/*}"
    cat >"$tmp/src/$1.c"
    # shellcheck disable=SC2086
    ${CC:-cc} $MARCH -w -ffreestanding -Os -ffunction-sections -fdata-sections \
        -c -o "$tmp/src/$1.o" "$tmp/src/$1.c" || exit 1
}

# expect STATUS TEXT NAME: the check ends with this status and says this.
expect() {
    set -- "$1" "$2" "$3" "$tmp/said"
    agent=-
    [ -f "$tmp/adit.debug" ] && agent=$tmp/adit && : >"$agent"
    objects=$(find "$tmp/src" -name '*.o' | sort)
    # shellcheck disable=SC2086
    FLASH_MAX='' RAM_MAX='' sh scripts/layers.sh "$agent" $objects >"$4" 2>&1
    status=$?
    count=$((count + 1))
    if [ "$status" = "$1" ] && grep -q -- "$2" "$4"; then
        echo "ok $count - $3"
    else
        echo "not ok $count - $3"
        failed=$((failed + 1))
        sed 's/^/#   said: /' "$4" >&2
    fi
    rm -rf "$tmp/src" "$tmp/adit.debug" "$tmp/adit"
}

object codec/good <<X
int memcmp(const void *, const void *, unsigned long);
static const int table[] = {1, 2, 3};
int good(const void *a, int i) { return memcmp(a, table, sizeof table) + table[i & 1]; }
X
object core/good <<X
int good(const void *, int);
int better(const void *a) { return good(a, 1); }
X
expect 0 '^ok 2 - .*core/good.o' 'layers that keep to the rules pass'

object codec/bad <<X
long write(int, const void *, unsigned long);
long bad(void) { return write(1, "x", 1); }
X
expect 1 'write is not for a pure layer' 'a codec that writes to a descriptor'

object core/bad <<X
static int calls;
int bad(void) { return ++calls; }
X
expect 1 'writable data in .bss.calls' 'a core with a counter of its own'

object core/bad <<X
int level = 7;
int bad(void) { return level; }
X
expect 1 'writable data in .data.level' 'a core with initialised writable data'

object agent/one <<X
int two(void);
int one(void) { return two(); }
X
object agent/two <<X
int three(void);
int two(void) { return three(); }
X
object agent/three <<X
int one(void);
int three(void) { return one() + three(); }
X
object agent/user <<X
int one(void);
int user(void) { return one(); }
X
expect 1 '^#   .*agent/two.o: uses files that use it: a circle' 'files in a circle'

object gateway/one <<X
int two(void), one(void);
int again(void) { return one(); }
int one(void) { return two() + again(); }
X
object gateway/two <<X
int two(void) { return 2; }
X
expect 0 '^ok 1 - .*gateway/one.o' 'a file that uses itself and another one'

object core/machine <<X
int machine(void) { return 1; }
X
object codec/bad <<X
int machine(void);
int bad(void) { return machine(); }
X
expect 1 'machine belongs to src/core, not for src/codec' 'a codec that imports core'

object sys/clock <<X
int clock_now(void) { return 1; }
X
object net/bad <<X
int clock_now(void);
int bad(void) { return clock_now(); }
X
expect 1 'clock_now belongs to src/sys, not for src/net' 'net that imports its sibling'

object agent/run <<X
int run(void) { return 1; }
X
object sys/bad <<X
int run(void);
int bad(void) { return run(); }
X
expect 1 'run belongs to src/agent, not for src/sys' 'sys that imports the wiring'

for name in malloc vfprintf getaddrinfo setlocale __adddf3 poller_wait; do
    case $name in
    malloc) says='no allocator' ;;
    vfprintf) says='no stdio' ;;
    getaddrinfo) says='no host database' ;;
    setlocale) says='no locale' ;;
    __adddf3) says='no floating point' ;;
    *) says='nothing of the gateway' ;;
    esac
    [ "$name" = poller_wait ] && object sys/poller <<X
int poller_wait(void) { return 1; }
X
    object agent/main <<X
int main_loop(void) { return 1; }
X
    echo "int $name(void) { return 1; }" >"$tmp/agent.c"
    # shellcheck disable=SC2086
    ${CC:-cc} $MARCH -w -fno-builtin -c -o "$tmp/adit.debug" "$tmp/agent.c" || exit 1
    expect 1 "^not ok .*$says" "an agent with $name in it"
done

object agent/good <<X
int good(void) { return 1; }
X
echo 'int ___errno_location(void) { return 1; } __thread int mine = 1;' >"$tmp/agent.c"
# shellcheck disable=SC2086
${CC:-cc} $MARCH -w -c -o "$tmp/adit.debug" "$tmp/agent.c" || exit 1
expect 1 '^not ok .*needs nothing before main' 'an agent with a thread-local variable'

echo "1..$count"
exit "$((failed > 0))"
