#!/bin/sh
# OpenWrt's init script run by BusyBox's shell, with stand-ins for UCI and procd that write down
# what they are asked; the feed package's Makefile with stand-ins for OpenWrt's; both packages.
# shellcheck source=test/packaging/tap.sh disable=SC2016,SC1090,SC2209
. "$(dirname "$0")/tap.sh"
build=$root/${ADIT_BUILD:-build/host}
case ${ADIT_BUILD:-} in /*) build=$ADIT_BUILD ;; esac
files=$root/board/openwrt/adit/files
# The programs of this machine, for make and tar; the script under test gets BusyBox's.
machine=$PATH
busybox_only
mkdir -p "$work/etc"
asked=$work/asked

# ---- UCI and procd ----

cat >"$work/stubs" <<'STUBS'
# A configuration of `config TYPE 'NAME'`, `option NAME 'VALUE'`, `list NAME 'VALUE'`.
config_load() {
    # shellcheck disable=SC2046
    unset $(set | sed -n 's/^\(uci_[a-z_0-9]*\)=.*/\1/p')
    sections=
    section=
    while read -r word name value; do
        value=${value#\'}; value=${value%\'}; name=${name#\'}; name=${name%\'}
        case $word in
        config) section=$value; sections="$sections $section" ;;
        option) eval "uci_${section}_$name=\$value" ;;
        list)
            name=uci_${section}_$name
            eval "$name=\"\${$name:+\$$name }\$value\"" ;;
        esac
    done <"$work/etc/$1"
}
config_foreach() {
    function=$1
    shift 2
    for section in $sections; do "$function" "$section" "$@"; done
}
config_get() {
    eval "$1=\${uci_$2_$3:-\${4:-}}"
}
config_get_bool() {
    config_get "$@"
    eval "case \$$1 in 1 | on | true | yes | enabled) $1=1 ;; *) $1=0 ;; esac"
}
for function in open_instance close_instance set_param append_param add_jail add_jail_mount \
    add_jail_mount_rw add_reload_trigger send_signal; do
    eval "procd_$function() { write_down $function \"\$@\"; }"
done
write_down() {
    printf '%s' "$1" >>"$asked"
    shift
    for word; do printf ' [%s]' "$word" >>"$asked"; done
    echo >>"$asked"
}
logger() { echo "$*" >>"$work/syslog"; }
chown() { echo "$*" >>"$work/chowned"; }
start() { start_service; }
stop() { echo stopped >>"$asked"; }
restart() { echo restarted >>"$asked"; }
STUBS

. "$work/stubs"
sed "s|/sbin/ujail|$work/ujail|" "$files/adit.init" >"$work/adit.init"
. "$work/adit.init"
touch "$work/ujail" "$work/syslog"
chmod +x "$work/ujail"

# config SECTION_LINES...: what /etc/config/adit says.
config() {
    printf '%s\n' "$@" >"$work/etc/adit"
    : >"$asked"
}
asked_for() {
    has "$(cat "$asked")" "$1" "$2"
}
not_asked_for() {
    ! grep -q "$1" "$asked"
    ok $? "$2"
}

cp "$files/adit.config" "$work/etc/adit"
: >"$asked"
start_service
is "$(cat "$asked")" '' 'the configuration as installed starts nothing'
service_triggers
is "$(cat "$asked")" 'add_reload_trigger [adit]' 'but follows its changes'

echo tok >"$work/token"
config "config adit 'main'" "option enabled '1'" "option url 'wss://a.example/_adit'" \
    "option token_file '$work/token'" "option base_delay '2s'" "option local '192.168.1.1:80'"
start_service
asked_for 'open_instance [main]' 'one instance for a section'
asked_for 'set_param [command] [/usr/bin/adit]' 'the agent'
asked_for "set_param [env] [ADIT_TOKEN_FILE=$work/token]" 'the token by its file'
asked_for 'append_param [command] [--url] [wss://a.example/_adit]' 'the gateway'
asked_for 'append_param [env] [ADIT_BASE_DELAY=2s]' 'options in the environment'
asked_for 'set_param [term_timeout] [15]' 'open requests have their time'
asked_for 'set_param [respawn] [3600] [5] [0]' 'started again for ever'
asked_for 'set_param [user] [adit]' 'not root'
asked_for 'set_param [no_new_privs] [1]' 'and never again'
asked_for 'set_param [stderr] [1]' 'its lines go to the log'
asked_for "set_param [file] [$work/token]" 'a new token is noticed'
asked_for 'add_jail [adit-main] [log]' 'in a jail'
asked_for "add_jail_mount [$work/token]" 'that has the token'
asked_for 'add_jail_mount [/etc/resolv.conf]' 'and the name servers'
not_asked_for 'nonexistent\|\[\]' 'and nothing that is not there'
is "$(stat -c %a "$work/token") $(cat "$work/chowned")" "600 adit $work/token" \
    'a token written by hand is made private'

# ---- a line that comes up ----

RESOLV_CONF=$work/etc/resolv.conf
echo 'nameserver 127.0.0.1' >"$RESOLV_CONF"
: >"$asked"
now wan
is "$(cat "$asked")" 'send_signal [adit] [main] [USR2]' 'wan comes up: the agent is told'
: >"$asked"
now lan
is "$(cat "$asked")" '' 'another line is none of its'
now ''
is "$(cat "$asked")" 'send_signal [adit] [main] [USR2]' 'somebody says that the network has changed'
echo 'nameserver 192.0.2.1' >"$RESOLV_CONF"
now wan
is "$(tail -n 1 "$asked")" restarted 'name servers that the jail cannot see: a new agent'
: >"$asked"
now lan
is "$(cat "$asked")" '' 'not for another line'
echo 'nameserver 127.0.0.1' >"$RESOLV_CONF"
printf '#!/bin/sh\necho "init $*" >>"%s"\n' "$asked" >"$work/init"
chmod +x "$work/init"
hotplug() {
    env INIT="$work/init" ACTION="$1" INTERFACE="$2" sh "$files/adit.hotplug"
}
hotplug ifup wan
is "$? $(cat "$asked")" '0 init now wan' 'what the system calls for that'
hotplug ifdown wan
is "$? $(grep -c init "$asked")" '0 1' 'but for nothing else'

config "config adit 'main'" "option enabled '1'" "option url 'wss://a.example/_adit'" \
    "option token_file '$work/token'" "option local 'unix:/var/run/app/http.sock'" \
    "option id_from 'file:$work/serial'" "option state '$work/state/time'" \
    "list pin 'sha256:one='" "list pin 'sha256:two='" \
    "list goaway_host 'gw2.example'" "list url 'wss://c.example/_adit'" \
    "option client_cert '$work/client.pem'" "option client_key '$work/client.key'" \
    "option user 'nobody'" "list interface 'wan'" "list interface 'wwan'" \
    "config adit 'second'" "option enabled '1'" "option url 'wss://b.example/_adit'" \
    "option token_file '$work/token'" "option jail '0'" \
    "config adit 'third'" "option enabled '1'" "option url 'wss://b.example/_adit'" \
    "option token_file '$work/token'" "option id_from 'mac:eth0'"
touch "$work/serial" "$work/client.pem" "$work/client.key"
chmod 644 "$work/client.key"
start_service
now wwan
is "$(sed -n 's/^open_instance //p' "$asked" | tr -d '\n')" '[main][second][third]' \
    'three tunnels'
asked_for 'set_param [user] [nobody]' 'another user'
asked_for 'add_jail_mount [/var/run/app]' 'the folder of a unix socket'
is "$(sed -n 's/^append_param \[command\] \[--url\] //p' "$asked" | tr -d '\n')" \
    '[wss://a.example/_adit][wss://c.example/_adit][wss://b.example/_adit][wss://b.example/_adit]' \
    'several gateways, in order'
is "$(grep -c 'append_param \[command\] \[--pin\] \[sha256:[onetw]*=\]' "$asked")" 2 'both pins'
asked_for 'append_param [command] [--goaway-host] [gw2.example]' 'where a gateway may send us'
asked_for "append_param [env] [ADIT_STATE=$work/state/time]" 'the memory of the time'
asked_for "add_jail_mount_rw [$work/state]" 'in a folder that can be written'
[ -d "$work/state" ] && grep -q "^nobody $work/state\$" "$work/chowned"
ok $? 'and belongs to the agent'
asked_for "add_jail_mount [$work/serial]" 'the file of the identity'
asked_for "add_jail_mount [$work/client.pem]" 'its certificate'
asked_for "add_jail_mount [$work/client.key]" 'and key'
asked_for "append_param [env] [ADIT_CLIENT_KEY=$work/client.key]" 'the key by its file'
is "$(stat -c %a "$work/client.key") $(grep -c "^nobody $work/client.key\$" "$work/chowned")" '600 1' \
    'which is made private'
asked_for "set_param [file] [$work/token] [$work/client.pem] [$work/client.key]" 'a new one is noticed'
asked_for 'add_jail [adit-third] [log] [sysfs]' 'the addresses of interfaces'
is "$(grep -c 'add_jail ' "$asked")" 2 'no jail where none is wanted'
is "$(sed -n 's/^send_signal //p' "$asked")" '[adit] [main] [USR2]' 'several interfaces'
: >"$asked"
now wan
is "$(sed -n 's/^send_signal //p' "$asked" | tr -d '\n')" \
    '[adit] [main] [USR2][adit] [second] [USR2][adit] [third] [USR2]' 'and several agents'

config "config adit 'main'" "option enabled '1'" "option url 'wss://a.example/_adit'" \
    "option token_file '$work/none'" "option id_from 'mac:eth0'"
start_service
asked_for "[/usr/libexec/adit-provision] [$work/none] [adit]" 'without a token: the hook'
asked_for '&& exec /etc/init.d/adit reload' 'then the agent'
asked_for 'set_param [respawn] [3600] [30] [0]' 'again and again'
asked_for 'set_param [env] [ADIT_ID_FROM=mac:eth0]' 'with an identity'
not_asked_for '/usr/bin/adit' 'and no agent yet'
is "$(grep -c open_instance "$asked")" "$(grep -c close_instance "$asked")" 'instances are closed'

printf '\000\000\n' >"$work/none"
config "config adit 'main'" "option enabled '1'" "option url 'wss://a.example/_adit'" \
    "option token_file '$work/none'"
start_service
asked_for "[/usr/libexec/adit-provision] [$work/none] [adit]" 'with a damaged token, too'

config "config adit 'main'" "option enabled '1'" "option token_file '$work/token'"
start_service
is "$(cat "$asked")" '' 'no url, no instance'
has "$(cat "$work/syslog")" 'section main has no url' 'and a line about it'

config "config adit 'main'" "option enabled '1'" "option url 'wss://a.example/_adit'" \
    "option token_file '$work/token'" "option state '$work/state/time'"
touch "$work/state/time"
reset
is "$(head -n 1 "$asked") $(ls "$work/token" "$work/state" 2>/dev/null)" "stopped $work/state:" \
    'reset forgets the token, and the time'
asked_for adit-provision 'and starts over'

PATH=$machine
# ---- every option of the agent, and no other ----

"$build/adit" --help | sed -n 's/^  --\([a-z-]*\).*/\1/p' | tr - _ |
    grep -vx 'version\|help\|token\|user\|chroot' | sort >"$work/agent"
# shellcheck disable=SC2086
printf '%s\n' token_file $OPTIONS $LISTS | sort >"$work/uci"
# An agent made with MTLS=no.
grep -q client_cert "$work/agent" || sed -i '/^client_/d' "$work/uci"
is "$(diff "$work/agent" "$work/uci")" '' 'UCI has the options of --help'

# ---- the feed package ----

mkdir -p "$work/top/include" "$work/dl" "$work/fake"
cat >"$work/top/rules.mk" <<MK
INCLUDE_DIR := $work/top/include
PKG_BUILD_DIR = $work/build/\$(PKG_NAME)-\$(PKG_VERSION)
DL_DIR := $work/dl
ARCH_PACKAGES ?= mips_24kc
TARGET_CROSS := mips-linux-gnu-
CP := cp -fpR
INSTALL_DIR := install -d -m0755
INSTALL_BIN := install -m0755
INSTALL_CONF := install -m0600
INSTALL_DATA := install -m0644
MK
cat >"$work/top/include/package.mk" <<'MK'
define Download
$(eval $(Download/$(1)))
$(info download $(1): $(FILE) $(HASH))
endef
define BuildPackage
prepare:
	$(value Build/Prepare)
compile: prepare
	$(value Build/Compile)
install: compile
	$(call Package/$(1)/install,$(DESTDIR))
endef
MK
# The real thing takes a minute for each board (ADIT_FULL=1); otherwise this stands in for it.
cat >"$work/fake/make" <<'MAKE'
#!/bin/sh
echo "ADIT_SETUP=$ADIT_SETUP ${BEARSSL_SRC##*/} ${MUSL_SRC##*/} $*"
for word; do :; done
mkdir -p "$2/${word%/*}"
echo program >"$2/$word"
MAKE
chmod +x "$work/fake/make"
maker=$work/fake/make
if [ -n "${ADIT_FULL:-}" ]; then
    maker=make
    ln -s "$(BEARSSL_SRC='' sh "$root/scripts/fetch.sh" bearssl)" "$work/dl/bearssl-0.6.tar.gz"
    ln -s "$(MUSL_SRC='' sh "$root/scripts/fetch.sh" musl)" "$work/dl/musl-1.2.3.tar.gz"
fi
feed() {
    env -u MAKEFLAGS -u MFLAGS make --no-print-directory -C "$root/board/openwrt/adit" \
        TOPDIR="$work/top" DESTDIR="$work/root" MAKE="$maker" "$@" 2>&1
}
out=$(feed install)
is $? 0 'the feed package is built and installed'
sums=$(cat "$root/scripts/fetch.sh")
for sum in $(echo "$out" | sed -n 's/^download .* \([0-9a-f]*\)$/\1/p'); do
    has "$sums" "$sum" 'a download with the sum that the tree knows'
done
if [ -z "${ADIT_FULL:-}" ]; then
    has "$out" 'ADIT_SETUP=no bearssl-0.6.tar.gz musl-1.2.3.tar.gz' 'nothing is fetched by itself'
    has "$out" 'BOARD=mips_24kc CROSS=mips-linux-gnu- LIBC=musl' "with the SDK's compiler"
    out=$(feed compile ARCH_PACKAGES=arm_cortex-a7_neon-vfpv4)
    has "$out" 'BOARD=arm_cortex-a7 ' 'a variant of a processor that has a board file'
fi
out=$(feed compile ARCH_PACKAGES=vax_780)
has "$out" 'write board/vax_780.mk' 'an architecture without a board file: what to do'

# ---- the opkg package: the same files, the same bytes every time ----

echo program >"$work/adit"
ipk() {
    (cd "$root" && SOURCE_DATE_EPOCH=1700000000 sh scripts/ipk.sh 1.2 mips_24kc "$work/adit" "$1")
}
ipk "$work/one" >/dev/null
is $? 0 'ipk.sh'
touch -d '2001-01-01' "$work/adit"
(umask 077; ipk "$work/two" >/dev/null)
cmp -s "$work/one/adit_1.2-1_mips_24kc.ipk" "$work/two/adit_1.2-1_mips_24kc.ipk"
ok $? 'two packages of the same program are the same'
is "$(ls "$work/two")" adit_1.2-1_mips_24kc.ipk 'nothing else is left'
mkdir "$work/package" "$work/control" "$work/data"
tar -C "$work/package" -xzf "$work/one/adit_1.2-1_mips_24kc.ipk"
is "$(cat "$work/package/debian-binary")" 2.0 'its format'
tar -C "$work/control" -xzf "$work/package/control.tar.gz"
tar -C "$work/data" -xzpf "$work/package/data.tar.gz"
control=$(cat "$work/control/control")
for line in 'Package: adit' 'Version: 1.2-1' 'Architecture: mips_24kc' \
    "$(sed -n 's/^ *USERID:=/Require-User: /p' "$root/board/openwrt/adit/Makefile")"; do
    has "$control" "$line" "$line"
done
tree() {
    (cd "$1" && find . ! -type d ! -name adit -printf '%p %m\n' -o -path ./usr/bin/adit \
        -printf '%p %m\n' -o -path ./etc/init.d/adit -printf '%p %m\n' -o \
        -path ./etc/config/adit -printf '%p %m\n' -o -type d -printf '%p\n' | sort)
}
is "$(tree "$work/data")" "$(tree "$work/root")" 'the files of the feed package, with their modes'
is "$(tar -tvzf "$work/package/data.tar.gz" | awk '{ print $2, $4 }' | sort -u | wc -l)" 1 \
    'one owner, one time'
done_testing
