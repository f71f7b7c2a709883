# 32-bit PC with SSE2: old thin clients, Geode's successors, 32-bit images on newer boards.
CROSS     := i686-linux-gnu-
MARCH     := -march=pentium4 -mtune=pentium4 -mpreferred-stack-boundary=2 -fno-pie -fno-pic \
             -fcf-protection=none
LDMARCH   := -no-pie
LIBC      := musl
RUN       := qemu-i386-static
# 64-bit lengths and times take two registers, of which it has seven.
FLASH_MAX := 139264
RAM_MAX   := 2326528
POOL_KB   := 2048
STACK_MAX := 16384
# Such a processor has no AES instructions.
BEAR_DEFS := -DBR_AES_X86NI=0
RUNTIME   := board/div64.c
# With few registers, what an optimization has at hand twice is soon spilled.
COMPACT   := -fno-jump-tables -fno-inline-functions-called-once -fno-expensive-optimizations
# Client certificates would put it over its budget.
MTLS      ?= no
# Compiled as a whole it is 1 KB smaller.
LTO       := -flto -ffat-lto-objects
FAST_OPT  := -O2
FAST_SRCS := src/codec/ws_mask.c
