#!/bin/sh
# setup.sh [build] [boards] [every-board] [boot] [test] [net] [bench] [fuzz] [lint] [coverage]
# [cost]: installs with apt what these need and is missing.
# Without a word: build boards test. Says what it does, and does nothing when nothing is missing.
# ADIT_SETUP=no: nothing at all, for builds inside somebody else's build system.
set -eu
[ "${ADIT_SETUP:-}" != no ] || exit 0
[ $# -gt 0 ] || set -- build boards test

packages() {
    case $1 in
    build)  echo gcc make binutils libc6-dev patch tar xz-utils curl ca-certificates ;;
    boards) echo gcc-mips-linux-gnu qemu-user-static ;;
    every-board)
            echo gcc-i686-linux-gnu gcc-arm-linux-gnueabi gcc-aarch64-linux-gnu gcc-mips-linux-gnu \
                 gcc-mipsel-linux-gnu gcc-powerpc-linux-gnu gcc-riscv64-linux-gnu qemu-user-static \
                 python3 ;;
    boot)   echo qemu-system-mips cpio gzip ;;
    test)   echo busybox curl openssl perl procps python3 python3-pytest python3-pytest-xdist \
                 python3-websockets nginx-light haproxy shellcheck mandoc groff-base strace \
                 iproute2 util-linux ;;
    net)    echo iproute2 util-linux nftables conntrack ;;
    bench)  echo haproxy wrk nginx-light openssh-client openssh-server curl iproute2 \
                 util-linux ;;
    lint)   echo cppcheck clang-format-14 clang-tidy-14 shellcheck pyflakes3 mandoc ;;
    coverage) echo gcovr ;;
    cost)   echo valgrind strace ;;
    fuzz)   echo clang-14 libclang-rt-14-dev ;;
    *)      echo "setup: no group '$1' (there are build boards every-board boot test net bench" \
                "lint coverage fuzz cost)" >&2
            return 1 ;;
    esac
}

want=
for group; do
    want="$want $(packages "$group")" || exit 2
done
# shellcheck disable=SC2086,SC2016
have=$(dpkg-query -W -f '${db:Status-Abbrev} ${Package}\n' $want 2>/dev/null |
    awk '$1 == "ii" { printf " %s ", $2 }')
missing=
for package in $want; do
    case "$have $missing " in *" $package "*) ;; *) missing="$missing $package" ;; esac
done
[ -n "$missing" ] || exit 0

sudo=
if [ "$(id -u)" != 0 ]; then
    sudo='sudo -n'
    $sudo true 2>/dev/null || { echo "setup: as root, run: apt-get install$missing" >&2; exit 1; }
fi
echo "setup: installing$missing" >&2
export DEBIAN_FRONTEND=noninteractive
$sudo apt-get -qq update >&2
# shellcheck disable=SC2086
$sudo apt-get -qq -y --no-install-recommends install $missing >&2
