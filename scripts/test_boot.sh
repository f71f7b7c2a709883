#!/bin/sh
# test_boot.sh: a device from power-on. Debian's kernel for the Malta board in qemu-system-mipsel
# with 64 MB and its clock at 1970; an initramfs of BusyBox and what `make install` puts there;
# the init script starts the agent, the gateway runs on this machine and a page of the guest is
# fetched through it. Then the guest loses its network and gets it back, then the gateway ends and
# starts again; each time the page has to come back. Prints what it measured. TAP. OUT is the
# build tree.
set -eu
OUT=${OUT:-build}
board=mipsel_24kc
domain=tunnel.test
count=0
dir=$(mktemp -d "${TMPDIR:-/tmp}/adit-boot.XXXXXX")
qemu='' gateway=''

stop() {
    exec 3>&- || :
    for pid in $qemu $gateway; do kill "$pid" 2>/dev/null || :; done
    wait 2>/dev/null || :
    rm -rf "$dir"
}
trap stop EXIT
trap 'exit 130' INT TERM HUP

fail() {
    echo "not ok $((count + 1)) - $1"
    echo "1..$((count + 1))"
    tail -n 30 "$dir/console" "$dir/gateway.log" >&2 || :
    exit 1
}

passed() {
    count=$((count + 1))
    echo "ok $count - $1"
}

now_ms() {
    date +%s%3N
}

# seconds SINCE_MS
seconds() {
    echo "$(now_ms) $1" | awk '{ printf "%.1f", ($1 - $2) / 1000 }'
}

start_gateway() { # PORT
    "$OUT/host/adit-gateway" --listen "127.0.0.1:$1" --domain $domain --tokens "$dir/tokens" \
        --cert "$dir/server.pem" --key "$dir/server.key" --ping-interval 3s --ping-timeout 3s \
        --queue-timeout 1s >>"$dir/gateway.log" 2>&1 </dev/null &
    gateway=$!
    tries=100
    until grep -q 'listening on' "$dir/gateway.log"; do
        tries=$((tries - 1))
        [ $tries -gt 0 ] || fail 'the gateway starts'
        sleep 0.1
    done
}

visit() { # PATH: of the guest's server, through the tunnel
    curl -sSf --max-time 5 --cacert "$dir/ca.pem" --resolve "guest.$domain:$port:127.0.0.1" \
        "https://guest.$domain:$port$1" 2>"$dir/curl.log"
}

# await_page SECONDS: until the guest's page arrives.
await_page() {
    end=$(($(now_ms) + $1 * 1000))
    until visit / >"$dir/page" && grep -q '^a page of the guest$' "$dir/page"; do
        [ "$(now_ms)" -lt "$end" ] || return 1
        kill -0 "$qemu" || return 1
        sleep 0.2
    done
}

make_root() {
    root=$dir/root
    mkdir -p "$root/bin" "$root/dev" "$root/proc" "$root/sys" "$root/tmp" "$root/www/cgi-bin"
    # Firmware that is younger than its gateway's certificate, which an unset clock needs.
    SOURCE_DATE_EPOCH=$(date +%s) make --no-print-directory OUT="$dir/out" BOARD=$board \
        DESTDIR="$root" MAN=no install
    cp "$OUT/boot/busybox" "$root/bin/busybox"
    cp "$OUT/boot/mii.ko" "$OUT/boot/pcnet32.ko" "$root/"
    ln -s bin/busybox "$root/linuxrc"
    cp "$dir/token" "$root/etc/adit/token"
    cp "$dir/ca.pem" "$root/etc/adit/ca.pem"
    echo "10.0.2.2 $domain" >"$root/etc/hosts"
    echo 'a page of the guest' >"$root/www/index.html"
    cat >>"$root/etc/default/adit" <<X
ADIT_URL=wss://$domain:$port/_adit
ADIT_CA=/etc/adit/ca.pem
ADIT_PING_INTERVAL=3s
ADIT_PING_TIMEOUT=3s
ADIT_MAX_DELAY=4s
LOG_TO=/dev/ttyS0
X
    cat >"$root/www/cgi-bin/facts" <<'X'
#!/bin/sh
printf 'Content-Type: text/plain\r\n\r\n'
for pid in $(pidof adit); do
    grep -E '^Vm(RSS|Size|HWM|Stk):' "/proc/$pid/status"
done
grep -E '^Mem(Total|Free|Available):' /proc/meminfo
echo "Year: $(date +%Y)"
X
    cat >"$root/init" <<'X'
#!/bin/busybox sh
/bin/busybox --install -s /bin
mount -t proc proc /proc
mount -t sysfs sys /sys
mount -t devtmpfs dev /dev
exec </dev/ttyS0 >/dev/ttyS0 2>&1
export PATH=/bin:/usr/bin
insmod /mii.ko
insmod /pcnet32.ko
ifconfig lo 127.0.0.1
ifconfig eth0 10.0.2.15
route add default gw 10.0.2.2
mkdir -p /var/run
httpd -h /www
sh /etc/init.d/S60adit start
while :; do sleep 1000; done
X
    chmod 755 "$root/init" "$root/www/cgi-bin/facts"
    (cd "$root" && find . | cpio --quiet -o -H newc | gzip -1) >"$dir/initramfs"
}

start_guest() {
    mkfifo "$dir/monitor"
    qemu-system-mipsel -M malta -cpu 24Kc -m 64 -vga none -display none -rtc base=1970-01-01 \
        -netdev user,id=n0 -device pcnet,netdev=n0,romfile= -no-reboot \
        -kernel "$OUT/boot/vmlinuz" \
        -initrd "$dir/initramfs" -append 'console=ttyS0 quiet panic=-1' \
        -serial "file:$dir/console" -monitor stdio <"$dir/monitor" >"$dir/qemu.log" 2>&1 &
    qemu=$!
    exec 3>"$dir/monitor"
}

sh scripts/boot_parts.sh "$OUT/boot"
make --no-print-directory -j2 OUT="$OUT" BOARD=host "$OUT/host/adit-gateway"
sh scripts/certs.sh "$dir" $domain "*.$domain"
"$OUT/host/adit-gateway" token guest >"$dir/token.txt"
grep '^guest [0-9a-f]\{64\}$' "$dir/token.txt" >"$dir/tokens"
grep -v '^guest ' "$dir/token.txt" |
    sed -n 's/.*[: ]\([^ ]*\)$/\1/; /./p' | tail -n 1 >"$dir/token"
: >"$dir/gateway.log"
start_gateway 0
port=$(sed -n 's/.*listening on 127\.0\.0\.1:\([0-9]*\).*/\1/p' "$dir/gateway.log" | head -n 1)
make_root

started=$(now_ms)
start_guest
await_page 120 || fail 'the page comes after power-on'
passed "the page came $(seconds "$started") s after power-on"

visit /cgi-bin/facts >"$dir/facts" || fail 'the guest tells its figures'
grep -q '^VmRSS:' "$dir/facts" || fail 'the agent runs in the guest'
sed 's/^/# /' "$dir/facts"
echo "# installed: $(du -sk "$root/usr" "$root/etc" | awk '{ n += $1 } END { print n }') KB"
grep -q '^Year: 1970$' "$dir/facts" || fail "the guest's clock is at 1970"
passed "the guest's clock is at 1970"

echo 'set_link n0 off' >&3
sleep 8
! visit / >/dev/null || fail 'no page without a network'
passed 'no page without a network'
echo 'set_link n0 on' >&3
since=$(now_ms)
await_page 60 || fail 'the page comes back with the network'
passed "the page came back $(seconds "$since") s after the network"

kill "$gateway"
wait "$gateway" || :
: >"$dir/gateway.log"
since=$(now_ms)
start_gateway "$port"
await_page 60 || fail 'the page comes back with the gateway'
passed "the page came back $(seconds "$since") s after the gateway"
echo "1..$count"
