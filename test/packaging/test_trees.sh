#!/bin/sh
# Buildroot's external tree under a stand-in for Buildroot, the Yocto recipe's tasks under one for
# BitBake, each asked for what it would run. ADIT_FULL=1 builds for real, a minute for each.
# shellcheck source=test/packaging/tap.sh disable=SC2016,SC2013,SC2317
. "$(dirname "$0")/tap.sh"
recipe=$(ls "$root"/board/yocto/meta-adit/recipes-*/adit/adit_*.bb)
version=$(sed -n 's/^#define ADIT_VERSION "\(.*\)"/\1/p' "$root/include/version.h")
cross=mips-linux-gnu-

# copy FOLDER: the tree, as rsync or BitBake's unpack would.
copy() {
    mkdir -p "$1"
    for part in Makefile LICENSE src include board scripts; do
        cp -R "$root/$part" "$1/"
    done
}

mkdir -p "$work/dl/adit-deps" "$work/bin"
printf '#!/bin/sh\necho "%s ${BEARSSL_SRC##*/} ${MUSL_SRC##*/} $*"\n' \
    'ADIT_SETUP=$ADIT_SETUP' >"$work/bin/make"
chmod +x "$work/bin/make"
maker=$work/bin/make
if [ -n "${ADIT_FULL:-}" ]; then
    maker=$(command -v make)
    # Unpacked ones do as well.
    ln -s "$(sh "$root/scripts/fetch.sh" bearssl)" "$work/dl/adit-deps/bearssl-0.6.tar.gz"
    ln -s "$(sh "$root/scripts/fetch.sh" musl)" "$work/dl/adit-deps/musl-1.2.3.tar.gz"
fi
installed() {
    (cd "$1" && find . -type f -printf '%m %P\n' | sort)
}
tree() {
    printf '%s\n' "$@" '644 etc/default/adit' '755 usr/bin/adit' '755 usr/libexec/adit-provision' |
        sort
}

# ---- Buildroot ----

copy "$work/br/adit"
cat >"$work/Makefile" <<MK
TARGET_DIR := $work/target
TARGET_CROSS := $cross
BR2_EXTERNAL_ADIT_PATH := $root/board/buildroot
BR2_PACKAGE_ADIT_BOARD := "mips_24kc"
DL_DIR := $work/dl
MK
cat >>"$work/Makefile" <<'MK'
qstrip = $(strip $(subst ",,$(1)))
packages :=
# Called at the end of NAME.mk: what lies under the name in capitals is complete.
generic-package = $(eval packages += $(basename $(notdir $(lastword $(MAKEFILE_LIST)))))
ADIT_DEPS_DL_DIR = $(DL_DIR)/adit-deps
include $(BR2_EXTERNAL_ADIT_PATH)/external.mk
show:
	@echo 'packages $(sort $(packages))'
	@echo 'version $(ADIT_VERSION) from $(ADIT_SITE_METHOD) $(ADIT_SITE)'
	@echo 'downloads $(ADIT_DEPS_SOURCE) $(notdir $(ADIT_DEPS_EXTRA_DOWNLOADS))'
%/.built:
	$(ADIT_BUILD_CMDS)
%/.installed-sysv:
	$(ADIT_INSTALL_TARGET_CMDS)
	$(ADIT_INSTALL_INIT_SYSV)
%/.installed-systemd:
	$(ADIT_INSTALL_TARGET_CMDS)
	$(ADIT_INSTALL_INIT_SYSTEMD)
MK
buildroot() {
    env -u MAKEFLAGS -u MFLAGS -u DESTDIR make --no-print-directory -C "$work" MAKE="$maker" \
        "$@" 2>&1
}
said=$(buildroot show)
has "$said" 'packages adit adit-deps' 'both packages are found'
has "$said" "version $version from local $root" 'the version and the source of this tree'
sums=$(cat "$root/board/buildroot/package/adit-deps/adit-deps.hash")
for file in $(echo "$said" | sed -n 's/^downloads //p'); do
    sum=$(echo "$sums" | sed -n "s/^sha256  \([0-9a-f]*\)  $file\$/\1/p")
    grep -q "${sum:-none}" "$root/scripts/fetch.sh"
    ok $? "$file is checked, with the sum that the tree knows"
done
for board in $(sed -n 's/^	default "\(.*\)" if .*/\1/p' \
    "$root/board/buildroot/package/adit/Config.in") \
    $(sed -n 's/^ADIT_BOARD.* ?= "\(.*\)"/\1/p' "$recipe"); do
    [ -f "$root/board/$board.mk" ] || echo "$board"
done >"$work/missing"
is "$(cat "$work/missing")" '' 'every board file that is named is there'
said=$(buildroot "$work/br/adit/.built" "$work/br/adit/.installed-sysv")
is $? 0 'build and installation'
if [ -n "${ADIT_FULL:-}" ]; then
    is "$(installed "$work/target")" "$(tree '755 etc/init.d/S60adit')" \
        'the target with BusyBox init'
    rm -r "$work/target"
    said=$(buildroot "$work/br/adit/.installed-systemd")
    is "$(installed "$work/target")" "$(tree '644 usr/lib/systemd/system/adit.service' \
        '644 usr/lib/sysusers.d/adit.conf')" 'the target with systemd'
else
    has "$said" 'ADIT_SETUP=no bearssl-0.6.tar.gz musl-1.2.3.tar.gz' 'nothing is fetched by itself'
    has "$said" "BOARD=mips_24kc CROSS=$cross LIBC=musl build/mips_24kc/adit" "Buildroot's compiler"
    has "$said" "DESTDIR=$work/target MAN=no install-busybox" 'the init script'
fi

# ---- Yocto ----

is "${recipe##*/}" "adit_$version.bb" 'the recipe has the version of the tree'
has "$(cat "$recipe")" "md5=$(md5sum <"$root/LICENSE" | cut -d ' ' -f 1)" 'and of its licence'
[ "$(cd "$(dirname "$recipe")/../../../../.." && pwd)" = "$root" ]
ok $? 'its search path is the tree'
count=0
for sum in $(sed -n 's/^SRC_URI\[.*sha256sum\] = "\(.*\)"/\1/p' "$recipe"); do
    grep -q "$sum" "$root/scripts/fetch.sh" && count=$((count + 1))
done
is $count 2 'the sums that the tree knows'
for part in $(sed -n 's/^ *file:\/\/\([^;]*\);.*/\1/p' "$recipe"); do
    [ -e "$root/$part" ] || echo "$part"
done >"$work/missing"
is "$(cat "$work/missing")" '' 'what it takes is there'

# The tasks are shell; ${NAME} of BitBake's is the shell's too, ${PN} and the like do not occur.
sed -n '/^[a-z_]*() {$/,/^}$/p' "$recipe" >"$work/tasks"
mkdir "$work/yocto"
copy "$work/yocto/adit"
ln -s "$work"/dl/adit-deps/* "$work/yocto/" 2>/dev/null
# task INIT NAME
task() {
    (
        set -eu
        oe_runmake() { env -u MAKEFLAGS "$maker" "$@"; }
        UNPACKDIR=$work/yocto B=$work/yocto/adit D=$work/image TARGET_PREFIX=$cross
        STAGING_DIR_TARGET=/ ADIT_BOARD=mips_24kc ADIT_INIT=$1 sysconfdir=/etc
        systemd_system_unitdir=/usr/lib/systemd/system
        export UNPACKDIR B D TARGET_PREFIX STAGING_DIR_TARGET ADIT_BOARD ADIT_INIT sysconfdir
        export systemd_system_unitdir
        # shellcheck source=/dev/null
        . "$work/tasks"
        "$2"
    ) 2>&1
}
if [ -n "${ADIT_FULL:-}" ]; then
    task busybox do_compile >"$work/said" && task busybox do_install >>"$work/said"
    is $? 0 'build and installation'
    manual='644 usr/share/man/man1/adit-gateway.1
644 usr/share/man/man1/adit.1'
    is "$(installed "$work/image")" "$(tree "$manual" '755 etc/init.d/adit')" 'the image'
    rm -r "$work/image"
    task systemd do_install >>"$work/said"
    is "$(installed "$work/image")" "$(tree "$manual" '644 usr/lib/systemd/system/adit.service' \
        '644 usr/lib/sysusers.d/adit.conf')" 'the image with systemd'
else
    said=$(task systemd do_compile; task systemd do_install)
    has "$said" "ADIT_SETUP=no bearssl-0.6.tar.gz musl-1.2.3.tar.gz -C $work/yocto/adit" \
        'nothing is fetched by itself'
    has "$said" "BOARD=mips_24kc CROSS=$cross CC=$work/yocto/adit/target-cc LIBC=musl" \
        "the recipe's compiler"
    has "$said" "install DESTDIR=$work/image INIT=systemd" 'the installation'
fi
done_testing
