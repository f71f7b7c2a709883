################################################################################
#
# adit
#
################################################################################

# The external tree lies in adit's source tree and builds that.
ADIT_SITE = $(abspath $(BR2_EXTERNAL_ADIT_PATH)/../..)
ADIT_SITE_METHOD = local
ADIT_VERSION = $(shell sed -n 's/^.define ADIT_VERSION "\(.*\)"/\1/p' \
	$(ADIT_SITE)/include/version.h)
ADIT_OVERRIDE_SRCDIR_RSYNC_EXCLUSIONS = --exclude /build
ADIT_LICENSE = MIT
ADIT_LICENSE_FILES = LICENSE
ADIT_DEPENDENCIES = adit-deps

ADIT_BOARD = $(call qstrip,$(BR2_PACKAGE_ADIT_BOARD))
ADIT_MAKE = ADIT_SETUP=no \
	BEARSSL_SRC=$(ADIT_DEPS_DL_DIR)/$(ADIT_DEPS_SOURCE) \
	MUSL_SRC=$(ADIT_DEPS_DL_DIR)/$(ADIT_DEPS_MUSL) \
	$(MAKE) -C $(@D) BOARD=$(ADIT_BOARD) CROSS="$(TARGET_CROSS)" LIBC=musl
ADIT_INSTALL = $(ADIT_MAKE) DESTDIR="$(TARGET_DIR)" MAN=no

define ADIT_USERS
	adit -1 adit -1 * - - - HTTP tunnel agent
endef

define ADIT_BUILD_CMDS
	$(ADIT_MAKE) build/$(ADIT_BOARD)/adit
endef

define ADIT_INSTALL_TARGET_CMDS
	$(ADIT_INSTALL) INIT=no install
endef

define ADIT_INSTALL_INIT_SYSV
	$(ADIT_INSTALL) install-busybox
endef

define ADIT_INSTALL_INIT_SYSTEMD
	$(ADIT_INSTALL) install-systemd
endef

$(eval $(generic-package))
