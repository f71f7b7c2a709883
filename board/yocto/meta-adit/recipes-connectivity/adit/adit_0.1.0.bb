SUMMARY = "HTTP tunnel agent for devices"
DESCRIPTION = "Serves a local web server through a TLS tunnel to a gateway. One static program \
of about 120 KB without dependencies; it brings its own C library."
SECTION = "net"
LICENSE = "MIT"
LIC_FILES_CHKSUM = "file://LICENSE;md5=f8a99aef0ee3c5b51e2484554ff5d676"

# The layer lies in adit's source tree and builds that. Releases before 5.1 have no UNPACKDIR.
FILESEXTRAPATHS:prepend := "${THISDIR}/../../../../..:"
UNPACKDIR ?= "${WORKDIR}"
SRC_URI = " \
    file://Makefile;subdir=adit \
    file://LICENSE;subdir=adit \
    file://src;subdir=adit \
    file://include;subdir=adit \
    file://board;subdir=adit \
    file://scripts;subdir=adit \
    https://www.bearssl.org/bearssl-0.6.tar.gz;name=bearssl;unpack=0 \
    https://musl.libc.org/releases/musl-1.2.3.tar.gz;name=musl;unpack=0 \
"
# The same as in scripts/fetch.sh
SRC_URI[bearssl.sha256sum] = "6705bba1714961b41a728dfc5debbe348d2966c117649392f8c8139efc83ff14"
SRC_URI[musl.sha256sum] = "7d5b0b6062521e4627e099e4c9dc8248d32a30285e959b7eecaa780cf8cfd4a4"
S = "${UNPACKDIR}/adit"
B = "${S}"

# The file in board/ that has the flags for the processor.
COMPATIBLE_HOST = "(x86_64|i.86|aarch64|arm|mips|mipsel|powerpc|riscv64)-.*-linux.*"
ADIT_BOARD:x86-64 ?= "x86_64"
ADIT_BOARD:x86 ?= "i386_pentium4"
ADIT_BOARD:aarch64 ?= "aarch64_cortex-a53"
ADIT_BOARD:arm ?= "arm_arm926ej-s"
ADIT_BOARD:armv7ve ?= "arm_cortex-a7"
ADIT_BOARD:mips ?= "mips_24kc"
ADIT_BOARD:mipsel ?= "mipsel_24kc"
ADIT_BOARD:powerpc ?= "powerpc_464fp"
ADIT_BOARD:riscv64 ?= "riscv64"
ADIT_INIT = "${@bb.utils.contains('DISTRO_FEATURES', 'systemd', 'systemd', 'busybox', d)}"

inherit useradd update-rc.d systemd
USERADD_PACKAGES = "${PN}"
USERADD_PARAM:${PN} = "--system --user-group --no-create-home --home-dir /nonexistent \
    --shell /bin/false adit"
INITSCRIPT_NAME = "adit"
INITSCRIPT_PARAMS = "defaults 60"
SYSTEMD_SERVICE:${PN} = "adit.service"
RDEPENDS:${PN} = "ca-certificates"

# The compiler by one word, and with the sysroot that holds its runtime library. The flags of the
# distribution's C library are none of ours.
adit_make() {
    printf '#!/bin/sh\nexec %sgcc --sysroot=%s "$@"\n' \
        "${TARGET_PREFIX}" "${STAGING_DIR_TARGET}" > ${B}/target-cc
    chmod +x ${B}/target-cc
    ADIT_SETUP=no BEARSSL_SRC=${UNPACKDIR}/bearssl-0.6.tar.gz \
    MUSL_SRC=${UNPACKDIR}/musl-1.2.3.tar.gz \
    oe_runmake -C ${B} BOARD=${ADIT_BOARD} CROSS=${TARGET_PREFIX} CC=${B}/target-cc \
        LIBC=musl "$@"
}

do_configure[noexec] = "1"

do_compile() {
    adit_make build/${ADIT_BOARD}/adit
}

do_install() {
    adit_make install DESTDIR=${D} INIT=${ADIT_INIT} unitdir=${systemd_system_unitdir}
    if [ ${ADIT_INIT} = busybox ]; then
        mv ${D}${sysconfdir}/init.d/S60adit ${D}${sysconfdir}/init.d/adit
    fi
}

CONFFILES:${PN} = "${sysconfdir}/default/adit"
FILES:${PN} += "${systemd_system_unitdir} ${nonarch_libdir}/sysusers.d ${datadir}/udhcpc \
    ${nonarch_libdir}/NetworkManager ${nonarch_libdir}/networkd-dispatcher"
# Linked and stripped by its own rules.
INHIBIT_PACKAGE_STRIP = "1"
INHIBIT_PACKAGE_DEBUG_SPLIT = "1"
INSANE_SKIP:${PN} = "already-stripped ldflags"
