#!/bin/sh
# fetch.sh bearssl|musl: prints the directory that holds the source, after getting it if need be.
# In this order: $BEARSSL_SRC or $MUSL_SRC (a directory or a tarball), the cache, Debian's source
# package, upstream's tarball. All but a directory of yours is checked against the SHA-256 below.
set -eu
cache=${ADIT_CACHE:-build/src}

# Debian's BearSSL tarball is upstream's without a prebuilt program (T0Comp.exe), hence two sums;
# Debian's musl tarball is upstream's. Neither package patches what we build.
case ${1:-} in
bearssl)
    dir=bearssl-0.6 own=${BEARSSL_SRC:-} url=https://www.bearssl.org/bearssl-0.6.tar.gz
    sums='102a625bd8f6155260867a50c508df8d8c3f796985dd744df1a68e5cd1a79004
          6705bba1714961b41a728dfc5debbe348d2966c117649392f8c8139efc83ff14' ;;
musl)
    dir=musl-1.2.3 own=${MUSL_SRC:-} url=https://musl.libc.org/releases/musl-1.2.3.tar.gz
    sums=7d5b0b6062521e4627e099e4c9dc8248d32a30285e959b7eecaa780cf8cfd4a4 ;;
*)  echo 'fetch.sh: say bearssl or musl' >&2; exit 2 ;;
esac
say() { echo "fetch: $*" >&2; }

# check FILE: is it one of the pinned tarballs?
check() {
    sum=$(sha256sum "$1" | cut -d ' ' -f 1)
    for good in $sums; do
        [ "$sum" = "$good" ] && return 0
    done
    say "$1 is not the $dir we know: its SHA-256 is $sum, expected one of:" $sums
    return 1
}

# unpack FILE: into the cache, visible under its name only when complete.
unpack() {
    [ -f "$1" ] || { say "$1: no such file"; exit 1; }
    check "$1" || exit 1
    tmp=$(mktemp -d "$cache/unpack.XXXXXX")
    tar --no-same-owner -xf "$1" -C "$tmp"
    rm -rf "${cache:?}/$dir"
    mv "$tmp"/*/ "$cache/$dir"
    rm -rf "$tmp"
}

# Our own lists with deb-src lines for this machine's release and mirror: /etc/apt stays as it is.
from_debian() {
    command -v apt-get >/dev/null || return 1
    tmp=$(cd "$(mktemp -d "$cache/apt.XXXXXX")" && pwd)
    mkdir -p "$tmp/parts" "$tmp/lists/partial" "$tmp/cache/archives/partial"
    code=$(. /etc/os-release && echo "${VERSION_CODENAME:-stable}")
    # shellcheck disable=SC2016
    apt-get indextargets --format '$(REPO_URI) $(RELEASE) $(COMPONENT)' 'Created-By: Packages' |
        awk -v code="$code" '$3 == "main" && $2 == code { print "deb-src", $1, $2, $3 }' |
        sort -u >"$tmp/parts/src.list"
    opts="-o Dir::Etc::sourcelist=/dev/null -o Dir::Etc::sourceparts=$tmp/parts
          -o Dir::State::lists=$tmp/lists -o Dir::Cache=$tmp/cache -o APT::Sandbox::User=root"
    # shellcheck disable=SC2086
    if [ -s "$tmp/parts/src.list" ] && apt-get $opts -qq update >&2 &&
        (cd "$tmp" && apt-get $opts -qq source --download-only "$1" >&2); then
        found=$(ls "$tmp"/*.orig.tar.?z)
        check "$found" && mv "$found" "$cache/" && found=$cache/${found##*/}
    fi
    rm -rf "$tmp"
    [ -n "${found:-}" ] && [ -f "$found" ] && unpack "$found"
}

from_upstream() {
    file=$cache/${url##*/}
    say "getting $url"
    curl -fsSL --max-time 120 -o "$file.part" "$url" && mv "$file.part" "$file" && unpack "$file"
}

mkdir -p "$cache"
if [ -n "$own" ] && [ -d "$own" ]; then
    (cd "$own" && pwd)
    exit
fi
# Several makes may want the source at once; one gets it, the others wait.
exec 9>"$cache/$dir.lock"
flock 9
if [ -n "$own" ]; then
    unpack "$own"
elif [ ! -d "$cache/$dir" ]; then
    say "$dir: Debian's source package"
    from_debian "$1" || from_upstream || {
        say "no source of $dir: name its tarball or folder in $(echo "$1" | tr a-z A-Z)_SRC"
        exit 1
    }
fi
(cd "$cache/$dir" && pwd)
