#!/bin/sh
# ipk.sh VERSION ARCHITECTURE BINARY FOLDER: an opkg package of the agent for OpenWrt, the same
# files as the feed's package (board/openwrt). The same input gives the same bytes.
set -eu
umask 022
export LC_ALL=C
version=$1-1 architecture=$2 binary=$3 folder=$4
files=board/openwrt/adit/files
name=adit_${version}_$architecture.ipk
mkdir -p "$folder"
tmp=$(mktemp -d "$folder/ipk.XXXXXX")
trap 'rm -rf "$tmp"' EXIT

# pack FOLDER FILE...: a tar of what lies there, with nothing of this machine or this hour in it.
pack() {
    from=$1
    shift
    tar -C "$from" --format=gnu --sort=name --mtime="@$SOURCE_DATE_EPOCH" --owner=0 --group=0 \
        --numeric-owner -cf - "$@" | gzip -9n
}

mkdir -p "$tmp/data" "$tmp/control"
install -D -m 755 "$binary" "$tmp/data/usr/bin/adit"
install -D -m 755 board/init/adit-provision "$tmp/data/usr/libexec/adit-provision"
install -D -m 755 $files/adit.init "$tmp/data/etc/init.d/adit"
install -D -m 600 $files/adit.config "$tmp/data/etc/config/adit"
install -D -m 644 $files/adit.hotplug "$tmp/data/etc/hotplug.d/iface/90-adit"
install -D -m 644 $files/adit.keep "$tmp/data/lib/upgrade/keep.d/adit"
install -d -m 755 "$tmp/data/etc/adit"

cat >"$tmp/control/control" <<CONTROL
Package: adit
Version: $version
Depends: libc
Section: net
Architecture: $architecture
Installed-Size: $(find "$tmp/data" -type f -exec cat {} + | wc -c)
License: MIT
Require-User: adit=7480:adit=7480
Description: Serves a local web server through a TLS tunnel to a gateway.
CONTROL
echo /etc/config/adit >"$tmp/control/conffiles"
# What the build system gives every package: users, links in rc.d, start and stop.
for step in postinst prerm; do
    cat >"$tmp/control/$step" <<STEP
#!/bin/sh
[ "\${IPKG_NO_SCRIPT}" = 1 ] && exit 0
[ -s "\${IPKG_INSTROOT}/lib/functions.sh" ] || exit 0
. "\${IPKG_INSTROOT}/lib/functions.sh"
default_$step "\$0" "\$@"
STEP
    chmod 755 "$tmp/control/$step"
done
pack "$tmp/control" . >"$tmp/control.tar.gz"
pack "$tmp/data" . >"$tmp/data.tar.gz"
echo 2.0 >"$tmp/debian-binary"
pack "$tmp" ./debian-binary ./data.tar.gz ./control.tar.gz >"$tmp/$name"
mv "$tmp/$name" "$folder/$name"
echo "$folder/$name"
