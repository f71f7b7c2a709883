# make install BOARD=X DESTDIR=ROOT: the agent as a service. INIT=busybox (the preset), systemd or
# no; MAN=no leaves out the manual. make install-gateway: the gateway with its systemd unit.
# make ipk BOARD=X: the opkg package for OpenWrt. make packages: that of every board.
prefix  ?= /usr
unitdir ?= $(prefix)/lib/systemd/system
DESTDIR ?=
INIT    ?= busybox
MAN     ?= yes
VERSION := $(shell sed -n 's/^\#define ADIT_VERSION "\(.*\)"/\1/p' include/version.h)
# Times inside packages: the last commit's, or the newest release's where there is no git.
SOURCE_DATE_EPOCH ?= $(shell git log -1 --format=%ct 2>/dev/null || date -r CHANGES +%s)
PACKAGES := $(OUT)/packages
# The development machine's files are x86_64's, or for tests only.
PACKAGE_BOARDS ?= $(filter-out host host-%,$(notdir $(basename $(wildcard board/*.mk))))

put = install -D -m $(1) $(2) '$(DESTDIR)$(3)'
install: $(B)/adit install-$(INIT) $(if $(filter no,$(MAN)),,install-man)
	$(Q)$(call put,755,$<,$(prefix)/bin/adit)
install-service:
	$(Q)$(call put,755,board/init/adit-provision,$(prefix)/libexec/adit-provision)
	$(Q)$(call put,644,board/init/adit.default,/etc/default/adit)
	$(Q)install -d -m 755 '$(DESTDIR)/etc/adit'
install-busybox: install-service
	$(Q)$(call put,755,board/init/S60adit,/etc/init.d/S60adit)
	$(Q)$(call put,755,board/init/udhcpc-adit,$(prefix)/share/udhcpc/default.script.d/adit)
install-systemd: install-service
	$(Q)$(call put,644,board/systemd/adit.service,$(unitdir)/adit.service)
	$(Q)$(call put,644,board/systemd/adit.sysusers,$(prefix)/lib/sysusers.d/adit.conf)
	$(Q)$(call put,755,board/systemd/adit-online,$(prefix)/lib/NetworkManager/dispatcher.d/90-adit)
	$(Q)$(call put,755,board/systemd/adit-online,$(prefix)/lib/networkd-dispatcher/routable.d/adit)
install-no:
install-man:
	$(Q)$(call put,644,board/man/adit.1,$(prefix)/share/man/man1/adit.1)
	$(Q)$(call put,644,board/man/adit-gateway.1,$(prefix)/share/man/man1/adit-gateway.1)
install-gateway: $(B)/adit-gateway $(if $(filter no,$(MAN)),,install-man)
	$(Q)$(call put,755,$<,$(prefix)/bin/adit-gateway)
	$(Q)$(call put,644,board/systemd/adit-gateway.default,/etc/default/adit-gateway)
	$(Q)$(call put,644,board/systemd/adit-gateway.service,$(unitdir)/adit-gateway.service)
	$(Q)$(call put,644,board/systemd/adit-gateway.service,$(unitdir)/adit-gateway@.service)
	$(Q)$(call put,644,board/systemd/adit-gateway.socket,$(unitdir)/adit-gateway.socket)
	$(Q)$(call put,644,board/systemd/adit-gateway.sysusers,$(prefix)/lib/sysusers.d/adit-gateway.conf)
	$(Q)install -d -m 755 '$(DESTDIR)/etc/adit-gateway'

# OpenWrt names this machine's architecture x86_64.
ipk: $(B)/adit
	$(Q)SOURCE_DATE_EPOCH=$(SOURCE_DATE_EPOCH) sh scripts/ipk.sh $(VERSION) \
	    $(patsubst host,x86_64,$(BOARD)) $< $(PACKAGES)
packages:
	$(Q)sh scripts/setup.sh build every-board
	$(Q)set -e; for board in $(PACKAGE_BOARDS); do \
	    $(MAKE) --no-print-directory BOARD=$$board ipk; done
	$(Q)cd $(PACKAGES) && sha256sum *.ipk >SHA256SUMS && cat SHA256SUMS
.PHONY: install install-service install-busybox install-systemd install-no install-man \
    install-gateway ipk packages
