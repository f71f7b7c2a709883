# adit: `make` builds agent and gateway for this machine, `make BOARD=mips_24kc` for a router.
# Variables: BOARD, PROFILE=tiny (include/limits.h), OUT (the build tree), V=1 (show commands), CA
# (a PEM file: authorities to compile in), MTLS=no or yes (client certificates, 3 KB; see board),
# BEARSSL_SRC, MUSL_SRC (own sources); for the compiler of a firmware SDK: CROSS or CC, and
# SYSROOT.
BOARD ?= host
OUT   ?= build
# What this board does not set is not taken from the make for another one that started this.
$(foreach name,NO_FPU MUSL_AS RT_MARK COMPACT PLAIN_BEAR LTO FAST_OPT FAST_SRCS FAST_BEAR \
    RUNTIME NO_FLOAT BEAR_DEFS,$(eval $(name) :=))
include board/$(BOARD).mk
BOARD_FILES := $(filter board/%,$(MAKEFILE_LIST))
MTLS  ?= yes
# An SDK brings its own C library.
ifneq ($(filter command%,$(origin CROSS) $(origin CC)),)
LIBC  := sdk
endif

# ---- sources, one list per layer -----------------------------------------------------------------
layer = $(addsuffix .c,$(addprefix src/$(1)/,$(2)))
CODEC := $(call layer,codec,err buf ascii utf8 base64 varint json json_write uri ip dns_msg der_value der san \
           ws_head ws_mask ws_accept ws_close http_head http_field http_framing http_chunk \
           wire_field wire_build wire_header wire_put wire_in wire_decode wire_tlv \
           wire_json wire_json_skip wire_json_value)
CORE  := $(call layer,core,backoff homes watchdog goaway dns_cache upgrade pool credit unsent http_body http_sender exchange \
           relay_pack relay_request relay_response link_recv link_put \
           session session_recv session_put session_agent)
NET   := $(call layer,net,origin sock sock_listen notify resolv_conf resolver dial transport pem signature trust tls_text \
           tls_common tls_curves tls_client mtls)
SYS   := $(call layer,sys,loop signals clock entropy log options options_value fmt file sandbox \
           sandbox_filter)
# Only the gateway has these: a table of thousands of deadlines, its role, a TLS server, epoll.
SHARED_BY_GATEWAY := $(call layer,core,wheel ring window share hold drain visit visit_time \
    session_gateway) \
    $(call layer,net,tls_server tls_identity) $(call layer,sys,poller)
AGENT   := $(call layer,agent,main agent config token identity connect gateway_trust state tunnel_io local \
             request response record)
GATEWAY := $(call layer,gateway,main gateway certificate load listen listen_fds leave turn accept limit config \
             tunnel_names cidr peers page \
             schedule conn conn_turn request request_head request_put response visitor forward cookie date \
             stream buffer tunnel tunnel_io tunnel_pace tunnel_queue tunnel_log)
PURE    := $(CODEC) $(CORE) $(filter src/core/%,$(SHARED_BY_GATEWAY))
COMMON  := $(CODEC) $(CORE) $(NET) $(SYS)

# ---- flags ---------------------------------------------------------------------------------------
B       := $(OUT)/$(BOARD)$(PROFILE:%=-%)
DEP     := build/dep/$(BOARD)$(if $(filter sdk,$(LIBC)),-sdk)
ifneq ($(origin CC),file)
CC      := $(CROSS)gcc
endif
WARN    := -Wall -Wextra -Wconversion -Wshadow -Wvla -Werror
CFLAGS  := -std=c11 -D_GNU_SOURCE $(WARN) -Iinclude -isystem $(DEP)/include
SECTIONS := -ffunction-sections -fdata-sections -fno-asynchronous-unwind-tables -fno-unwind-tables
LDFLAGS := $(LDMARCH) -Wl,--gc-sections -Wl,-z,noexecstack -Wl,--build-id=none \
           -Wl,--fatal-warnings
LIBS    := -L$(DEP)/lib -lbearssl
# Entropy and time come from us, through BearSSL's interfaces.
BEAR_DEFS += -DBR_USE_URANDOM=0 -DBR_USE_GETENTROPY=0 -DBR_RDRAND=0 -DBR_USE_UNIX_TIME=0
ifeq ($(PROFILE),tiny)
CFLAGS  += -DADIT_TINY
RAM_MAX := 98304
endif
ifneq ($(POOL_KB),)
CFLAGS  += -DADIT_POOL_KB=$(POOL_KB)
endif
ifeq ($(MTLS),yes)
CFLAGS  += -DADIT_MTLS
endif
ifneq ($(LIBC),native)
# gcc has -Oz since 12.
SIZE_OPT := $(if $(shell $(CC) -Oz -E -x c /dev/null 2>&1 >/dev/null),-Os,-Oz)
CFLAGS  += $(SIZE_OPT) $(SYSROOT:%=--sysroot=%)
# No relocation is left for relro to protect, and its padding costs 32 KB on mips; code and
# constants in pages of their own cost 8 KB on x86-64, and padding to whole pages half a page.
LDFLAGS += $(SYSROOT:%=--sysroot=%) \
           -static -Wl,-z,norelro,-z,noseparate-code,-z,common-page-size=64
endif
ifeq ($(LIBC),musl)
CFLAGS  += -nostdinc -isystem $(shell $(CC) -print-file-name=include)
LDFLAGS += -nostdlib
CRT     := $(DEP)/lib/crt1.o $(DEP)/lib/crti.o
LIBS    += -Wl,--start-group -lc -lrt_int -Wl,--end-group $(DEP)/lib/crtn.o
endif
CFLAGS  += $(SECTIONS) $(MARCH) $(NO_FPU)
# What scripts/cost.py reads; the stripped file is the same.
ifeq ($(DEBUG),yes)
CFLAGS  += -g
LDFLAGS += -fno-asynchronous-unwind-tables -fno-unwind-tables
MAP      = -Wl,-Map=$@.map
endif
Q       := $(if $(filter 1,$(V)),,@)
say      = $(if $(Q),@printf '  %-5s %s\n' $(1) $@)
obj      = $(patsubst %.c,$(B)/obj/%.o,$(1))

# ---- programs ------------------------------------------------------------------------------------
# Made for this build: authorities and the time of the source.
BUILT_IN := $(B)/obj/built_in.o
# What the compiler's runtime lacks on this board. The agent does without floats, even unused ones.
ANY_RUNTIME := $(RUNTIME) $(NO_FLOAT)
# Of the agent with our own C library.
START    := $(if $(filter musl,$(LIBC)),board/start.c)
PROGRAMS := $(addprefix $(B)/,adit adit-gateway ws-echo json-check tls-probe)
TESTS := $(patsubst test/unit/%.c,$(B)/test/%,$(wildcard test/unit/test_*.c))
FUZZ  := $(patsubst test/fuzz/%.c,$(B)/test/%,$(wildcard test/fuzz/fuzz_*.c))
# Unit tests of these modules need more than codec and core.
IMPURE := $(NET) $(SYS) $(filter-out src/core/%,$(SHARED_BY_GATEWAY))
IMPURE_TESTS := $(filter $(TESTS),$(addprefix $(B)/test/test_,$(notdir $(basename $(IMPURE)))))
AGENT_TESTS := $(filter $(TESTS),$(addprefix $(B)/test/test_,$(notdir $(basename $(AGENT)))))
GATEWAY_PARTS := $(call layer,gateway,tunnel_names listen_fds buffer cidr peers page forward cookie date)
PARTS_TESTS := $(filter $(TESTS),$(addprefix $(B)/test/test_,$(notdir $(basename $(GATEWAY_PARTS)))))

all: $(PROGRAMS)
agent: $(B)/adit
tests: $(TESTS) $(FUZZ)

LTO_MODE := $(if $(LTO),-fno-lto)
# Linked under a name of its own, so that nobody runs a half-written program.
define link
	@mkdir -p $(@D)
	$(call say,LINK)
	$(Q)$(CC) $(LDFLAGS) $(LTO_MODE) $(MAP) -o $@.$$$$ $(CRT) $(filter %.o,$^) $(LIBS) && mv $@.$$$$ $@
endef

# The agent alone is compiled as a whole, where the board has LTO, the option for objects.
$(B)/adit.debug: LTO_MODE := $(if $(LTO),$(SIZE_OPT) $(MARCH) $(NO_FPU) -flto=1 \
    -flto-partition=one)
$(B)/adit.debug: $(call obj,$(COMMON) $(AGENT) $(RUNTIME) $(START)) $(BUILT_IN)
	$(link)
$(B)/adit-gateway.debug: $(call obj,$(COMMON) $(SHARED_BY_GATEWAY) $(GATEWAY) $(ANY_RUNTIME)) \
    $(BUILT_IN)
	$(link)
$(B)/adit $(B)/adit-gateway: %: %.debug
	$(call say,STRIP)
	$(Q)$(CROSS)strip -s -R .comment -R .note.gnu.property -o $@.$$$$ $< && mv $@.$$$$ $@
$(B)/ws-echo: $(call obj,test/tools/ws_echo.c $(COMMON) $(ANY_RUNTIME)) $(BUILT_IN)
	$(link)
$(B)/tls-probe: $(call obj,test/tools/tls_probe.c $(COMMON) $(ANY_RUNTIME)) $(BUILT_IN)
	$(link)
$(B)/json-check: $(call obj,test/tools/json_check.c $(CODEC) $(ANY_RUNTIME))
	$(link)
$(TESTS): $(B)/test/%: $(B)/obj/test/unit/%.o $(call obj,$(PURE) $(ANY_RUNTIME))
	$(link)
$(IMPURE_TESTS): $(call obj,$(IMPURE)) $(BUILT_IN)
# The whole agent, with a world of the test's own instead of these.
WORLD := src/net/sock.c src/net/sock_listen.c src/sys/loop.c src/sys/signals.c src/sys/clock.c src/sys/entropy.c
$(filter %/test_agent_model,$(TESTS)): $(BUILT_IN) \
    $(call obj,$(filter-out $(WORLD),$(IMPURE)) $(filter-out %/main.c,$(AGENT)))
$(AGENT_TESTS): $(BUILT_IN) $(call obj,$(IMPURE) $(filter-out %/main.c,$(AGENT)))
$(PARTS_TESTS): $(call obj,$(GATEWAY_PARTS))
# libFuzzer brings its own main.
REPLAY := $(if $(filter host-fuzz,$(BOARD)),,test/fuzz/replay.c)
$(FUZZ): $(B)/test/%: $(B)/obj/test/fuzz/%.o $(call obj,$(PURE) $(REPLAY) $(ANY_RUNTIME))
	$(link)

$(B)/obj/%.o: OPT := $(COMPACT)
$(call obj,$(FAST_SRCS)): OPT := $(FAST_OPT)
$(call obj,$(COMMON) $(AGENT)): CFLAGS += $(LTO)
$(B)/obj/test/%.o: CFLAGS += -Itest -Isrc/agent
$(B)/obj/%.o: %.c $(DEP)/stamp $(B)/flags
	@mkdir -p $(@D)
	$(call say,CC)
	$(Q)$(CC) $(CFLAGS) $(OPT) -MMD -MP -c -o $@ $<
$(BUILT_IN): $(B)/built_in.c $(DEP)/stamp $(B)/flags
	@mkdir -p $(@D)
	$(call say,CC)
	$(Q)$(CC) $(CFLAGS) $(OPT) -c -o $@ $<
# Changes only when what is built in does.
$(B)/built_in.c: FORCE
	@mkdir -p $(@D); sh scripts/built_in.sh $@ $(CA)
# Changes only when the flags do.
FLAGS := $(CC) $(CFLAGS) $(LDFLAGS) $(COMPACT) $(LTO) $(FAST_OPT) $(FAST_SRCS)
$(B)/flags: FORCE
	@mkdir -p $(@D); echo '$(FLAGS)' | cmp -s - $@ || echo '$(FLAGS)' >$@

export BOARD BOARD_FILES CC CROSS MARCH NO_FPU MUSL_AS RT_MARK LIBC DEP SECTIONS SIZE_OPT COMPACT BEAR_DEFS
export PLAIN_BEAR LTO SYSROOT FAST_OPT FAST_BEAR LDMARCH
export FLASH_MAX RAM_MAX
$(DEP)/stamp: scripts/deps.sh scripts/fetch.sh scripts/bearssl.patch $(BOARD_FILES)
	$(Q)sh scripts/deps.sh

# ---- checks --------------------------------------------------------------------------------------
# `make test` is everything but what has a target of its own, `make unit` the native unit tests, `make layers` who imports what.
test:
	$(Q)OUT=$(OUT) sh scripts/test.sh
unit:
	$(Q)$(MAKE) --no-print-directory BOARD=host-asan run-tests
run-tests: tests
	$(Q)prove -j2 --exec '$(RUN)' $(TESTS) $(FUZZ)
layers: export NM = $(CROSS)nm
layers: export SIZE = $(CROSS)size
layers: all $(call obj,$(COMMON) $(SHARED_BY_GATEWAY))
	$(Q)prove --exec sh test/layers/selftest.sh test/stack/selftest.sh test/cost/selftest.sh
	$(Q)prove --exec sh scripts/layers.sh :: $(B)/adit \
	    $(call obj,$(COMMON) $(SHARED_BY_GATEWAY) $(AGENT) $(GATEWAY))

# The end-to-end suite with agent and gateway under AddressSanitizer and UBSan.
test-asan:
	$(Q)OUT=$(OUT) sh scripts/test.sh asan

# 1 GiB each way in every mode, the agent's memory watched; BIG_MIB=64 for less.
test-big:
	$(Q)sh scripts/setup.sh build test
	$(Q)$(MAKE) --no-print-directory BOARD=host all
	$(Q)ADIT_BUILD=$(OUT)/host ADIT_GATEWAY_BUILD=$(OUT)/host /usr/bin/python3 -m pytest -q -s \
	    test/e2e/big.py

# The gateway is replaced under load, ROUNDS=5 times: no request may fail; the longest pause.
test-rolling:
	$(Q)sh scripts/setup.sh build test
	$(Q)$(MAKE) --no-print-directory BOARD=host all
	$(Q)ADIT_BUILD=$(OUT)/host ADIT_GATEWAY_BUILD=$(OUT)/host /usr/bin/python3 -m pytest -q -s \
	    test/e2e/rolling.py

# System calls fail under strace, FAULTS=agent-read takes some; then the network, names, the gateway
# and the local server fail, in namespaces, NET_FAULTS='hole|names' takes some. Four at once, which
# wait most of the time; with one of the variables only its half.
FAULTS_WITH := ADIT_BUILD=$(OUT)/host ADIT_GATEWAY_BUILD=$(OUT)/host PATH_TOOL=$(OUT)/path \
    PYTHONPATH=test/e2e /usr/bin/python3 -m pytest -q -n 4
test-faults: $(OUT)/path
	$(Q)sh scripts/setup.sh build test net
	$(Q)$(MAKE) --no-print-directory BOARD=host all
	$(Q)$(if $(NET_FAULTS),,FAULTS='$(FAULTS)' $(FAULTS_WITH) test/e2e/faults.py \
	    test/e2e/faults_lasting.py)
	$(Q)$(if $(FAULTS),,NET_FAULTS='$(NET_FAULTS)' $(FAULTS_WITH) -p net_table \
	    test/e2e/net_faults.py)

# By the thousand: reconnects and requests of one agent, tunnels of one gateway, while memory and
# descriptors stay the same; SOAK_RECONNECTS, SOAK_REQUESTS, SOAK_TUNNELS, SOAK_ROUNDS for fewer.
test-soak: $(OUT)/path
	$(Q)sh scripts/setup.sh build test net
	$(Q)$(MAKE) --no-print-directory BOARD=host all
	$(Q)ADIT_BUILD=$(OUT)/host ADIT_GATEWAY_BUILD=$(OUT)/host PATH_TOOL=$(OUT)/path \
	    /usr/bin/python3 -m pytest -q -s test/e2e/soak.py

# Every board, or BOARDS='...': make size [PROFILE=tiny], make test-boards. With V=1 size tells, of
# two boards, what each part costs. This one: make repro.
BOARDS ?= $(filter-out host-% x86_64,$(notdir $(basename $(wildcard board/*.mk))))
size:
	$(Q)sh scripts/setup.sh build every-board
	$(Q)OUT=$(OUT) PROFILE=$(PROFILE) V=$(V) sh scripts/size.sh \
	    $(if $(V),$(if $(filter file,$(origin BOARDS)),host mips_24kc,$(BOARDS)),$(BOARDS))
test-boards:
	$(Q)sh scripts/setup.sh build every-board test
	$(Q)OUT=$(OUT) sh scripts/test_boards.sh $(BOARDS)
test-boot:
	$(Q)sh scripts/setup.sh build every-board boot test
	$(Q)OUT=$(OUT) sh scripts/test_boot.sh
repro:
	$(Q)sh scripts/repro.sh $(BOARD)
sbom:
	$(Q)sh scripts/sbom.sh $(VERSION)
show-%:
	@echo '$($*)'

# make fuzz NAME=json SECONDS=60; make fuzz-all FUZZ_SECONDS=60
SECONDS ?= 60
FUZZ_SECONDS ?= 60
fuzz:
	$(Q)sh scripts/setup.sh build fuzz
	$(Q)$(MAKE) --no-print-directory BOARD=host-fuzz $(OUT)/host-fuzz/test/fuzz_$(NAME)
	@mkdir -p $(OUT)/fuzz/$(NAME)
	$(Q)$(OUT)/host-fuzz/test/fuzz_$(NAME) -max_total_time=$(SECONDS) -timeout=10 \
	    -print_final_stats=1 -artifact_prefix=$(OUT)/fuzz/$(NAME)- \
	    $(OUT)/fuzz/$(NAME) test/corpus/$(NAME)
fuzz-all:
	$(Q)set -e; for name in $(patsubst test/fuzz/fuzz_%.c,%,$(wildcard test/fuzz/fuzz_*.c)); do \
	    $(MAKE) --no-print-directory fuzz NAME=$$name SECONDS=$(FUZZ_SECONDS); done

# What tools see without running anything.
lint: $(DEP)/stamp
	$(Q)sh scripts/setup.sh lint
	$(Q)sh scripts/lint.sh

# What the unit tests reach of codec and core; with E2E=1 what all tests reach of everything.
coverage:
	$(Q)sh scripts/setup.sh build test coverage
	$(Q)OUT=$(OUT) sh scripts/coverage.sh $(if $(E2E),e2e)

# Mistakes on purpose: those of a list, each with the tests that must notice; and any, at random.
mutants mutate:
	$(Q)sh scripts/setup.sh build test
	$(Q)python3 scripts/mutants.py $(if $(filter mutate,$@),random,list)

# As bench, over a path of RTT=100 milliseconds, MBIT=1000, LOSS=0 per cent.
$(OUT)/path: test/tools/path.c test/tools/path_packet.h
	@mkdir -p $(@D)
	$(Q)cc -std=c11 -D_GNU_SOURCE -O2 -Wall -Wextra -o $@ $<
bench-path:
	$(Q)OUT=$(OUT) RTT='$(RTT)' MBIT='$(MBIT)' LOSS='$(LOSS)' sh scripts/bench_path.sh

# The same as a test: as fast as TCP alone over two long paths, and answers that overtake bulk on a
# slow one. Ratios within one run; five minutes, on a quiet machine.
test-path: export BENCH_RUNS = 1
test-path: export BENCH_WAYS = tcp adit
test-path:
	$(Q)BENCH_WHATS='down1 down4 up1 small' RTT=20 OUT=$(OUT) sh scripts/bench_path.sh check
	$(Q)BENCH_WHATS='down1 down4 up1 small' RTT=100 OUT=$(OUT) sh scripts/bench_path.sh check
	$(Q)BENCH_WHATS=small RTT=20 MBIT=5 OUT=$(OUT) sh scripts/bench_path.sh check
# Instructions and system calls of a request and of a MiB, which no other load of the machine moves.
bench-cost:
	$(Q)OUT=$(OUT) sh scripts/bench_cost.sh

demo bench:
	$(Q)sh scripts/setup.sh build test $(filter bench,$@)
	$(Q)$(MAKE) --no-print-directory BOARD=host all
	$(Q)OUT=$(OUT) KEEP=$(KEEP) bash scripts/$@.sh

clean:
	rm -rf $(filter-out $(OUT)/dep $(OUT)/src,$(wildcard $(OUT)/*))
distclean:
	rm -rf $(OUT) build
include board/init/install.mk
FORCE:
.PHONY: all tests test test-asan test-big test-rolling test-faults test-soak test-path unit run-tests layers size \
    test-boards test-boot repro sbom agent fuzz fuzz-all lint coverage mutants mutate demo bench \
    bench-path bench-cost clean distclean FORCE
-include $(shell find $(B)/obj -name '*.d' 2>/dev/null)
