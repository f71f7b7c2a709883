# adit: `make` builds the agent and the gateway for this machine, `make BOARD=mips_24kc` for a router.
# Variables: BOARD, OUT (where the build tree goes), V=1 (show commands), BEARSSL_SRC, MUSL_SRC (own sources).
BOARD ?= host
OUT   ?= build
include board/$(BOARD).mk

# ---- sources, one list per layer -------------------------------------------------------------------------
layer = $(wildcard $(addsuffix .c,$(addprefix src/$(1)/,$(2))))
CODEC := $(call layer,codec,err buf ascii utf8 ws_head ws_mask ws_accept ws_close base64 json json_write varint \
           wire_field wire_build wire_header wire_decode wire_json wire_tlv wire_put http_head http_field http_chunk uri dns_msg)
CORE  := $(call layer,core,backoff upgrade pool link session relay http_body)
NET   := $(call layer,net,sock resolver dial tls tls_client trust origin)
SYS   := $(call layer,sys,loop clock entropy log options fmt)
# Only the gateway has these: a table of thousands of deadlines, a TLS server, epoll.
SHARED_BY_GATEWAY := $(call layer,core,wheel) $(call layer,net,tls_server) $(call layer,sys,poller)
AGENT   := $(wildcard src/agent/*.c)
GATEWAY := $(wildcard src/gateway/*.c)
PURE    := $(CODEC) $(CORE) $(filter src/core/%,$(SHARED_BY_GATEWAY))
COMMON  := $(CODEC) $(CORE) $(NET) $(SYS)

# ---- flags -----------------------------------------------------------------------------------------------
B       := $(OUT)/$(BOARD)
DEP     := build/dep/$(BOARD)
ifneq ($(origin CC),file)
CC      := $(CROSS)gcc
endif
STRIP   := $(CROSS)strip
ifeq ($(LIBC),musl)
LIBC_CFLAGS := -nostdinc -isystem $(DEP)/include -isystem $(shell $(CC) -print-file-name=include) -Os
CRT1    := $(DEP)/lib/crt1.o $(DEP)/lib/crti.o
LIBS     = -L$(DEP)/lib -lbearssl -Wl,--start-group -lc -lrt_int $(1) -Wl,--end-group $(DEP)/lib/crtn.o
LDFLAGS := -nostdlib -static
else
LIBC_CFLAGS := -isystem $(DEP)/include
LIBS     = -L$(DEP)/lib -lbearssl
endif
WARN    := -Wall -Wextra -Wconversion -Wshadow -Wvla -Werror
SECTIONS := -ffunction-sections -fdata-sections -fno-asynchronous-unwind-tables -fno-unwind-tables
CFLAGS  := -std=c11 -D_GNU_SOURCE $(WARN) $(LIBC_CFLAGS) $(SECTIONS) $(MARCH) -Iinclude
LDFLAGS += $(LDMARCH) -Wl,--gc-sections -Wl,-z,noexecstack -Wl,-z,relro -Wl,--build-id=none
ifneq ($(V),1)
Q := @
endif
obj = $(patsubst %.c,$(B)/obj/%.o,$(1))

# ---- programs --------------------------------------------------------------------------------------------
PROGRAMS := $(if $(AGENT),$(B)/adit) $(if $(GATEWAY),$(B)/adit-gateway)
TOOLS := $(patsubst test/tools/%.c,%,$(wildcard test/tools/ws_echo.c test/tools/json_check.c))
TOOLS := $(addprefix $(B)/,$(subst _,-,$(TOOLS)))
TESTS := $(patsubst test/unit/%.c,$(B)/test/%,$(wildcard test/unit/test_*.c))
FUZZ  := $(patsubst test/fuzz/%.c,$(B)/test/%,$(wildcard test/fuzz/fuzz_*.c))
# Unit tests of these modules need more than codec and core.
TESTS_OF_ALL := $(addprefix $(B)/test/test_,$(notdir $(basename $(NET) $(SYS) $(SHARED_BY_GATEWAY))))

all: $(PROGRAMS) $(TOOLS)
tests: $(TESTS)
replays: $(FUZZ)

define link
	@mkdir -p $(@D)
	$(if $(Q),@echo '  LINK $@')
	$(Q)$(CC) $(LDFLAGS) -o $@.$$$$ $(CRT1) $(filter %.o,$^) $(LIBS) && mv $@.$$$$ $@
endef

$(B)/adit.debug: $(call obj,$(COMMON) $(AGENT))
	$(link)
$(B)/adit-gateway.debug: $(call obj,$(COMMON) $(SHARED_BY_GATEWAY) $(GATEWAY) $(NO_FLOAT))
	$(link)
$(B)/adit $(B)/adit-gateway: %: %.debug
	$(if $(Q),@echo '  STRIP $@')
	$(Q)$(STRIP) -s -R .comment -R .note.gnu.property -o $@ $<
$(B)/ws-echo: $(call obj,test/tools/ws_echo.c $(COMMON) $(NO_FLOAT))
	$(link)
$(B)/json-check: $(call obj,test/tools/json_check.c $(CODEC) $(NO_FLOAT))
	$(link)
$(filter-out $(TESTS_OF_ALL),$(TESTS)): $(B)/test/%: $(B)/obj/test/unit/%.o $(call obj,$(PURE) $(NO_FLOAT))
	$(link)
$(filter $(TESTS_OF_ALL),$(TESTS)): $(B)/test/%: $(B)/obj/test/unit/%.o $(call obj,$(COMMON) $(SHARED_BY_GATEWAY) $(NO_FLOAT))
	$(link)
REPLAY := $(if $(filter host-fuzz,$(BOARD)),,test/fuzz/replay.c)
$(FUZZ): $(B)/test/%: $(B)/obj/test/fuzz/%.o $(call obj,$(PURE) $(REPLAY) $(NO_FLOAT))
	$(link)

$(call obj,$(FAST_SRCS)): OPT := -O2
$(B)/obj/test/%.o: CFLAGS += -Itest
$(B)/obj/%.o: %.c $(DEP)/stamp
	@mkdir -p $(@D)
	$(if $(Q),@echo '  CC   $@')
	$(Q)$(CC) $(CFLAGS) $(OPT) -MMD -MP -c -o $@ $<

export BOARD CC CROSS MARCH LIBC DEP FAST_BEAR SECTIONS
$(DEP)/stamp: scripts/deps.sh scripts/fetch.sh board/$(BOARD).mk
	$(Q)sh scripts/deps.sh

# ---- checks ----------------------------------------------------------------------------------------------
.PHONY: all tests replays unit clean distclean
unit:
	$(Q)$(MAKE) --no-print-directory BOARD=host-asan tests
	$(Q)prove -j2 $(patsubst test/unit/%.c,$(OUT)/host-asan/test/%,$(wildcard test/unit/test_*.c))

clean:
	rm -rf $(filter-out $(OUT)/dep $(OUT)/src,$(wildcard $(OUT)/*))
distclean:
	rm -rf $(OUT) build

-include $(shell find $(B)/obj -name '*.d' 2>/dev/null)
