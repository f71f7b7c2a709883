#!/bin/sh
# What `make install` puts where; the systemd units; the shell scripts of all packaging.
# shellcheck source=test/packaging/tap.sh disable=SC2016,SC2031
. "$(dirname "$0")/tap.sh"
build=${ADIT_BUILD:-build/host}
out=$(dirname "$build")
cd "$root" || exit 1

# The programs are there already; nothing is built here.
to() {
    folder=$1
    shift
    env -u MAKEFLAGS -u MFLAGS make --no-print-directory -o "$build/adit" \
        -o "$build/adit-gateway" OUT="$out" BOARD=host DESTDIR="$work/$folder" \
        "$@" >"$work/said" 2>&1
}
files() {
    (cd "$work/$1" && find . -type f -printf '%m %P\n' | sort)
}

to busybox install
is $? 0 'make install'
is "$(files busybox)" '644 etc/default/adit
644 usr/share/man/man1/adit-gateway.1
644 usr/share/man/man1/adit.1
755 etc/init.d/S60adit
755 usr/bin/adit
755 usr/libexec/adit-provision
755 usr/share/udhcpc/default.script.d/adit' 'a BusyBox system'
[ -d "$work/busybox/etc/adit" ]
ok $? 'and the folder of the token'
is "$(stat -c %s "$work/busybox/usr/bin/adit")" "$(stat -c %s "$build/adit")" 'the program itself'
to systemd install INIT=systemd MAN=no
is "$(files systemd)" '644 etc/default/adit
644 usr/lib/systemd/system/adit.service
644 usr/lib/sysusers.d/adit.conf
755 usr/bin/adit
755 usr/lib/NetworkManager/dispatcher.d/90-adit
755 usr/lib/networkd-dispatcher/routable.d/adit
755 usr/libexec/adit-provision' 'a systemd system, no manual'
to bare install INIT=no MAN=no
is "$(files bare)" '755 usr/bin/adit' 'the program alone'
to gateway install-gateway
is "$(files gateway)" '644 etc/default/adit-gateway
644 usr/lib/systemd/system/adit-gateway.service
644 usr/lib/systemd/system/adit-gateway.socket
644 usr/lib/systemd/system/adit-gateway@.service
644 usr/lib/sysusers.d/adit-gateway.conf
644 usr/share/man/man1/adit-gateway.1
644 usr/share/man/man1/adit.1
755 usr/bin/adit-gateway' 'the gateway'

# ---- the default files name options that there are, and values that are understood ----

# options PROGRAM FILE: which variables the file has, in use or commented out, that --help lacks.
strangers() {
    "$build/$1" --help | sed -n 's/^  --\([a-z-]*\).*/\1/p' | tr a-z- A-Z_ >"$work/known"
    sed -n 's/^#\{0,1\}ADIT_\([A-Z_]*\)=.*/\1/p' "$2" | grep -vxF -f "$work/known"
}
is "$(strangers adit board/init/adit.default)" '' 'adit.default'
is "$(strangers adit-gateway board/systemd/adit-gateway.default)" '' 'adit-gateway.default'
# Up to what the file cannot hold: the address, the token.
said=$(set -a; . board/init/adit.default; "$build/adit" 2>&1)
has "$said" '--url is missing' 'adit with its default file asks for the gateway'
said=$(set -a; . board/systemd/adit-gateway.default; "$build/adit-gateway" 2>&1)
has "$said" '--domain is missing' 'adit-gateway for the domain'

# ---- systemd ----

for name in adit adit-gateway; do
    unit=board/systemd/$name.service
    if ! command -v systemd-analyze >/dev/null; then
        ok 0 "$name.service # SKIP no systemd-analyze"
        continue
    fi
    # With the programs in place of those that are not installed on this machine.
    sed "s|/usr/bin/|$work/busybox/usr/bin/|; s|/usr/libexec/|$work/busybox/usr/libexec/|" \
        "$unit" >"$work/$name.service"
    cp "$work/gateway/usr/bin/adit-gateway" "$work/busybox/usr/bin/"
    is "$(systemd-analyze verify --man=no "$work/$name.service" 2>&1 |
        grep -F "$name.service")" '' "$name.service is understood"
    level=$(systemd-analyze security --offline=yes "$work/$name.service" 2>/dev/null |
        sed -n 's/.*Overall exposure level.*: \([0-9]*\)\.[0-9].*/\1/p')
    [ "${level:-10}" -lt 2 ]
    ok $? "$name.service is closed (exposure below 2)"
done

# ---- a line that comes up ----

cat >"$work/systemctl" <<SYSTEMCTL
#!/bin/sh
echo "\$*" >>"$work/asked"
[ -e "$work/running" ] || [ "\$1" != is-active ]
SYSTEMCTL
chmod +x "$work/systemctl"
# online VARIABLE=VALUE ARGUMENT...: what the hook asks of systemd.
online() {
    : >"$work/asked"
    env -u OperationalState SYSTEMCTL="$work/systemctl" "$1" \
        sh board/systemd/adit-online ${2:+"$2"} ${3:+"$3"}
    echo "$? $(tail -n 1 "$work/asked")"
}
signal='0 kill --kill-who=main -s USR2 adit.service'
is "$(online A=b eth0 up)" '0 is-active --quiet adit.service' 'an agent that does not run is left alone'
touch "$work/running"
is "$(online A=b eth0 up)" "$signal" 'NetworkManager: up'
is "$(online A=b eth0 down)" '0 ' 'NetworkManager: down'
is "$(online A=b)" '0 ' 'nobody said anything'
is "$(online OperationalState=routable)" "$signal" 'networkd-dispatcher: routable'
is "$(online OperationalState=degraded)" '0 ' 'networkd-dispatcher: anything else'

# ---- shellcheck ----

if command -v shellcheck >/dev/null; then
    for script in board/init/S60adit board/init/adit-provision board/init/udhcpc-adit \
        board/systemd/adit-online board/openwrt/adit/files/adit.hotplug scripts/ipk.sh \
        test/packaging/*.sh; do
        is "$(shellcheck -x -P . "$script" 2>&1)" '' "shellcheck $script"
    done
    is "$(shellcheck -s sh board/openwrt/adit/files/adit.init 2>&1)" '' 'shellcheck adit.init'
else
    ok 0 'shellcheck # SKIP not installed'
fi
done_testing
