################################################################################
#
# adit-deps
#
################################################################################

# Packages with a local source download nothing, so this one does it for adit.
ADIT_DEPS_VERSION = 0.6
ADIT_DEPS_SITE = https://www.bearssl.org
ADIT_DEPS_SOURCE = bearssl-$(ADIT_DEPS_VERSION).tar.gz
ADIT_DEPS_MUSL = musl-1.2.3.tar.gz
ADIT_DEPS_EXTRA_DOWNLOADS = https://musl.libc.org/releases/$(ADIT_DEPS_MUSL)
ADIT_DEPS_LICENSE = MIT
ADIT_DEPS_LICENSE_FILES = LICENSE.txt

$(eval $(generic-package))
