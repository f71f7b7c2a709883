#!/bin/sh
# boot_parts.sh DIR: gets Debian's kernel for the Malta board and its static BusyBox, both mipsel,
# into DIR: vmlinuz, busybox, mii.ko, pcnet32.ko. With apt lists of its own; /etc/apt is only read.
set -eu
mkdir -p "$1"
dir=$(cd "$1" && pwd)
[ -f "$dir/vmlinuz" ] && [ -f "$dir/busybox" ] && [ -f "$dir/pcnet32.ko" ] && exit 0
apt=$dir/apt
mkdir -p "$apt/parts" "$apt/lists/partial" "$apt/cache/archives/partial"
: >"$apt/status"
code=$(. /etc/os-release && echo "${VERSION_CODENAME:-stable}")
# shellcheck disable=SC2016
apt-get indextargets --format '$(REPO_URI) $(RELEASE) $(COMPONENT)' 'Created-By: Packages' |
    awk -v code="$code" '$3 == "main" && $2 == code { print "deb [arch=mipsel]", $1, $2, $3 }' |
    sort -u >"$apt/parts/mipsel.list"
opts="-o Dir::Etc::sourcelist=/dev/null -o Dir::Etc::sourceparts=$apt/parts
      -o APT::Architecture=mipsel -o APT::Architectures::=mipsel -o APT::Sandbox::User=root
      -o Dir::State::status=$apt/status -o Dir::State::lists=$apt/lists -o Dir::Cache=$apt/cache"
# shellcheck disable=SC2086
{
    apt-get $opts -qq update >&2
    kernel=$(apt-cache $opts depends linux-image-4kc-malta |
        sed -n 's/.*Depends: \(linux-image-[0-9].*-4kc-malta\)$/\1/p' | head -n 1)
    (cd "$apt" && apt-get $opts -qq download "$kernel" busybox-static >&2)
}
for deb in "$apt"/*.deb; do
    dpkg-deb --extract "$deb" "$apt/tree"
done
cp "$apt"/tree/boot/vmlinu[xz]-* "$dir/vmlinuz"
cp "$apt/tree/bin/busybox" "$dir/busybox"
find "$apt/tree" -name mii.ko -exec cp {} "$dir/" \;
find "$apt/tree" -name pcnet32.ko -exec cp {} "$dir/" \;
rm -rf "$apt"
